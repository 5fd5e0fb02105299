/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going through the stages of a Dockerfile with their variables, without building anything: what
 * the checks and the outline see. The planner does the same with base images that must exist.
 */
#ifndef BUILDER_DOCKERFILE_WALK_H
#define BUILDER_DOCKERFILE_WALK_H

#include "builder/dockerfile/scope.h"
#include "builder/dockerfile/stages.h"

/** What is known of a base image; strings are the callback's, for as long as the walk lasts. */
struct walk_base {
	const char *const *env; /* "K=V" */
	size_t env_count;
	const char *user;     /* NULL or "" = root */
	const char *platform; /* "linux/amd64"; NULL = unknown */
	bool has_shell;	      /* it has a SHELL of its own */
};

struct walk_stage {
	const struct stage *stage;
	struct scope scope;
	bool base_known; /* else there may be more variables than those in scope */
	struct walk_base base;
	bool has_shell;	     /* a SHELL was set */
	bool workdir_set;    /* by the Dockerfile */
	const char *user;    /* NULL = root or unknown */
	bool user_unknown;   /* it is in a variable that the unknown base image may have */
	struct strv missing; /* of this instruction: names of variables without value */
	const struct instruction *last[INST_COUNT]; /* of each kind, before this instruction */
};

struct walk_hooks {
	void (*begin)(void *context, struct walk_stage *stage);
	/* Variables were looked up, also if that made the instruction fail. Not called for FROM. */
	void (*variables)(void *context, struct walk_stage *stage, const struct instruction *raw);
	/* expanded: what becomes of raw. Not called for FROM. */
	void (*instruction)(void *context, struct walk_stage *stage, const struct instruction *raw,
			    const struct instruction *expanded);
	void (*end)(void *context, struct walk_stage *stage);
};

struct walk_options {
	const struct strv *build_args;
	bool all; /* all stages, not only what the target needs */
	/* What an image has: true when it is known. NULL = none is. */
	bool (*find_base)(void *base_context, const char *image, struct walk_base *out);
	void *base_context;
	const struct walk_hooks *hooks; /* members may be NULL */
	void *context;
};

/** On failure (of an expansion) *where says where; the message has no place in it. */
int walk_stages(struct dockerfile *dockerfile, const struct stages *stages,
		const struct walk_options *options, struct source_range *where, struct error *err);

#endif
