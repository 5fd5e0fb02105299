/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tree to the headers of a tar stream: the upper of an overlay after a RUN, or a tree that
 * was unpacked. Depth first, names sorted as bytes, whiteouts before their siblings.
 *
 * Tree and headers say the same when it is done, because everybody who has the diffID gets this
 * tree: what must not be in a layer (sockets, what was only copied up and is as below) is removed
 * from the tree, and a folder that hides all below becomes one that hides each name.
 *
 * A folder that was only copied up is the same in the trees below and has nothing inside: it is
 * held back until something inside it is recorded, and left out otherwise.
 */
#include "builder/image/layer-stream.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/image/entry.h"
#include "builder/image/inode-names.h"
#include "builder/image/layer-below.h"
#include "builder/image/layer-same.h"
#include "builder/image/overlay.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/syscalls.h"

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

/* A folder on the way down, and the folders above it likewise. */
struct scan_folder {
	struct tar_entry entry;
	struct scan_folder *above;
	struct stat st;
	struct below below;
	int fd;	       /* -EBADF while we are below it: depth must not cost descriptors */
	bool recorded; /* its entry is in the headers */
	bool hides;    /* it was made anew: what is below does not show by itself */
	bool touched;  /* we changed what is in it: its times are to be set again */
};

static void scan_folder_done(struct scan_folder *folder)
{
	cleanup_close_fd(&folder->fd);
	below_done(&folder->below);
}

struct scanner {
	struct store *store;
	int tree_fd;
	const struct layer_scan *scan;
	struct layer_recorder *recorder;
	struct inode_names links;
	/* A container's own sockets are no whiteouts: a root file system that is not one of our
	 * trees yet has none that are sockets. */
	enum overlay_marks marks;
	size_t seen; /* entries, for looking at the stop fd now and then */
};

#define STOP_EVERY 256

static const struct layer_scan scan_all = { .lowers = NULL };

static bool has_lowers(const struct scanner *scanner)
{
	return scanner->scan->lowers != NULL;
}

static char *child_path(const struct scan_folder *folder, const char *name)
{
	return strcmp(folder->entry.path, ".") == 0 ? xstrdup(name)
						    : xasprintf("%s/%s", folder->entry.path, name);
}

static int open_folder(const struct scanner *scanner, const char *path, struct error *err)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd = sys_openat2(scanner->tree_fd, path, &how);

	return fd < 0 ? error_errno(err, errno, "open \"%s\"", path) : fd;
}

/* The folder's descriptor, opened again if it was closed. */
static int folder_fd(const struct scanner *scanner, struct scan_folder *folder, struct error *err)
{
	if (folder->fd < 0)
		folder->fd = open_folder(scanner, folder->entry.path, err);
	return folder->fd;
}

/* -- entries ------------------------------------------------------------------------------------
 */

static struct tar_entry entry_of(const struct scanner *scanner, const struct stat *st,
				 const char *path)
{
	struct tar_entry entry = { .path = path,
				   .mode = st->st_mode,
				   .uid = st->st_uid,
				   .gid = st->st_gid,
				   .size = (uint64_t)st->st_size,
				   .mtime = st->st_mtim.tv_sec,
				   .mtime_nsec = scanner->scan->subsecond
							 ? (uint32_t)st->st_mtim.tv_nsec
							 : 0,
				   .device = st->st_rdev };

	time_rule_apply(scanner->scan->times, &entry.mtime, &entry.mtime_nsec);
	return entry;
}

static int record_folder(struct scanner *scanner, struct scan_folder *folder, struct error *err)
{
	int ret;

	if (!folder || folder->recorded)
		return 0;
	ret = record_folder(scanner, folder->above, err);
	if (ret < 0)
		return ret;
	folder->recorded = true;
	return recorder_entry(scanner->recorder, &folder->entry, err);
}

static int record(struct scanner *scanner, struct scan_folder *folder,
		  const struct tar_entry *entry, struct error *err)
{
	int ret = record_folder(scanner, folder, err);

	return ret < 0 ? ret : recorder_entry(scanner->recorder, entry, err);
}

/* An empty regular file named PREFIX NAME beside where NAME was. */
static int record_whiteout(struct scanner *scanner, struct scan_folder *folder, const char *prefix,
			   const char *name, struct error *err)
{
	cleanup_free char *marker = xasprintf("%s%s", prefix, name);
	cleanup_free char *path = child_path(folder, marker);
	/* no time of its own: whiteouts of two equal builds must be equal */
	const struct tar_entry entry = { .path = path, .mode = S_IFREG | 0644 };

	return record(scanner, folder, &entry, err);
}

