/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders that outlive a build, for RUN --mount=type=cache: mounts/KEY of the store, KEY a hash of
 * the namespace, the id, and what it was seeded with. A lock file beside the folder says who uses
 * it; it is the kernel's flock, so it ends with its process.
 */
#ifndef BUILDER_BUILD_CACHE_MOUNT_H
#define BUILDER_BUILD_CACHE_MOUNT_H

#include "builder/build/engine.h"
#include "lib/error.h"

struct cache_mount {
	char *name; /* mounts/KEY or mounts/KEY.N */
	char *path; /* of the folder to be mounted, absolute */
	int lock_fd;
};

/** The folder's name, owned. seed: the key of what a new one begins with, "" = empty. */
char *cache_mount_name(const struct engine *engine, const struct step_mount *mount,
		       const char *seed);

/**
 * Open (and make, and seed) the folder of a mount. shared: with others; locked: waits for them;
 * private: takes another one when it is in use. held: what the same step has open already, which
 * it may use twice. A step opens all of its caches in the order of their names: else two steps
 * could wait for each other.
 */
int cache_mount_open(struct engine *engine, const struct step_mount *mount, const char *name,
		     const struct cache_mount *held, size_t held_count, struct cache_mount *out,
		     struct error *err);
void cache_mount_close(struct cache_mount *cache);

#endif
