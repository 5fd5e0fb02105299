/* SPDX-License-Identifier: Apache-2.0 */
/* What people call a step: "12#7", "last#7", "12:build/3". */
#ifndef BUILDER_BUILD_JOURNAL_FIND_H
#define BUILDER_BUILD_JOURNAL_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/store.h"
#include "lib/error.h"

/** Is it the name of a step, and not of an image? */
bool journal_names_step(const char *word);

/** The build and the number in its progress under which the step was made: when it came from the
 *  cache, those of the build that it was made in. */
int journal_find_step(struct store *store, const char *word, uint64_t *out_build,
		      uint64_t *out_event, struct error *err);

#endif
