/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying a file or a folder with all that is in it, by (folder fd, name) on both sides: no symlink
 * is followed in either, so both may be hostile and change meanwhile. Owners, modes, times and
 * portable xattrs go with it; holes of files stay holes; sockets are left out.
 */
#ifndef BUILDER_CONTAINER_TREE_COPY_H
#define BUILDER_CONTAINER_TREE_COPY_H

#include <stdbool.h>
#include <sys/types.h>

#include "builder/image/overlay.h"
#include "lib/error.h"

struct tree_copy {
	const enum overlay_marks *marks; /* of an overlay's upper: what is opaque stays so; NULL =
					  * it is none */
	bool set_owner;			 /* all of the copy belongs to uid:gid */
	uid_t uid;
	gid_t gid;
	bool keep_folders; /* those that are there keep their owners, modes and times */
	bool no_replace;   /* only files and symlinks are replaced, no devices, pipes or sockets */
};

/** from_name may be "." of a folder: then to_name exists or is made. Folders are merged; files,
 *  links and nodes replace those of the same name. umask must be 0. */
int tree_copy(const struct tree_copy *copy, int from_fd, const char *from_name, int to_fd,
	      const char *to_name, struct error *err);

/** Give all of a folder, itself too, to a user. */
int tree_chown(int dir_fd, const char *name, uid_t uid, gid_t gid, struct error *err);

/** Give all of it this SELinux label. */
int tree_label(int dir_fd, const char *name, const char *label, struct error *err);

/** Nothing in it? An error counts as "something". */
bool tree_is_empty(int dir_fd, const char *name);

#endif
