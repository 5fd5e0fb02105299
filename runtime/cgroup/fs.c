/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver that makes folders in the cgroup2 file system itself. The container's process is
 * cloned into its cgroup, so nothing is ever migrated.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"
#include "runtime/texts.h"

static int fs_locate(const struct plan *plan, struct cgroup *cgroup, struct error *err)
{
	int ret = cgroup_find_mount(NULL, &cgroup->mount, err);

	if (ret < 0)
		return ret;
	if (!cgroup->mount && plan->cgroup.limits_asked)
		return error_set(err, ERROR_UNSUPPORTED, 0, "no cgroup2 file system is mounted");
	if (cgroup->mount && (plan->cgroup.path[0] != '/' || !plan->cgroup.path[1]))
		return error_set(err, ERROR_INVALID, 0, "cgroup path \"%s\" is not below the root",
				 plan->cgroup.path);
	cgroup->path = xstrdup(cgroup->mount ? plan->cgroup.path : "");
	return 0;
}

/*
 * Has it processes of its own? Then only controllers of threads could be turned on, and that would
 * leave all cgroups below unusable until they are threaded, cgroups(7). (The root and what is
 * threaded already are no such places.)
 */
static bool is_crowded(int dirfd)
{
	cleanup_strbuf struct strbuf type = STRBUF_INIT, processes = STRBUF_INIT;

	cgroup_read_file(dirfd, "cgroup.type", &type);
	if (strcmp(strbuf_text(&type), "domain\n") != 0)
		return false;
	cgroup_read_file(dirfd, "cgroup.procs", &processes);
	return processes.size > 0;
}

