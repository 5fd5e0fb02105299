/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes of the store: folders that live longer than containers.
 *
 *	volumes/NAME/_data        what is mounted
 *	volumes/NAME/volume.json  when it was made, its labels
 */
#ifndef BUILDER_CONTAINER_VOLUME_STORE_H
#define BUILDER_CONTAINER_VOLUME_STORE_H

#include <stdbool.h>

#include "builder/image/store.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"
#include "spec/json-types.h"

struct volume {
	struct arena arena; /* owns the texts */
	const char *name;
	const char *created; /* RFC 3339 */
	struct json_map labels;
	bool anonymous;
};
void volume_done(struct volume *volume);
#define cleanup_volume __attribute__((cleanup(volume_done)))

/** Letters, digits, _ . -, the first a letter or digit, at least two. */
bool volume_name_is_valid(const char *name);

/** Make it: 1 made, 0 it was there. created is set here. */
int volume_make(struct store *store, const struct volume *volume, struct error *err);
/** Absent: ERROR_NOT_FOUND. */
int volume_load(struct store *store, const char *name, struct volume *out, struct error *err);
/** Names, sorted. */
int volume_list(struct store *store, struct strv *out, struct error *err);
/** Remove it; ERROR_STATE when a container has it. */
int volume_remove(struct store *store, const char *name, struct error *err);
/** Names that containers have, also stopped ones; sorted. */
int volume_used(struct store *store, struct strv *out, struct error *err);

/** Where it lies on the host; in the arena. */
const char *volume_path(const struct store *store, const char *name, struct arena *arena);

/** If it is empty and the root file system has a folder at target: fill it with what is there. */
int volume_fill(struct store *store, const char *name, int root_fd, const char *target,
		struct error *err);

#endif
