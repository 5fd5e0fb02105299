/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount points that an image lacks (an empty /etc/resolv.conf, the target of a volume) go into a
 * tree between the image and the container's own layer: so nothing of them is in a diff or a
 * commit, and nobody has to remove them.
 */
#ifndef BUILDER_CONTAINER_INIT_LAYER_H
#define BUILDER_CONTAINER_INIT_LAYER_H

#include "builder/container/container.h"

/** Make FOLDER/init, if anything is missing. */
int init_layer_make(struct container *container, const struct sandbox *sandbox, bool init,
		    struct error *err);

/** Where --init's program is mounted. */
#define INIT_TARGET "/sbin/docker-init"

#endif