void cgroup_enable_controllers(int dirfd, const char *wanted)
{
	cleanup_strbuf struct strbuf on = STRBUF_INIT, change = STRBUF_INIT;
	cleanup_free char *words = xstrdup(wanted);
	char *save = NULL;

	cgroup_read_file(dirfd, "cgroup.subtree_control", &on);
	for (char *word = strtok_r(words, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		if (!cgroup_has_word(strbuf_text(&on), word))
			strbuf_addf(&change, "%s+%s", change.size ? " " : "", word);
	if (!change.size || is_crowded(dirfd) ||
	    io_write_kernel_file(dirfd, "cgroup.subtree_control", change.data, NULL) == 0)
		return;
	save = NULL;
	for (char *word = strtok_r(change.data, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		(void)io_write_kernel_file(dirfd, "cgroup.subtree_control", word, NULL);
}

/* From the mount down to the leaf's parent: every ancestor passes its controllers on. */
static int enable_along(int mount_fd, const char *path, const char *wanted, struct error *err)
{
	cleanup_free char *partial = xstrdup(path + 1);
	cleanup_close int dirfd = fcntl(mount_fd, F_DUPFD_CLOEXEC, 3);
	char *save = NULL;

	for (char *name = strtok_r(partial, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		int next;

		if (dirfd < 0)
			break;
		cgroup_enable_controllers(dirfd, wanted);
		next = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(dirfd);
		dirfd = next;
	}
	return dirfd < 0 ? error_errno(err, errno, "open cgroup \"%s\"", path) : 0;
}

/* These can be had in a threaded cgroup, cgroups(7); all others want a domain. */
static const char *const threaded_controllers[] = { "cpu", "cpuset", "perf_event", "pids" };

static bool is_threaded_controller(const char *controller)
{
	for (size_t i = 0; i < ARRAY_SIZE(threaded_controllers); i++)
		if (strcmp(controller, threaded_controllers[i]) == 0)
			return true;
	return false;
}

/* Below a threaded cgroup nothing can run until it is threaded, too; then it has no limits but
 * those of threads. */
static int join_threaded(const struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	cleanup_strbuf struct strbuf type = STRBUF_INIT;

	cgroup_read_file(cgroup->fd, "cgroup.type", &type);
	if (strcmp(strbuf_text(&type), "domain invalid\n") != 0)
		return 0;
	for (size_t i = 0; i < plan->cgroup.write_count; i++) {
		const struct plan_cgroup_write *limit = &plan->cgroup.writes[i];

		if (limit->controller && !is_threaded_controller(limit->controller))
			return error_pointer(
				err,
				error_set(err, ERROR_UNSUPPORTED, 0,
					  "%s cannot be set in cgroup \"%s\": it is below a "
					  "threaded one",
					  limit->file, cgroup->path),
				"%s", limit->pointer);
	}
	return io_write_kernel_file(cgroup->fd, "cgroup.type", "threaded", err);
}

/* Statistics need the controllers even where no limit does. Usually the parent has them on from an
 * earlier container, which the leaf's own list shows. */
static int pass_controllers(struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT, here = STRBUF_INIT;
	int ret;

	cgroup_read_file(cgroup->mount_fd, "cgroup.controllers", &all);
	cgroup_read_file(cgroup->fd, "cgroup.controllers", &here);
	if (strcmp(strbuf_text(&all), strbuf_text(&here)) == 0)
		return 0; /* both are the kernel's lists, in its order */
	ret = enable_along(cgroup->mount_fd, cgroup->path, strbuf_text(&all), err);
	return ret < 0 ? ret : join_threaded(cgroup, plan, err);
}

static int make_parents(int mount_fd, const char *path, struct error *err)
{
	cleanup_free char *partial = xstrdup(path + 1);

	for (char *slash = strchr(partial, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(mount_fd, partial, 0755) < 0 && errno != EEXIST)
			return error_errno(err, errno, "create cgroup \"/%s\"", partial);
		*slash = '/';
	}
	return 0;
}

static int make_leaf(struct cgroup *cgroup, struct error *err)
{
	const char *name = cgroup->path + 1;
	int ret = mkdirat(cgroup->mount_fd, name, 0755);

	if (ret < 0 && errno == ENOENT) {
		ret = make_parents(cgroup->mount_fd, cgroup->path, err);
		if (ret < 0)
			return ret;
		ret = mkdirat(cgroup->mount_fd, name, 0755);
	}
	if (ret < 0 && errno != EEXIST)
		return error_errno(err, errno, "create cgroup \"%s\"", cgroup->path);
	cgroup->made = ret == 0;
	return 0;
}

/* A cgroup that was there before: nobody may be in it, and it must be able to run. */
static int check_existing(const struct cgroup *cgroup, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	int ret = cgroup_pids(cgroup, &pids, &count, err);

	if (ret < 0)
		return ret;
	if (count)
		return error_set(err, ERROR_EXISTS, 0, TEXT_CGROUP_BUSY, count);
	if (cgroup_is_frozen(cgroup))
		return error_set(err, ERROR_STATE, 0, TEXT_CGROUP_FROZEN);
	return 0;
}

static bool is_permission(int ret)
{
	return ret == -EACCES || ret == -EPERM || ret == -EROFS;
}

static int fs_prepare(struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	int ret;

	if (!*cgroup->path)
		return 0;
	cgroup->mount_fd = open(cgroup->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->mount_fd < 0)
		return error_errno(err, errno, "open \"%s\"", cgroup->mount);
	ret = make_leaf(cgroup, err);
	if (is_permission(ret) && cgroup->limits_optional) {
		cgroup->path[0] = '\0'; /* rootless without limits: stay where we are */
		return 0;
	}
	if (is_permission(ret) && plan->rootless)
		return error_prefix(err, ret, TEXT_ROOTLESS_LIMITS);
	if (ret == 0)
		ret = cgroup_open(cgroup, err);
	if (ret == 0 && !cgroup->made)
		ret = check_existing(cgroup, err);
	return ret < 0 ? ret : pass_controllers(cgroup, plan, err);
}

const struct cgroup_driver cgroup_fs_driver = {
	.name = "cgroupfs",
	.locate = fs_locate,
	.prepare = fs_prepare,
};
