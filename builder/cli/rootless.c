/* SPDX-License-Identifier: Apache-2.0 */
/* See rootless.h. */
#include "builder/cli/rootless.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/run-folder.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/strbuf.h"
#include "lib/userns.h"

#define RECORD_MAX 65536

/* -- the caller's folders ------------------------------------------------------------------------
 */

/* Nobody else could have put anything there. */
static bool is_ours(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 077);
}

/* What a login session has; without one (cron, su) its place if that is there, else one in /tmp. */
static int choose_run_folder(struct error *err)
{
	const char *given = getenv("XDG_RUNTIME_DIR");
	cleanup_free char *usual = xasprintf("/run/user/%u", (unsigned int)geteuid());
	cleanup_free char *own = xasprintf("/tmp/orlop-%u", (unsigned int)geteuid());

	if (given && given[0] == '/')
		return 0;
	if (is_ours(usual))
		return setenv("XDG_RUNTIME_DIR", usual, 1);
	(void)mkdir(own, 0700); /* what is wrong there is seen next */
	if (!is_ours(own))
		return error_set(err, ERROR_STATE, 0,
				 "\"%s\" is not a folder that is yours alone: remove it, or set "
				 "XDG_RUNTIME_DIR",
				 own);
	return setenv("XDG_RUNTIME_DIR", own, 1);
}

static int choose_folders(const struct passwd *user, struct error *err)
{
	const char *home = getenv("HOME");

	if ((!home || home[0] != '/') && user && setenv("HOME", user->pw_dir, 1) < 0)
		return error_errno(err, errno, "set HOME");
	return choose_run_folder(err);
}

/* -- one namespace for all of them ---------------------------------------------------------------
 */

/* The file "namespace": "PID START", a process in it, and its identity; locked while somebody
 * looks.
 */
struct shared {
	int fd;
	pid_t pid;
	uint64_t start;
	char *identity; /* NULL = none is known */
};

static void shared_done(struct shared *shared)
{
	cleanup_close_fd(&shared->fd);
	free(shared->identity);
}

static void read_shared(struct shared *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned long long start;
	char *line;
	int pid;

	if (io_read_rest(out->fd, RECORD_MAX, &text) < 0 ||
	    sscanf(strbuf_text(&text), "%d %llu", &pid, &start) != 2)
		return; /* it is new */
	line = strchr(text.data, '\n');
	out->pid = pid;
	out->start = start;
	out->identity = line ? xstrdup(line + 1) : NULL;
}

static int open_shared(struct shared *out, struct error *err)
{
	cleanup_free char *path = run_folder("namespace"), *folder = path_parent(path);
	int ret = path_mkdir_all(folder, 0700, err);

	if (ret < 0)
		return ret;
	out->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out->fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	while (flock(out->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "lock \"%s\"", path);
	read_shared(out);
	return 0;
}

static int note_shared(const struct shared *shared, pid_t pid, const char *identity,
		       struct error *err)
{
	cleanup_free char *text = NULL;
	uint64_t start = 0;
	ssize_t size;
	char state;

	(void)proc_start_time(pid, &start, &state); /* if it has ended, it is looked for again */
	/* all of one namespace are as long: who is killed between the calls leaves it whole */
	text = xasprintf("%-10d %-20llu\n%s", (int)pid, (unsigned long long)start, identity);
	size = (ssize_t)strlen(text);
	if (pwrite(shared->fd, text, (size_t)size, 0) != size || ftruncate(shared->fd, size) < 0)
		return error_errno(err, errno, "note the user namespace");
	return 0;
}

/* The one that was noted has ended: any other that is still in there, a monitor or a container. */
static int join_any(const struct shared *shared, struct error *err)
{
	cleanup_dir DIR *dir = opendir("/proc");
	const struct dirent *d;

	while (dir && (d = readdir(dir))) {
		int pid, ret;

		if (number_parse_int(d->d_name, &pid) < 0)
			continue;
		ret = userns_join(pid, shared->identity, err);
		if (ret != -ESRCH)
			return ret < 0 ? ret : note_shared(shared, pid, shared->identity, err);
	}
	return -ESRCH;
}

static int join_shared(const struct shared *shared, struct error *err)
{
	int ret = -ESRCH;

	if (!shared->identity)
		return ret;
	if (proc_is_alive(shared->pid, shared->start))
		ret = userns_join(shared->pid, shared->identity, err);
	return ret == -ESRCH ? join_any(shared, err) : ret;
}

static int make_shared(const struct shared *shared, const char *name, struct error *err)
{
	cleanup_userns_maps struct userns_maps maps = { STRV_INIT, STRV_INIT };
	cleanup_free char *identity = NULL;
	int ret;

	userns_maps_find(name, &maps);
	ret = userns_make(&maps, err);
	if (ret < 0)
		return ret;
	identity = userns_identity(getpid());
	return identity ? note_shared(shared, getpid(), identity, err)
			: error_errno(err, EACCES, "read the maps of the user namespace");
}

static int enter(const char *name, struct error *err)
{
	cleanup_with(shared_done) struct shared shared = { .fd = -EBADF };
	int ret = open_shared(&shared, err);

	if (ret == 0)
		ret = join_shared(&shared, err);
	if (ret == -ESRCH)
		ret = make_shared(&shared, name, err);
	return ret;
}

int rootless_enter(struct rootless *rootless, struct error *err)
{
	const struct passwd *user;
	int ret;

	if (geteuid() == 0)
		return 0;
	rootless->uid = geteuid();
	rootless->gid = getegid();
	user = getpwuid(rootless->uid);
	ret = choose_folders(user, err);
	if (ret == 0)
		ret = enter(user ? user->pw_name : NULL, err);
	rootless->entered = ret == 0;
	return ret;
}
