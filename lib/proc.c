/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about processes from /proc. */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/syscalls.h"

/* Fields of /proc/PID/stat, counted as in proc(5): state is a letter, the others are numbers. */
enum { STAT_STATE = 3, STAT_FLAGS = 9, STAT_START_TIME = 22, STAT_EXIT_CODE = 52 };

/* PF_FORKNOEXEC of the kernel's linux/sched.h: born by fork or clone, and no execve since. */
#define FLAG_NO_EXEC 0x40

struct proc_stat {
	char state;
	uint64_t flags;
	uint64_t start_time;
	uint64_t exit_code; /* of a zombie, if we may know: else 0 */
};

static int parse_field(const char *text, uint64_t *out)
{
	char number[24];
	size_t size = strcspn(text, " \n");

	if (size >= sizeof(number))
		return -ERANGE;
	memcpy(number, text, size);
	number[size] = '\0';
	return number_parse_u64(number, out);
}

static int parse_stat(const char *text, int last, struct proc_stat *out)
{
	/* the name may contain blanks and parentheses: fields count from behind the last ")" */
	const char *p = strrchr(text, ')');
	int ret = 0;

	if (!p || p[1] != ' ')
		return -EINVAL;
	p++;
	for (int field = STAT_STATE; p && ret == 0; field++) {
		p++;
		if (field == STAT_STATE)
			out->state = *p;
		else if (field == STAT_FLAGS)
			ret = parse_field(p, &out->flags);
		else if (field == STAT_START_TIME)
			ret = parse_field(p, &out->start_time);
		else if (field == STAT_EXIT_CODE)
			ret = parse_field(p, &out->exit_code);
		if (field == last)
			return ret;
		p = strchr(p, ' ');
	}
	return -EINVAL;
}

/* Up to this field. */
static int read_stat(pid_t pid, int last, struct proc_stat *out)
{
	char path[40], text[1024];
	cleanup_close int fd = -EBADF;
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	size = read(fd, text, sizeof(text) - 1);
	if (size <= 0)
		return size < 0 && errno != ESRCH ? -errno : -ESRCH;
	text[size] = '\0';
	return parse_stat(text, last, out);
}

int proc_start_time(pid_t pid, uint64_t *out_start, char *out_state)
{
	struct proc_stat stat;
	int ret = read_stat(pid, STAT_START_TIME, &stat);

	if (ret < 0)
		return ret;
	*out_start = stat.start_time;
	if (out_state)
		*out_state = stat.state;
	return 0;
}

bool proc_is_same(pid_t pid, uint64_t start_time)
{
	uint64_t now;

	return pid > 0 && proc_start_time(pid, &now, NULL) == 0 && now == start_time;
}

bool proc_is_alive(pid_t pid, uint64_t start_time)
{
	uint64_t now;
	char state;

	return pid > 0 && proc_start_time(pid, &now, &state) == 0 && now == start_time &&
	       state != 'Z' && state != 'X';
}

bool proc_has_executed(pid_t pid)
{
	struct proc_stat stat;

	return read_stat(pid, STAT_FLAGS, &stat) < 0 || !(stat.flags & FLAG_NO_EXEC);
}

uint64_t proc_pidfd_inode(int pidfd)
{
	struct statfs fs;
	struct stat status;

	/* before, all of them shared one inode */
	if (fstatfs(pidfd, &fs) < 0 || fs.f_type != SYS_PID_FS_MAGIC || fstat(pidfd, &status) < 0)
		return 0;
	return status.st_ino;
}

int proc_is_alive_inode(pid_t pid, uint64_t inode)
{
	cleanup_close int pidfd = pidfd_open(pid, 0);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct stat status;

	if (pidfd < 0)
		return errno == ESRCH ? false : -errno;
	if (fstat(pidfd, &status) < 0)
		return -errno;
	if (status.st_ino != inode)
		return false;
	return poll(&ended, 1, 0) < 0 ? -errno : !ended.revents;
}

