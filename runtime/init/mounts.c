/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[] of config.json through the new mount API: a detached mount is made and given all its
 * attributes first, then attached to a destination that was opened inside the rootfs. No path
 * string is used twice, and nothing is ever remounted. The fds of mounts and destinations stay open
 * until init_sweep_fds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/syscalls.h"
#include "runtime/init/init.h"
#include "runtime/init/tmpcopyup.h"
#include "runtime/texts.h"

int mount_attach(int mount_fd, int target_fd, struct error *err)
{
	if (move_mount(mount_fd, "", target_fd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, errno, "attach the mount");
	return 0;
}

/* The file system's own words on a failure ("e tmpfs: Bad value for 'size'") are kept in the fd. */
static int context_failed(int fsfd, int errnum, const char *action, const char *what,
			  struct error *err)
{
	char text[512];
	ssize_t size = read(fsfd, text, sizeof(text) - 1);

	if (size <= 2)
		return error_errno(err, errnum, "%s \"%s\"", action, what);
	text[size] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_errno(err, errnum, "%s \"%s\": %s", action, what, text + 2);
}

/* "key=value" or "flag"; the ones that the mount's type takes are the kernel's business. */
static int context_set(int fsfd, const char *option, struct error *err)
{
	const char *equals = strchr(option, '=');
	char key[256];
	int ret;

	if (!equals) {
		ret = fsconfig(fsfd, FSCONFIG_SET_FLAG, option, NULL, 0);
	} else {
		if ((size_t)(equals - option) >= sizeof(key))
			return error_errno(err, ENAMETOOLONG, "mount option \"%s\"", option);
		memcpy(key, option, (size_t)(equals - option));
		key[equals - option] = '\0';
		ret = fsconfig(fsfd, FSCONFIG_SET_STRING, key, equals + 1, 0);
	}
	return ret < 0 ? context_failed(fsfd, errno, "mount option", option, err) : 0;
}

/* devpts: every mount is a new instance since Linux 4.7, and "gid=5" cannot be had where group 5
 * is not mapped; the terminal works without it. */
static bool is_needless(const struct init *init, const char *type, const char *option)
{
	const struct plan *plan = init->plan;
	uint32_t gid = 5;

	if (strcmp(type, "devpts") != 0)
		return false;
	if (strcmp(option, "newinstance") == 0)
		return true;
	if (strcmp(option, "gid=5") != 0 || !plan->gid_map_count)
		return false;
	for (size_t i = 0; i < plan->gid_map_count; i++)
		if (gid - plan->gid_map[i].inside < plan->gid_map[i].size)
			return false;
	return true;
}

static int make_file_system(struct init *init, const struct plan_mount *mount, struct error *err)
{
	int fsfd = fsopen(mount->type, FSOPEN_CLOEXEC), fd;

	if (fsfd < 0)
		return error_errno(err, errno, "file system type \"%s\"", mount->type);
	/* "source" is only a name for these; a few refuse it, and nobody needs it then */
	if (mount->source)
		(void)fsconfig(fsfd, FSCONFIG_SET_STRING, "source", mount->source, 0);
	for (size_t i = 0; mount->data[i]; i++) {
		int ret;

		if (is_needless(init, mount->type, mount->data[i]))
			continue;
		ret = context_set(fsfd, mount->data[i], err);
		if (ret < 0)
			return ret;
	}
	if (fsconfig(fsfd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_failed(fsfd, errno, "create the file system", mount->type, err);
	fd = fsmount(fsfd, FSMOUNT_CLOEXEC, (unsigned int)mount->attr_set);
	if (fd < 0)
		return context_failed(fsfd, errno, "mount the file system", mount->type, err);
	return fd;
}

static int set_attributes(const struct init *init, int fd, const struct plan_mount *mount,
			  struct error *err)
{
	struct mount_attr attr = { .attr_set = mount->attr_set, .attr_clr = mount->attr_clear };
	struct mount_attr rec = { .attr_set = mount->attr_set_rec,
				  .attr_clr = mount->attr_clear_rec };

	if ((rec.attr_set || rec.attr_clr) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &rec, sizeof(rec)) < 0)
		return error_errno(err, errno, "set the recursive mount attributes");
	/* fsmount did it, and there is nothing to clear */
	if (mount->kind == PLAN_MOUNT_FS ||
	    (mount->kind == PLAN_MOUNT_CGROUP && init->plan->namespaces[NS_CGROUP].mode == NS_NEW))
		return 0;
	if ((attr.attr_set || attr.attr_clr) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "set the mount attributes");
	return 0;
}

static int set_propagation(int fd, const struct plan_mount *mount, struct error *err)
{
	for (const unsigned long *p = mount->propagation; p && *p; p++) {
		struct mount_attr attr = { .propagation = *p & ~(unsigned long)MS_REC };
		unsigned int flags = AT_EMPTY_PATH | (*p & MS_REC ? AT_RECURSIVE : 0U);

		if (mount_setattr(fd, "", flags, &attr, sizeof(attr)) < 0)
			return error_errno(err, errno, "set the mount's propagation");
	}
	return 0;
}

static int clone_source(struct init *init, const struct plan_mount *mount, struct error *err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	size_t number = (size_t)(mount - init->plan->mounts);
	int fd;

	if (mount->flags & PLAN_MOUNT_RECURSIVE)
		flags |= AT_RECURSIVE;
	if (mount->flags & (PLAN_MOUNT_SRC_NOFOLLOW | PLAN_MOUNT_COPY_SYMLINK))
		flags |= AT_SYMLINK_NOFOLLOW;
	fd = open_tree(AT_FDCWD, mount->source, flags);
	if (fd >= 0)
		return fd;
	/* in a user namespace we may lack the rights on the way to it that the host side has */
	if (errno == EACCES && init->plan->namespaces[NS_USER].mode != NS_INHERIT)
		return rootfs_need_fd(init, (int)number, err);
	return error_path(err, error_errno(err, errno, "bind source \"%s\"", mount->source),
			  mount->source);
}

/*
 * cgroup2 is mounted afresh only inside a cgroup namespace of our own: from the host's, it would
 * reset the mount options of the whole host (nsdelegate, memory_recursiveprot).
 */
static int make_cgroup(struct init *init, const struct plan_mount *mount, struct error *err)
{
	const struct init_args *args = init->args;
	char path[PATH_MAX];
	int fd = -EBADF;

	if (init->plan->namespaces[NS_CGROUP].mode != NS_INHERIT) {
		int fsfd = fsopen("cgroup2", FSOPEN_CLOEXEC);

		if (fsfd >= 0)
			(void)fsconfig(fsfd, FSCONFIG_SET_STRING, "source", "cgroup", 0);
		if (fsfd >= 0 && fsconfig(fsfd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
			fd = fsmount(fsfd, FSMOUNT_CLOEXEC, (unsigned int)mount->attr_set);
		if (fd >= 0)
			return fd;
		if (errno != EPERM && errno != EBUSY)
			return error_errno(err, errno, "mount the cgroup2 file system");
	}
	if (!args->mount_for_cgroups)
		return error_set(err, ERROR_UNSUPPORTED, 0, "no cgroup2 file system is mounted");
	if (snprintf(path, sizeof(path), "%s%s", args->mount_for_cgroups, args->cgroup_path) >=
	    (int)sizeof(path))
		return error_errno(err, ENAMETOOLONG, "cgroup \"%s\"", args->cgroup_path);
	fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "bind the cgroup \"%s\"", path) : fd;
}

static int make_mount(struct init *init, const struct plan_mount *mount, struct error *err)
{
	int ret = 0;

	/* a sysfs shows the network namespace of who makes it */
	if (mount->kind == PLAN_MOUNT_FS && strcmp(mount->type, "sysfs") == 0)
		ret = namespaces_need_network(init, err);
	if (ret < 0)
		return ret;
	if (mount->kind == PLAN_MOUNT_FS)
		return make_file_system(init, mount, err);
	if (mount->kind == PLAN_MOUNT_CGROUP)
		return make_cgroup(init, mount, err);
	return clone_source(init, mount, err);
}

static bool is_folder(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

static int make_file(int root_fd, const char *path, struct error *err)
{
	cleanup_close int folder = -EBADF;
	const char *name = NULL;
	int fd;

	folder = inroot_parent(root_fd, path, true, &name, err);
	if (folder < 0)
		return folder;
	fd = openat(folder, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_errno(err, errno, "create the mount point \"%s\"", path);
	return fd;
}

static int open_destination(struct init *init, const struct plan_mount *mount, int source_fd,
			    bool *out_made, struct error *err)
{
	const char *path = mount->destination;
	int fd;

	if (mount->flags & PLAN_MOUNT_REAL_DIR) {
		/* a symlink in place of /proc would let the image choose what we trust */
		fd = inroot_open_nofollow(init->root_fd, path, O_PATH | O_DIRECTORY, true, NULL);
		if (fd == -ELOOP || fd == -ENOTDIR)
			return error_set(err, ERROR_INVALID, -fd, TEXT_ORDINARY_DIR, mount->type);
		if (fd >= 0 || fd != -ENOENT)
			return fd >= 0 ? fd : error_errno(err, -fd, "open \"%s\"", path);
	} else if (mount->kind != PLAN_MOUNT_BIND) {
		return inroot_open_or_make(init->root_fd, path, out_made, err);
	} else if (mount->flags & PLAN_MOUNT_DEST_NOFOLLOW) {
		fd = inroot_open_nofollow(init->root_fd, path, O_PATH, false, NULL);
	} else {
		fd = inroot_open(init->root_fd, path, O_PATH, 0, NULL);
	}
	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		return error_errno(err, -fd, "open \"%s\" in the rootfs", path);
	/* (uid_t)0 in a user namespace is its root, which is what we run as */
	if (mount->kind != PLAN_MOUNT_BIND || is_folder(source_fd))
		return inroot_mkdir_all(init->root_fd, path, 0755, (uid_t)-1, (gid_t)-1, err);
	return make_file(init->root_fd, path, err);
}

/*
 * A symlink in the image may lead anywhere below the root, also onto the procfs that is mounted by
 * now: only what the planner has allowed by name may go there (CVE-2019-16884).
 */
static int check_destination(const struct plan_mount *mount, int fd, struct error *err)
{
	struct statfs fs;

	if (path_is_below(mount->destination, "/proc"))
		return 0;
	if (fstatfs(fd, &fs) < 0)
		return error_errno(err, errno, "look at \"%s\" in the rootfs", mount->destination);
	if (fs.f_type == PROC_SUPER_MAGIC)
		return error_set(err, ERROR_INVALID, 0,
				 "\"%s\" cannot be mounted because it is inside /proc",
				 mount->destination);
	return 0;
}

/* copy-symlink: the link itself appears in the container instead of what it points to. */
static int copy_symlink(struct init *init, const struct plan_mount *mount, struct error *err)
{
	cleanup_close int folder = -EBADF;
	char target[PATH_MAX];
	const char *name = NULL;
	ssize_t size = readlink(mount->source, target, sizeof(target) - 1);

	if (size < 0)
		return errno == EINVAL ? 0
				       : error_errno(err, errno, "read link \"%s\"", mount->source);
	target[size] = '\0';
	folder = inroot_parent(init->root_fd, mount->destination, true, &name, err);
	if (folder < 0)
		return folder;
	if (symlinkat(target, folder, name) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create symlink \"%s\"", mount->destination);
	return 1;
}

/* "remount": the attributes of what is mounted at the destination already. */
static int remount(struct init *init, const struct plan_mount *mount, struct error *err)
{
	cleanup_close int fd = inroot_open(init->root_fd, mount->destination, O_PATH, 0, err);
	int ret;

	if (fd < 0)
		return fd;
	ret = set_attributes(init, fd, mount, err);
	return ret < 0 ? ret : set_propagation(fd, mount, err);
}

/* tmpfs without a mode looks like the folder it covers. */
static int inherit_mode(int mount_fd, int target_fd, const struct plan_mount *mount,
			struct error *err)
{
	struct stat status;

	if (!mount->type || strcmp(mount->type, "tmpfs") != 0)
		return 0;
	for (size_t i = 0; mount->data[i]; i++)
		if (strncmp(mount->data[i], "mode=", 5) == 0)
			return 0;
	if (fstat(target_fd, &status) < 0 || fchmodat(mount_fd, ".", status.st_mode & 07777, 0) < 0)
		return error_errno(err, errno, "set the mode of the tmpfs");
	return 0;
}

/* The source of a read-only sysfs fallback: what a user namespace without a network namespace of
 * its own may not mount, it may bind from the host. */
static bool wants_sysfs_fallback(const struct init *init, const struct plan_mount *mount, int ret)
{
	return ret == -EPERM && mount->kind == PLAN_MOUNT_FS && strcmp(mount->type, "sysfs") == 0 &&
	       mount->attr_set & MOUNT_ATTR_RDONLY &&
	       init->plan->namespaces[NS_USER].mode != NS_INHERIT;
}

static int mount_one(struct init *init, const struct plan_mount *mount, struct error *err)
{
	static const char *const no_data[] = { NULL };
	struct plan_mount host_sysfs = { .kind = PLAN_MOUNT_BIND, .flags = PLAN_MOUNT_RECURSIVE };
	bool made = false;
	int fd, target, ret;

	if (mount->kind == PLAN_MOUNT_REMOUNT)
		return remount(init, mount, err);
	if (mount->flags & PLAN_MOUNT_COPY_SYMLINK) {
		ret = copy_symlink(init, mount, err);
		if (ret != 0)
			return ret < 0 ? ret : 0;
	}
	fd = make_mount(init, mount, err);
	if (wants_sysfs_fallback(init, mount, fd)) {
		host_sysfs.source = "/sys";
		host_sysfs.destination = mount->destination;
		host_sysfs.data = no_data;
		host_sysfs.attr_set_rec = mount->attr_set;
		mount = &host_sysfs;
		fd = open_tree(AT_FDCWD, "/sys",
			       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	}
	if (fd < 0)
		return fd;
	ret = set_attributes(init, fd, mount, err);
	if (ret < 0)
		return ret;
	target = open_destination(init, mount, fd, &made, err);
	if (target < 0)
		return target;
	/* what was made a moment ago cannot lie on procfs */
	ret = made ? 0 : check_destination(mount, target, err);
	if (ret == 0)
		ret = inherit_mode(fd, target, mount, err);
	if (ret == 0 && mount->flags & PLAN_MOUNT_TMPCOPYUP)
		ret = tmpcopyup(target, fd, err);
	if (ret == 0)
		ret = mount_attach(fd, target, err);
	if (ret == 0) /* attached, it is where peers and masters are */
		ret = set_propagation(fd, mount, err);
	if (ret == 0 && strcmp(mount->destination, "/") == 0)
		init->root_fd = fd;
	return ret;
}

int mounts_apply(struct init *init, struct error *err)
{
	for (size_t i = 0; i < init->plan->mount_count; i++) {
		const struct plan_mount *mount = &init->plan->mounts[i];
		int ret = mount_one(init, mount, err);

		if (ret < 0)
			return error_pointer(err,
					     error_prefix(err, ret,
							  "error mounting \"%s\" to \"%s\"",
							  mount->source ? mount->source
							  : mount->type ? mount->type
									: "none",
							  mount->destination),
					     "/mounts/%zu", mount->index);
		if (i % INIT_SWEEP_EVERY == INIT_SWEEP_EVERY - 1)
			ret = init_sweep_fds(init, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}
