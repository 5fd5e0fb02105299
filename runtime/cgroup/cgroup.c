/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is the same for every manager: finding the cgroup2 mount, opening a recorded cgroup, and
 * the questions asked of it. The drivers differ in how a cgroup is named and made.
 */
#include "runtime/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/mountinfo.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"

static const struct cgroup_driver *const drivers[] = {
	[CGROUP_FS] = &cgroup_fs_driver,
	[CGROUP_SYSTEMD] = &cgroup_systemd_driver,
	[CGROUP_DISABLED] = &cgroup_disabled_driver,
};

#define FREEZE_DEADLINE_MS 10000

/* Where nearly every host has it: asking costs one call each, reading mountinfo dozens of lines. */
static const char *const usual_mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

int cgroup_find_mount(const char *mountinfo, char **out, struct error *err)
{
	struct statfs fs;

	if (mountinfo)
		return mountinfo_find(mountinfo, "cgroup2", out, err);
	for (size_t i = 0; i < ARRAY_SIZE(usual_mounts); i++) {
		if (statfs(usual_mounts[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
			*out = xstrdup(usual_mounts[i]);
			return 0;
		}
	}
	return mountinfo_find("/proc/self/mountinfo", "cgroup2", out, err);
}

int cgroup_locate(const struct plan *plan, struct cgroup *out, struct error *err)
{
	int ret;

	out->manager = plan->cgroup.manager;
	out->limits_optional = plan->rootless && !plan->cgroup.write_count;
	ret = drivers[out->manager]->locate(plan, out, err);
	out->origin = cgroup_origin(out->mount);
	return error_phase(err, ret, PHASE_CGROUP);
}

int cgroup_prepare(struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	const struct cgroup_driver *driver = drivers[cgroup->manager];
	int ret = driver->prepare ? driver->prepare(cgroup, plan, err) : 0;

	return error_phase(err, ret, PHASE_CGROUP);
}

int cgroup_adopt(struct cgroup *cgroup, const struct plan *plan, pid_t pid, struct error *err)
{
	const struct cgroup_driver *driver = drivers[cgroup->manager];
	int ret = driver->adopt ? driver->adopt(cgroup, plan, pid, err) : 0;

	return error_phase(err, ret, PHASE_CGROUP);
}

bool cgroup_can_attach(const struct cgroup *cgroup)
{
	return drivers[cgroup->manager]->attach && cgroup->unit;
}

int cgroup_attach(const struct cgroup *cgroup, pid_t pid, struct error *err)
{
	return error_phase(err, drivers[cgroup->manager]->attach(cgroup, pid, err), PHASE_CGROUP);
}

bool cgroup_manager_keeps_limits(const struct cgroup *cgroup)
{
	return drivers[cgroup->manager]->update != NULL;
}

int cgroup_tell_manager(const struct cgroup *cgroup, const struct plan_cgroup *plan,
			struct error *err)
{
	const struct cgroup_driver *driver = drivers[cgroup->manager];
	int ret = driver->update ? driver->update(cgroup, plan, err) : 0;

	return error_phase(err, ret, PHASE_CGROUP);
}

void cgroup_settle(const struct cgroup *cgroup, const struct plan_cgroup *plan)
{
	const struct cgroup_driver *driver = drivers[cgroup->manager];

	for (size_t i = 0; driver->writes && cgroup->fd >= 0 && i < plan->write_count; i++) {
		const struct plan_cgroup_write *limit = &plan->writes[i];

		/* a manager that knows what stands in for a file writes that file as well */
		if (driver->writes(limit->file) ||
		    (limit->instead && driver->writes(limit->instead)))
			(void)cgroup_write_limit(cgroup, limit); /* taken before */
	}
}

int cgroup_remove(struct cgroup *cgroup, struct error *err)
{
	const struct cgroup_driver *driver = drivers[cgroup->manager];

	if (driver->release && cgroup->unit)
		driver->release(cgroup);
	return cgroup_remove_folders(cgroup, err);
}

int cgroup_of_process(pid_t pid, char **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char file[64], *line;
	int ret;

	(void)snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	ret = io_read_file(AT_FDCWD, file, 1 << 16, &text, err);
	if (ret < 0)
		return ret;
	line = strstr(strbuf_text(&text), "0::/");
	while (line && line != text.data && line[-1] != '\n')
		line = strstr(line + 1, "0::/"); /* that was a part of the path in another one */
	if (!line)
		return error_set(err, ERROR_STATE, 0, "process %d is in no cgroup", (int)pid);
	line += strlen("0::");
	*out = xstrndup(line, strcspn(line, "\n"));
	return 0;
}

int cgroup_apply(struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	int ret = 0;

	if (cgroup->fd >= 0) {
		ret = cgroup_write_limits(cgroup, plan, err);
		if (ret == 0)
			ret = cgroup_attach_devices(cgroup, plan, err);
		if (ret == 0)
			ret = cgroup_delegate(cgroup, plan, err);
	}
	return error_phase(err, ret, PHASE_CGROUP);
}

int cgroup_open(struct cgroup *cgroup, struct error *err)
{
	int ret;

	if (cgroup->fd >= 0 || !cgroup->mount || !cgroup->path || !*cgroup->path)
		return 0;
	ret = cgroup_open_origin(cgroup, err);
	if (ret < 0 || !*cgroup->path)
		return ret;
	cgroup->fd = openat(cgroup->mount_fd, cgroup->path + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->fd < 0 && errno != ENOENT)
		return error_errno(err, errno, "open cgroup \"%s\"", cgroup->path);
	return 0;
}

void cgroup_read_file(int dirfd, const char *file, struct strbuf *out)
{
	cleanup_close int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text)); /* kernfs gives all at once */

	strbuf_add(out, text, size > 0 ? (size_t)size : 0);
}