static int record_file(struct scanner *scanner, struct scan_folder *folder, const char *name,
		       struct tar_entry *entry, struct error *err)
{
	cleanup_close int fd =
		openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
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
		ret = recorder_contents(scanner->recorder, fd, entry->path, err);
	xattrs_free(xattrs, entry->xattr_count);
	return ret;
}

static int remove_entry(struct scan_folder *folder, const char *name, const char *path,
			struct error *err)
{
	folder->touched = true;
	return unlinkat(folder->fd, name, 0) < 0 ? error_errno(err, errno, "remove \"%s\"", path)
						 : 0;
}

/* 1: it is below as it is here, and shows when it is removed here. */
static int is_below(struct scan_folder *folder, const char *name, const struct stat *st,
		    struct error *err)
{
	struct stat lower;
	int lower_fd = below_find(&folder->below, name, &lower, err);

	if (lower_fd < 0)
		return lower_fd == -ENOENT ? 0 : lower_fd;
	return layer_same_entry(folder->fd, st, lower_fd, &lower, name, err);
}

static int scan_other(struct scanner *scanner, struct scan_folder *folder, const char *name,
		      const char *path, struct error *err)
{
	bool flat = scanner->scan->flat;
	const struct inode_name *first;
	struct tar_entry entry;
	char target[PATH_MAX];
	struct stat st;
	ssize_t size;
	int ret;

	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\"", path);
	if (!flat && strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return error_invalid(err,
				     "\"%s\": a file of this name would delete another when "
				     "the layer is unpacked",
				     path);
	if (S_ISSOCK(st.st_mode))
		return flat ? 0 : remove_entry(folder, name, path, err);
	ret = is_below(folder, name, &st, err);
	if (ret != 0)
		return ret < 0 ? error_prefix(err, ret, "\"%s\"", path)
			       : remove_entry(folder, name, path, err);
	entry = entry_of(scanner, &st, path);
	if (st.st_nlink > 1 && !S_ISLNK(st.st_mode)) {
		first = inode_names_find(&scanner->links, &st, path, 0);
		entry.target = first ? first->path : NULL;
		if (first)
			return record(scanner, folder, &entry, err);
	}
	if (S_ISREG(entry.mode))
		return record_file(scanner, folder, name, &entry, err);
	if (S_ISLNK(entry.mode)) {
		size = readlinkat(folder->fd, name, target, sizeof(target) - 1);
		if (size < 0)
			return error_errno(err, errno, "read the symlink \"%s\"", path);
		target[size] = '\0';
		entry.target = target;
	}
	return record(scanner, folder, &entry, err);
}

/* -- the names in a folder ----------------------------------------------------------------------
 */

static int compare_names(const void *a, const void *b)
{
	const struct scan_child *x = a, *y = b;

	return strcmp(x->name, y->name);
}

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

static void add_child(struct scan_children *children, const char *name, enum child_kind kind)
{
	ARRAY_GROW(children->items, children->count, children->capacity);
	children->items[children->count++] = (struct scan_child){ xstrdup(name), kind };
}

static void sort_children(struct scan_children *children,
			  int (*compare)(const void *a, const void *b))
{
	if (children->count)
		qsort(children->items, children->count, sizeof(*children->items), compare);
}

static int child_kind(const struct scanner *scanner, int dirfd, const struct dirent *d,
		      enum child_kind *out, struct error *err)
{
	struct stat st;

	*out = d->d_type == DT_DIR ? CHILD_FOLDER : CHILD_OTHER;
	if (d->d_type != DT_CHR && d->d_type != DT_SOCK && d->d_type != DT_UNKNOWN)
		return 0;
	if (fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\"", d->d_name);
	if (S_ISDIR(st.st_mode))
		*out = CHILD_FOLDER;
	else if (overlay_is_whiteout(scanner->marks, &st))
		*out = CHILD_WHITEOUT;
	return 0;
}

static int read_children(const struct scanner *scanner, int dirfd, struct scan_children *out,
			 struct error *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return error_errno(err, errno, "read a folder");
	while ((errno = 0, d = readdir(dir))) {
		enum child_kind kind;
		int ret;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		ret = child_kind(scanner, dirfd, d, &kind, err);
		if (ret < 0)
			return ret;
		add_child(out, d->d_name, kind);
	}
	return errno ? error_errno(err, errno, "read a folder") : 0;
}

