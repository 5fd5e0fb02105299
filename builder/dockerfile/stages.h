/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of a Dockerfile and what each needs: names, bases, COPY --from. Pure, looks at no
 * image: only stages that the target needs come into order.
 */
#ifndef BUILDER_DOCKERFILE_STAGES_H
#define BUILDER_DOCKERFILE_STAGES_H

#include <stdio.h>

#include "builder/dockerfile/parse.h"
#include "lib/strv.h"

#define STAGES_MAX 10000 /* looking one up by name takes linear time */

struct stage {
	size_t index;
	const char *name;     /* lower case; NULL = none */
	const char *base;     /* image name or "scratch"; of a base stage its name as written */
	struct stage *parent; /* the stage it starts from; NULL = base is an image or scratch */
	const char *platform; /* of FROM --platform, expanded; NULL = none */
	const struct instruction *from;
	const struct instruction *body;
	size_t body_count;
	struct stage **needs; /* of COPY --from and RUN --mount=from= */
	size_t need_count;
};

struct named_contexts;

struct stages_options {
	const struct strv *build_args;	       /* "K=V" */
	const char *target;		       /* name or index; NULL = the last stage */
	const char *platform;		       /* to build for: "linux/amd64" */
	const char *host;		       /* of this machine; NULL = the same */
	const struct named_contexts *contexts; /* names that win over stages; NULL = none */
};

struct stages {
	struct stage *items;
	size_t count;
	struct stage *target;
	struct stage **order; /* what the target needs, the needed before those who need them */
	size_t order_count;
	struct strv globals;		       /* platform and global ARGs, "K=V" */
	const struct named_contexts *contexts; /* of the options */
	struct strv unused;		       /* names of build args that no ARG declares */
	const struct instruction *reached;     /* the last FROM that was looked at; NULL = none */
	bool resolved;			       /* nothing failed */
	struct source_range where;	       /* of a failure */
};

/** Strings and lists live in the Dockerfile's arena. Call stages_done also after a failure. */
int stages_resolve(struct dockerfile *dockerfile, const struct stages_options *options,
		   struct stages *out, struct error *err);
void stages_done(struct stages *stages);
#define cleanup_stages __attribute__((cleanup(stages_done)))

/** Append the predefined platform ARGs, "K=V"; host NULL = the same as platform. */
void stages_platform_args(struct strv *out, const char *platform, const char *host);

/** A stage's name as it is compared. */
char *stages_lower_case(struct arena *arena, const char *name);

/** The stage that a --from or --target means: by name, else by index; NULL = none of that name,
 *  with -EINVAL only for a number out of range. */
int stages_find(const struct stages *stages, const char *name, struct stage **out,
		struct error *err);

/** The name of the stage that was perhaps meant; NULL = none is near. */
const char *stages_nearest(const struct stages *stages, const char *name);

/** One line a stage, for tests and for people: index, name, base, needs; order at the end. */
void stages_print(const struct stages *stages, FILE *out);

#endif
