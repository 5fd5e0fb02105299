/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept with a step's record beside its key: where it stood and what it cost. Nothing of it
 * is in the key. Read by `build --why`, `du --build`, `history --build` and `logs`.
 */
#ifndef BUILDER_BUILD_STEP_INFO_H
#define BUILDER_BUILD_STEP_INFO_H

#include <stdint.h>

#include "builder/build/graph.h"
#include "lib/alloc.h"
#include "lib/strbuf.h"

struct step_info {
	uint64_t build;	   /* the number of the build that made it; 0 = not known */
	uint64_t event;	   /* and of the step in its progress: BUILD#EVENT */
	const char *stage; /* "build", "stage-1" */
	uint64_t number;   /* in the stage */
	const char *text;  /* "RUN make" */
	const char *below; /* what it stands on: the step's text, or "FROM NAME CHAINID" */
	uint64_t wall_us;  /* until it was made; hashing its layer goes on */
	uint64_t user_us;  /* of the command, or of our threads that copied */
	uint64_t system_us;
	uint64_t peak_rss; /* bytes, of the largest process; of a COPY our own so far */
	uint64_t size;	   /* bytes that its layer adds, as a tar stream */
};

/** What a step stands on: the text of the step below, or "FROM NAME CHAINID". Owned. */
char *step_below(const struct step *step);

void step_info_encode(const struct step_info *info, struct strbuf *out);
/** text (may be NULL) to a struct whose texts live in arena; what is odd counts as unknown. */
void step_info_decode(const char *text, struct arena *arena, struct step_info *out);

#endif
