/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount comes from: a new file system, a clone of a tree of the host, a cgroup. The result
 * is detached and has all its attributes before anybody can see it. What only the host side may do
 * (open a source behind a closed folder, id-map a mount) is asked of it over the sync socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/syscalls.h"
#include "runtime/init/mounts.h"

#define MOUNTINFO_MAX ((size_t)16 << 20)

static bool in_user_namespace(const struct init *init)
{
	return init->plan->namespaces[NS_USER].mode != NS_INHERIT || init->plan->rootless;
}

/* -- file systems -- */

/*
 * The kernel gives a user namespace a new procfs only where a complete one is visible already
 * (fs/namespace.c, mount_too_revealing): what covers the one that there is?
 */
static int explain_proc(const struct init *init, int ret, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *rest, *line, *save, *point = NULL;

	if (init->plan->namespaces[NS_PID].mode == NS_INHERIT)
		return error_suffix(err, ret,
				    " (a user namespace may mount a procfs only for a pid "
				    "namespace of its own, and config.json lists none)");
	if (io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL) < 0)
		return ret;
	for (rest = text.data; rest && (line = strsep(&rest, "\n"));) {
		save = NULL;
		point = strtok_r(line, " ", &save);
		for (int field = 1; point && field < 5; field++)
			point = strtok_r(NULL, " ", &save);
		if (point && strncmp(point, "/proc/", 6) == 0)
			break;
		point = NULL;
	}
	return error_suffix(err, ret,
			    " (the kernel refuses a new procfs in a user namespace while parts of "
			    "the visible one are covered: %s)",
			    point ? point : "no complete one is mounted here");
}

static int explain(const struct init *init, const struct plan_mount *mount, int ret,
		   struct error *err)
{
	if (ret != -EPERM || !in_user_namespace(init))
		return ret;
	if (strcmp(mount->type, "proc") == 0)
		return explain_proc(init, ret, err);
	if (strcmp(mount->type, "sysfs") == 0)
		return error_suffix(
			err, ret,
			" (a user namespace may mount a sysfs only together with a "
			"network namespace of its own; with \"ro\" the host's is bound)");
	return ret;
}

/* The terminal works without a group; which ids are mapped is known to the plan only where it
 * makes the map, so the kernel is asked. */
static const char *const *without_group(const char *const *data)
{
	const char **rest;
	size_t count = 0, used = 0;

	while (data[count])
		count++;
	rest = xzalloc((count + 1) * sizeof(*rest));
	for (size_t i = 0; i < count; i++)
		if (strncmp(data[i], "gid=", 4) != 0)
			rest[used++] = data[i];
	return rest;
}

/* What a user namespace without a network namespace of its own may not mount, it may bind. */
static int bind_host_sysfs(const struct plan_mount *mount, struct error *err)
{
	int fd = open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	struct mount_attr attr = { .attr_set = mount->attr_set };

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "bind the host's /sys");
	log_debug("sysfs cannot be mounted here: the host's is bound read-only");
	return fd;
}

static int make_file_system(struct init *init, const struct plan_mount *mount, struct error *err)
{
	int fd;

	if (!fs_context_can_take(mount->data))
		return fs_mount_by_place(mount, init->plan->rootfs, err);
	fd = fs_context_mount(mount->type, mount->source, mount->data, mount->attr_set, err);
	if (fd == -EPERM && strcmp(mount->type, "sysfs") == 0 &&
	    mount->attr_set & MOUNT_ATTR_RDONLY && in_user_namespace(init))
		return bind_host_sysfs(mount, err);
	if (fd == -EINVAL && strcmp(mount->type, "devpts") == 0 && in_user_namespace(init)) {
		const char *const *data = without_group(mount->data);

		log_debug("devpts refused its options: again without a group");
		fd = fs_context_mount(mount->type, mount->source, data, mount->attr_set, err);
		free((void *)data);
	}
	return fd < 0 ? explain(init, mount, fd, err) : fd;
}

/* mqueue knows no option for a context: its root is labelled. */
static int relabel(const struct init *init, int fd, struct error *err)
{
	const char *label = init->plan->mount_label;
	cleanup_close int folder = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0 || fsetxattr(folder, "security.selinux", label, strlen(label) + 1, 0) < 0)
		return error_errno(err, errno, "label the mount \"%s\"", label);
	return 0;
}

/* -- binds -- */

