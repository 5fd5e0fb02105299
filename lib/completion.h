/* SPDX-License-Identifier: Apache-2.0 */
/* Completion for shells, made from the option tables. */
#ifndef LIB_COMPLETION_H
#define LIB_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/error.h"
#include "lib/options.h"

/** Write the script for shell ("bash", "zsh" or "fish"; else ERROR_USAGE) to out. */
int completion_write(FILE *out, const char *shell, const struct command_spec *program,
		     const struct command_spec *const *commands,
		     const struct command_group *const *groups, struct error *err);

#endif
