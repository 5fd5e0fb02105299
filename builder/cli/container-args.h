/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of containers share. */
#ifndef BUILDER_CLI_CONTAINER_ARGS_H
#define BUILDER_CLI_CONTAINER_ARGS_H

#include <time.h>

#include "builder/cli/cli.h"
#include "builder/container/container.h"
#include "lib/strbuf.h"

/** Our own path, for conmon to execute later; before a mount namespace is entered. Owned. */
char *cli_program_path(void);

/** Do it for each word; one that fails does not keep the others from being done. The first failure
 *  is the verb's, the others are warnings. */
typedef int (*cli_container_fn)(struct store *store, const char *word, void *context,
				struct error *err);
int cli_each_container(struct cli *cli, struct store *store, char *const *words,
		       cli_container_fn call, void *context);

/** "Up 3 minutes", "Exited (127) 2 seconds ago", "Created". */
void container_status_text(const struct container_record *record,
			   const struct container_state *state, time_t now, struct strbuf *out);

/** "0.0.0.0:8080->80/tcp, ..." */
void container_ports_text(const struct container_record *record, struct strbuf *out);

/** "a=b,c=d", as docker lists labels. */
void labels_text(const struct json_map *labels, struct strbuf *out);

/** Lines "NAME=VALUE" or "NAME" of files; "#" begins a comment. option: of the command line, for
 *  errors. */
int lines_files_read(const char *option, const struct strv *files, struct strv *out,
		     struct error *err);

/** Seconds ("10"), for --time; NULL = -1. */
int cli_parse_seconds(struct cli *cli, const char *option, const char *text, int *out);

/** Is the text of --signal one? */
int cli_check_signal(struct cli *cli, const char *signal);

/** The record of a container that runs; the store is closed again. */
int cli_find_running(struct cli *cli, const char *word, struct container_record *out);

#endif
