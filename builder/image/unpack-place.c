/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an entry goes is decided here, by fds: its folder is looked up inside the root with
 * openat2, only the last component is ever created, replaced or linked, and never through a
 * symlink.
 */
#include "builder/image/unpack-place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/entry.h"
#include "builder/image/snapshot.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/path.h"

#define SYMLINKS_MAX 40

void unpack_place_done(struct unpack_place *place)
{
	cleanup_close_fd(&place->parent_fd);
	free(place->parent_path);
	folder_times_done(&place->folders);
}

/* -- folders ------------------------------------------------------------------------------------
 */

static void forget_parent(struct unpack_place *place)
{
	cleanup_close_fd(&place->parent_fd);
	free(place->parent_path);
	place->parent_path = NULL;
}

static int parent_of(struct unpack_place *place, const char *path, struct error *err);

/*
 * A symlink to a folder that is not there (var/run -> /run in an archive that has var/run/x before
 * run): the folder is made where the symlink leads inside the root.
 */
static int make_target(struct unpack_place *place, int above_fd, const char *path,
		       struct error *err)
{
	cleanup_free char *above = path_parent(path);
	cleanup_free char *joined = NULL;
	cleanup_free char *clean = NULL;
	char target[PATH_MAX];
	ssize_t size = readlinkat(above_fd, path_base(path), target, sizeof(target) - 1);
	int ret;

	if (size < 0)
		return error_errno(err, errno, "read the symlink \"%s\"", path);
	if (++place->symlinks > SYMLINKS_MAX)
		return error_errno(err, ELOOP, "open the folder \"%s\"", path);
	target[size] = '\0';
	joined = target[0] == '/' ? xstrdup(target) : xasprintf("/%s/%s", above, target);
	clean = path_clean(joined); /* absolute: ".." ends at the root */
	ret = parent_of(place, clean[1] ? clean + 1 : ".", err);
	return ret < 0 ? ret : 0;
}

/* A folder that the archive left out: as it is in the trees below. */
static int make_missing(struct unpack_place *place, int above_fd, const char *path,
			struct error *err)
{
	const struct unpack_options *options = place->options;
	struct tar_entry entry = { .path = path, .mode = S_IFDIR | 0755 };
	struct tar_xattr *xattrs = NULL;
	cleanup_close int path_fd = -EBADF;
	cleanup_close int fd = -EBADF;
	int unused = -EBADF;
	struct stat st;
	int ret = 0;

	if (options->lowers && options->store)
		path_fd = snapshot_lookup(options->store, options->lowers, path, NULL);
	if (path_fd >= 0)
		fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		ret = entry_read_xattrs(fd, &xattrs, &entry.xattr_count, err);
		entry.xattrs = xattrs;
		entry.mode = st.st_mode;
		entry.uid = st.st_uid;
		entry.gid = st.st_gid;
		entry.mtime = st.st_mtim.tv_sec;
		entry.mtime_nsec = options->subsecond ? (uint32_t)st.st_mtim.tv_nsec : 0;
	}
	if (ret == 0)
		ret = entry_create(above_fd, path_base(path), &entry, &unused, err);
	if (ret == 0) {
		ret = entry_set_metadata(above_fd, path_base(path), -EBADF, &entry, err);
		place->result->parents++;
		folder_times_add(&place->folders, &entry);
	}
	xattrs_free(xattrs, entry.xattr_count);
	return ret == -EEXIST ? make_target(place, above_fd, path, err) : ret;
}

/* The fd of the folder path (clean), made if it is missing; kept for the next entry. */
static int parent_of(struct unpack_place *place, const char *path, struct error *err)
{
	cleanup_free char *above = NULL;
	int fd, ret;

	if (place->stale)
		forget_parent(place);
	place->stale = false;
	if (place->parent_path && strcmp(place->parent_path, path) == 0)
		return place->parent_fd;
	fd = inroot_open(place->root_fd, path, O_RDONLY | O_DIRECTORY, 0, NULL);
	if (fd == -ENOENT && strcmp(path, ".") != 0) {
		above = path_parent(path);
		ret = parent_of(place, above, err);
		if (ret >= 0)
			ret = make_missing(place, place->parent_fd, path, err);
		if (ret < 0)
			return ret;
		fd = inroot_open(place->root_fd, path, O_RDONLY | O_DIRECTORY, 0, NULL);
	}
	if (fd < 0)
		return error_errno(err, -fd, "open the folder \"%s\"", path);
	forget_parent(place);
	place->parent_fd = fd;
	place->parent_path = xstrdup(path);
	return fd;
}

