/* SPDX-License-Identifier: Apache-2.0 */
/* The simple commands in a shell text, roughly: enough for rules about RUN, which may be wrong
 * about strange texts but never fail. */
#ifndef BUILDER_DOCKERFILE_SHELL_WORDS_H
#define BUILDER_DOCKERFILE_SHELL_WORDS_H

#include <stdbool.h>

#include "lib/strv.h"

/**
 * Read the next command from *text and move on: its words without quotes, assignments and words
 * like "sudo" and "then" in front dropped. False at the end. A command may have no words.
 */
bool shell_next_command(const char **text, struct strv *words);

#endif
