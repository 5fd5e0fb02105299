/* SPDX-License-Identifier: Apache-2.0 */
/* --load: an image into docker or podman, through their own programs. */
#ifndef BUILDER_CLI_LOAD_PROGRAM_H
#define BUILDER_CLI_LOAD_PROGRAM_H

#include "builder/cli/archive-file.h"
#include "lib/error.h"

/** The program that would take it: "docker", else "podman"; NULL = neither is there. */
const char *load_program_find(void);

/** Run "PROGRAM load" and write the archive to it; what it prints goes to standard error. */
int load_program_run(const char *program, archive_write_fn write, void *context, struct error *err);

#endif
