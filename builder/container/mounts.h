/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted into a container: -v, --mount, --tmpfs, --volumes-from and VOLUME of its image.
 */
#ifndef BUILDER_CONTAINER_MOUNTS_H
#define BUILDER_CONTAINER_MOUNTS_H

#include "builder/container/record.h"
#include "builder/container/user.h"
#include "lib/error.h"
#include "lib/strv.h"

struct mount_words {
	const struct strv *volumes;	  /* "[SOURCE:]TARGET[:OPTIONS]" */
	const struct strv *mounts;	  /* "type=bind,source=...,target=..." */
	const struct strv *tmpfs;	  /* "TARGET[:OPTIONS]" */
	const struct strv *from;	  /* "CONTAINER[:ro|rw]" */
	const struct json_strings *image; /* VOLUME */
};

/** All of it into record->mounts, in the order in which they are mounted; nothing is made yet.
 *  Members of words may be NULL. */
int mounts_plan(struct store *store, const struct mount_words *words,
		struct container_record *record, struct error *err);

/** Make the volumes and fill them from the root file system, make folders of the host, change
 *  owners and labels, as was asked for. */
int mounts_make(struct store *store, const struct container_record *record, int root_fd,
		const struct user *user, struct error *err);

/** Remove the volumes that were made for this container alone. */
void mounts_remove_anonymous(struct store *store, const struct container_record *record);

#endif
