/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user namespace for a program that has no privilege: in it the caller is root, and the ids that
 * /etc/subuid and /etc/subgid grant him are the others (user_namespaces(7), newuidmap(1)).
 */
#ifndef LIB_USERNS_H
#define LIB_USERNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/** Words of newidmap_run: INSIDE OUTSIDE SIZE of each range. */
struct userns_maps {
	struct strv uids, gids;
};

void userns_maps_done(struct userns_maps *maps);
#define cleanup_userns_maps __attribute__((cleanup(userns_maps_done)))

/**
 * The caller as root and, from 1 on, what both files grant him; alone where one of them grants
 * nothing. name: of the caller in the files, which may have his number as well; NULL = it has none.
 */
void userns_maps_find(const char *name, struct userns_maps *out);

/**
 * Leave for a new user namespace with these maps, and for a mount namespace in it; the caller is
 * root there. One thread only. Where that is forbidden the error says by what, and what to do.
 */
int userns_make(const struct userns_maps *maps, struct error *err);

/** What the namespace of a process is known by as long as it lives, in one line: its number, and
 *  its maps, because numbers are given again. Owned; NULL = there is no such process. */
char *userns_identity(pid_t pid);

/**
 * Leave for the namespace that a process is in and for a new mount namespace, if it is this one and
 * the caller's. -ESRCH: it is not, and nothing has changed.
 */
int userns_join(pid_t pid, const char *identity, struct error *err);

/** Append its maps, "0 0 4294967295;..." of the users and, behind "/", of the groups. */
int userns_read_maps(pid_t pid, struct strbuf *out, struct error *err);

/** Does the namespace we are in deny setgroups(2)? So it does to who has mapped himself alone. */
bool userns_denies_groups(void);

/** Does the namespace we are in have these ids? */
bool userns_has_ids(uid_t uid, gid_t gid);

#endif
