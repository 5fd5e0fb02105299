/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tree to a tar stream: the upper of an overlay after a RUN, or a tree that was unpacked.
 * Depth first, names sorted as bytes, whiteouts before their siblings. What must not be in a layer
 * (sockets) is removed from the tree too, so that tree and stream say the same.
 *
 * A folder that was only copied up (a process looked for write access, a mount point was made and
 * removed) is the same in the trees below and has nothing inside: it is held back until something
 * inside it is recorded, and left out otherwise.
 */
#include "builder/image/layer-stream.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "builder/image/entry.h"
#include "builder/image/snapshot.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/syscalls.h"

#define WHITEOUT_PREFIX ".wh."
#define OPAQUE_NAME ".wh..wh..opq"

struct link {
	dev_t device;
	ino_t inode;
	char *path;
};

enum child_kind { CHILD_WHITEOUT, CHILD_FOLDER, CHILD_OTHER };

/* Small: a folder may have a million of them. */
struct scan_child {
	char *name;
	enum child_kind kind;
};

struct scan_children {
	struct scan_child *items;
	size_t count, capacity;
};

/* A folder whose entry was not recorded yet, and the folders above it likewise. */
struct held_folder {
	struct tar_entry entry;
	struct held_folder *above;
	bool recorded;
};

struct scanner {
	struct store *store;
	int tree_fd;
	const struct layer_scan *scan;
	struct layer_recorder *recorder;
	struct link *links; /* open addressing, by (device, inode) */
	size_t link_count, link_capacity;
};

static bool is_flat(const struct scanner *scanner)
{
	return scanner->scan && scanner->scan->flat;
}

/* -- hardlinks ----------------------------------------------------------------------------------
 */

static struct link *link_slot(const struct scanner *scanner, dev_t device, ino_t inode)
{
	size_t i = (size_t)((inode ^ (device << 7)) * 0x9E3779B97F4A7C15ULL);

	for (;; i++) {
		struct link *slot = &scanner->links[i & (scanner->link_capacity - 1)];

		if (!slot->path || (slot->device == device && slot->inode == inode))
			return slot;
	}
}

static void links_grow(struct scanner *scanner)
{
	struct link *old = scanner->links;
	size_t count = scanner->link_capacity;

	scanner->link_capacity = count ? count * 2 : 64;
	scanner->links = xzalloc(scanner->link_capacity * sizeof(*old));
	for (size_t i = 0; i < count; i++)
		if (old[i].path)
			*link_slot(scanner, old[i].device, old[i].inode) = old[i];
	free(old);
}

/* The path under which this file was recorded already, or NULL: it is remembered then. */
static const char *link_find(struct scanner *scanner, const struct stat *st, const char *path)
{
	struct link *slot;

	if (scanner->link_count * 2 >= scanner->link_capacity)
		links_grow(scanner);
	slot = link_slot(scanner, st->st_dev, st->st_ino);
	if (slot->path)
		return slot->path;
	*slot = (struct link){ st->st_dev, st->st_ino, xstrdup(path) };
	scanner->link_count++;
	return NULL;
}

static void scanner_done(struct scanner *scanner)
{
	for (size_t i = 0; i < scanner->link_capacity; i++)
		free(scanner->links[i].path);
	free(scanner->links);
}

/* -- entries ------------------------------------------------------------------------------------
 */

static struct tar_entry entry_of(const struct stat *st, const char *path)
{
	return (struct tar_entry){ .path = path,
				   .mode = st->st_mode,
				   .uid = st->st_uid,
				   .gid = st->st_gid,
				   .size = (uint64_t)st->st_size,
				   .mtime = st->st_mtim.tv_sec,
				   .device = st->st_rdev };
}

static int record_held(struct scanner *scanner, struct held_folder *folder, struct error *err)
{
	int ret;

	if (!folder || folder->recorded)
		return 0;
	ret = record_held(scanner, folder->above, err);
	if (ret < 0)
		return ret;
	folder->recorded = true;
	return recorder_entry(scanner->recorder, &folder->entry, err);
}

static int record(struct scanner *scanner, struct held_folder *folder,
		  const struct tar_entry *entry, struct error *err)
{
	int ret = record_held(scanner, folder, err);

	return ret < 0 ? ret : recorder_entry(scanner->recorder, entry, err);
}

