/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root file systems that people have mounted on the host (`mount`), in the store's folder
 * mounted/ID/:
 *
 *	root/        where it is mounted: an image read-only, of a container its own root
 *	name         what it was called by
 *	holds.BOOT   what of the store an image's mount needs, until the machine is started again
 *
 * ID is the image's or the container's. Only `mount` and `umount` are in the host's mount
 *namespace; other verbs have one of their own and see what is mounted there when they begin.
 */
#ifndef BUILDER_CONTAINER_HOST_MOUNT_H
#define BUILDER_CONTAINER_HOST_MOUNT_H

#include <stdbool.h>

#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

struct host_mount {
	const char *id;		    /* 64 hex digits */
	const char *name;	    /* as it was asked for */
	const struct strbuf *holds; /* lines of what it needs; NULL = a container holds it anyway */
	int mount_fd;		    /* detached */
};

/** Attach it, unless something is mounted there already: then that stays. */
int host_mount_make(struct store *store, const struct host_mount *mount, struct error *err);
/** Unmount it and take away its folder; lazy: also while it is in use. -ENOENT: it is not there. */
int host_mount_end(struct store *store, const char *id, bool lazy, struct error *err);
/** The same from another mount namespace, for who removes the container: in any case. */
int host_mount_end_elsewhere(struct store *store, const char *id, struct error *err);

bool host_mount_is_there(struct store *store, const char *id);
/** A detached clone of it, or -ENOENT. */
int host_mount_clone(struct store *store, const char *id);
/** Ids of all that are mounted, sorted. */
int host_mount_list(struct store *store, struct strv *out_ids, struct error *err);
/** Its path, and what it was called by; both owned. */
char *host_mount_path(struct store *store, const char *id);
char *host_mount_name(struct store *store, const char *id);

#endif
