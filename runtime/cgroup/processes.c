/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a cgroup and everything below it: list, signal, kill, and removal of the
 * folders bottom-up. A container may have made sub-cgroups of any shape; they are walked by fd.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "lib/trace.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"

/* Deeper than cgroup.max.depth's practical use; bounds the recursion over a hostile tree. */
#define DEPTH_MAX 64
#define REMOVE_DEADLINE_MS 10000

struct pid_list {
	pid_t *pids;
	size_t count, capacity;
};

static void add_pid(struct pid_list *list, pid_t pid)
{
	ARRAY_GROW(list->pids, list->count, list->capacity);
	list->pids[list->count++] = pid;
}

/* Is it the first thread of a process, whose number that is? */
static bool is_process(pid_t thread)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char path[64];
	const char *number;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	if (io_read_file(AT_FDCWD, path, 1 << 16, &text, NULL) < 0)
		return false;
	number = strstr(strbuf_text(&text), "\nTgid:\t");
	return number && strtol(number + strlen("\nTgid:\t"), NULL, 10) == thread;
}

/* Of a threaded cgroup the kernel lists threads only. */
static int add_pids(int dirfd, struct pid_list *list)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(dirfd, "cgroup.procs", 64 << 20, &text, NULL);
	bool threads = ret == -EOPNOTSUPP;
	char *save = NULL;

	if (threads)
		ret = io_read_file(dirfd, "cgroup.threads", 64 << 20, &text, NULL);
	if (ret == -EOPNOTSUPP || ret == -ENOENT || ret == -ENODEV)
		return 0; /* gone meanwhile */
	if (ret < 0)
		return ret;
	if (!text.size)
		return 0;
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		pid_t pid = (pid_t)strtol(line, NULL, 10); /* the kernel's own text */

		if (pid > 0 && (!threads || is_process(pid))) /* 0: not in our pid namespace */
			add_pid(list, pid);
	}
	return 0;
}

typedef int visit_fn(int dirfd, void *data);

/* Every folder below dirfd and dirfd itself, deepest first: visit (if given), remove (if asked). */
static int walk(int dirfd, int depth, visit_fn *visit, bool remove, void *data)
{
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		ret = -errno;
		(void)close(fd);
		return ret;
	}
	while (ret == 0 && depth < DEPTH_MAX && (entry = readdir(dir))) {
		cleanup_close int child = -EBADF;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		child = openat(fd, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			continue; /* removed meanwhile */
		ret = walk(child, depth + 1, visit, remove, data);
		if (ret == 0 && remove && unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			ret = -errno;
	}
	return ret == 0 && visit ? visit(dirfd, data) : ret;
}

static int visit_pids(int dirfd, void *data)
{
	return add_pids(dirfd, data);
}

int cgroup_pids(const struct cgroup *cgroup, pid_t **out, size_t *out_count, struct error *err)
{
	struct pid_list list = { NULL, 0, 0 };
	int ret = cgroup->fd < 0 ? 0 : walk(cgroup->fd, 0, visit_pids, false, &list);

	if (ret < 0) {
		free(list.pids);
		return error_errno(err, -ret, "list the processes of cgroup \"%s\"", cgroup->path);
	}
	*out = list.pids;
	*out_count = list.count;
	return 0;
}

int cgroup_signal(const struct cgroup *cgroup, int signal, size_t *out_count, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	int ret = cgroup_pids(cgroup, &pids, &count, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < count; i++)
		if (kill(pids[i], signal) < 0 && errno != ESRCH)
			ret = error_errno(err, errno, "send signal %d to process %d", signal,
					  (int)pids[i]);
	if (out_count)
		*out_count = count;
	return ret;
}

int cgroup_kill(const struct cgroup *cgroup, struct error *err)
{
	size_t count = 1;
	int ret;

	if (cgroup->fd < 0)
		return 0;
	ret = io_write_kernel_file(cgroup->fd, "cgroup.kill", "1", NULL);
	if (ret == 0)
		return 0;
	if (ret != -ENOENT && ret != -EOPNOTSUPP)
		return error_errno(err, -ret, "kill cgroup \"%s\"", cgroup->path);
	/* before Linux 5.14: new ones may be forked while we read, so until none is left */
	for (int round = 0; round < 100 && count && ret != -EPERM; round++)
		ret = cgroup_signal(cgroup, SIGKILL, &count, err);
	return ret == -ENOENT ? 0 : ret;
}

static void sleep_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

bool cgroup_remove_empty(struct cgroup *cgroup)
{
	if (cgroup->mount_fd < 0 || !cgroup->path || !*cgroup->path || cgroup->unit)
		return false; /* a unit's is its manager's to remove */
	if (unlinkat(cgroup->mount_fd, cgroup->path + 1, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return false;
	cgroup->path[0] = '\0'; /* nothing more to do with it */
	return true;
}

int cgroup_remove_folders(struct cgroup *cgroup, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("cgroup", "remove");
	long waited = 0, pause = 1;

	if (!cgroup->mount || !cgroup->path || !*cgroup->path)
		return 0;
	if (cgroup->mount_fd < 0)
		cgroup->mount_fd = open(cgroup->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->mount_fd < 0)
		return error_errno(err, errno, "open \"%s\"", cgroup->mount);
	for (;;) {
		int ret;

		if (unlinkat(cgroup->mount_fd, cgroup->path + 1, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			break;
		/* sub-cgroups, or processes that are still dying */
		ret = cgroup_open(cgroup, NULL);
		if (ret == 0 && cgroup->fd >= 0)
			(void)walk(cgroup->fd, 0, NULL, true, NULL); /* the next round tells */
		if (unlinkat(cgroup->mount_fd, cgroup->path + 1, AT_REMOVEDIR) == 0)
			return 0;
		if (waited >= REMOVE_DEADLINE_MS)
			break;
		sleep_ms(pause);
		waited += pause;
		pause = pause < 64 ? pause * 2 : 100;
	}
	return error_errno(err, errno, "remove cgroup \"%s\"", cgroup->path);
}