/* An empty regular file named PREFIX NAME beside where NAME was. */
static int record_whiteout(struct scanner *scanner, struct held_folder *folder, const char *prefix,
			   const char *name, struct error *err)
{
	bool in_root = strcmp(folder->entry.path, ".") == 0;
	cleanup_free char *path = xasprintf("%s%s%s%s", in_root ? "" : folder->entry.path,
					    in_root ? "" : "/", prefix, name);
	/* no time of its own: whiteouts of two equal builds must be equal */
	const struct tar_entry entry = { .path = path, .mode = S_IFREG | 0644 };

	return record(scanner, folder, &entry, err);
}

static int record_contents(struct scanner *scanner, int fd, const char *path, uint64_t size,
			   struct error *err)
{
	struct layer_recorder *recorder = scanner->recorder;

	while (size > 0) {
		size_t piece = size < LAYER_BUFFER ? (size_t)size : LAYER_BUFFER;
		ssize_t n = read(fd, recorder->buffer, piece);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read \"%s\"", path);
		if (n == 0)
			return error_invalid(err, "\"%s\" became shorter while it was read", path);
		recorder_data(recorder, recorder->buffer, (size_t)n);
		size -= (uint64_t)n;
	}
	return 0;
}

static int scan_file(struct scanner *scanner, int dirfd, const char *name, struct tar_entry *entry,
		     struct held_folder *folder, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct tar_xattr *xattrs = NULL;
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", entry->path);
	ret = entry_read_xattrs(fd, &xattrs, &entry->xattr_count, err);
	if (ret < 0)
		return error_prefix(err, ret, "\"%s\"", entry->path);
	entry->xattrs = xattrs;
	ret = record(scanner, folder, entry, err);
	if (ret == 0)
		ret = record_contents(scanner, fd, entry->path, entry->size, err);
	xattrs_free(xattrs, entry->xattr_count);
	return ret;
}

