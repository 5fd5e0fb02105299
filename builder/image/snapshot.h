/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots: an ordered list of trees (bottom to top), mounted as an overlay. Trees are named
 * relative to the store ("layers/ID/tree", or a draft's "tmp/S/3/tree"). There are no parent
 * pointers: any list is a snapshot. Mounts live in the builder's own mount namespace and vanish
 * with it, also on SIGKILL.
 */
#ifndef BUILDER_IMAGE_SNAPSHOT_H
#define BUILDER_IMAGE_SNAPSHOT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

/** Enter an own mount namespace (everything rslave). Before any thread, once per process. */
int snapshot_namespace_enter(struct error *err);

/** A writable snapshot's folder: upper and work side by side in a scratch folder. */
struct snapshot_upper {
	char name[STORE_NAME_SIZE];  /* scratch folder */
	char upper[STORE_NAME_SIZE]; /* NAME/upper: goes to layer_from_folder after the unmount */
};

/** Make one; the root gets mode, owner and xattrs of the topmost tree's root. */
int snapshot_upper_create(struct store *store, const struct strv *trees, struct snapshot_upper *out,
			  struct error *err);

/** The same in a folder that exists and is empty (containers/ID). */
int snapshot_upper_create_at(struct store *store, const struct strv *trees, const char *name,
			     struct snapshot_upper *out, struct error *err);

enum snapshot_flags {
	SNAPSHOT_VOLATILE = 1, /* no syncs; the work folder is thrown away afterwards (steps) */
	SNAPSHOT_LEGACY = 2,   /* mount(2) with short names even if the kernel has lowerdir+ */
	SNAPSHOT_NO_COPY = 4,  /* -EAGAIN where a copy is to be made: call again from a thread */
};

/**
 * Mount: read-only when upper is NULL. Where overlayfs cannot be used (store->copies from then on,
 * and a warning says why) the upper becomes a copy of all trees, with what is changed in it: a scan
 * of it is to be "complete". Gives the fd of a detached mount: use it as a folder (it
 * goes away with the fd) or attach it. No trees at all is an empty root. Over 500 trees are nested.
 */
int snapshot_mount(struct store *store, const struct strv *trees,
		   const struct snapshot_upper *upper, unsigned int flags, int *out_fd,
		   struct error *err);

/** Attach at an existing folder (path relative to dirfd, AT_FDCWD or absolute) and detach again. */
int snapshot_attach(int mount_fd, int dirfd, const char *path, struct error *err);
int snapshot_detach(const char *path, struct error *err);

/**
 * Look one path up in the trees without mounting them: whiteouts and opaque folders count,
 * symlinks are not followed (in the middle they are -ENOTDIR). O_PATH fd of the topmost one, or
 * -ENOENT, -ENOTDIR.
 */
int snapshot_lookup(struct store *store, const struct strv *trees, const char *path,
		    struct error *err);

/** Resolve all symlinks of a path inside the trees; what does not exist is kept as it is. Owned
 *  result: relative, clean ("." = the root). -ELOOP after 40 symlinks. */
int snapshot_resolve(struct store *store, const struct strv *trees, const char *path,
		     char **out_path, struct error *err);

#endif
