/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into a list of trees without mounting it: a mount costs half a millisecond, and COPY and
 * the layer scan ask only about a few paths. The rules are overlayfs's: the topmost tree that has
 * a path wins; a whiteout, a file in the place of a folder or an opaque folder ends the search.
 */
#include "builder/image/snapshot.h"

#include <fcntl.h>
#include <string.h>

#include "builder/image/overlay.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/syscalls.h"

#define SYMLINKS_MAX 40

static int open_in_tree(struct store *store, const char *tree, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	cleanup_free char *name = xasprintf("%s/%s", tree, path);
	int fd = sys_openat2(store->fd, name, &how);

	if (fd >= 0)
		return fd;
	return errno == ELOOP ? -ENOTDIR : -errno;
}

static int is_opaque(const struct store *store, int path_fd)
{
	cleanup_close int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : overlay_is_opaque(store->marks, fd);
}

/* path is not in this tree: may the trees below show through there? 1, or a negative errno that is
 * the answer: -ENOENT hidden, -ENOTDIR a file is in the place of a folder. */
static int shows_through(struct store *store, const char *tree, const char *path)
{
	cleanup_free char *ancestor = xstrdup(path);

	while (strcmp(ancestor, ".") != 0) {
		char *above = path_parent(ancestor);
		cleanup_close int fd = -EBADF;
		struct stat st;
		int opaque;

		free(ancestor);
		ancestor = above;
		fd = open_in_tree(store, tree, ancestor);
		if (fd == -ENOENT || fd == -ENOTDIR)
			continue;
		if (fd < 0 || fstat(fd, &st) < 0)
			return fd < 0 ? fd : -errno;
		if (!S_ISDIR(st.st_mode))
			return overlay_is_whiteout(store->marks, &st) ? -ENOENT : -ENOTDIR;
		opaque = is_opaque(store, fd);
		if (opaque != 0)
			return opaque < 0 ? opaque : -ENOENT;
	}
	return 1;
}

int snapshot_lookup(struct store *store, const struct strv *trees, const char *path,
		    struct error *err)
{
	int ret = 1;

	for (size_t i = trees->count; i-- > 0 && ret == 1;) {
		cleanup_close int fd = open_in_tree(store, trees->items[i], path);
		struct stat st;

		if (fd == -ENOENT || fd == -ENOTDIR)
			ret = shows_through(store, trees->items[i], path);
		else if (fd < 0 || fstat(fd, &st) < 0)
			ret = fd < 0 ? fd : -errno;
		else if (!overlay_is_whiteout(store->marks, &st))
			return TAKE_FD(fd);
		else
			ret = -ENOENT;
	}
	return error_errno(err, ret < 0 ? -ret : ENOENT, "look up \"%s\"", path);
}

/* -- symlinks -----------------------------------------------------------------------------------
 */

struct walk {
	struct strbuf done; /* resolved so far, "" = the root */
	char *rest;	    /* what is left */
	unsigned int symlinks;
};

static void walk_done(struct walk *walk)
{
	strbuf_done(&walk->done);
	free(walk->rest);
}

static void go_up(struct walk *walk)
{
	const char *text = strbuf_text(&walk->done);
	const char *slash = strrchr(text, '/');

	strbuf_truncate(&walk->done, slash ? (size_t)(slash - text) : 0);
}

static int follow(struct walk *walk, int fd, struct error *err)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(fd, "", target, sizeof(target) - 1);
	char *rest;

	if (size < 0)
		return error_errno(err, errno, "read a symlink");
	if (++walk->symlinks > SYMLINKS_MAX)
		return error_errno(err, ELOOP, "\"%s\"", strbuf_text(&walk->done));
	target[size] = '\0';
	if (target[0] == '/')
		strbuf_truncate(&walk->done, 0);
	else
		go_up(walk);
	rest = xasprintf("%s/%s", target, walk->rest);
	free(walk->rest);
	walk->rest = rest;
	return 0;
}

static int step(struct store *store, const struct strv *trees, struct walk *walk,
		const char *component, struct error *err)
{
	cleanup_close int fd = -EBADF;
	struct stat st;

	if (strcmp(component, ".") == 0 || component[0] == '\0')
		return 0;
	if (strcmp(component, "..") == 0) {
		go_up(walk);
		return 0;
	}
	if (walk->done.size)
		strbuf_addc(&walk->done, '/');
	strbuf_adds(&walk->done, component);
	fd = snapshot_lookup(store, trees, walk->done.data, NULL);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0; /* kept as it is; the caller finds out what it means */
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, fd < 0 ? -fd : errno, "look up \"%s\"", walk->done.data);
	return S_ISLNK(st.st_mode) ? follow(walk, fd, err) : 0;
}

int snapshot_resolve(struct store *store, const struct strv *trees, const char *path,
		     char **out_path, struct error *err)
{
	__attribute__((cleanup(walk_done))) struct walk walk = { .done = STRBUF_INIT,
								 .rest = xstrdup(path) };

	while (walk.rest[0]) {
		size_t size = strcspn(walk.rest, "/");
		cleanup_free char *component = xstrndup(walk.rest, size);
		int ret;

		memmove(walk.rest, walk.rest + size + (walk.rest[size] == '/'),
			strlen(walk.rest + size + (walk.rest[size] == '/')) + 1);
		ret = step(store, trees, &walk, component, err);
		if (ret < 0)
			return ret;
	}
	*out_path = xstrdup(walk.done.size ? walk.done.data : ".");
	return 0;
}
