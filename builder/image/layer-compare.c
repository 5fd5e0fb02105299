/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two layers side by side. What entries say comes from the tars, which diffIDs are of; contents are
 * compared where they lie unpacked. Called by verify.
 */
#include "builder/image/layer-compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/layer.h"
#include "builder/image/overlay.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"

#define CHUNK ((size_t)128 << 10)

struct side {
	struct entry_list *list;
	int tree_fd;
	bool has; /* entry */
	struct listed_entry entry;
	char *buffer;
};

#define SIDE_INIT                                                                                  \
	{                                                                                          \
		.tree_fd = -EBADF                                                                  \
	}

static void side_done(struct side *side)
{
	entry_list_free(side->list);
	cleanup_close_fd(&side->tree_fd);
	free(side->buffer);
}

static int side_next(struct side *side, struct error *err)
{
	int ret = entry_list_next(side->list, &side->entry, err);

	side->has = ret == 1;
	return ret < 0 ? ret : 0;
}

static int side_open(struct side *side, struct store *store, const struct layer_compared *layer,
		     struct error *err)
{
	cleanup_free char *tree = layer_tree(layer->id);
	int ret;

	side->buffer = xmalloc(CHUNK);
	side->tree_fd = openat(store->fd, tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (side->tree_fd < 0)
		return error_errno(err, errno, "open the tree of layer %.12s", layer->id);
	ret = entry_list_read(store, layer->id, layer->blob, 0, &side->list, err);
	return ret < 0 ? error_prefix(err, ret, "layer %.12s", layer->id) : side_next(side, err);
}

/* -- contents ------------------------------------------------------------------------------------
 */

static int open_contents(const struct side *side, struct stat *out, struct error *err)
{
	const char *path = side->entry.path;
	cleanup_close int fd =
		inroot_open_nofollow(side->tree_fd, path, O_RDONLY | O_NONBLOCK, true, err);

	if (fd < 0)
		return fd;
	if (fstat(fd, out) < 0)
		return error_errno(err, errno, "stat \"%s\"", path);
	if (!S_ISREG(out->st_mode))
		return error_invalid(
			err, "\"%s\" is a file in the layer's tar and none in its tree", path);
	return TAKE_FD(fd);
}

/* 1 and where, 0 the same; a file that ends earlier differs where it ends. */
static int differ(struct side *before, struct side *after, uint64_t *out_offset, struct error *err)
{
	struct stat a, b;
	cleanup_close int a_fd = open_contents(before, &a, err), b_fd = -EBADF;

	if (a_fd < 0)
		return a_fd;
	b_fd = open_contents(after, &b, err);
	if (b_fd < 0)
		return b_fd;
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return 0;
	for (uint64_t offset = 0;;) {
		ssize_t x = io_read_full(a_fd, before->buffer, CHUNK);
		ssize_t y = io_read_full(b_fd, after->buffer, CHUNK);
		size_t both, i = 0;

		if (x < 0 || y < 0)
			return error_errno(err, (int)-(x < 0 ? x : y), "read \"%s\"",
					   before->entry.path);
		both = (size_t)(x < y ? x : y);
		if (memcmp(before->buffer, after->buffer, both) != 0 || x != y) {
			while (i < both && before->buffer[i] == after->buffer[i])
				i++;
			*out_offset = offset + i;
			return 1;
		}
		if (x == 0)
			return 0;
		offset += both;
	}
}

/* -- entries -------------------------------------------------------------------------------------
 */

static bool is_hardlink(const struct listed_entry *entry)
{
	return entry->target && !S_ISLNK(entry->mode);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_device(const struct listed_entry *entry)
{
	return S_ISCHR(entry->mode) || S_ISBLK(entry->mode);
}

/* A whiteout has no contents, and another name in the tree. */
static bool has_contents(const struct listed_entry *entry)
{
	const char *name = path_base(entry->path);

	return S_ISREG(entry->mode) && !is_hardlink(entry) &&
	       strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) != 0;
}

static unsigned int compare_entries(const struct listed_entry *a, const struct listed_entry *b)
{
	unsigned int what = 0;

	if ((a->mode & S_IFMT) != (b->mode & S_IFMT) || is_hardlink(a) != is_hardlink(b))
		return LAYER_DIFFERS_TYPE;
	if (!same_text(a->target, b->target))
		what |= LAYER_DIFFERS_TARGET;
	if ((a->mode & 07777) != (b->mode & 07777))
		what |= LAYER_DIFFERS_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		what |= LAYER_DIFFERS_OWNER;
	if (a->mtime != b->mtime || a->mtime_nsec != b->mtime_nsec)
		what |= LAYER_DIFFERS_TIME;
	if (is_device(a) && a->device != b->device)
		what |= LAYER_DIFFERS_DEVICE;
	if (a->xattr_size != b->xattr_size || memcmp(a->xattrs, b->xattrs, a->xattr_size) != 0)
		what |= LAYER_DIFFERS_XATTRS;
	if (S_ISREG(a->mode) && !is_hardlink(a) && a->size != b->size)
		what |= LAYER_DIFFERS_SIZE;
	return what;
}

static int compare_both(struct side *before, struct side *after, layer_difference_fn call,
			void *context, struct error *err)
{
	struct layer_difference difference = { .before = &before->entry, .after = &after->entry };
	int ret = 0;

	difference.what = compare_entries(&before->entry, &after->entry);
	if (!(difference.what & LAYER_DIFFERS_TYPE) && has_contents(&before->entry) &&
	    (before->entry.size || after->entry.size))
		ret = differ(before, after, &difference.offset, err);
	if (ret < 0)
		return ret;
	if (ret == 1)
		difference.what |= LAYER_DIFFERS_CONTENT;
	return difference.what ? call(context, &difference, err) : 0;
}

static int compare_one(struct side *side, bool is_before, layer_difference_fn call, void *context,
		       struct error *err)
{
	const struct layer_difference difference = { .before = is_before ? &side->entry : NULL,
						     .after = is_before ? NULL : &side->entry };
	int ret = call(context, &difference, err);

	return ret < 0 ? ret : side_next(side, err);
}

int layer_compare(struct store *store, const struct layer_compared *before,
		  const struct layer_compared *after, layer_difference_fn call, void *context,
		  struct error *err)
{
	cleanup_with(side_done) struct side a = SIDE_INIT, b = SIDE_INIT;
	int ret = side_open(&a, store, before, err);

	if (ret == 0)
		ret = side_open(&b, store, after, err);
	while (ret == 0 && (a.has || b.has)) {
		int order = !a.has ? 1 : !b.has ? -1 : strcmp(a.entry.path, b.entry.path);

		ret = store_check_stop(store, err);
		if (ret < 0)
			break;
		if (order != 0) {
			ret = compare_one(order < 0 ? &a : &b, order < 0, call, context, err);
			continue;
		}
		ret = compare_both(&a, &b, call, context, err);
		if (ret == 0)
			ret = side_next(&a, err);
		if (ret == 0)
			ret = side_next(&b, err);
	}
	return ret;
}