/*
 * A folder that was made anew hides all below it. Said name by name instead, as the image
 * specification recommends, the layer means the same to those who don't know opaque folders, and
 * what was put back as it was is no change.
 */
static int add_whiteouts(const struct scanner *scanner, struct scan_folder *folder,
			 struct scan_children *children, struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	size_t count = children->count;
	int ret = below_names(&folder->below, &names, err);

	sort_children(children, compare_names);
	for (size_t i = 0; i < names.count && ret == 0; i++) {
		struct scan_child wanted = { .name = names.items[i] };

		if (count &&
		    bsearch(&wanted, children->items, count, sizeof(wanted), compare_names))
			continue;
		folder->touched = true;
		ret = overlay_make_whiteout(scanner->store->marks, folder->fd, names.items[i]);
		if (ret < 0)
			return error_errno(err, -ret, "hide \"%s/%s\"", folder->entry.path,
					   names.items[i]);
		add_child(children, names.items[i], CHILD_WHITEOUT);
	}
	return ret;
}

/* -- folders ------------------------------------------------------------------------------------
 */

/*
 * Is this folder the same in the trees below? The root is judged by itself: a layer is shared by
 * all that have its diffID, so a root that no header describes must be the same in all of them.
 */
static int folder_is_unchanged(struct scan_folder *folder, struct error *err)
{
	struct stat lower;
	int ret;

	if (!folder->above)
		return layer_root_is_plain(&folder->entry);
	if (!folder->below.count)
		return 0;
	ret = below_open(&folder->below, err);
	if (ret == 0 && fstat(folder->below.fds[0], &lower) < 0)
		ret = error_errno(err, errno, "stat \"%s\" below", folder->entry.path);
	if (ret < 0)
		return ret;
	return layer_same_folder(folder->fd, &folder->st, folder->below.fds[0], &lower, err);
}

static int scan_child_folder(struct scanner *scanner, struct scan_folder *above, const char *name,
			     const char *path, struct error *err);

static int scan_child(struct scanner *scanner, struct scan_folder *folder,
		      const struct scan_child *child, struct error *err)
{
	cleanup_free char *path = child_path(folder, child->name);
	int fd, ret = scanner->seen++ % STOP_EVERY ? 0 : store_check_stop(scanner->store, err);

	if (ret < 0)
		return ret;
	fd = folder_fd(scanner, folder, err);
	if (fd < 0)
		return fd;
	switch (child->kind) {
	case CHILD_FOLDER:
		return scan_child_folder(scanner, folder, child->name, path, err);
	case CHILD_WHITEOUT:
		return scanner->scan->flat ? 0
					   : record_whiteout(scanner, folder, WHITEOUT_PREFIX,
							     child->name, err);
	case CHILD_OTHER:
		return scan_other(scanner, folder, child->name, path, err);
	}
	return 0;
}

/* Opaque? Also refuses what our mount options exclude: a tree with it means nothing by itself. */
static int check_marks(const struct scanner *scanner, const struct scan_folder *folder,
		       struct error *err)
{
	int opaque;

	/* a whole root file system has no marks: an overlay would not have shown them */
	if (scanner->scan->flat || scanner->scan->complete)
		return 0;
	if (overlay_is_redirected(scanner->marks, folder->fd))
		return error_set(err, ERROR_INTERNAL, 0, "\"%s\" is a redirected folder",
				 folder->entry.path);
	opaque = overlay_is_opaque(scanner->marks, folder->fd);
	return opaque < 0
		       ? error_errno(err, -opaque, "read the marks of \"%s\"", folder->entry.path)
		       : opaque;
}

/* What the folder's own entry says, and whether it is needed. */
static int begin_folder(struct scanner *scanner, struct scan_folder *folder, struct error *err)
{
	int opaque = check_marks(scanner, folder, err);
	int ret = opaque;

	folder->hides =
		has_lowers(scanner) &&
		(opaque > 0 || (folder->above ? folder->above->hides : scanner->scan->complete));
	if (ret > 0 && has_lowers(scanner)) {
		ret = overlay_clear_opaque(scanner->marks, folder->fd);
		if (ret < 0)
			return error_errno(err, -ret, "open \"%s\" to what is below",
					   folder->entry.path);
	}
	if (ret >= 0)
		ret = opaque && !has_lowers(scanner) ? 0 : folder_is_unchanged(folder, err);
	if (ret < 0)
		return ret;
	/* "./" is written only when it says something; what is inside does not bring it in */
	if (ret == 1 && !folder->above)
		folder->recorded = true;
	ret = ret == 1 ? 0 : record_folder(scanner, folder, err);
	if (ret == 0 && opaque && !has_lowers(scanner))
		ret = record_whiteout(scanner, folder, OPAQUE_NAME, "", err);
	return ret;
}

