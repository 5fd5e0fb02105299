/* SPDX-License-Identifier: Apache-2.0 */
/* A layer, which is an overlay's upper or has its marks, against the trees below. */
#include "builder/container/changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/layer-below.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/fd.h"

struct walk {
	struct store *store;
	change_fn call;
	void *context;
};

static int read_names(int fd, struct strv *out, struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(fd_dup_above(fd, 3));
	const struct dirent *entry;

	if (!dir)
		return error_errno(err, errno, "read a folder of the container");
	while ((errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(out, entry->d_name);
	if (errno)
		return error_errno(err, errno, "read a folder of the container");
	strv_sort(out);
	return 0;
}

static int walk_folder(const struct walk *walk, int fd, const char *path, struct below *below,
		       struct error *err);

static int walk_child(const struct walk *walk, int fd, const char *name, const char *path,
		      struct below *below, struct error *err)
{
	__attribute__((cleanup(below_done))) struct below child = { .count = 0 };
	cleanup_close int child_fd = -EBADF;
	struct stat st, old;
	bool was_there = below->count && below_find(below, name, &old, NULL) >= 0;
	int ret;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "stat \"%s\"", path);
	if (overlay_is_whiteout(walk->store->marks, &st))
		return was_there ? walk->call(walk->context, 'D', path, err) : 0;
	ret = walk->call(walk->context, was_there ? 'C' : 'A', path, err);
	if (ret < 0 || !S_ISDIR(st.st_mode))
		return ret;
	child_fd = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child_fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	if (below->count)
		ret = below_enter(below, name, &child, err);
	return ret < 0 ? ret : walk_folder(walk, child_fd, path, &child, err);
}

/* A folder that hides what was there: each name that it does not have itself is gone. */
static int add_hidden(int fd, struct below *below, const struct strv *names, struct strv *out,
		      struct error *err)
{
	cleanup_strv struct strv old = STRV_INIT;
	int ret = below->count ? below_names(below, &old, err) : 0;

	(void)fd;
	for (size_t i = 0; i < old.count && ret == 0; i++)
		if (!strv_contains(names, old.items[i]))
			strv_add(out, old.items[i]);
	return ret;
}

static int walk_folder(const struct walk *walk, int fd, const char *path, struct below *below,
		       struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT, hidden = STRV_INIT;
	size_t next = 0;
	int ret = read_names(fd, &names, err);
	int opaque = overlay_is_opaque(walk->store->marks, fd);

	if (ret == 0 && opaque < 0)
		ret = error_errno(err, -opaque, "read the marks of \"%s\"", path);
	if (ret == 0 && opaque)
		ret = add_hidden(fd, below, &names, &hidden, err);
	/* two sorted lists */
	for (size_t i = 0; ret == 0 && (i < names.count || next < hidden.count);) {
		bool gone = next < hidden.count &&
			    (i == names.count || strcmp(hidden.items[next], names.items[i]) < 0);
		cleanup_free char *child =
			xasprintf("%s/%s", path, gone ? hidden.items[next] : names.items[i]);

		if (gone)
			ret = walk->call(walk->context, 'D', child, err);
		else
			ret = walk_child(walk, fd, names.items[i], child, below, err);
		next += gone;
		i += !gone;
	}
	return ret;
}

int tree_changes(struct store *store, const char *tree, const struct strv *below, change_fn call,
		 void *context, struct error *err)
{
	const struct walk walk = { store, call, context };
	cleanup_with(below_done) struct below root = { .count = 0 };
	cleanup_close int fd =
		openat(store->fd, tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s/%s\"", store->path, tree);
	ret = below_root(store, below, &root, err);
	return ret < 0 ? ret : walk_folder(&walk, fd, "", &root, err);
}
