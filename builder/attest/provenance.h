/* SPDX-License-Identifier: Apache-2.0 */
/* How an image was made, as SLSA's provenance (slsa.dev/provenance/v1) with BuildKit's members. */
#ifndef BUILDER_ATTEST_PROVENANCE_H
#define BUILDER_ATTEST_PROVENANCE_H

#include <stdint.h>

#include "builder/build/graph.h"
#include "builder/context/context.h"
#include "builder/dockerfile/lines.h"

enum provenance_mode {
	PROVENANCE_NONE,
	PROVENANCE_MIN, /* no values of build arguments and labels, no Dockerfile */
	PROVENANCE_MAX,
};

struct provenance_input {
	enum provenance_mode mode;
	const char *builder_id;	    /* "" = none */
	const char *location;	    /* of the context, without passwords; NULL = a folder here */
	const char *target;	    /* NULL = the last stage */
	const char *const *secrets; /* ids, NULL-terminated; their values are nowhere */
	const char *const *agents;
	const char *host; /* platform of the builder */
	const struct context *context;
	const struct source_text *dockerfile;
	const struct graph *graph;
	uint64_t build;	    /* its number in the store */
	int64_t begin, end; /* seconds */
};

/** The predicate, owned. */
char *provenance_write(const struct provenance_input *input);

#endif
