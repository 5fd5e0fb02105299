/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlay mounts of lists of trees, or copies where there can be none (snapshot-copy.c). The
 * options are fixed: everything that would write bookkeeping into trees (index, redirect_dir,
 * metacopy) or tie them to a machine is off, because an upper becomes a layer as it is.
 */
#include "builder/image/snapshot.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "builder/image/entry.h"
#include "builder/image/snapshot-copy.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "lib/syscalls.h"

#define LOWERS_MAX 500 /* fs/overlayfs/overlayfs.h, OVL_MAX_STACK */

/* Those that userxattr turns off by itself may not be said beside it. */
static const struct overlay_option {
	const char *name;
	bool implied;
} overlay_options[] = {
	{ "index", false }, { "redirect_dir", true }, { "metacopy", true },
	{ "xino", false },  { "nfs_export", false },
};

int snapshot_namespace_enter(struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(err, errno, "enter a mount namespace");
	if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_errno(err, errno, "make the mounts of the namespace private");
	return 0;
}

/* -- uppers -------------------------------------------------------------------------------------
 */

/* The merged root is the upper's root: it must look like the one below. */
static int copy_root(int tree_fd, int upper_fd, struct error *err)
{
	struct tar_entry entry = { .path = "." };
	struct tar_xattr *xattrs = NULL;
	struct stat st;
	struct timespec times[2];
	int ret;

	if (fstat(tree_fd, &st) < 0)
		return error_errno(err, errno, "stat the root of a layer");
	ret = entry_read_xattrs(tree_fd, &xattrs, &entry.xattr_count, err);
	if (ret < 0)
		return ret;
	entry.xattrs = xattrs;
	entry.mode = st.st_mode;
	entry.uid = st.st_uid;
	entry.gid = st.st_gid;
	ret = entry_set_metadata(upper_fd, ".", -EBADF, &entry, err);
	xattrs_free(xattrs, entry.xattr_count);
	times[0] = times[1] = st.st_mtim;
	if (ret == 0 && futimens(upper_fd, times) < 0)
		return error_errno(err, errno, "set the time of a snapshot's root");
	return ret;
}

int snapshot_upper_create_at(struct store *store, const struct strv *trees, const char *name,
			     struct snapshot_upper *out, struct error *err)
{
	struct snapshot_upper result;
	cleanup_close int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int upper_fd = -EBADF;
	cleanup_close int tree_fd = -EBADF;
	int size, ret;

	snprintf(result.name, sizeof(result.name), "%s", name);
	size = snprintf(result.upper, sizeof(result.upper), "%s/upper", name);
	if (size < 0 || (size_t)size >= sizeof(result.upper))
		return error_invalid(err, "\"%s\" is too long a name", name);
	if (fd < 0 || mkdirat(fd, "upper", 0755) < 0 || mkdirat(fd, "work", 0700) < 0)
		return error_errno(err, errno, "create a snapshot in \"%s\"", name);
	upper_fd = openat(fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper_fd < 0)
		return error_errno(err, errno, "open \"%s/upper\"", name);
	if (trees && trees->count) {
		const char *top = trees->items[trees->count - 1];

		tree_fd = openat(store->fd, top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (tree_fd < 0)
			return error_errno(err, errno, "open \"%s\"", top);
		ret = copy_root(tree_fd, upper_fd, err);
		if (ret < 0)
			return ret;
	}
	*out = result;
	return 0;
}

int snapshot_upper_create(struct store *store, const struct strv *trees, struct snapshot_upper *out,
			  struct error *err)
{
	char name[STORE_NAME_SIZE];
	int ret = store_scratch(store, name, NULL, err);

