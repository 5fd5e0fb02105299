/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text means that says where files are: a folder, standard input, a URL, a git repository,
 * an image. For build contexts, --build-context and the sources of ADD. Pure: nothing is looked at.
 */
#ifndef BUILDER_CONTEXT_LOCATION_H
#define BUILDER_CONTEXT_LOCATION_H

#include <stdbool.h>

#include "lib/alloc.h"
#include "lib/error.h"

enum location_kind {
	LOCATION_FOLDER, /* or any path */
	LOCATION_STDIN,
	LOCATION_HTTP,
	LOCATION_GIT,
	LOCATION_IMAGE,	 /* docker-image://NAME */
	LOCATION_LAYOUT, /* oci-layout://PATH[:TAG|@DIGEST] */
};

struct location {
	enum location_kind kind;
	const char *text; /* path, URL without fragment and query of ours, image name */
	/* of a web server: what its secrets say, the value of the header; NULL = nothing */
	const char *authorization;
	/* its name in the file of --locked that it is held to; NULL = there is none */
	const char *pin;
	/* git: branch, tag, refs/..., commit, NULL = HEAD; layout: tag or digest, NULL = latest */
	const char *ref;

	/* git */
	const char *subdir; /* "" = all */
	const char *commit; /* its beginning, which the ref must lead to; NULL = any */
	bool keep_git_dir;
	bool submodules;
};

/** An image, not a folder of files? */
static inline bool location_is_image(const struct location *location)
{
	return location->kind == LOCATION_IMAGE || location->kind == LOCATION_LAYOUT;
}

/** Of a build context, or (is_context false) a source of ADD, where "github.com/..." is a path. */
int location_parse(const char *text, bool is_context, struct arena *arena, struct location *out,
		   struct error *err);

#endif
