/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that glibc 2.36 has no wrapper for, and every constant newer than Linux 6.1's
 * headers, so that the same source builds on Debian 12 and uses what the running kernel has.
 */
#ifndef LIB_SYSCALLS_H
#define LIB_SYSCALLS_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/** Inode of the initial user namespace: include/linux/proc_ns.h, PROC_USER_INIT_INO. */
#define INITIAL_USERNS_INODE 0xEFFFFFFDU

/** File system of pidfds, since Linux 6.9: linux/magic.h. */
#define SYS_PID_FS_MAGIC 0x50494446

/** ioctl of a pidfd, since Linux 6.13; how the process ended since 6.15: linux/pidfd.h. */
struct sys_pidfd_info {
	uint64_t mask, cgroup_id;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define SYS_PIDFD_GET_INFO _IOWR(0xFF, 11, struct sys_pidfd_info)
#define SYS_PIDFD_INFO_EXIT (1ULL << 3)

/** sched_setattr(2): linux/sched/types.h clashes with glibc's sched.h. */
struct sys_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* nanoseconds */
	uint32_t util_min, util_max;
};

static inline pid_t sys_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

static inline int sys_openat2(int dirfd, const char *path, struct open_how *how)
{
	return (int)syscall(SYS_openat2, dirfd, path, how, sizeof(*how));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

static inline int sys_fchmodat2(int dirfd, const char *path, mode_t mode, unsigned int flags)
{
	return (int)syscall(SYS_fchmodat2, dirfd, path, mode, flags);
}

#endif