/* -- entries ------------------------------------------------------------------------------------
 */

static int set_opaque(struct unpack_place *place, int folder_fd, const char *path,
		      struct error *err)
{
	int ret = overlay_set_opaque(place->options->marks, folder_fd);

	return ret < 0 ? error_errno(err, -ret, "make the folder \"%s\" opaque", path) : 0;
}

static int set_opaque_at(struct unpack_place *place, int dirfd, const char *name, const char *path,
			 struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	return set_opaque(place, fd, path, err);
}

/* Make room for an entry whose name is taken. *replaced_whiteout: what was there hid trees below.
 */
static int remove_old(struct unpack_place *place, int dirfd, const char *name,
		      bool *replaced_whiteout, struct error *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "stat \"%s\"", name);
	*replaced_whiteout =
		place->options->whiteouts && overlay_is_whiteout(place->options->marks, &st);
	place->stale = true;
	if (place->options->keep_folders && S_ISDIR(st.st_mode) &&
	    unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		return error_errno(err, errno,
				   "replace the folder \"%s\", which is no folder in the image",
				   name);
	return path_remove_tree(dirfd, name, err);
}

static int write_piece(struct unpack_place *place, int fd, const struct unpack_piece *piece,
		       const char *path, struct error *err)
{
	const char *p = piece->data;
	size_t left = piece->size;
	int64_t offset = piece->offset;

	while (left > 0) {
		ssize_t n = pwrite(fd, p, left, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, n < 0 ? errno : ENOSPC, "write \"%s\"", path);
		p += n;
		left -= (size_t)n;
		offset += n;
		place->result->bytes += (uint64_t)n;
	}
	return 0;
}

static int write_contents(struct unpack_place *place, int fd, const struct tar_entry *entry,
			  struct error *err)
{
	struct unpack_piece piece;
	int ret;

	while ((ret = place->next(place->context, &piece, err)) > 0) {
		ret = write_piece(place, fd, &piece, entry->path, err);
		if (ret < 0)
			return ret;
	}
	/* a sparse file may end in a hole */
	if (ret == 0 && ftruncate(fd, (off_t)entry->size) < 0)
		return error_errno(err, errno, "set the size of \"%s\"", entry->path);
	return ret;
}

static int make_file(struct unpack_place *place, int dirfd, const char *name,
		     const struct tar_entry *entry, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret = entry_create(dirfd, name, entry, &fd, err);

	if (ret == 0 && S_ISREG(entry->mode) && entry->size)
		ret = write_contents(place, fd, entry, err);
	if (ret == 0)
		ret = entry_set_metadata(dirfd, name, fd, entry, err);
	return ret;
}

/* A folder over a folder keeps what is inside. */
static int make_folder(struct unpack_place *place, int dirfd, const char *name,
		       const struct tar_entry *entry, struct error *err)
{
	bool replaced_whiteout = false;
	int unused = -EBADF;
	struct stat st;
	int ret = entry_create(dirfd, name, entry, &unused, err);

	if (ret == -EEXIST) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return error_errno(err, errno, "stat \"%s\"", entry->path);
		ret = 0;
		if (!S_ISDIR(st.st_mode)) {
			ret = remove_old(place, dirfd, name, &replaced_whiteout, err);
			if (ret == 0)
				ret = entry_create(dirfd, name, entry, &unused, err);
		}
	}
	if (ret == 0 && replaced_whiteout)
		ret = set_opaque_at(place, dirfd, name, entry->path, err);
	if (ret == 0)
		ret = entry_set_metadata(dirfd, name, -EBADF, entry, err);
	if (ret == 0)
		folder_times_add(&place->folders, entry);
	return ret;
}

