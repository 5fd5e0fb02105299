/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a container, running or not: cp both ways. */
#ifndef BUILDER_CONTAINER_FILES_H
#define BUILDER_CONTAINER_FILES_H

#include <stdbool.h>

#include "builder/container/container.h"
#include "lib/error.h"

/** Open its root file system: as its processes see it, or mounted by us, locked as long as the
 *  container is open. */
int container_open_root(struct container *container, struct error *err);

/** One side of a copy. */
struct file_place {
	int root_fd; /* paths are inside of this; -EBADF = the host's own */
	const char
		*path; /* with a trailing "/" it must be a folder, with "/." its contents count */
};

struct file_copy {
	bool archive; /* owners as they are; else they are uid:gid */
	bool follow;  /* what is copied is a symlink: what it leads to, by its name */
	uid_t uid;
	gid_t gid;
};

/** As docker's cp: into a folder that is there, else under the new name. */
int files_copy(const struct file_copy *copy, const struct file_place *from,
	       const struct file_place *to, struct error *err);

/** As a tar archive to fd, below its own name; owners are as they are. */
int files_write_tar(struct store *store, const struct file_copy *copy,
		    const struct file_place *from, int fd, struct error *err);
/** The other way: into a folder that is there. */
int files_read_tar(struct store *store, int fd, const struct file_place *to, struct error *err);

#endif
