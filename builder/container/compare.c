/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two root file systems side by side, both mounted. Where all layers of both are of one file system
 * the numbers of inodes are those of the layers, so that a file that both have from the same layer
 * is not read. The overlays' own device numbers say nothing: each has one of its own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "builder/container/changes.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"

#define CHUNK ((size_t)1 << 17)
#define XATTRS_MAX ((size_t)64 << 10)
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct side {
	int fd; /* of a folder; -EBADF = it has none here */
	struct strv names;
};

static void side_done(struct side *side)
{
	cleanup_close_fd(&side->fd);
	strv_done(&side->names);
}

/* Changes of a folder come behind the folder's own line, which they decide about. */
struct compare {
	struct strv lines; /* "A /path" */
	char *from, *to;   /* CHUNK bytes each */
	bool one_device;   /* of the layers below */
	struct error *err;
};

static void compare_done(struct compare *compare)
{
	strv_done(&compare->lines);
	free(compare->from);
	free(compare->to);
}

/* -- one thing -----------------------------------------------------------------------------------
 */

static int same_bytes(struct compare *compare, int from_fd, int to_fd, const char *name,
		      const char *path)
{
	cleanup_close int from = openat(from_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int to = openat(to_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (from < 0 || to < 0)
		return error_errno(compare->err, errno, "open \"%s\"", path);
	for (;;) {
		ssize_t size = io_read_full(from, compare->from, CHUNK);
		ssize_t other = io_read_full(to, compare->to, CHUNK);

		if (size < 0 || other < 0)
			return error_errno(compare->err, (int)-(size < 0 ? size : other),
					   "read \"%s\"", path);
		if (size != other || memcmp(compare->from, compare->to, (size_t)size) != 0)
			return 0;
		if (size == 0)
			return 1;
	}
}

static bool same_target(int from_fd, int to_fd, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];
	ssize_t size = readlinkat(from_fd, name, from, sizeof(from));

	return size >= 0 && readlinkat(to_fd, name, to, sizeof(to)) == size &&
	       memcmp(from, to, (size_t)size) == 0;
}

/* "name=value" of each, sorted. A link by /proc, because there is no lgetxattrat(2) everywhere. */
static void read_xattrs(int folder_fd, const char *name, struct strv *out)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d/%s", folder_fd, name);
	cleanup_free char *names = xzalloc(XATTRS_MAX), *value = xzalloc(XATTRS_MAX);
	ssize_t size = llistxattr(path, names, XATTRS_MAX);

	for (const char *p = names; size > 0 && p < names + size; p += strlen(p) + 1) {
		ssize_t length = lgetxattr(path, p, value, XATTRS_MAX);
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (length < 0 || strncmp(p, "trusted.overlay.", 16) == 0 ||
		    strncmp(p, "user.overlay.", 13) == 0)
			continue;
		strbuf_addf(&text, "%s=", p);
		for (ssize_t i = 0; i < length; i++)
			strbuf_addf(&text, "%02x", (unsigned char)value[i]);
		strv_add(out, text.data);
	}
	strv_sort(out);
}

static bool same_xattrs(int from_fd, int to_fd, const char *name)
{
	cleanup_strv struct strv from = STRV_INIT, to = STRV_INIT;

	read_xattrs(from_fd, name, &from);
	read_xattrs(to_fd, name, &to);
	if (from.count != to.count)
		return false;
	for (size_t i = 0; i < from.count; i++)
		if (strcmp(from.items[i], to.items[i]) != 0)
			return false;
	return true;
}

static bool is_same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* 1 the same, 0 not; of folders what they are, not what is in them. */
static int same_entry(struct compare *compare, const struct side *from, const struct side *to,
		      const char *name, const struct stat *a, const struct stat *b,
		      const char *path)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return 0;
	if (compare->one_device && is_same_inode(a, b))
		return 1;
	if ((S_ISCHR(a->st_mode) || S_ISBLK(a->st_mode)) && a->st_rdev != b->st_rdev)
		return 0;
	if (S_ISREG(a->st_mode) && a->st_size != b->st_size)
		return 0;
	if (S_ISLNK(a->st_mode) && !same_target(from->fd, to->fd, name))
		return 0;
	if (!same_xattrs(from->fd, to->fd, name))
		return 0;
	return S_ISREG(a->st_mode) ? same_bytes(compare, from->fd, to->fd, name, path) : 1;
}

