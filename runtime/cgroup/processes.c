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
#include "lib/strv.h"
#include "lib/trace.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"

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

/* On the way down: of each folder the names of those in it that are not walked yet, the one that is
 * being walked last. */
struct walk_path {
	struct strv *levels;
	size_t count, capacity;
};

static void walk_path_done(struct walk_path *path)
{
	for (size_t i = 0; i < path->count; i++)
		strv_done(&path->levels[i]);
	free(path->levels);
}

static int enter(struct walk_path *path, int fd)
{
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	struct strv *names;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (copy < 0 && errno != ENOENT && errno != ENODEV)
		return -errno;
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (copy >= 0 && !dir) {
		int ret = -errno;

		(void)close(copy);
		return ret;
	}
	ARRAY_GROW(path->levels, path->count, path->capacity);
	names = &path->levels[path->count++];
	*names = (struct strv)STRV_INIT;
	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			strv_add(names, entry->d_name);
	return 0;
}

/* Out of a folder that was walked, whose name is the last of what is left in the one above. */
static int leave(struct walk_path *path, int *fd, bool remove)
{
	struct strv *names;
	int parent, ret = 0;

	strv_done(&path->levels[--path->count]);
	if (!path->count)
		return 0;
	/* cgroups never move, so it is the one that we came from */
	parent = openat(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	(void)close(*fd);
	*fd = parent;
	names = &path->levels[path->count - 1];
	if (remove && unlinkat(parent, names->items[names->count - 1], AT_REMOVEDIR) < 0 &&
	    errno != ENOENT)
		ret = -errno;
	strv_remove(names, names->count - 1);
	return ret;
}

/* A container makes them as deep as it likes: so it takes neither stack nor an fd for each. */
int cgroup_walk(int dirfd, cgroup_visit_fn *visit, bool remove, void *data)
{
	cleanup_with(walk_path_done) struct walk_path path = { NULL, 0, 0 };
	cleanup_close int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	ret = enter(&path, fd);
	while (ret == 0 && path.count) {
		struct strv *names = &path.levels[path.count - 1];
		int child;

		if (!names->count) {
			ret = visit ? visit(fd, data) : 0;
			if (ret == 0)
				ret = leave(&path, &fd, remove);
			continue;
		}
		child = openat(fd, names->items[names->count - 1],
			       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0) { /* removed meanwhile */
			strv_remove(names, names->count - 1);
			continue;
		}
		(void)close(fd);
		fd = child;
		ret = enter(&path, fd);
	}
	return ret;
}

static int visit_pids(int dirfd, void *data)
{
	return add_pids(dirfd, data);
}

int cgroup_pids(const struct cgroup *cgroup, pid_t **out, size_t *out_count, struct error *err)
{
	struct pid_list list = { NULL, 0, 0 };
	int ret = cgroup->fd < 0 ? 0 : cgroup_walk(cgroup->fd, visit_pids, false, &list);

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
	if (ret == 0 || ret == -ENODEV) /* removed between opening and writing: nobody is in it */
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
	int ret;

	if (!cgroup->mount || !cgroup->path || !*cgroup->path)
		return 0;
	ret = cgroup_open_origin(cgroup, err);
	if (ret < 0 || !*cgroup->path)
		return ret;
	for (;;) {

		if (unlinkat(cgroup->mount_fd, cgroup->path + 1, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			break;
		/* sub-cgroups, or processes that are still dying */
		ret = cgroup_open(cgroup, NULL);
		if (ret == 0 && cgroup->fd >= 0)
			(void)cgroup_walk(cgroup->fd, NULL, true, NULL); /* the next round tells */
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
