/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups inside a hostile root. openat2 with RESOLVE_IN_ROOT fails with EAGAIN when a rename or
 * mount raced with a ".." in it (openat2(2)): retried a bounded number of times.
 */
#include "lib/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/syscalls.h"

#define RETRIES 128

static int open_in(int root_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd = -1;

	for (int i = 0; i < RETRIES; i++) {
		fd = sys_openat2(root_fd, *path ? path : "/", &how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int failed(struct error *err, int ret, const char *action, const char *path)
{
	return error_path(err, error_errno(err, -ret, "%s \"%s\" inside the root", action, path),
			  path);
}

int inroot_open(int root_fd, const char *path, int flags, mode_t mode, struct error *err)
{
	int fd = open_in(root_fd, path, flags, mode, 0);

	return fd < 0 ? failed(err, fd, "open", path) : fd;
}

int inroot_open_nofollow(int root_fd, const char *path, int flags, bool no_symlinks,
			 struct error *err)
{
	int fd = open_in(root_fd, path, flags | O_NOFOLLOW, 0,
			 no_symlinks ? RESOLVE_NO_SYMLINKS : 0);

	return fd < 0 ? failed(err, fd, "open", path) : fd;
}

/* The next component of *path copied to name; false at the end, -ENAMETOOLONG by *ret. */
static bool next_component(const char **path, char name[NAME_MAX + 1], int *ret)
{
	size_t size;

	*path += strspn(*path, "/");
	size = strcspn(*path, "/");
	if (!size)
		return false;
	if (size > NAME_MAX) {
		*ret = -ENAMETOOLONG;
		return false;
	}
	memcpy(name, *path, size);
	name[size] = '\0';
	*path += size;
	return true;
}

/* One new folder in parent, opened; -ENOENT when there is something that leads nowhere. */
static int make_in(int parent, const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	cleanup_close int fd = -EBADF;

	if (mkdirat(parent, name, mode) < 0)
		/* EEXIST after ENOENT: a dangling symlink, or a race; nothing is made through it */
		return errno == EEXIST ? -ENOENT : -errno;
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (uid != (uid_t)-1 && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0))
		return -errno;
	return TAKE_FD(fd);
}

/* Mostly all but the last folder exists: two calls less for each component. */
static int make_last(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	const char *name = strrchr(path, '/');
	cleanup_close int parent = -EBADF;
	char prefix[PATH_MAX];

	if (!name || name == path || !name[1] || name[1] == '.' ||
	    (size_t)(name - path) >= sizeof(prefix))
		return -ENOENT;
	memcpy(prefix, path, (size_t)(name - path));
	prefix[name - path] = '\0';
	parent = open_in(root_fd, prefix, O_PATH | O_DIRECTORY, 0, 0);
	return parent < 0 ? parent : make_in(parent, name + 1, mode, uid, gid);
}

/* -- paths whose end does not exist -- */

/* As many symlinks as the kernel follows (path_resolution(7)). */
#define LINKS_MAX 40

/* A path that was walked: no symlink, no "..", each component with a slash in front. */
struct walk {
	char done[PATH_MAX];
	size_t used;
	char rest[PATH_MAX]; /* still to go */
	int links;
};

static int walk_down(struct walk *walk, const char *name)
{
	size_t size = strlen(name);

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		while (walk->used && walk->done[--walk->used] != '/')
			;
		walk->done[walk->used] = '\0';
		return 0;
	}
	if (walk->used + size + 2 > sizeof(walk->done))
		return -ENAMETOOLONG;
	walk->done[walk->used] = '/';
	memcpy(walk->done + walk->used + 1, name, size + 1);
	walk->used += size + 1;
	return 0;
}

/* The symlink fd, at the end of what is done, goes in front of the rest. */
static int walk_link(struct walk *walk, int fd, const char *rest)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(fd, "", target, sizeof(target));
	size_t length = strlen(rest);

	if (size < 0 || ++walk->links > LINKS_MAX)
		return size < 0 ? -errno : -ELOOP;
	if ((size_t)size + length + 2 > sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + size + 1, rest, length + 1);
	memcpy(walk->rest, target, (size_t)size);
	walk->rest[size] = '/';
	if (*target == '/')
		walk->used = 0;
	else
		(void)walk_down(walk, "..");
	walk->done[walk->used] = '\0';
	return 0;
}