static int make_hardlink(struct unpack_place *place, int dirfd, const char *name,
			 const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *target = unpack_clean_name(entry->target);
	cleanup_free char *above = NULL;
	cleanup_close int target_fd = -EBADF;
	struct stat old, new;
	bool unused;
	int ret;

	if (!target)
		return error_invalid(err, "hardlink to \"%s\", which is outside", entry->target);
	above = path_parent(target);
	target_fd = inroot_open(place->root_fd, above, O_PATH | O_DIRECTORY, 0, NULL);
	if (target_fd < 0 || fstatat(target_fd, path_base(target), &new, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, target_fd < 0 ? -target_fd : errno, "hardlink to \"%s\"",
				   entry->target);
	if (linkat(target_fd, path_base(target), dirfd, name, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dirfd, name, &old, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "hardlink to \"%s\"", entry->target);
	if (old.st_ino == new.st_ino && old.st_dev == new.st_dev)
		return 0; /* it is this link already, or links to itself */
	ret = remove_old(place, dirfd, name, &unused, err);
	if (ret == 0 && linkat(target_fd, path_base(target), dirfd, name, 0) < 0)
		ret = error_errno(err, errno, "hardlink to \"%s\"", entry->target);
	return ret;
}

/* .wh.NAME hides NAME of the layers below; entries of this layer with that name stay. */
static int make_whiteout(struct unpack_place *place, int dirfd, const char *name, const char *path,
			 struct error *err)
{
	const char *hidden = name + strlen(WHITEOUT_PREFIX);
	struct stat st;
	int ret;

	if (strcmp(name, OPAQUE_NAME) == 0)
		return set_opaque(place, dirfd, path, err);
	if (strncmp(name, WHITEOUT_META_PREFIX, strlen(WHITEOUT_META_PREFIX)) == 0)
		return 0; /* aufs's own files */
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return error_invalid(err, "a whiteout without a name");
	ret = overlay_make_whiteout(place->options->marks, dirfd, hidden);
	if (ret == 0)
		return 0;
	if (ret == -EEXIST && fstatat(dirfd, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
		ret = -errno;
	if (ret != -EEXIST)
		return error_errno(err, -ret, "create a whiteout");
	return S_ISDIR(st.st_mode) ? set_opaque_at(place, dirfd, hidden, path, err) : 0;
}

static int make_other(struct unpack_place *place, int dirfd, const char *name,
		      const struct tar_entry *entry, struct error *err)
{
	bool unused;
	int ret = make_file(place, dirfd, name, entry, err);

	if (ret != -EEXIST)
		return ret;
	ret = remove_old(place, dirfd, name, &unused, err);
	return ret < 0 ? ret : make_file(place, dirfd, name, entry, err);
}

static int set_root(struct unpack_place *place, const struct tar_entry *entry, struct error *err)
{
	if (!S_ISDIR(entry->mode))
		return error_invalid(err, "the root of an archive must be a folder");
	if (place->options->keep_root)
		return 0;
	folder_times_add(&place->folders, entry);
	return entry_set_metadata(place->root_fd, ".", -EBADF, entry, err);
}

int unpack_place_entry(struct unpack_place *place, const struct tar_entry *entry, struct error *err)
{
	const char *name = path_base(entry->path);
	cleanup_free char *above = path_parent(entry->path);
	int dirfd;

	if (strcmp(entry->path, ".") == 0)
		return set_root(place, entry, err);
	place->symlinks = 0;
	dirfd = parent_of(place, above, err);
	if (dirfd < 0)
		return dirfd;
	if (place->options->whiteouts &&
	    strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return make_whiteout(place, dirfd, name, above, err);
	if (entry->target && !S_ISLNK(entry->mode))
		return make_hardlink(place, dirfd, name, entry, err);
	if (S_ISDIR(entry->mode))
		return make_folder(place, dirfd, name, entry, err);
	return make_other(place, dirfd, name, entry, err);
}