/* The exit code is shown to those who may look into the process, and to all others as 0: the same
 * right is needed for the link to its user namespace, which a zombie still has. */
static bool may_see_exit(pid_t pid)
{
	char path[40], target[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return readlink(path, target, sizeof(target)) > 0;
}

int proc_zombie_status(pid_t pid, uint64_t start_time, int *out_status)
{
	struct proc_stat stat;
	int ret;

	if (!may_see_exit(pid))
		return errno == ENOENT || errno == ESRCH ? -ESRCH : -EACCES;
	ret = read_stat(pid, STAT_EXIT_CODE, &stat);
	if (ret < 0)
		return ret;
	if (stat.start_time != start_time)
		return -ESRCH;
	if (stat.state != 'Z' && stat.state != 'X')
		return -EAGAIN;
	*out_status = (int)stat.exit_code;
	return 0;
}

static bool find_mask(const char *text, const char *key, uint64_t *out)
{
	const char *line = strstr(text, key);

	if (line)
		*out = strtoull(line + strlen(key), NULL, 16); /* the kernel's own text */
	return line;
}

#define STATUS_SIZE 8192

/* procfs gives all of it at once */
static int read_small(const char *path, char *text, size_t room)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, room - 1);

	if (size < 0)
		return -errno;
	text[size] = '\0';
	return 0;
}

bool proc_hears_signal(pid_t pid, int signal)
{
	char path[64], text[STATUS_SIZE];
	uint64_t caught, blocked;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (read_small(path, text, sizeof(text)) < 0 || !find_mask(text, "\nSigCgt:", &caught) ||
	    !find_mask(text, "\nSigBlk:", &blocked))
		return true;
	return ((caught | blocked) >> (signal - 1)) & 1;
}

pid_t proc_first_child(pid_t pid)
{
	char path[64], text[64];
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && !child && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid,
			 entry->d_name);
		if (entry->d_name[0] != '.' && read_small(path, text, sizeof(text)) == 0) {
			text[strcspn(text, " ")] = '\0';
			if (number_parse_int(text, &child) < 0)
				child = 0;
		}
	}
	return child;
}

int proc_self_masks(uint64_t *out_bounding, uint64_t *out_ignored)
{
	char text[STATUS_SIZE];
	int ret = read_small("/proc/self/status", text, sizeof(text));

	if (ret < 0)
		return ret;
	if (!find_mask(text, "\nCapBnd:", out_bounding) ||
	    !find_mask(text, "\nSigIgn:", out_ignored))
		return -ENODATA;
	return 0;
}

bool proc_in_initial_userns(void)
{
	struct stat status;

	/* never by uid_map: an identity map is legal in a child namespace too */
	return stat("/proc/self/ns/user", &status) == 0 && status.st_ino == INITIAL_USERNS_INODE;
}

bool proc_is_privileged(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) &&
	       proc_in_initial_userns();
}

int proc_wait(pid_t pid, int *out_status, struct rusage *rusage)
{
	pid_t ret;

	do {
		ret = wait4(pid, out_status, 0, rusage);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

int proc_exit_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

void proc_usage_add(struct rusage *sum, const struct rusage *usage)
{
	timeradd(&sum->ru_utime, &usage->ru_utime, &sum->ru_utime);
	timeradd(&sum->ru_stime, &usage->ru_stime, &sum->ru_stime);
	if (usage->ru_maxrss > sum->ru_maxrss)
		sum->ru_maxrss = usage->ru_maxrss;
}

void proc_usage_add_thread(struct rusage *sum, const struct rusage *begin)
{
	struct rusage now;

	(void)getrusage(RUSAGE_THREAD, &now); /* cannot fail; the peak is the process's */
	timersub(&now.ru_utime, &begin->ru_utime, &now.ru_utime);
	timersub(&now.ru_stime, &begin->ru_stime, &now.ru_stime);
	proc_usage_add(sum, &now);
}
