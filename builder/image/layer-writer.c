/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer made entry by entry (COPY): one read of the source feeds the file in tree/, the digest of
 * the tar stream and, if asked for, the digest of the contents. When a path is added twice the
 * stream so far is wrong; the tree goes on, and at the end the stream is recorded from it instead.
 */
#include "builder/image/layer.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "builder/image/entry.h"
#include "builder/image/folder-times.h"
#include "builder/image/layer-stream.h"
#include "builder/image/overlay.h"
#include "builder/image/snapshot.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/syscalls.h"

#define BUFFER_SIZE ((size_t)256 * 1024)
#define WRITEBACK_SIZE ((uint64_t)16 << 20)
#define CLONE_MIN ((uint64_t)64 << 10) /* less is written as quickly */
#define HOLE_MIN 4096		       /* zeros in pieces from this size on are not written */

struct layer_writer {
	struct store *store;
	struct layer_writer_options options;
	struct layer_draft draft;
	struct layer_recorder recorder;
	int tree_fd;
	int parent_fd; /* of the last entry's folder, parent_path */
	char *parent_path;
	char *buffer;	/* for contents that no stream gets */
	bool stale;	/* the recorded stream no longer describes the tree */
	bool no_clones; /* a file was refused one */
	struct folder_times folders;
};

static const struct open_how folder_how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
					    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

static int open_folder(const struct layer_writer *writer, const char *path)
{
	struct open_how how = folder_how;
	int fd = sys_openat2(writer->tree_fd, path, &how);

	return fd < 0 ? -errno : fd;
}

/* Metadata of a folder of the trees below: 1 there, 0 not. */
static int read_lower(struct layer_writer *writer, struct tar_entry *entry,
		      struct tar_xattr **out_xattrs, struct error *err)
{
	cleanup_close int path_fd = -EBADF;
	cleanup_close int fd = -EBADF;
	struct stat st;
	int ret;

	if (!writer->options.lowers)
		return 0;
	path_fd = snapshot_lookup(writer->store, writer->options.lowers, entry->path, NULL);
	if (path_fd == -ENOENT || (path_fd == -ENOTDIR && writer->options.independent))
		return 0;
	if (path_fd < 0)
		return error_errno(err, -path_fd, "look up \"%s\" below", entry->path);
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOTDIR && writer->options.independent)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "\"%s\"", entry->path);
	ret = entry_read_xattrs(fd, out_xattrs, &entry->xattr_count, err);
	if (ret < 0)
		return ret;
	entry->xattrs = *out_xattrs;
	entry->mode = st.st_mode;
	entry->uid = st.st_uid;
	entry->gid = st.st_gid;
	entry->mtime = st.st_mtim.tv_sec;
	entry->mtime_nsec = writer->options.subsecond ? (uint32_t)st.st_mtim.tv_nsec : 0;
	time_rule_apply(&writer->options.times, &entry->mtime, &entry->mtime_nsec);
	return 1;
}

static int make_folder(struct layer_writer *writer, int dirfd, const char *name,
		       const struct tar_entry *entry, struct error *err)
{
	int unused = -EBADF;
	int ret = entry_create(dirfd, name, entry, &unused, err);

	if (ret == 0)
		ret = entry_set_metadata(dirfd, name, -EBADF, entry, err);
	if (ret == 0)
		folder_times_add(&writer->folders, entry);
	if (ret == 0 && !writer->stale)
		ret = recorder_entry(&writer->recorder, entry, err);
	return ret;
}

/* The fd of an entry's folder; folders that nobody added get their metadata from below. */
static int parent_of(struct layer_writer *writer, const char *path, struct error *err)
{
	struct tar_entry entry = { .path = path,
				   .mode = S_IFDIR | 0755,
				   .mtime = writer->options.mtime };
	struct tar_xattr *xattrs = NULL;
	cleanup_free char *above = NULL;
	int ret;

	if (writer->parent_path && strcmp(writer->parent_path, path) == 0)
		return writer->parent_fd;
	ret = open_folder(writer, path);
	if (ret == -ENOENT) {
		above = path_parent(path);
		ret = parent_of(writer, above, err);
		if (ret < 0)
			return ret;
		ret = read_lower(writer, &entry, &xattrs, err);
		if (ret >= 0)
			ret = make_folder(writer, writer->parent_fd, path_base(path), &entry, err);
		xattrs_free(xattrs, entry.xattr_count);
		if (ret < 0)
			return ret;
		ret = open_folder(writer, path);
	}
	if (ret < 0)
		return error_errno(err, -ret, "open the folder \"%s\" of the layer", path);
	cleanup_close_fd(&writer->parent_fd);
	free(writer->parent_path);
	writer->parent_fd = ret;
	writer->parent_path = xstrdup(path);
	return ret;
}

