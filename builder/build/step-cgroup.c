/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup around a step's container, for counting OOM kills. */
#include "builder/build/step-cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/strbuf.h"

#define DEFAULT_PARENT "/orlop"
#define OWN_GROUP_MAX ((size_t)64 << 10)

/* Where cgroup2 is on a pure and on a hybrid host; systemd and every distribution agree. */
static const char *const mount_points[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

static int open_cgroup2(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++) {
		int fd = open(mount_points[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd < 0)
			continue;
		if (fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return fd;
		(void)close(fd);
	}
	return -ENOENT;
}

/* Open the folder at path below top, making what is missing. */
static int open_parent(int top, const char *path)
{
	cleanup_close int fd = TAKE_FD(top);
	cleanup_free char *copy = xstrdup(path);
	char *rest = copy, *name;

	while ((name = strsep(&rest, "/"))) {
		int next;

		if (!*name)
			continue;
		if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		(void)close(fd);
		fd = next;
	}
	return TAKE_FD(fd);
}

/* Groups can be made in it, and processes moved: what has been delegated, cgroups(7). */
static bool is_given_to_us(int top, const char *path)
{
	cleanup_free char *procs = xasprintf("%s/cgroup.procs", path + 1);
	cleanup_free char *control = xasprintf("%s/cgroup.subtree_control", path + 1);

	return faccessat(top, path + 1, W_OK, 0) == 0 && faccessat(top, procs, W_OK, 0) == 0 &&
	       faccessat(top, control, W_OK, 0) == 0;
}

/* Our own group in the v2 hierarchy, "/a/b"; owned, NULL = it has none. */
static char *own_group(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *rest, *line;

	if (io_read_file(AT_FDCWD, "/proc/self/cgroup", OWN_GROUP_MAX, &text, NULL) < 0)
		return NULL;
	rest = text.data;
	while (rest && (line = strsep(&rest, "\n")))
		if (strncmp(line, "0::/", 4) == 0 && !strstr(line, "/.."))
			return xstrdup(line + 3);
	return NULL;
}

/*
 * Where groups are made that nobody has named a place for: root's in /orlop, a user's in the
 * topmost group above our own that is his without a gap. There nobody runs (systemd keeps processes
 * in leaves), so controllers can be passed on, and it is the same one from wherever he calls us.
 * Owned.
 */
static char *default_parent(int top)
{
	cleanup_free char *group = proc_is_privileged() ? NULL : own_group();
	char *given = NULL;

	while (group && group[1] && is_given_to_us(top, group)) {
		free(given);
		given = xasprintf("%s" DEFAULT_PARENT, group);
		*strrchr(group, '/') = '\0';
		if (!*group)
			break;
	}
	return given ? given : xstrdup(DEFAULT_PARENT);
}

void step_cgroup_make(const char *parent, const char *id, struct step_cgroup *out)
{
	int top = open_cgroup2();
	cleanup_free char *usual = top < 0 || parent ? NULL : default_parent(top);

	if (top < 0)
		return;
	if (!parent)
		parent = usual;
	out->parent_fd = open_parent(top, parent);
	if (out->parent_fd < 0)
		return;
	out->name = xasprintf("step-%s", id);
	if (mkdirat(out->parent_fd, out->name, 0755) < 0 && errno != EEXIST) {
		cleanup_close_fd(&out->parent_fd);
		return;
	}
	out->path = xasprintf("%s/%s/%s", parent, out->name, id);
}

bool step_cgroup_oom_killed(const struct step_cgroup *cgroup)
{
	cleanup_strbuf struct strbuf events = STRBUF_INIT;
	cleanup_free char *file = NULL;
	const char *line;

	if (!cgroup->path)
		return false;
	file = xasprintf("%s/memory.events", cgroup->name);
	/* absent where the memory controller is not in v2 */
	if (io_read_file(cgroup->parent_fd, file, 4096, &events, NULL) < 0)
		return false;
	line = strstr(events.data, "oom_kill ");
	return line && line[strlen("oom_kill ")] != '0';
}

/* rmdir works on a cgroup although its folder lists files; only groups below must go first. */
static void remove_group(int parent, const char *name)
{
	cleanup_close int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;

	if (fd < 0)
		return;
	dir = fdopendir(fd_dup_above(fd, 3));
	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_group(fd, entry->d_name);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

static void kill_and_remove(int parent, const char *name)
{
	cleanup_free char *kill_file = xasprintf("%s/cgroup.kill", name);

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno != EBUSY)
		return;
	(void)io_write_kernel_file(parent, kill_file, "1", NULL);
	/* the dead leave within milliseconds; a group that stays is harmless and empty */
	for (int i = 0; i < 100 && faccessat(parent, name, F_OK, 0) == 0; i++) {
		remove_group(parent, name);
		if (i)
			(void)usleep(10000);
	}
}

void step_cgroup_sweep(const char *parent, const char *prefix)
{
	cleanup_free char *start = xasprintf("step-%s", prefix);
	cleanup_close int top = open_cgroup2();
	cleanup_free char *usual = top < 0 || parent ? NULL : default_parent(top);
	cleanup_close int parent_fd = -EBADF;
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;

	if (top >= 0)
		parent_fd = openat(top, (parent ? parent : usual) + 1,
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0)
		return;
	dir = fdopendir(fd_dup_above(parent_fd, 3));
	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strncmp(entry->d_name, start, strlen(start)) == 0)
			kill_and_remove(parent_fd, entry->d_name);
}

void step_cgroup_remove(struct step_cgroup *cgroup)
{
	if (cgroup->path)
		kill_and_remove(cgroup->parent_fd, cgroup->name);
	step_cgroup_leave(cgroup);
}

void step_cgroup_leave(struct step_cgroup *cgroup)
{
	cleanup_close_fd(&cgroup->parent_fd);
	free(cgroup->name);
	free(cgroup->path);
	*cgroup = (struct step_cgroup)STEP_CGROUP_INIT;
}