/*
 * EACCES: we may lack the rights on the way to it that the host side has. EINVAL: the tree below
 * has mounts that are locked in a mount namespace with a user namespace of its own, where they can
 * only be cloned together with it.
 */
static bool host_may_know_better(const struct init *init, int errnum)
{
	return (errnum == EACCES || errnum == EINVAL) &&
	       init->plan->namespaces[NS_USER].mode != NS_INHERIT;
}

static int clone_source(struct init *init, const struct plan_mount *mount, struct error *err)
{
	int fd = open_tree(AT_FDCWD, mount->source, plan_mount_clone_flags(mount));

	if (fd >= 0)
		return fd;
	if (host_may_know_better(init, errno))
		return rootfs_need_fd(init, (int)(mount - init->plan->mounts), err);
	return error_path(err, error_errno(err, errno, "bind source \"%s\"", mount->source),
			  mount->source);
}

static int make_bind(struct init *init, const struct plan_mount *mount, struct error *err)
{
	int fd = clone_source(init, mount, err);
	int ret = fd < 0 ? fd : mount_set_attributes(fd, mount, err);

	return ret < 0 ? ret : fd;
}

/* -- cgroups -- */

/* No cgroup of the container's own is known: an empty folder, so that nobody finds the host's. */
static int make_no_cgroup(const struct plan_mount *mount, struct error *err)
{
	static const char *const mode[] = { "mode=0555", NULL };

	return fs_context_mount("tmpfs", "tmpfs", mode, mount->attr_set | MOUNT_ATTR_RDONLY, err);
}

/*
 * cgroup2 is mounted afresh only inside a cgroup namespace of our own: from the host's, it would
 * reset the mount options of the whole host (nsdelegate, memory_recursiveprot).
 */
static int make_cgroup(struct init *init, const struct plan_mount *mount, struct error *err)
{
	static const char *const none[] = { NULL };
	const struct init_args *args = init->args;
	char path[PATH_MAX];
	int fd, ret;

	if (init->plan->namespaces[NS_CGROUP].mode != NS_INHERIT) {
		fd = fs_context_mount("cgroup2", "cgroup", none, mount->attr_set, err);
		if (fd != -EPERM && fd != -EBUSY)
			return fd;
	}
	if (!args->mount_for_cgroups || !*args->cgroup_path)
		return make_no_cgroup(mount, err);
	if (snprintf(path, sizeof(path), "%s%s", args->mount_for_cgroups, args->cgroup_path) >=
	    (int)sizeof(path))
		return error_errno(err, ENAMETOOLONG, "cgroup \"%s\"", args->cgroup_path);
	fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 && init->plan->rootless)
		return make_no_cgroup(mount, err);
	if (fd < 0)
		return error_errno(err, errno, "bind the cgroup \"%s\"", path);
	ret = mount_set_attributes(fd, mount, err);
	return ret < 0 ? ret : fd;
}

/* -- all of them -- */

/* MOUNT_ATTR_IDMAP takes rights over the file system's user namespace: the host side's. */
static int map_ids(struct init *init, const struct plan_mount *mount, int fd, struct error *err)
{
	struct sync_message answer;
	int ret = sync_send(init->sync, SYNC_IDMAP, (int)(mount - init->plan->mounts), fd, err);

	return ret < 0 ? ret : sync_expect(init->sync, SYNC_IDMAPPED, &answer, err);
}

int mount_source_open(struct init *init, const struct plan_mount *mount, struct error *err)
{
	int fd, ret = 0;

	/* a sysfs shows the network namespace of who makes it */
	if (mount->kind == PLAN_MOUNT_FS && strcmp(mount->type, "sysfs") == 0)
		ret = namespaces_need_network(init, err);
	if (ret < 0)
		return ret;
	if (mount->kind == PLAN_MOUNT_FS)
		fd = make_file_system(init, mount, err);
	else if (mount->kind == PLAN_MOUNT_CGROUP)
		fd = make_cgroup(init, mount, err);
	else
		fd = make_bind(init, mount, err);
	if (fd >= 0 && mount->flags & PLAN_MOUNT_RELABEL)
		ret = relabel(init, fd, err);
	if (fd >= 0 && ret == 0 && mount->idmap != PLAN_IDMAP_NONE)
		ret = map_ids(init, mount, fd, err);
	return ret < 0 ? ret : fd;
}
