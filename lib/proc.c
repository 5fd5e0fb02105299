/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about processes from /proc. */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/syscalls.h"

int proc_start_time(pid_t pid, uint64_t *out_start, char *out_state)
{
	char path[40], text[1024], *p, *save = NULL;
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
	/* the name may contain blanks and parentheses: fields count from behind the last ")" */
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return -EINVAL;
	p = strtok_r(p + 2, " ", &save);
	if (!p)
		return -EINVAL;
	if (out_state)
		*out_state = *p;
	for (int field = 4; p && field <= 22; field++)
		p = strtok_r(NULL, " ", &save);
	return p ? number_parse_u64(p, out_start) : -EINVAL;
}

bool proc_is_alive(pid_t pid, uint64_t start_time)
{
	uint64_t now;
	char state;

	return pid > 0 && proc_start_time(pid, &now, &state) == 0 && now == start_time &&
	       state != 'Z' && state != 'X';
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