static int scan_other(struct scanner *scanner, int dirfd, const struct scan_child *child,
		      const char *path, struct held_folder *folder, struct error *err)
{
	struct tar_entry entry;
	char target[PATH_MAX];
	struct stat st;
	ssize_t size;

	if (fstatat(dirfd, child->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\"", path);
	entry = entry_of(&st, path);
	if (!is_flat(scanner) &&
	    strncmp(child->name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return error_invalid(err,
				     "\"%s\": a file of this name would delete another when "
				     "the layer is unpacked",
				     path);
	if (S_ISSOCK(st.st_mode)) {
		if (!is_flat(scanner) && unlinkat(dirfd, child->name, 0) < 0)
			return error_errno(err, errno, "remove the socket \"%s\"", path);
		return 0;
	}
	if (st.st_nlink > 1 && !S_ISLNK(st.st_mode)) {
		entry.target = link_find(scanner, &st, path);
		if (entry.target)
			return record(scanner, folder, &entry, err);
	}
	if (S_ISREG(entry.mode))
		return scan_file(scanner, dirfd, child->name, &entry, folder, err);
	if (S_ISLNK(entry.mode)) {
		size = readlinkat(dirfd, child->name, target, sizeof(target) - 1);
		if (size < 0)
			return error_errno(err, errno, "read the symlink \"%s\"", path);
		target[size] = '\0';
		entry.target = target;
	}
	return record(scanner, folder, &entry, err);
}

/* -- folders ------------------------------------------------------------------------------------
 */

static int compare_children(const void *a, const void *b)
{
	const struct scan_child *x = a, *y = b;
	bool x_whiteout = x->kind == CHILD_WHITEOUT, y_whiteout = y->kind == CHILD_WHITEOUT;

	if (x_whiteout != y_whiteout)
		return x_whiteout ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void children_done(struct scan_children *children)
{
	for (size_t i = 0; i < children->count; i++)
		free(children->items[i].name);
	free(children->items);
}

static int child_kind(int dirfd, const struct dirent *d, enum child_kind *out, struct error *err)
{
	struct stat st;

	*out = d->d_type == DT_DIR ? CHILD_FOLDER : CHILD_OTHER;
	if (d->d_type != DT_CHR && d->d_type != DT_UNKNOWN)
		return 0;
	if (fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\"", d->d_name);
	if (S_ISDIR(st.st_mode))
		*out = CHILD_FOLDER;
	else if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
		*out = CHILD_WHITEOUT;
	return 0;
}

static int read_children(int dirfd, struct scan_children *out, struct error *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return error_errno(err, errno, "read a folder");
	while ((errno = 0, d = readdir(dir))) {
		struct scan_child child;
		int ret;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		ret = child_kind(dirfd, d, &child.kind, err);
		if (ret < 0)
			return ret;
		child.name = xstrdup(d->d_name);
		ARRAY_GROW(out->items, out->count, out->capacity);
		out->items[out->count++] = child;
	}
	if (errno)
		return error_errno(err, errno, "read a folder");
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_children);
	return 0;
}

static bool same_xattrs(const struct tar_xattr *a, size_t a_count, const struct tar_xattr *b,
			size_t b_count)
{
	size_t found = 0;

	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		for (size_t k = 0; k < b_count; k++)
			if (strcmp(a[i].name, b[k].name) == 0 && a[i].size == b[k].size &&
			    memcmp(a[i].value, b[k].value, a[i].size) == 0)
				found++;
	return found == a_count;
}

/*
 * Is this folder the same in the trees below? The root is judged by itself: a layer is shared by
 * all that have its diffID, so a root that no header describes must be the same in all of them.
 */
static int folder_is_unchanged(struct scanner *scanner, const struct tar_entry *entry,
			       const struct stat *st, struct error *err)
{
	bool is_root = strcmp(entry->path, ".") == 0;
	cleanup_close int path_fd = -EBADF;
	cleanup_close int fd = -EBADF;
	struct tar_xattr *xattrs = NULL;
	size_t count = 0;
	struct stat lower;
	bool same;
	int ret;

	if (is_root || !scanner->scan || !scanner->scan->lowers || !scanner->scan->lowers->count)
		return is_root && layer_root_is_plain(entry);
	path_fd = snapshot_lookup(scanner->store, scanner->scan->lowers, entry->path, NULL);
	if (path_fd < 0)
		return path_fd == -ENOENT || path_fd == -ENOTDIR
			       ? 0
			       : error_errno(err, -path_fd, "look up \"%s\" below", entry->path);
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &lower) < 0)
		return errno == ENOTDIR ? 0 : error_errno(err, errno, "open \"%s\"", entry->path);
	if (lower.st_mode != st->st_mode || lower.st_uid != st->st_uid ||
	    lower.st_gid != st->st_gid)
		return 0;
	if (lower.st_mtim.tv_sec != st->st_mtim.tv_sec ||
	    lower.st_mtim.tv_nsec != st->st_mtim.tv_nsec)
		return 0;
	ret = entry_read_xattrs(fd, &xattrs, &count, err);
	if (ret < 0)
		return ret;
	same = same_xattrs(xattrs, count, entry->xattrs, entry->xattr_count);
	xattrs_free(xattrs, count);
	return same;
}

/* Opaque? Also refuses what our mount options exclude: a tree with it means nothing by itself. */
static int check_overlay_xattrs(const struct scanner *scanner, int fd, const char *path,
				struct error *err)
{
	const char *ns = scanner->store->user_xattr ? "user" : "trusted";
	char name[64], value[4];
	ssize_t size;

	snprintf(name, sizeof(name), "%s.overlay.redirect", ns);
	if (fgetxattr(fd, name, NULL, 0) >= 0)
		return error_set(err, ERROR_INTERNAL, 0, "\"%s\" is a redirected folder", path);
	snprintf(name, sizeof(name), "%s.overlay.opaque", ns);
	size = fgetxattr(fd, name, value, sizeof(value));
	return size == 1 && value[0] == 'y';
}

static int scan_folder(struct scanner *scanner, const char *path, struct held_folder *above,
		       struct error *err);

/* What is in no header must not be in the tree: others get this tree for the same headers. */
static int drop_folder(struct scanner *scanner, const char *above, const char *name,
		       struct error *err)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	cleanup_close int dirfd = sys_openat2(scanner->tree_fd, above, &how);
	struct stat st;
	struct timespec times[2];

	if (dirfd < 0 || fstat(dirfd, &st) < 0)
		return error_errno(err, errno, "open \"%s\"", above);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 || futimens(dirfd, times) < 0)
		return error_errno(err, errno, "leave the unchanged folder \"%s/%s\" out", above,
				   name);
	return 0;
}

