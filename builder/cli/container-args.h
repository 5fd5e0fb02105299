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

/** Lines "NAME=VALUE" or "NAME" of files; "#" begins a comment. */
int env_files_read(const struct strv *files, struct strv *out, struct error *err);

/** Seconds ("10"), for --time; NULL = -1. */
int cli_parse_seconds(struct cli *cli, const char *option, const char *text, int *out);

/** Is it JSON, a table, or a template that is wanted? *out_template is what is behind "table ", or
 *  all; NULL for the other two. Owned. */
enum format_kind { FORMAT_TABLE, FORMAT_JSON, FORMAT_TEMPLATE, FORMAT_TEMPLATE_TABLE };
enum format_kind cli_format_kind(const char *format, char **out_template);

/** Print rows, each a JSON object: as an array of them, or by a template; for a table with a heading
 *  made of the names of its fields. */
int cli_print_rows(struct cli *cli, enum format_kind kind, const char *template,
		   const struct strv *rows);

/** One row of a table, by a template whose cells are separated by tabs; a template of ours. */
struct text_table;
void cli_add_row(struct cli *cli, const char *template, const char *row, struct text_table *table);

#endif
