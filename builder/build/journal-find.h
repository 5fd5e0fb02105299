/* SPDX-License-Identifier: Apache-2.0 */
/* What people call a build ("12", "last") and a step of one: "12#7", "last#7", "12:build/3". */
#ifndef BUILDER_BUILD_JOURNAL_FIND_H
#define BUILDER_BUILD_JOURNAL_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build/journal.h"
#include "builder/image/store.h"
#include "lib/error.h"

struct journal_name {
	uint64_t build;
	uint64_t event;	   /* the step's number in the progress; 0 = not given */
	const char *place; /* "build/3", borrowed from the word; NULL = not given */
};

/** Is it the name of a step, and not of an image? */
bool journal_names_step(const char *word);

/** The build is one that has logs; whether it has such a step is not looked at. */
int journal_parse_name(struct store *store, const char *word, struct journal_name *out,
		       struct error *err);

/** Is this step meant? The name of a build means all of its steps. */
bool journal_name_fits(const struct journal_name *name, const struct journal_step *step);

/** The build and the number in its progress that made a step which came from the cache. */
bool journal_find_origin(struct store *store, const struct journal_step *step, uint64_t *out_build,
			 uint64_t *out_event);

/** ERROR_NOT_FOUND, in words that say where to look. */
int journal_not_found(const char *word, struct error *err);

/** The build and the number in its progress under which the step was made: when it came from the
 *  cache, those of the build that it was made in. */
int journal_find_step(struct store *store, const char *word, uint64_t *out_build,
		      uint64_t *out_event, struct error *err);

#endif