/* Where does path lead? What is missing on the way is taken as folders that will be made. */
static int walk_path(int root_fd, const char *path, struct walk *walk)
{
	char name[NAME_MAX + 1];
	const char *rest = walk->rest;
	int ret = 0;

	memset(walk, 0, sizeof(*walk));
	if (strlen(path) >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	memcpy(walk->rest, path, strlen(path) + 1);
	while (ret == 0 && next_component(&rest, name, &ret)) {
		cleanup_close int fd = -EBADF;
		struct stat status;

		ret = walk_down(walk, name);
		if (ret < 0)
			return ret;
		fd = open_in(root_fd, walk->done, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
		if (fd == -ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &status) < 0)
			return fd < 0 ? fd : -errno;
		if (S_ISLNK(status.st_mode)) {
			ret = walk_link(walk, fd, rest);
			rest = walk->rest;
		}
	}
	return ret;
}

char *inroot_resolve(int root_fd, const char *path, struct error *err)
{
	struct walk walk;
	int ret = walk_path(root_fd, path, &walk);

	if (ret < 0) {
		(void)failed(err, ret, "resolve", path);
		return NULL;
	}
	return xstrdup(walk.done);
}

static int make_all(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	cleanup_close int folder = open_in(root_fd, "/", O_PATH | O_DIRECTORY, 0, 0);
	char name[NAME_MAX + 1];
	int ret = folder < 0 ? folder : 0;

	while (ret == 0 && next_component(&path, name, &ret)) {
		int next = openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0)
			next = errno == ENOENT ? make_in(folder, name, mode, uid, gid) : -errno;
		if (next < 0)
			return next;
		(void)close(folder);
		folder = next;
	}
	return ret < 0 ? ret : TAKE_FD(folder);
}

int inroot_mkdir_all(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid,
		     struct error *err)
{
	int folder = open_in(root_fd, path, O_PATH | O_DIRECTORY, 0, 0);
	struct walk walk;

	if (folder >= 0)
		return folder; /* the usual case: all of it exists */
	if (folder == -ENOENT)
		folder = make_last(root_fd, path, mode, uid, gid);
	if (folder >= 0)
		return folder;
	if (folder == -ENOENT) {
		folder = walk_path(root_fd, path, &walk);
		if (folder == 0)
			folder = make_all(root_fd, walk.done, mode, uid, gid);
	}
	return folder < 0 ? failed(err, folder, "make folder", path) : folder;
}

int inroot_make_file(int root_fd, const char *path, mode_t mode, struct error *err)
{
	cleanup_close int folder = -EBADF;
	const char *name = NULL;
	struct walk walk;
	int ret = walk_path(root_fd, path, &walk), fd;

	if (ret < 0)
		return failed(err, ret, "make file", path);
	folder = inroot_parent(root_fd, walk.done, true, &name, err);
	if (folder < 0)
		return folder;
	fd = openat(folder, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? failed(err, -errno, "make file", path) : fd;
}

int inroot_open_or_make(int root_fd, const char *path, bool *out_made, struct error *err)
{
	int fd = open_in(root_fd, path, O_PATH | O_DIRECTORY, 0, 0);

	*out_made = false;
	if (fd == -ENOENT) {
		fd = make_last(root_fd, path, 0755, (uid_t)-1, (gid_t)-1);
		*out_made = fd >= 0;
	}
	if (fd == -ENOENT)
		return inroot_mkdir_all(root_fd, path, 0755, (uid_t)-1, (gid_t)-1, err);
	return fd < 0 ? failed(err, fd, "open folder", path) : fd;
}

int inroot_parent(int root_fd, const char *path, bool create, const char **out_name,
		  struct error *err)
{
	char parent[PATH_MAX];
	const char *end = path + strlen(path), *name;
	int fd;

	while (end > path && end[-1] == '/')
		end--;
	name = end;
	while (name > path && name[-1] != '/')
		name--;
	if (name == end || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || *end)
		return failed(err, -EINVAL, "open the folder of", path);
	if ((size_t)(name - path) >= sizeof(parent))
		return failed(err, -ENAMETOOLONG, "open the folder of", path);
	memcpy(parent, path, (size_t)(name - path));
	parent[name - path] = '\0';
	if (create)
		fd = inroot_mkdir_all(root_fd, parent, 0755, (uid_t)-1, (gid_t)-1, err);
	else
		fd = inroot_open(root_fd, parent, O_PATH | O_DIRECTORY, 0, err);
	if (fd >= 0)
		*out_name = name;
	return fd;
}

int inroot_exists(int root_fd, const char *path)
{
	cleanup_close int fd = open_in(root_fd, path, O_PATH, 0, 0);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	return fd < 0 ? fd : 1;
}

int inroot_read_file(int root_fd, const char *path, size_t max, struct strbuf *buf,
		     struct error *err)
{
	/* O_NONBLOCK: a fifo or device planted there must not hang us before we see what it is */
	cleanup_close int fd = open_in(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
	struct stat status;
	int ret;

	if (fd < 0)
		return failed(err, fd, "open", path);
	if (fstat(fd, &status) < 0)
		return failed(err, -errno, "stat", path);
	if (!S_ISREG(status.st_mode))
		return error_path(err,
				  error_set(err, ERROR_INVALID, 0,
					    "\"%s\" inside the root is not a regular file", path),
				  path);
	ret = io_read_rest(fd, max, buf);
	return ret < 0 ? failed(err, ret, "read", path) : 0;
}
