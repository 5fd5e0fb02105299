/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build --lock and --locked: a file that says what every name of a Dockerfile stood for: images and
 * downloads by digest, repositories by commit.
 */
#ifndef BUILDER_BUILD_PINS_H
#define BUILDER_BUILD_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/digest.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/json-types.h"

struct graph;
struct json_object;
struct location;
struct remote;

struct pin {
	const char *name;     /* as the Dockerfile has it, without passwords */
	const char *platform; /* of an image, else NULL */
	const char *value;    /* "sha256:HEX", or a commit */
};
struct pin_list {
	struct pin *items;
	size_t count;
};

struct pins {
	struct arena arena;
	uint32_t version;
	const char *path; /* of the file they were read from, for messages */
	bool open;	  /* what is not pinned is looked up, else an error */
	struct pin_list images, files, repositories;
};

/** As a document has them, version and lists. */
extern const struct json_object pins_object;

void pins_done(struct pins *pins);

/** Read a file. */
int pins_read(const char *path, struct pins *out, struct error *err);
/** Write it: sorted, so that the same pins are the same file. */
int pins_write(struct pins *pins, const char *path, struct error *err);

/** Add all that a graph that has run has found. */
int pins_collect(struct pins *pins, const struct graph *graph, struct error *err);

/** The same of what is known, without a look at what was not asked for: for the record of a build.
 */
void pins_collect_known(struct pins *pins, const struct graph *graph);
/** Add a context that is a repository (git), and the commit that it was. */
void pins_add_repository(struct pins *pins, const struct location *location, const char *commit);
/** Pin an image; platform may be NULL, and then it is any. */
void pins_add_image(struct pins *pins, const char *name, const char *platform, const char *digest);
/** Pin what has this URL: a repository by a commit, a file by "sha256:...". */
void pins_add_remote(struct pins *pins, const char *url, const char *value);

/** The digest of an image (NULL: it is open), or ERROR_NOT_FOUND: it is not pinned. */
int pins_find_image(const struct pins *pins, const char *name, const char *platform,
		    const char **out, struct error *err);
/** Hold a source of ADD to its pin; one that says something else itself is an error. */
int pins_hold_remote(const struct pins *pins, struct remote *remote, struct error *err);
/** Hold a context that is a repository to its pin. */
int pins_hold_repository(const struct pins *pins, struct location *location, struct error *err);

#endif
