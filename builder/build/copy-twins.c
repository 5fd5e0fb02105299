/* SPDX-License-Identifier: Apache-2.0 */
/* Files of an earlier layer of the same COPY, found by path and metadata, for copy.c. */
#include "builder/build/copy-twins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/entry.h"
#include "builder/image/layer.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/syscalls.h"

void copy_twins_open(struct copy_twins *twins, struct store *store, const char *layer)
{
	cleanup_free char *tree = layer_tree(layer);

	copy_twins_done(twins);
	twins->tree_fd = openat(store->fd, tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void copy_twins_done(struct copy_twins *twins)
{
	cleanup_close_fd(&twins->tree_fd);
	cleanup_close_fd(&twins->folder_fd);
	free(twins->folder);
	inode_names_done(&twins->given);
	*twins = (struct copy_twins)COPY_TWINS_INIT;
}

/* A walk comes folder by folder: the last one stays open, also as one that is not there. */
static int open_folder(struct copy_twins *twins, const char *path)
{
	static const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
					     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	size_t size = (size_t)(path_base(path) - path);
	struct open_how copy = how;

	if (twins->folder && strncmp(twins->folder, path, size) == 0 && !twins->folder[size])
		return twins->folder_fd;
	cleanup_close_fd(&twins->folder_fd);
	free(twins->folder);
	twins->folder = xstrndup(path, size);
	twins->folder_fd = sys_openat2(twins->tree_fd, size ? twins->folder : ".", &copy);
	return twins->folder_fd;
}

/* What tells a file from what the entry would make; its xattrs are left to the caller. */
static bool is_like(const struct stat *st, const struct tar_entry *entry)
{
	return st->st_mode == entry->mode && (uint64_t)st->st_size == entry->size &&
	       st->st_uid == entry->uid && st->st_gid == entry->gid &&
	       st->st_mtim.tv_sec == entry->mtime &&
	       (uint32_t)st->st_mtim.tv_nsec == entry->mtime_nsec;
}

static bool has_xattrs(int fd)
{
	struct tar_xattr *xattrs = NULL;
	size_t count = 0;
	int ret = entry_read_xattrs(fd, &xattrs, &count, NULL);

	xattrs_free(xattrs, count);
	return ret < 0 || count > 0;
}

/* Two names of one file in that layer may be two files now. */
static bool is_given(struct copy_twins *twins, const struct stat *st, const char *path)
{
	return st->st_nlink > 1 && inode_names_find(&twins->given, st, path, 0);
}

int copy_twins_find(struct copy_twins *twins, const struct tar_entry *entry)
{
	cleanup_close int fd = -EBADF;
	struct stat st;
	int folder_fd;

	if (twins->tree_fd < 0 || !S_ISREG(entry->mode) || entry->target || entry->xattr_count)
		return -EBADF;
	folder_fd = open_folder(twins, entry->path);
	if (folder_fd < 0)
		return -EBADF;
	fd = openat(folder_fd, path_base(entry->path),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !is_like(&st, entry) || has_xattrs(fd) ||
	    is_given(twins, &st, entry->path))
		return -EBADF;
	return TAKE_FD(fd);
}