bool cgroup_has_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += size)
		if ((p == text || strchr(" \n", p[-1])) && (!p[size] || strchr(" \n", p[size])))
			return true;
	return false;
}

int64_t cgroup_find_number(const char *text, const char *key)
{
	size_t size = strlen(key);

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, key, size) == 0 && line[size] == ' ')
			return strtoll(line + size + 1, NULL, 10); /* the kernel's own text */
		line = *end ? end + 1 : end;
	}
	return -1;
}

static int64_t keyed_number(int dirfd, const char *file, const char *key)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	cgroup_read_file(dirfd, file, &text);
	return cgroup_find_number(strbuf_text(&text), key);
}

/* Reading it is what the next poll counts from. */
static bool says_frozen(int events, bool frozen)
{
	char text[256];
	ssize_t size = pread(events, text, sizeof(text) - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return cgroup_find_number(text, "frozen") == frozen;
}

int cgroup_path_is_frozen(const char *mount, const char *path)
{
	cleanup_close int events = -EBADF;
	char file[PATH_MAX];

	if (!path_put(file, sizeof(file), mount, path, "/cgroup.events"))
		return -ENAMETOOLONG;
	events = open(file, O_RDONLY | O_CLOEXEC);
	return events < 0 ? -errno : says_frozen(events, true);
}

bool cgroup_is_frozen(const struct cgroup *cgroup)
{
	return cgroup->fd >= 0 && keyed_number(cgroup->fd, "cgroup.events", "frozen") == 1;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
	int64_t count = cgroup->fd < 0 ? 0 : keyed_number(cgroup->fd, "memory.events", "oom_kill");

	return count < 0 ? 0 : count;
}

/* Until it is, or the deadline; the kernel wakes us when cgroup.events changes. */
static bool wait_frozen(const struct cgroup *cgroup, bool frozen)
{
	cleanup_close int events = openat(cgroup->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd poll_fd = { .fd = events, .events = POLLPRI };
	int64_t deadline = clock_ms() + FREEZE_DEADLINE_MS;
	bool done;

	while (!(done = says_frozen(events, frozen))) {
		int64_t left = deadline - clock_ms();

		if (left <= 0)
			break;
		(void)poll(&poll_fd, 1, (int)left);
	}
	return done;
}

int cgroup_freeze(const struct cgroup *cgroup, bool freeze, struct error *err)
{
	int ret;

	if (cgroup->fd < 0)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the container has no cgroup to freeze");
	ret = io_write_kernel_file(cgroup->fd, "cgroup.freeze", freeze ? "1" : "0", err);
	if (ret < 0 || wait_frozen(cgroup, freeze))
		return ret;
	/* never leave it half frozen */
	(void)io_write_kernel_file(cgroup->fd, "cgroup.freeze", "0", NULL);
	return error_set(err, ERROR_TIMEOUT, 0, "cgroup \"%s\" did not %s in %d s", cgroup->path,
			 freeze ? "freeze" : "thaw", FREEZE_DEADLINE_MS / 1000);
}

#define OWNER "trusted.orlop.owner"

/* No calls take an O_PATH descriptor before Linux 6.13. */
static void path_of_fd(int fd, char path[32])
{
	(void)snprintf(path, 32, "/proc/self/fd/%d", fd);
}

void cgroup_note_owner(const struct cgroup *cgroup, const char *owner)
{
	char path[32];

	if (cgroup->fd < 0)
		return;
	path_of_fd(cgroup->fd, path);
	(void)setxattr(path, OWNER, owner, strlen(owner), 0); /* without privilege there is none */
}

bool cgroup_has_other_owner(const struct cgroup *cgroup, const char *owner)
{
	char path[32], noted[512];
	ssize_t size;

	if (cgroup->fd < 0)
		return false;
	path_of_fd(cgroup->fd, path);
	size = getxattr(path, OWNER, noted, sizeof(noted));
	return size >= 0 &&
	       ((size_t)size != strlen(owner) || memcmp(noted, owner, (size_t)size) != 0);
}

void cgroup_done(struct cgroup *cgroup)
{
	cleanup_close_fd(&cgroup->fd);
	cleanup_close_fd(&cgroup->mount_fd);
	free(cgroup->mount);
	free(cgroup->path);
	free(cgroup->unit);
	cgroup->mount = cgroup->path = cgroup->unit = NULL;
}