/* -- folders -------------------------------------------------------------------------------------
 */

static int enter(int parent_fd, const char *name, const char *path, struct side *out,
		 struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;

	out->fd = openat(parent_fd, name, FOLDER_FLAGS);
	if (out->fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	dir = fdopendir(fd_dup_above(out->fd, 3));
	if (!dir)
		return error_errno(err, errno, "read \"%s\"", path);
	while ((errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(&out->names, entry->d_name);
	if (errno)
		return error_errno(err, errno, "read \"%s\"", path);
	strv_sort(&out->names);
	return 0;
}

static int walk(struct compare *compare, const struct side *from, const struct side *to,
		const char *path);

/* What is in a folder that only one side has. */
static int walk_one(struct compare *compare, const struct side *from, const struct side *to,
		    const char *name, const char *path)
{
	cleanup_with(side_done) struct side a = { .fd = -EBADF }, b = { .fd = -EBADF };
	int ret = 0;

	if (from)
		ret = enter(from->fd, name, path, &a, compare->err);
	if (ret == 0 && to)
		ret = enter(to->fd, name, path, &b, compare->err);
	return ret < 0 ? ret : walk(compare, &a, &b, path);
}

static int stat_side(const struct side *side, const char *name, const char *path, struct stat *out,
		     struct error *err)
{
	return fstatat(side->fd, name, out, AT_SYMLINK_NOFOLLOW) < 0
		       ? error_errno(err, errno, "stat \"%s\"", path)
		       : 0;
}

static int walk_both(struct compare *compare, const struct side *from, const struct side *to,
		     const char *name, const char *path)
{
	size_t before = compare->lines.count;
	struct stat a, b;
	bool folders;
	int same, ret = stat_side(from, name, path, &a, compare->err);

	if (ret == 0)
		ret = stat_side(to, name, path, &b, compare->err);
	if (ret < 0)
		return ret;
	folders = S_ISDIR(a.st_mode) && S_ISDIR(b.st_mode);
	same = same_entry(compare, from, to, name, &a, &b, path);
	if (same < 0)
		return same;
	strv_addf(&compare->lines, "C %s", path);
	if (folders)
		ret = walk_one(compare, from, to, name, path);
	else if (S_ISDIR(b.st_mode))
		ret = walk_one(compare, NULL, to, name, path);
	if (same && compare->lines.count == before + 1) {
		free(compare->lines.items[--compare->lines.count]);
		compare->lines.items[compare->lines.count] = NULL;
	}
	return ret;
}

/* Two sorted lists. What is gone is one line, with all that was in it. */
static int walk(struct compare *compare, const struct side *from, const struct side *to,
		const char *path)
{
	size_t i = 0, j = 0;
	int ret = 0;

	while (ret == 0 && (i < from->names.count || j < to->names.count)) {
		const char *a = i < from->names.count ? from->names.items[i] : NULL;
		const char *b = j < to->names.count ? to->names.items[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a, b);
		cleanup_free char *child = xasprintf("%s/%s", path, order <= 0 ? a : b);
		struct stat st;

		if (order < 0) {
			strv_addf(&compare->lines, "D %s", child);
		} else if (order == 0) {
			ret = walk_both(compare, from, to, a, child);
		} else {
			strv_addf(&compare->lines, "A %s", child);
			ret = stat_side(to, b, child, &st, compare->err);
			if (ret == 0 && S_ISDIR(st.st_mode))
				ret = walk_one(compare, NULL, to, b, child);
		}
		i += order <= 0;
		j += order >= 0;
	}
	return ret;
}

int roots_compare(int from_fd, int to_fd, bool one_device, change_fn call, void *context,
		  struct error *err)
{
	cleanup_with(compare_done) struct compare compare = {
		.from = xmalloc(CHUNK), .to = xmalloc(CHUNK), .one_device = one_device, .err = err
	};
	cleanup_with(side_done) struct side from = { .fd = -EBADF }, to = { .fd = -EBADF };
	int ret = enter(from_fd, ".", "/", &from, err);

	if (ret == 0)
		ret = enter(to_fd, ".", "/", &to, err);
	if (ret == 0)
		ret = walk(&compare, &from, &to, "");
	for (size_t i = 0; ret == 0 && i < compare.lines.count; i++)
		ret = call(context, *compare.lines.items[i], compare.lines.items[i] + 2, err);
	return ret;
}