static void forget_parent(struct layer_writer *writer)
{
	cleanup_close_fd(&writer->parent_fd);
	free(writer->parent_path);
	writer->parent_path = NULL;
}

int layer_writer_create(struct store *store, const struct layer_writer_options *options,
			struct layer_writer **out, struct error *err)
{
	cleanup_layer_writer struct layer_writer *writer = xzalloc(sizeof(*writer));
	struct tar_entry root = { .path = ".", .mode = S_IFDIR | 0755 };
	struct tar_xattr *xattrs = NULL;
	cleanup_close int draft_fd = -EBADF;
	int ret;

	writer->store = store;
	writer->options = *options;
	writer->tree_fd = writer->parent_fd = -EBADF;
	writer->recorder = (struct layer_recorder)RECORDER_INIT;
	ret = store_scratch(store, writer->draft.name, &draft_fd, err);
	if (ret < 0)
		return ret;
	ret = read_lower(writer, &root, &xattrs, err);
	if (ret >= 0)
		ret = mkdirat(draft_fd, LAYER_TREE, 0755) < 0
			      ? error_errno(err, errno, "mkdir \"%s\"", LAYER_TREE)
			      : 0;
	if (ret >= 0)
		ret = entry_set_metadata(draft_fd, LAYER_TREE, -EBADF, &root, err);
	if (ret >= 0)
		ret = recorder_open(&writer->recorder, draft_fd, true, err);
	if (ret >= 0 && !layer_root_is_plain(&root))
		ret = recorder_entry(&writer->recorder, &root, err);
	xattrs_free(xattrs, root.xattr_count);
	if (ret < 0)
		return error_prefix(err, ret, "create a layer's tree");
	writer->tree_fd = openat(draft_fd, LAYER_TREE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (writer->tree_fd < 0)
		return error_errno(err, errno, "open a layer's tree");
	*out = TAKE_PTR(writer);
	return 0;
}

/* -- entries ------------------------------------------------------------------------------------
 */

static ssize_t source_read(const struct layer_source *source, void *buffer, size_t size,
			   const char *path, struct error *err)
{
	ssize_t n;

	if (source->fd < 0)
		return source->read(source->context, buffer, size, err);
	do
		n = read(source->fd, buffer, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? error_errno(err, errno, "read \"%s\"", path) : n;
}

/* Where the next contents go on their way to the file: into the stream, if there still is one. */
static char *next_space(struct layer_writer *writer, size_t *out_size)
{
	if (!writer->stale)
		return recorder_space(&writer->recorder, out_size);
	if (!writer->buffer)
		writer->buffer = xmalloc(BUFFER_SIZE);
	*out_size = BUFFER_SIZE;
	return writer->buffer;
}

static bool is_zero(const char *data, size_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* The disk begins with a large file while the rest of it is still being read and hashed: what is
 * left for the commit's syncfs is little. A hint; where it has no effect, the commit does it all.
 */
static void begin_writeback(int fd, uint64_t before, uint64_t now)
{
	uint64_t from = before - before % WRITEBACK_SIZE, to = now - now % WRITEBACK_SIZE;

	if (fd >= 0 && to > from)
		(void)sync_file_range(fd, (off_t)from, (off_t)(to - from), SYNC_FILE_RANGE_WRITE);
}

static int write_piece(int fd, const char *data, size_t size, uint64_t offset)
{
	/* a hole in the source is one here */
	if (fd < 0 || (size >= HOLE_MIN && is_zero(data, size)))
		return 0;
	while (size) {
		ssize_t n = pwrite(fd, data, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* fd -EBADF: they are there already, and only go into the stream. */
static int write_contents(struct layer_writer *writer, int fd, const struct tar_entry *entry,
			  const struct layer_source *source, struct error *err)
{
	uint64_t done = 0;

	while (done < entry->size) {
		uint64_t left = entry->size - done;
		size_t room;
		char *space = next_space(writer, &room);
		ssize_t n = source_read(source, space, left < room ? (size_t)left : room,
					entry->path, err);
		int ret;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return error_invalid(err, "\"%s\" became shorter while it was read",
					     entry->path);
		ret = write_piece(fd, space, (size_t)n, done);
		if (ret == 0 && fd >= 0 && done + (uint64_t)n == entry->size &&
		    entry->size >= HOLE_MIN &&
		    ftruncate(fd, (off_t)entry->size) < 0) /* it may end in a hole */
			ret = -errno;
		if (ret < 0)
			return error_errno(err, -ret, "write \"%s\"", entry->path);
		if (source->content)
			source->content(source->context, space, (size_t)n);
		if (!writer->stale)
			ret = recorder_added(&writer->recorder, space, (size_t)n, err);
		if (ret < 0)
			return ret;
		begin_writeback(fd, done, done + (uint64_t)n);
		done += (uint64_t)n;
	}
	return 0;
}

static int make_hardlink(struct layer_writer *writer, int dirfd, const char *name,
			 const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *above = path_parent(entry->target);
	cleanup_close int target_fd = open_folder(writer, above);

	if (target_fd < 0)
		return error_errno(err, -target_fd, "hardlink \"%s\" to \"%s\"", entry->path,
				   entry->target);
	if (linkat(target_fd, path_base(entry->target), dirfd, name, 0) == 0)
		return writer->stale ? 0 : recorder_entry(&writer->recorder, entry, err);
	return errno == EEXIST ? -EEXIST
			       : error_errno(err, errno, "hardlink \"%s\" to \"%s\"", entry->path,
					     entry->target);
}

/* The file of another layer, if it can be had: there are file systems without links, a file has
 * so many at most, and a project quota may end between the two. Then it is copied. */
static bool link_source(int dirfd, const char *name, const struct layer_source *source)
{
	return source && source->link_name &&
	       linkat(source->link_fd, source->link_name, dirfd, name, 0) == 0;
}

/*
 * A reflink of the source, where the file system has them: nothing is written then, and what is
 * hashed is what the layer has, whatever happens to the source meanwhile. 1 when there is one.
 */
static int clone_source(struct layer_writer *writer, int fd, const struct tar_entry *entry,
			const struct layer_source *source, struct error *err)
{
	struct stat st;

	if (writer->no_clones || !source || source->fd < 0 || entry->size < CLONE_MIN)
		return 0;
	writer->no_clones = ioctl(fd, FICLONE, source->fd) < 0;
	if (writer->no_clones)
		return 0; /* the others are like this one: they are not tried */
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size == entry->size)
		return 1;
	/* it was changed since it was looked at: copying tells how */
	return ftruncate(fd, 0) < 0 ? error_errno(err, errno, "empty \"%s\"", entry->path) : 0;
}

static int make_contents(struct layer_writer *writer, int fd, const struct tar_entry *entry,
			 const struct layer_source *source, struct error *err)
{
	int ret = fd < 0 ? 0 : clone_source(writer, fd, entry, source, err);
	struct layer_source clone;

	if (ret <= 0)
		return ret < 0 ? ret : write_contents(writer, fd, entry, source, err);
	clone = *source;
	clone.fd = fd;
	return write_contents(writer, -EBADF, entry, &clone, err);
}

static int make_entry(struct layer_writer *writer, int dirfd, const char *name,
		      const struct tar_entry *entry, const struct layer_source *source,
		      struct error *err)
{
	cleanup_close int fd = -EBADF;
	bool linked;
	int ret = 0;

	if (S_ISDIR(entry->mode))
		return make_folder(writer, dirfd, name, entry, err);
	if (entry->target && !S_ISLNK(entry->mode))
		return make_hardlink(writer, dirfd, name, entry, err);
	linked = link_source(dirfd, name, source);
	if (!linked)
		ret = entry_create(dirfd, name, entry, &fd, err);
	if (ret == 0 && !writer->stale)
		ret = recorder_entry(&writer->recorder, entry, err);
	if (ret == 0 && S_ISREG(entry->mode) && entry->size)
		ret = make_contents(writer, fd, entry, source, err);
	if (ret == 0 && !linked)
		ret = entry_set_metadata(dirfd, name, fd, entry, err);
	return ret;
}

/* The path is there already: a folder over a folder keeps what is inside, all else replaces. */
static int replace_entry(struct layer_writer *writer, int dirfd, const char *name,
			 const struct tar_entry *entry, const struct layer_source *source,
			 struct error *err)
{
	struct stat st;
	int ret;

	writer->stale = true;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\" of the layer", entry->path);
	if (S_ISDIR(st.st_mode) && S_ISDIR(entry->mode)) {
		folder_times_add(&writer->folders, entry);
		return entry_set_metadata(dirfd, name, -EBADF, entry, err);
	}
	ret = path_remove_tree(dirfd, name, err);
	if (ret < 0)
		return ret;
	return make_entry(writer, dirfd, name, entry, source, err);
}

int layer_writer_add(struct layer_writer *writer, const struct tar_entry *given,
		     const struct layer_source *source, struct error *err)
{
	const char *name = path_base(given->path);
	cleanup_free char *above = path_parent(given->path);
	struct tar_entry dated = *given;
	const struct tar_entry *entry = &dated;
	int dirfd, ret;

	time_rule_apply(&writer->options.times, &dated.mtime, &dated.mtime_nsec);

	if (strcmp(entry->path, ".") == 0)
		return error_set(err, ERROR_INTERNAL, 0, "the root of a layer is not an entry");
	if (entry->path[0] == '/' || strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return error_invalid(err, "\"%s\" is not a name for a file in a layer",
				     entry->path);
	dirfd = parent_of(writer, above, err);
	if (dirfd < 0)
		return dirfd;
	ret = make_entry(writer, dirfd, name, entry, source, err);
	if (ret == -EEXIST)
		ret = replace_entry(writer, dirfd, name, entry, source, err);
	/* what was replaced may have been the folder we keep open */
	if (writer->stale)
		forget_parent(writer);
	return ret;
}

int layer_writer_whiteout(struct layer_writer *writer, const char *path, struct error *err)
{
	const char *name = path_base(path);
	cleanup_free char *above = path_parent(path);
	cleanup_free char *marker = NULL;
	struct tar_entry entry = { .mode = S_IFREG | 0644 };
	int dirfd = parent_of(writer, above, err);
	int ret;

	if (dirfd < 0)
		return dirfd;
	ret = overlay_make_whiteout(writer->store->marks, dirfd, name);
	if (ret == -EEXIST) {
		writer->stale = true;
		return 0; /* what this layer has there hides the one below anyway */
	}
	if (ret < 0)
		return error_errno(err, -ret, "create a whiteout of \"%s\"", path);
	marker = strcmp(above, ".") == 0 ? xasprintf(WHITEOUT_PREFIX "%s", name)
					 : xasprintf("%s/" WHITEOUT_PREFIX "%s", above, name);
	entry.path = marker;
	return writer->stale ? 0 : recorder_entry(&writer->recorder, &entry, err);
}

/* -- the end ------------------------------------------------------------------------------------
 */

static int record_again(struct layer_writer *writer, struct error *err)
{
	const struct layer_scan scan = { .subsecond = writer->options.subsecond };
	cleanup_close int draft_fd =
		openat(writer->store->fd, writer->draft.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (draft_fd < 0)
		return error_errno(err, errno, "open a layer");
	recorder_done(&writer->recorder);
	ret = recorder_open(&writer->recorder, draft_fd, false, err);
	return ret < 0 ? ret
		       : layer_scan_tree(writer->store, writer->tree_fd, &scan, &writer->recorder,
					 err);
}

void layer_writer_usage(const struct layer_writer *writer, struct rusage *sum)
{
	if (writer->recorder.queue)
		hash_queue_usage(writer->recorder.queue, sum);
}

int layer_writer_finish(struct layer_writer *writer, struct layer_draft *out, struct error *err)
{
	int ret = folder_times_set(&writer->folders, writer->tree_fd, true, err);

	if (ret == 0 && writer->stale)
		ret = record_again(writer, err);
	if (ret == 0)
		ret = recorder_finish(&writer->recorder, &writer->draft, err);
	if (ret == 0)
		*out = writer->draft;
	return ret;
}

void layer_writer_free(struct layer_writer *writer)
{
	if (!writer)
		return;
	recorder_done(&writer->recorder);
	forget_parent(writer);
	cleanup_close_fd(&writer->tree_fd);
	folder_times_done(&writer->folders);
	free(writer->buffer);
	free(writer);
}
