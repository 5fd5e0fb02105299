/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN --mount=type=...,key=value: one option's value as a struct. Text in, values out; what a
 * mount does to the step is the planner's business.
 */
#ifndef BUILDER_DOCKERFILE_RUN_MOUNT_H
#define BUILDER_DOCKERFILE_RUN_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct arena;
struct expand;

enum run_mount_type {
	RUN_MOUNT_BIND, /* the default */
	RUN_MOUNT_CACHE,
	RUN_MOUNT_TMPFS,
	RUN_MOUNT_SECRET,
	RUN_MOUNT_SSH,
	RUN_MOUNT_TYPES,
};

enum run_mount_sharing {
	RUN_MOUNT_SHARED, /* the default */
	RUN_MOUNT_PRIVATE,
	RUN_MOUNT_LOCKED,
};

struct run_mount {
	enum run_mount_type type;
	const char *from;   /* bind, cache: stage, named context or image; NULL = none */
	const char *source; /* NULL = none */
	const char *target; /* as written: may be relative, NULL when it was not given */
	const char *id;	    /* NULL = not given: the type's default */
	const char *env;    /* secret: the variable that gets the value; NULL = none */
	bool readonly;	    /* the type's default applied: bind, secret, ssh are */
	bool required;	    /* secret, ssh */
	enum run_mount_sharing sharing;
	bool has_mode, has_uid, has_gid; /* cache, secret, ssh: was it given? */
	uint32_t mode, uid, gid;
	uint64_t size; /* tmpfs: bytes; 0 = no limit */
};

/**
 * Parse and check one value. Strings go to the arena. expand: for the values, each by itself
 * (commas in a variable do not separate); NULL = take them as they are.
 */
int run_mount_parse(const char *text, const struct expand *expand, struct arena *arena,
		    struct run_mount *out, struct error *err);

/** Is it a list of fields at all? All that can be said before variables have values. */
int run_mount_check_syntax(const char *text, struct error *err);

/** The value of from= alone, expanded; *out is NULL when there is none. */
int run_mount_from(const char *text, const struct expand *expand, struct arena *arena,
		   const char **out, struct error *err);

const char *run_mount_type_name(enum run_mount_type type);
const char *run_mount_sharing_name(enum run_mount_sharing sharing);

#endif