static int end_folder(struct scanner *scanner, struct scan_folder *folder, struct error *err)
{
	const struct timespec times[2] = { folder->st.st_atim, folder->st.st_mtim };
	int fd;

	if (!folder->touched || !folder->recorded)
		return 0;
	fd = folder_fd(scanner, folder, err);
	if (fd < 0)
		return fd;
	return futimens(fd, times) < 0
		       ? error_errno(err, errno, "set the time of \"%s\"", folder->entry.path)
		       : 0;
}

static int scan_folder_contents(struct scanner *scanner, struct scan_folder *folder,
				struct error *err)
{
	__attribute__((cleanup(children_done))) struct scan_children children = { NULL, 0, 0 };
	int ret = begin_folder(scanner, folder, err);

	if (ret == 0)
		ret = read_children(scanner, folder->fd, &children, err);
	if (ret == 0 && folder->hides)
		ret = add_whiteouts(scanner, folder, &children, err);
	sort_children(&children, compare_children);
	for (size_t i = 0; i < children.count && ret == 0; i++)
		ret = scan_child(scanner, folder, &children.items[i], err);
	return ret < 0 ? ret : end_folder(scanner, folder, err);
}

/* folder: with what is above it and what is below. */
static int scan_folder(struct scanner *scanner, struct scan_folder *folder, const char *path,
		       struct error *err)
{
	struct tar_xattr *xattrs = NULL;
	int ret;

	folder->fd = open_folder(scanner, path, err);
	if (folder->fd < 0)
		return folder->fd;
	if (fstat(folder->fd, &folder->st) < 0)
		return error_errno(err, errno, "stat \"%s\"", path);
	folder->entry = entry_of(scanner, &folder->st, path);
	ret = entry_read_xattrs(folder->fd, &xattrs, &folder->entry.xattr_count, err);
	if (ret < 0)
		return error_prefix(err, ret, "\"%s\"", path);
	folder->entry.xattrs = xattrs;
	ret = scan_folder_contents(scanner, folder, err);
	xattrs_free(xattrs, folder->entry.xattr_count);
	return ret;
}

static int scan_child_folder(struct scanner *scanner, struct scan_folder *above, const char *name,
			     const char *path, struct error *err)
{
	cleanup_with(scan_folder_done) struct scan_folder folder = { .above = above, .fd = -EBADF };
	int fd, ret = below_enter(&above->below, name, &folder.below, err);

	if (ret < 0)
		return ret;
	cleanup_close_fd(&above->fd);
	below_close(&above->below);
	ret = scan_folder(scanner, &folder, path, err);
	if (ret < 0 || folder.recorded)
		return ret;
	/* what is in no header must not be in the tree: others get this tree for the same headers
	 */
	fd = folder_fd(scanner, above, err);
	if (fd < 0)
		return fd;
	above->touched = true;
	return unlinkat(fd, name, AT_REMOVEDIR) < 0
		       ? error_errno(err, errno, "leave the unchanged folder \"%s\" out", path)
		       : 0;
}

int layer_scan_tree(struct store *store, int tree_fd, const struct layer_scan *scan,
		    struct layer_recorder *recorder, struct error *err)
{
	struct scanner scanner = { .store = store,
				   .tree_fd = tree_fd,
				   .scan = scan ? scan : &scan_all,
				   .recorder = recorder,
				   .marks = store->marks };
	cleanup_with(scan_folder_done) struct scan_folder root = { .fd = -EBADF };
	int ret = below_root(store, scanner.scan->lowers, &root.below, err);

	if (scanner.marks == OVERLAY_MARKS_PLAIN && (scanner.scan->flat || scanner.scan->complete))
		scanner.marks = OVERLAY_MARKS_TRUSTED;
	if (ret == 0)
		ret = scan_folder(&scanner, &root, ".", err);
	inode_names_done(&scanner.links);
	return ret;
}
