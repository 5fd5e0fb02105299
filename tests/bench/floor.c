/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: the least that any runtime must ask of the kernel for a container of the default `spec`
 * config: one clone3 with its six namespaces, its mounts with their flags, pivot_root, exec, wait.
 * No config is read; no cgroup, device, mask, capability, limit or state is made.
 * tests/bench/run measures it beside the runtimes:  floor ROOTFS PROGRAM
 */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

#define FLOOR_NAMESPACES                                                                           \
	(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP)

struct floor_mount {
	const char *type;
	const char *target; /* under the root file system */
	unsigned long flags;
	const char *data;
};

/* clang-format off */
static const struct floor_mount floor_mounts[] = {
	{ "proc",    "proc",          0,                                 NULL },
	{ "tmpfs",   "dev",           MS_NOSUID | MS_STRICTATIME,        "mode=755,size=65536k" },
	{ "devpts",  "dev/pts",       MS_NOSUID | MS_NOEXEC,
	  "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "tmpfs",   "dev/shm",       MS_NOSUID | MS_NOEXEC | MS_NODEV,  "mode=1777,size=65536k" },
	{ "mqueue",  "dev/mqueue",    MS_NOSUID | MS_NOEXEC | MS_NODEV,  NULL },
	{ "sysfs",   "sys",           MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL },
	{ "cgroup2", "sys/fs/cgroup", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RELATIME | MS_RDONLY,
	  NULL },
};
/* clang-format on */

static int floor_fail(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Mount points inside /dev only exist once that is mounted; the others are in the rootfs. */
static int floor_mount_one(const struct floor_mount *mount_row)
{
	if (mkdir(mount_row->target, 0755) < 0 && errno != EEXIST && errno != EROFS)
		return floor_fail(mount_row->target);
	if (mount(mount_row->type, mount_row->target, mount_row->type, mount_row->flags,
		  mount_row->data) < 0)
		return floor_fail(mount_row->target);
	return 0;
}

/* The child's whole life; never returns 0. */
static int floor_init(const char *rootfs, char *program)
{
	char *argv[] = { program, NULL };
	char *envp[] = { NULL };

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return floor_fail("propagation of /");
	if (mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(rootfs) < 0)
		return floor_fail(rootfs);
	for (size_t i = 0; i < sizeof(floor_mounts) / sizeof(floor_mounts[0]); i++) {
		if (floor_mount_one(&floor_mounts[i]) != 0)
			return 1;
	}
	if (mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return floor_fail("read-only root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return floor_fail("pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return floor_fail("old root");
	execve(program, argv, envp);
	return floor_fail(program);
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = FLOOR_NAMESPACES, .exit_signal = SIGCHLD };
	int status;
	long pid;

	if (argc != 3) {
		fputs("usage: floor ROOTFS PROGRAM\n", stderr);
		return 2;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return floor_fail("clone3");
	if (pid == 0)
		_exit(floor_init(argv[1], argv[2]));
	if (waitpid((pid_t)pid, &status, 0) < 0)
		return floor_fail("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
