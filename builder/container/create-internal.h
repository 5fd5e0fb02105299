/* SPDX-License-Identifier: Apache-2.0 */
/* What the files have in common that make a container: create.c, create-namespaces.c,
 * create-bundle.c. */
#ifndef BUILDER_CONTAINER_CREATE_INTERNAL_H
#define BUILDER_CONTAINER_CREATE_INTERNAL_H

#include "builder/container/container.h"
#include "builder/container/user.h"
#include "builder/image/image.h"

/* One container on its way from the image to its record. */
struct making {
	struct container *container;
	const struct container_options *options;
	struct container_record *record; /* the container's */
	struct arena *arena;		 /* the record's */
	struct image image;
	struct strv env;
	struct user user;
	const char *cwd;
	bool recorded; /* containers/ID is there */
};

/** What the image says of containers; all empty when it says nothing. */
const struct image_defaults *making_defaults(const struct making *making);
/** A copy in the record's arena; NULL stays. */
char *making_copy(struct making *making, const char *text);
/** Append copies; items: NULL-terminated, or NULL. */
void making_add_strings(struct making *making, struct json_strings *out, char *const *items);

/** Which namespaces are its own and which another's, with what follows from that: ports, links,
 *  hostname, parameters of the kernel. All goes into the record. */
int create_plan_namespaces(struct making *making, struct error *err);

/** With the root mounted: users, groups, the working directory, volumes. */
int create_resolve_in_rootfs(struct making *making, struct error *err);
/** config.json, and in the record what inspect tells. */
int create_write_bundle(struct making *making, struct error *err);

#endif
