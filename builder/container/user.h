/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "USER x" of an image, and --user: names and numbers looked up in the root filesystem's own
 * passwd and group, which are hostile files. No NSS: the host's users mean nothing in there.
 */
#ifndef BUILDER_CONTAINER_USER_H
#define BUILDER_CONTAINER_USER_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct user {
	uint32_t uid, gid;
	uint32_t *groups; /* supplementary: from /etc/group, when no group was given; owned */
	size_t group_count;
	char *home; /* of the passwd entry, "/" without one; owned, never NULL on success */
};

/**
 * Resolve "", "name", "uid", "name:group", "uid:gid" and the mixed forms inside root_fd. "" is
 * uid 0. A number needs no entry (its gid is 0 then); a name that is not there is
 * ERROR_NOT_FOUND. An entry's values win over the number's absence, as in runc and BuildKit.
 */
int user_resolve(int root_fd, const char *text, struct user *out, struct error *err);

/** Add groups by name (of the image's /etc/group) or number. */
int user_add_groups(int root_fd, char *const *names, size_t count, struct user *user,
		    struct error *err);

void user_done(struct user *user);
#define cleanup_user __attribute__((cleanup(user_done)))

#endif