static int scan_children(struct scanner *scanner, int *dirfd, struct held_folder *folder,
			 const struct scan_children *children, struct error *err)
{
	bool in_root = strcmp(folder->entry.path, ".") == 0;
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	for (size_t i = 0; i < children->count; i++) {
		const struct scan_child *child = &children->items[i];
		cleanup_free char *path = xasprintf("%s%s%s", in_root ? "" : folder->entry.path,
						    in_root ? "" : "/", child->name);
		int ret;

		/* folders are closed while we are below them: depth must not cost fds */
		if (child->kind == CHILD_FOLDER) {
			cleanup_close_fd(dirfd);
			ret = scan_folder(scanner, path, folder, err);
			if (ret > 0)
				ret = drop_folder(scanner, folder->entry.path, child->name, err);
		} else {
			if (*dirfd < 0)
				*dirfd = sys_openat2(scanner->tree_fd, folder->entry.path, &how);
			if (*dirfd < 0)
				return error_errno(err, errno, "open \"%s\"", folder->entry.path);
			if (child->kind == CHILD_WHITEOUT && is_flat(scanner))
				continue;
			ret = child->kind == CHILD_WHITEOUT
				      ? record_whiteout(scanner, folder, WHITEOUT_PREFIX,
							child->name, err)
				      : scan_other(scanner, *dirfd, child, path, folder, err);
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* dirfd is closed on the way */
static int scan_open_folder(struct scanner *scanner, int *dirfd, struct held_folder *folder,
			    struct error *err)
{
	__attribute__((cleanup(children_done))) struct scan_children children = { NULL, 0, 0 };
	struct stat st;
	int opaque, ret;

	if (fstat(*dirfd, &st) < 0)
		return error_errno(err, errno, "stat \"%s\"", folder->entry.path);
	opaque = is_flat(scanner) ? 0
				  : check_overlay_xattrs(scanner, *dirfd, folder->entry.path, err);
	if (opaque < 0)
		return opaque;
	ret = opaque ? 0 : folder_is_unchanged(scanner, &folder->entry, &st, err);
	/* "./" is written only when it says something; what is inside does not bring it in */
	if (ret == 1 && strcmp(folder->entry.path, ".") == 0)
		folder->recorded = true;
	if (ret == 0)
		ret = record_held(scanner, folder, err);
	if (ret >= 0 && opaque)
		ret = record_whiteout(scanner, folder, OPAQUE_NAME, "", err);
	if (ret >= 0)
		ret = read_children(*dirfd, &children, err);
	if (ret < 0)
		return ret;
	ret = scan_children(scanner, dirfd, folder, &children, err);
	return ret < 0 ? ret : !folder->recorded;
}

/* 1: the folder and all in it is as below, nothing was recorded. */
static int scan_folder(struct scanner *scanner, const char *path, struct held_folder *above,
		       struct error *err)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	cleanup_close int dirfd = sys_openat2(scanner->tree_fd, path, &how);
	struct held_folder folder = { .above = above };
	struct tar_xattr *xattrs = NULL;
	struct stat st;
	int ret;

	if (dirfd < 0 || fstat(dirfd, &st) < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	folder.entry = entry_of(&st, path);
	ret = entry_read_xattrs(dirfd, &xattrs, &folder.entry.xattr_count, err);
	if (ret < 0)
		return error_prefix(err, ret, "\"%s\"", path);
	folder.entry.xattrs = xattrs;
	ret = scan_open_folder(scanner, &dirfd, &folder, err);
	xattrs_free(xattrs, folder.entry.xattr_count);
	return ret;
}

int layer_scan_tree(struct store *store, int tree_fd, const struct layer_scan *scan,
		    struct layer_recorder *recorder, struct error *err)
{
	__attribute__((cleanup(scanner_done))) struct scanner scanner = {
		.store = store, .tree_fd = tree_fd, .scan = scan, .recorder = recorder
	};

	int ret = scan_folder(&scanner, ".", NULL, err);

	return ret < 0 ? ret : 0;
}
