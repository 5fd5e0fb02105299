/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of an archive as a file: created by (folder fd, name), never by a path. */
#ifndef BUILDER_IMAGE_ENTRY_H
#define BUILDER_IMAGE_ENTRY_H

#include <stdbool.h>
#include <sys/types.h>

#include "builder/image/tar-write.h"
#include "lib/error.h"

/**
 * Create dirfd/name, which must not exist (-EEXIST without a message otherwise), by the type of
 * entry; not for hardlinks. A regular file's fd for writing goes to out_fd, everything else leaves
 * -EBADF there.
 */
int entry_create(int dirfd, const char *name, const struct tar_entry *entry, int *out_fd,
		 struct error *err);

/**
 * Owner, mode, xattrs, time, in the order in which none undoes another. file_fd is what
 * entry_create gave (-EBADF for what is no regular file). The time of a folder is the caller's:
 * it changes as long as entries are made in it.
 */
int entry_set_metadata(int dirfd, const char *name, int file_fd, const struct tar_entry *entry,
		       struct error *err);

/** Read the portable xattrs of fd (O_PATH is not enough) into an array; xattrs_free. */
int entry_read_xattrs(int fd, struct tar_xattr **out, size_t *out_count, struct error *err);
void xattrs_free(struct tar_xattr *xattrs, size_t count);

#endif
