/* SPDX-License-Identifier: Apache-2.0 */
/* Where an archive goes: standard output, or a file that appears when it is complete. */
#ifndef BUILDER_CLI_ARCHIVE_FILE_H
#define BUILDER_CLI_ARCHIVE_FILE_H

#include "builder/cli/cli.h"

/** The command line of export and save. */
struct archive_arguments {
	const char *output;
};
extern const struct option_spec archive_options[];

/** Does output ("-" or NULL) mean a terminal? Then the usage error is set. */
int archive_check_output(struct cli *cli, const char *output);

/** Call write with an fd for output: NULL or "-" is standard output. */
typedef int (*archive_write_fn)(void *context, int fd, struct error *err);
int archive_write(const char *output, archive_write_fn write, void *context, struct error *err);

#endif
