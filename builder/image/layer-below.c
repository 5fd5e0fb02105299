/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The merged view of a folder, by overlayfs's rules: the topmost tree that has a name decides; a
 * whiteout, something else than a folder, or an opaque folder ends the search downwards.
 */
#include "builder/image/layer-below.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/overlay.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/syscalls.h"

void below_close(struct below *below)
{
	for (size_t i = 0; below->fds && i < below->count; i++)
		cleanup_close_fd(&below->fds[i]);
	free(below->fds);
	below->fds = NULL;
}

void below_done(struct below *below)
{
	below_close(below);
	free(below->path);
	free(below->have);
	*below = (struct below){ .count = 0 };
}

int below_open(struct below *below, struct error *err)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	if (below->fds)
		return 0;
	below->fds = xreallocarray(NULL, below->count + 1, sizeof(*below->fds));
	for (size_t i = 0; i < below->count; i++)
		below->fds[i] = -EBADF;
	for (size_t i = 0; i < below->count; i++) {
		cleanup_free char *name =
			xasprintf("%s/%s", below->trees->items[below->have[i]], below->path);

		below->fds[i] = sys_openat2(below->store->fd, name, &how);
		if (below->fds[i] < 0)
			return error_errno(err, errno, "open \"%s\"", name);
	}
	return 0;
}

/* What is below the first count folders does not show. */
static void forget_rest(struct below *below, size_t count)
{
	for (size_t i = count; i < below->count; i++)
		cleanup_close_fd(&below->fds[i]);
	below->count = count;
}

static int marks_failed(int ret, const char *path, struct error *err)
{
	return error_errno(err, -ret, "read the marks of \"%s\" below", path);
}

int below_root(struct store *store, const struct strv *trees, struct below *out, struct error *err)
{
	int ret;

	*out = (struct below){ .store = store, .trees = trees, .path = xstrdup(".") };
	if (!trees || !trees->count)
		return 0;
	out->have = xreallocarray(NULL, trees->count, sizeof(*out->have));
	for (size_t i = trees->count; i-- > 0;)
		out->have[out->count++] = i;
	ret = below_open(out, err);
	/* a whole root file system that was kept as a tree hides all below */
	for (size_t i = 0; i < out->count && ret == 0; i++) {
		int opaque = overlay_is_opaque(store->marks, out->fds[i]);

		if (opaque < 0)
			return marks_failed(opaque, ".", err);
		if (opaque)
			forget_rest(out, i + 1);
	}
	return ret;
}

/* May trees below this one have something to say about the folder? 1, 0 or negative. */
static int goes_on(const struct below *below, int dirfd, const char *name, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int opaque;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s/%s\" below", below->path, name);
	opaque = overlay_is_opaque(below->store->marks, fd);
	return opaque < 0 ? marks_failed(opaque, below->path, err) : !opaque;
}

int below_enter(struct below *below, const char *name, struct below *out, struct error *err)
{
	bool in_root = below->path && strcmp(below->path, ".") == 0;
	int ret = 1;

	*out = (struct below){ .store = below->store, .trees = below->trees };
	if (!below->count)
		return 0;
	out->path = in_root ? xstrdup(name) : xasprintf("%s/%s", below->path, name);
	out->have = xreallocarray(NULL, below->count, sizeof(*out->have));
	ret = below_open(below, err);
	for (size_t i = 0; i < below->count && ret >= 0; i++) {
		struct stat st;

		if (fstatat(below->fds[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return error_errno(err, errno, "stat \"%s\" below", out->path);
		}
		if (!S_ISDIR(st.st_mode))
			break;
		out->have[out->count++] = below->have[i];
		ret = goes_on(below, below->fds[i], name, err);
		if (ret == 0)
			break;
	}
	return ret < 0 ? ret : 0;
}

int below_find(struct below *below, const char *name, struct stat *out, struct error *err)
{
	int ret = below->count ? below_open(below, err) : 0;

	for (size_t i = 0; i < below->count && ret == 0; i++) {
		if (fstatat(below->fds[i], name, out, AT_SYMLINK_NOFOLLOW) == 0)
			return overlay_is_whiteout(below->store->marks, out) ? -ENOENT
									     : below->fds[i];
		if (errno != ENOENT)
			return error_errno(err, errno, "stat \"%s/%s\" below", below->path, name);
	}
	return ret < 0 ? ret : -ENOENT;
}

/* -- names --------------------------------------------------------------------------------------
 */

struct found {
	char *name;
	size_t order; /* of the tree, topmost first */
	bool gone;
};

struct found_list {
	struct found *items;
	size_t count, capacity;
};

static void found_done(struct found_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
}

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int is_gone(const struct below *below, int dirfd, const struct dirent *d, bool *out,
		   struct error *err)
{
	struct stat st;

	*out = false;
	if (d->d_type != DT_CHR && d->d_type != DT_SOCK && d->d_type != DT_UNKNOWN)
		return 0;
	if (fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\"", d->d_name);
	*out = overlay_is_whiteout(below->store->marks, &st);
	return 0;
}

static int add_names(const struct below *below, size_t order, struct found_list *out,
		     struct error *err)
{
	int folder_fd = below->fds[order];
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return error_errno(err, errno, "read a folder below");
	while ((errno = 0, d = readdir(dir))) {
		struct found found = { .order = order };
		int ret;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		ret = is_gone(below, folder_fd, d, &found.gone, err);
		if (ret < 0)
			return ret;
		found.name = xstrdup(d->d_name);
		ARRAY_GROW(out->items, out->count, out->capacity);
		out->items[out->count++] = found;
	}
	return errno ? error_errno(err, errno, "read a folder below") : 0;
}

int below_names(struct below *below, struct strv *out, struct error *err)
{
	__attribute__((cleanup(found_done))) struct found_list list = { NULL, 0, 0 };
	int ret = below->count ? below_open(below, err) : 0;

	for (size_t i = 0; i < below->count && ret == 0; i++)
		ret = add_names(below, i, &list, err);
	if (ret < 0)
		return ret;
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare_found);
	for (size_t i = 0; i < list.count; i++)
		if ((i == 0 || strcmp(list.items[i].name, list.items[i - 1].name) != 0) &&
		    !list.items[i].gone)
			strv_add(out, list.items[i].name);
	return 0;
}