	return ret < 0 ? ret : snapshot_upper_create_at(store, trees, name, out, err);
}

/* -- mounting -----------------------------------------------------------------------------------
 */

/* What to mount: fds of the lowers, top first as overlayfs wants them. */
struct overlay {
	int *lowers;
	size_t count, capacity;
	int upper_fd, work_fd;
	unsigned int flags;
	bool user_xattr;
};

static void overlay_done(struct overlay *overlay)
{
	for (size_t i = 0; i < overlay->count; i++)
		cleanup_close_fd(&overlay->lowers[i]);
	free(overlay->lowers);
	cleanup_close_fd(&overlay->upper_fd);
	cleanup_close_fd(&overlay->work_fd);
}

/* The kernel's own words are in the context: "overlay: ..." */
static int fs_error(int fs_fd, int errnum, const char *what, struct error *err)
{
	char text[512];
	ssize_t size = read(fs_fd, text, sizeof(text) - 1);
	int ret = error_errno(err, errnum, "mount a snapshot: %s", what);

	if (size <= 0)
		return ret;
	text[size] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_suffix(err, ret, " (%s)", text);
}

static int configure(int fs_fd, const struct overlay *overlay, struct error *err)
{
	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", "orlop", 0) < 0)
		return fs_error(fs_fd, errno, "source", err);
	for (size_t i = 0; i < ARRAY_SIZE(overlay_options); i++) {
		const struct overlay_option *option = &overlay_options[i];

		if (option->implied && overlay->user_xattr)
			continue;
		if (fsconfig(fs_fd, FSCONFIG_SET_STRING, option->name, "off", 0) < 0)
			return fs_error(fs_fd, errno, option->name, err);
	}
	if ((overlay->flags & SNAPSHOT_VOLATILE) && overlay->upper_fd >= 0 &&
	    fsconfig(fs_fd, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return fs_error(fs_fd, errno, "volatile", err);
	if (overlay->user_xattr && fsconfig(fs_fd, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return fs_error(fs_fd, errno, "userxattr", err);
	return 0;
}

static int set_folder(int fs_fd, const char *option, int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fsconfig(fs_fd, FSCONFIG_SET_STRING, option, path, 0) < 0 ? -errno : 0;
}

/* fsopen with one lowerdir+ per tree (Linux 6.7); -EOPNOTSUPP when the kernel says that it has no
 * lowerdir+. */
static int mount_by_context(const struct overlay *overlay, int *out_fd, struct error *err)
{
	cleanup_close int fs_fd = fsopen("overlay", FSOPEN_CLOEXEC);
	int fd, ret;

	if (fs_fd < 0)
		return error_errno(err, errno, "mount a snapshot: open overlay");
	ret = configure(fs_fd, overlay, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < overlay->count; i++) {
		ret = set_folder(fs_fd, "lowerdir+", overlay->lowers[i]);
		if (ret == -EINVAL && i == 0)
			return -EOPNOTSUPP;
		if (ret < 0)
			return fs_error(fs_fd, -ret, "lowerdir+", err);
	}
	if (overlay->upper_fd >= 0) {
		ret = set_folder(fs_fd, "upperdir", overlay->upper_fd);
		if (ret == 0)
			ret = set_folder(fs_fd, "workdir", overlay->work_fd);
		if (ret < 0)
			return fs_error(fs_fd, -ret, "upperdir, workdir", err);
	}
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(fs_fd, errno, "create", err);
	fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, overlay->upper_fd >= 0 ? 0 : MOUNT_ATTR_RDONLY);
	if (fd < 0)
		return fs_error(fs_fd, errno, "fsmount", err);
	*out_fd = fd;
	return 0;
}

/* All of mount(2)'s options must fit into a page: names are numbers in /proc/self/fd. */
static void legacy_options(const struct overlay *overlay, struct strbuf *out)
{
	strbuf_adds(out, "lowerdir=");
	for (size_t i = 0; i < overlay->count; i++)
		strbuf_addf(out, "%s%d", i ? ":" : "", overlay->lowers[i]);
	if (overlay->upper_fd >= 0)
		strbuf_addf(out, ",upperdir=%d,workdir=%d", overlay->upper_fd, overlay->work_fd);
	for (size_t i = 0; i < ARRAY_SIZE(overlay_options); i++)
		if (!overlay_options[i].implied || !overlay->user_xattr)
			strbuf_addf(out, ",%s=off", overlay_options[i].name);
	if ((overlay->flags & SNAPSHOT_VOLATILE) && overlay->upper_fd >= 0)
		strbuf_adds(out, ",volatile");
	if (overlay->user_xattr)
		strbuf_adds(out, ",userxattr");
}

static int mount_here(struct store *store, const char *name, const char *options, bool read_only,
		      int *out_fd, struct error *err)
{
	int fd;

	/* cwd is /proc/self/fd for the names in options; the mount point is one of them */
	cleanup_close int point_fd = openat(store->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char point[16];

	if (point_fd < 0)
		return error_errno(err, errno, "open \"%s\"", name);
	snprintf(point, sizeof(point), "%d", point_fd);
	if (mount("orlop", point, "overlay", read_only ? MS_RDONLY : 0, options) < 0)
		return error_errno(err, errno, "mount a snapshot");
	fd = open_tree(store->fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fchdir(store->fd) < 0 || umount2(name, MNT_DETACH) < 0 || fd < 0) {
		cleanup_close_fd(&fd);
		return error_errno(err, errno, "detach a snapshot");
	}
	*out_fd = fd;
	return 0;
}

static int mount_by_options(struct store *store, const struct overlay *overlay, int *out_fd,
			    struct error *err)
{
	cleanup_close int cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_strbuf struct strbuf options = STRBUF_INIT;
	char name[STORE_NAME_SIZE];
	int ret = store_scratch(store, name, NULL, err);

	if (ret < 0)
		return ret;
	legacy_options(overlay, &options);
	if (cwd_fd < 0 || chdir("/proc/self/fd") < 0)
		return error_errno(err, errno, "go to \"/proc/self/fd\"");
	ret = mount_here(store, name, options.data, overlay->upper_fd < 0, out_fd, err);
	if (fchdir(cwd_fd) < 0)
		return error_errno(err, errno, "go back from \"/proc/self/fd\"");
	return ret;
}

static int mount_overlay(struct store *store, const struct overlay *overlay, int *out_fd,
			 struct error *err)
{
	int ret = -EOPNOTSUPP;

	if (!(overlay->flags & SNAPSHOT_LEGACY))
		ret = mount_by_context(overlay, out_fd, err);
	if (ret == -EOPNOTSUPP)
		return mount_by_options(store, overlay, out_fd, err);
	/* before Linux 6.5 overlayfs takes any name for an option, and refuses it only now */
	if (ret == -EINVAL && mount_by_options(store, overlay, out_fd, NULL) == 0)
		return 0;
	return ret;
}

/* A mount of a folder alone. What the store's own mount forbids (devices, set-id) may hold for it:
 * an overlay is a file system of its own. */
static int bind_folder(int fd, bool read_only, int *out_fd, struct error *err)
{
	struct mount_attr attr = { .attr_set = read_only ? MOUNT_ATTR_RDONLY : 0,
				   .attr_clr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOEXEC };
	cleanup_close int tree_fd =
		open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int ret;

	if (tree_fd < 0)
		return error_errno(err, errno, "mount a folder of the store");
	ret = mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	if (ret < 0 && errno == EPERM) { /* of another user namespace: locked */
		attr.attr_clr = 0;
		ret = mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	}
	if (ret < 0)
		return error_errno(err, errno, "mount a folder of the store");
	*out_fd = TAKE_FD(tree_fd);
	return 0;
}

static int add_lower(struct overlay *overlay, int fd)
{
	ARRAY_GROW(overlay->lowers, overlay->count, overlay->capacity);
	overlay->lowers[overlay->count++] = fd;
	return 0;
}

/* Trees [0, count), top first; more than the kernel takes become one read-only mount at the bottom.
 */
static int add_lowers(struct store *store, const struct strv *trees, size_t count,
		      struct overlay *overlay, struct error *err)
{
	size_t first = count > LOWERS_MAX ? count - (LOWERS_MAX - 1) : 0;
	char name[STORE_NAME_SIZE];
	int fd = -EBADF, ret;

	for (size_t i = count; i-- > first;) {
		fd = openat(store->fd, trees->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return error_errno(err, errno, "open \"%s\"", trees->items[i]);
		add_lower(overlay, fd);
	}
	if (first > 0) {
		__attribute__((cleanup(overlay_done))) struct overlay below = {
			.upper_fd = -EBADF,
			.work_fd = -EBADF,
			.flags = overlay->flags,
			.user_xattr = overlay->user_xattr
		};

		ret = add_lowers(store, trees, first, &below, err);
		if (ret == 0)
			ret = mount_overlay(store, &below, &fd, err);
		return ret < 0 ? ret : add_lower(overlay, fd);
	}
	if (count == 0) {
		ret = store_scratch(store, name, &fd, err);
		return ret < 0 ? ret : add_lower(overlay, fd);
	}
	return 0;
}

static int add_upper(struct store *store, const struct snapshot_upper *upper,
		     struct overlay *overlay, struct error *err)
{
	cleanup_free char *work = xasprintf("%s/work", upper->name);

	overlay->upper_fd = openat(store->fd, upper->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	overlay->work_fd = openat(store->fd, work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (overlay->upper_fd < 0 || overlay->work_fd < 0)
		return error_errno(err, errno, "open \"%s\"", upper->name);
	return 0;
}

/*
 * A layer may come twice (two steps that changed nothing), a folder cannot be two lowers (ELOOP).
 * The topmost one is enough: it decides about every path that the other one could.
 */
static void keep_topmost(const struct strv *trees, struct strv *out)
{
	for (size_t i = 0; i < trees->count; i++) {
		size_t later = i + 1;

		while (later < trees->count && strcmp(trees->items[i], trees->items[later]) != 0)
			later++;
		if (later == trees->count)
			strv_add(out, trees->items[i]);
	}
}

static int mount_as_overlay(struct store *store, const struct strv *trees,
			    const struct snapshot_upper *upper, unsigned int flags, int *out_fd,
			    struct error *err)
{
	__attribute__((cleanup(overlay_done))) struct overlay overlay = {
		.upper_fd = -EBADF,
		.work_fd = -EBADF,
		.flags = flags,
		.user_xattr = store->marks == OVERLAY_MARKS_USER
	};
	int ret = add_lowers(store, trees, trees->count, &overlay, err);

	if (ret == 0 && upper)
		ret = add_upper(store, upper, &overlay, err);
	if (ret == 0 && !upper && overlay.count == 1)
		return bind_folder(overlay.lowers[0], true, out_fd, err);
	return ret < 0 ? ret : mount_overlay(store, &overlay, out_fd, err);
}

/* -- copies -------------------------------------------------------------------------------------
 */

/* Is it the place or the kernel, and not the moment, that refuses an overlay? */
static bool is_refusal(int ret)
{
	return ret == -EINVAL || ret == -ENODEV || ret == -EPERM || ret == -EOPNOTSUPP ||
	       ret == -ENOSYS;
}

static void use_copies(struct store *store, const char *why)
{
	store->copies = true;
	log_warning("overlayfs cannot be used in \"%s\" (%s): every step works on a copy of its "
		    "files, which takes time and room",
		    store->path, why);
}

/* A copy of what these trees are for somebody who only reads, made once per session. */
static int open_view(struct store *store, const struct strv *trees, struct error *err)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	char name[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	int ret;

	for (size_t i = 0; i < trees->count; i++)
		strbuf_addf(&list, " %s", trees->items[i]);
	pthread_mutex_lock(&store->mutex);
	for (size_t i = 0; i < store->views.count && fd < 0; i++) {
		const char *view = store->views.items[i], *end = strchr(view, ' ');

		if (strcmp(end, strbuf_text(&list)) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(end - view), view);
		fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	pthread_mutex_unlock(&store->mutex);
	if (fd >= 0)
		return TAKE_FD(fd);
	ret = store_scratch(store, name, &fd, err);
	if (ret == 0)
		ret = snapshot_copy(store, trees, fd, SNAPSHOT_COPY_LINKS, err);
	if (ret < 0)
		return ret;
	pthread_mutex_lock(&store->mutex);
	strv_addf(&store->views, "%s%s", name, strbuf_text(&list));
	pthread_mutex_unlock(&store->mutex);
	return TAKE_FD(fd);
}

static int mount_copy(struct store *store, const struct strv *trees,
		      const struct snapshot_upper *upper, int *out_fd, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret;

	if (!upper) {
		fd = open_view(store, trees, err);
		return fd < 0 ? fd : bind_folder(fd, true, out_fd, err);
	}
	fd = openat(store->fd, upper->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", upper->upper);
	ret = snapshot_copy(store, trees, fd, 0, err);
	return ret < 0 ? ret : bind_folder(fd, false, out_fd, err);
}

/* -- either -------------------------------------------------------------------------------------
 */

/* Overlay or copies: the first mount of the session finds out. */
int snapshot_mount(struct store *store, const struct strv *trees,
		   const struct snapshot_upper *upper, unsigned int flags, int *out_fd,
		   struct error *err)
{
	cleanup_strv struct strv distinct = STRV_INIT;
	struct error why = ERROR_INIT;
	bool is_bind;
	int ret;

	keep_topmost(trees, &distinct);
	is_bind = !upper && distinct.count <= 1;
	if (!is_bind && !store->copies && store->marks == OVERLAY_MARKS_PLAIN)
		use_copies(store, "the file system has no room for its marks");
	if (is_bind || !store->copies) {
		ret = mount_as_overlay(store, &distinct, upper, flags, out_fd, &why);
		if (is_bind || !is_refusal(ret)) {
			if (ret < 0 && err)
				*err = why;
			return ret;
		}
		(void)error_suffix(&why, ret, ": %s", strerrordesc_np(-ret));
		use_copies(store, why.msg);
	}
	return flags & SNAPSHOT_NO_COPY ? -EAGAIN
					: mount_copy(store, &distinct, upper, out_fd, err);
}

int snapshot_attach(int mount_fd, int dirfd, const char *path, struct error *err)
{
	if (move_mount(mount_fd, "", dirfd, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(err, errno, "attach a snapshot at \"%s\"", path);
	return 0;
}

int snapshot_detach(const char *path, struct error *err)
{
	if (umount2(path, UMOUNT_NOFOLLOW) == 0)
		return 0;
	/* somebody still has a file open there: gone for everybody else all the same */
	if (errno == EBUSY && umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		return 0;
	return error_errno(err, errno, "unmount \"%s\"", path);
}
