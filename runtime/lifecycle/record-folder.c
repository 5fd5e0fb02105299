/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory and a container's folder in it: who may have made it, names, lock, removal.
 * The lock is flock(2) on the folder itself, so it vanishes with its holder.
 */
#include "runtime/lifecycle/record.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/trace.h"
#include "runtime/texts.h"

/* Files that may be in the folder: removal tries these before it walks. A run has the first two. */
static const char *const record_files[] = {
	RECORD_STATE, RECORD_CONFIG, RECORD_STARTED, RECORD_SECCOMP, RECORD_FIFO,
};

int record_check_id(const char *id, struct error *err)
{
	size_t size = strlen(id);
	bool good = size > 0 && size <= 200 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;

	for (const char *p = id; good && *p; p++)
		good = isascii((unsigned char)*p) &&
		       (isalnum((unsigned char)*p) || strchr("_+.-", *p));
	return good ? 0 : error_set(err, ERROR_INVALID, 0, TEXT_ID_FORMAT, id);
}

int record_not_found(struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, 0, TEXT_NOT_FOUND);
}

int record_path(const struct runtime_globals *globals, const char *id, const char *file,
		char path[PATH_MAX], struct error *err)
{
	if (snprintf(path, PATH_MAX, "%s/%s%s%s", globals->root, id, file ? "/" : "",
		     file ? file : "") >= PATH_MAX)
		return error_errno(err, ENAMETOOLONG, "state directory \"%s\"", globals->root);
	return 0;
}

/* Can others write there than its owner, root and us? */
static bool is_others(const struct stat *status)
{
	return (status->st_mode & S_IWOTH) ||
	       ((status->st_mode & S_IWGRP) && status->st_gid != 0 && status->st_gid != getegid());
}

/* Whoever can write there can make up the state of a container, and with it the process and the
 * cgroup that we signal, freeze and remove. */
static int check_owner(const char *what, const char *path, const struct stat *status,
		       struct error *err)
{
	const char *remedy =
		"whoever writes there decides what is done to which process: give it to "
		"the caller alone, or name another --root";

	if (status->st_uid != 0 && status->st_uid != geteuid())
		return error_set(err, ERROR_INVALID, EPERM, "%s \"%s\" belongs to user %u (%s)",
				 what, path, status->st_uid, remedy);
	if (is_others(status))
		return error_set(err, ERROR_INVALID, EPERM,
				 "others can write to %s \"%s\", mode %04o (%s)", what, path,
				 status->st_mode & 07777, remedy);
	return 0;
}

/*
 * In a sticky one, like /tmp, all may make folders and nobody but root and its owner can rename or
 * remove another's: each folder then has to be looked at, and stays what it is from then on.
 */
static int check_root(const char *root, const struct stat *status, bool *out_shared,
		      struct error *err)
{
	struct stat alone = *status;

	*out_shared = (status->st_mode & S_ISVTX) && is_others(status);
	if (*out_shared)
		alone.st_mode &= ~(mode_t)(S_IWOTH | S_IWGRP);
	return check_owner("the state directory", root, &alone, err);
}

int record_open_root(const struct runtime_globals *globals, DIR **out, bool *out_shared,
		     struct error *err)
{
	cleanup_dir DIR *dir = opendir(globals->root);
	struct stat status;
	int ret;

	*out = NULL;
	if (!dir && errno == ENOENT && globals->root_is_default)
		return 0; /* nothing was ever made here */
	if (!dir || fstat(dirfd(dir), &status) < 0)
		return error_errno(err, errno, "open \"%s\"", globals->root);
	ret = check_root(globals->root, &status, out_shared, err);
	if (ret == 0)
		*out = TAKE_PTR(dir);
	return ret;
}

/* The path of a container that may be looked at; a root that is not there has none. */
static int locate(const struct runtime_globals *globals, const char *id, char path[PATH_MAX],
		  bool *out_shared, struct error *err)
{
	struct stat status;
	int ret = record_check_id(id, err);

	*out_shared = false;
	if (ret == 0 && stat(globals->root, &status) == 0)
		ret = check_root(globals->root, &status, out_shared, err);
	return ret < 0 ? ret : record_path(globals, id, NULL, path, err);
}

