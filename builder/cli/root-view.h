/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a container or an image, to be read. */
#ifndef BUILDER_CLI_ROOT_VIEW_H
#define BUILDER_CLI_ROOT_VIEW_H

#include "builder/container/container.h"
#include "builder/image/image.h"

/** Its trees: of a container its image's and its own layer, without mounts and what was made for
 *  them. A container is locked, so that nobody removes it meanwhile. */
struct root_view {
	struct container container; /* record.id "" = it is an image */
	struct image image;
	struct strv trees;
	int mount_fd; /* root_view_mount */
};

#define ROOT_VIEW_INIT                                                                             \
	{                                                                                          \
		.container = CONTAINER_INIT, .image = { .arena = ARENA_INIT }, .mount_fd = -EBADF  \
	}
void root_view_done(struct root_view *view);
#define cleanup_root_view __attribute__((cleanup(root_view_done)))

/** By name or id, a container first; layers that have not come yet are pulled. */
int root_view_open(struct store *store, const char *word, struct root_view *out, struct error *err);

/** Mount it, read-only and attached nowhere: the fd of its root, owned. */
int root_view_mount(struct root_view *view, struct store *store, struct error *err);

#endif
