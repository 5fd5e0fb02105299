/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failsome RATE SEED ERRNO[,...] PROGRAM COMMAND ...: run a command as on a disk that is about to
 * die. Where PROGRAM is executed, one in RATE of the calls that reach a file system fails, with one
 * of the errors; what other programs do goes on as ever. It ends when all that the command started
 * has ended, with the command's status; what was made to fail is said on the standard error.
 *
 * The kernel asks us about each call (seccomp's user notification), so PROGRAM may be static, may
 * have threads and may start others.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The calls, and whether their first argument is a file that is open, of whatever kind; else their
 * second one is a name. */
/* clang-format off */
#define CALL(name, on_file) { #name, SYS_##name, on_file }
static const struct {
	const char *name;
	long number;
	bool on_file;
} calls[] = {
	CALL(openat, false), CALL(openat2, false), CALL(mkdirat, false), CALL(linkat, false),
	CALL(symlinkat, false), CALL(mknodat, false), CALL(renameat, false), CALL(renameat2, false),
	CALL(unlinkat, false), CALL(fchownat, false), CALL(fchmodat, false), CALL(utimensat, false),
	CALL(newfstatat, false), CALL(statx, false),
	CALL(read, true), CALL(pread64, true), CALL(write, true), CALL(pwrite64, true),
	CALL(getdents64, true), CALL(ftruncate, true), CALL(fallocate, true), CALL(fsync, true),
	CALL(fdatasync, true), CALL(syncfs, true), CALL(fchmod, true), CALL(fchown, true),
	CALL(fsetxattr, true), CALL(fgetxattr, true), CALL(flistxattr, true), CALL(copy_file_range, true),
};
/* clang-format on */
#define CALLS (sizeof(calls) / sizeof(*calls))
#define ERRORS_MAX 8

struct failures {
	const char *program; /* its whole path */
	unsigned long rate;
	uint64_t state; /* of the random numbers */
	int errors[ERRORS_MAX];
	size_t error_count;
	unsigned long count;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "failsome: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* splitmix64: the same numbers for the same seed everywhere */
static uint64_t next_random(struct failures *f)
{
	uint64_t z = f->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int parse_errno(const char *name)
{
	for (int number = 1; number < 256; number++) {
		const char *known = strerrorname_np(number);

		if (known && strcmp(known, name) == 0)
			return number;
	}
	errno = EINVAL;
	die(name);
}

/* What /proc/PID/NAME leads to, in TARGET; empty when it is gone. */
static const char *link_of(pid_t pid, const char *name, char target[static PATH_MAX])
{
	char path[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	size = readlink(path, target, PATH_MAX - 1);
	target[size < 0 ? 0 : size] = '\0';
	return target;
}

/* Pipes, sockets, terminals and /dev/null are on no disk. */
static bool is_on_disk(pid_t pid, uint64_t fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, (int)fd);
	return stat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* A name in these folders is on none either. */
static bool names_disk(pid_t pid, uint64_t address)
{
	static const char *const folders[] = { "/proc/", "/sys/", "/dev/" };
	char name[8] = "";
	struct iovec to = { name, sizeof(name) - 1 };
	struct iovec from = { (void *)(uintptr_t)address, sizeof(name) - 1 };

	(void)process_vm_readv(pid, &to, 1, &from, 1, 0); /* not all of it: at the end of a page */
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (strncmp(name, folders[i], strlen(folders[i])) == 0)
			return false;
	return true;
}

static bool is_ours(const struct failures *f, const struct seccomp_notif *asked, size_t call)
{
	pid_t pid = (pid_t)asked->pid;
	char target[PATH_MAX];

	if (strcmp(link_of(pid, "exe", target), f->program) != 0)
		return false;
	return calls[call].on_file ? is_on_disk(pid, asked->data.args[0])
				   : names_disk(pid, asked->data.args[1]);
}

static size_t find_call(int number)
{
	size_t i = 0;

	while (i < CALLS - 1 && calls[i].number != number)
		i++;
	return i;
}

static void answer(struct failures *f, int listener)
{
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp told = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	size_t call;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return; /* who asked has been killed */
	told.id = asked.id;
	call = find_call(asked.data.nr);
	if (next_random(f) % f->rate == 0 && is_ours(f, &asked, call)) {
		told.flags = 0;
		told.error = -f->errors[next_random(f) % f->error_count];
		f->count++;
		fprintf(stderr, "failsome: %s: %s\n", calls[call].name, strerror(-told.error));
	}
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &told); /* killed meanwhile, or told */
}

/* The filter, whose listener goes to the parent. */
static int install(void)
{
	struct sock_filter filter[CALLS + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { .len = CALLS + 3, .filter = filter };

	for (size_t i = 0; i < CALLS; i++)
		filter[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (uint32_t)calls[i].number,
							     (uint8_t)(CALLS - i), 0);
	filter[CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static void __attribute__((noreturn)) run(int number_to, char **command)
{
	int listener = install();

	/* write() is one of the calls that wait for an answer, so the number goes by another */
	if (listener < 0 || send(number_to, &listener, sizeof(listener), 0) < 0)
		die("install the filter");
	/* the parent has taken it when this ends */
	(void)recv(number_to, &listener, 1, 0);
	close(listener);
	close(number_to);
	(void)execvp(command[0], command);
	die(command[0]);
}

/* The child's listener, by the number that it has there. */
static int take_listener(int from, pid_t child)
{
	int number, pidfd, listener;

	if (recv(from, &number, sizeof(number), MSG_WAITALL) != sizeof(number))
		die("the filter's listener");
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (listener < 0)
		die("take the filter's listener");
	close(pidfd);
	close(from);
	return listener;
}

int main(int argc, char **argv)
{
	struct failures f = { 0 };
	struct pollfd wait_for = { .events = POLLIN };
	int pair[2], status;
	pid_t child;

	if (argc < 6) {
		errno = EINVAL;
		die("usage: failsome RATE SEED ERRNO[,...] PROGRAM COMMAND [ARG ...]");
	}
	f.rate = strtoul(argv[1], NULL, 10);
	f.state = strtoull(argv[2], NULL, 10);
	for (char *rest = argv[3], *name;
	     f.error_count < ERRORS_MAX && (name = strsep(&rest, ","));)
		f.errors[f.error_count++] = parse_errno(name);
	f.program = realpath(argv[4], NULL);
	if (!f.program || f.rate == 0)
		die(argv[4]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	child = fork();
	if (child == 0) {
		close(pair[0]);
		run(pair[1], argv + 5);
	}
	close(pair[1]);
	wait_for.fd = take_listener(pair[0], child);
	/* the listener hangs up with the last process that has the filter */
	while (poll(&wait_for, 1, -1) > 0 && !(wait_for.revents & POLLHUP))
		answer(&f, wait_for.fd);
	fprintf(stderr, "failsome: %lu calls failed\n", f.count);
	if (waitpid(child, &status, 0) < 0)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