int record_open_below(int rootfd, const char *path, bool shared, int *out_dirfd, struct error *err)
{
	cleanup_close int fd =
		openat(rootfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	int ret = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? record_not_found(err)
			       : error_errno(err, errno, "open \"%s\"", path);
	if (shared && fstat(fd, &status) < 0)
		return error_errno(err, errno, "stat \"%s\"", path);
	if (shared)
		ret = check_owner("the folder", path, &status, err);
	if (ret == 0)
		*out_dirfd = TAKE_FD(fd);
	return ret;
}

int record_open(const struct runtime_globals *globals, const char *id, int *out_dirfd,
		struct error *err)
{
	char path[PATH_MAX];
	bool shared;
	int ret = locate(globals, id, path, &shared, err);

	return ret < 0 ? ret : record_open_below(AT_FDCWD, path, shared, out_dirfd, err);
}

/* Below XDG_RUNTIME_DIR the sticky bit tells cleaners of temporary files to leave it alone. */
static int make_root(const struct runtime_globals *globals, struct error *err)
{
	bool sticky = globals->root_is_default && globals->rootless;

	return path_mkdir_all(globals->root, sticky ? 01700 : 0711, err);
}

int record_reserve(const struct runtime_globals *globals, const char *id, int *out_dirfd,
		   struct error *err)
{
	cleanup_close int fd = -EBADF;
	char path[PATH_MAX];
	bool shared;
	int ret = locate(globals, id, path, &shared, err);

	if (ret < 0)
		return ret;
	ret = mkdir(path, 0700);
	if (ret < 0 && errno == ENOENT) {
		ret = make_root(globals, err);
		if (ret == 0)
			ret = locate(globals, id, path, &shared, err);
		if (ret < 0)
			return ret;
		ret = mkdir(path, 0700);
	}
	if (ret < 0 && errno == EEXIST)
		return error_set(err, ERROR_EXISTS, 0, TEXT_EXISTS);
	if (ret < 0)
		return error_errno(err, errno, "create \"%s\"", path);
	/* only a delete of the empty folder could be quicker than we are */
	ret = record_open_below(AT_FDCWD, path, shared, &fd, err);
	if (ret < 0)
		return ret;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, errno, "lock \"%s\"", path);
	*out_dirfd = TAKE_FD(fd);
	return 0;
}

/* The pid that holds the flock on this inode, by /proc/locks; 0 when it does not tell. */
static pid_t lock_holder(int fd)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct stat status;
	char inode[64], *save = NULL;

	if (fstat(fd, &status) < 0 ||
	    io_read_file(AT_FDCWD, "/proc/locks", 1 << 20, &text, NULL) < 0 || !text.size)
		return 0;
	(void)snprintf(inode, sizeof(inode), ":%lu ", (unsigned long)status.st_ino);
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *pid = strstr(line, "WRITE ");

		if (pid && strstr(line, "FLOCK") && strstr(line, inode))
			return (pid_t)strtol(pid + strlen("WRITE "), NULL,
					     10); /* the kernel's text */
	}
	return 0;
}

int record_lock(const struct runtime_globals *globals, const char *id, int wait_ms, int *out_dirfd,
		struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("state", "lock");
	cleanup_close int fd = -EBADF;
	struct stat status;
	int ret = record_open(globals, id, &fd, err);

	if (ret < 0)
		return ret;
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 10) {
		const struct timespec pause = { .tv_nsec = 10 * 1000000 };

		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, errno, "lock container \"%s\"", id);
		if (waited >= wait_ms)
			return error_set(err, ERROR_TIMEOUT, EBUSY,
					 "container \"%s\" is locked by process %d", id,
					 (int)lock_holder(fd));
		(void)nanosleep(&pause, NULL);
	}
	/* the holder before us may have been a delete */
	if (fstat(fd, &status) == 0 && status.st_nlink == 0)
		return record_not_found(err);
	*out_dirfd = TAKE_FD(fd);
	return 0;
}

int record_remove(const struct runtime_globals *globals, const char *id, int dirfd,
		  struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("state", "remove");
	cleanup_close int root = -EBADF;
	char path[PATH_MAX];
	int ret = record_path(globals, id, NULL, path, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(record_files); i++) {
		(void)unlinkat(dirfd, record_files[i], 0); /* it may not be there; rmdir tells */
		if (i > 0 && (rmdir(path) == 0 || errno == ENOENT))
			return 0;
	}
	root = open(globals->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, errno, "open \"%s\"", globals->root);
	return path_remove_tree(root, id, err);
}
