/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about processes from /proc, and small process calls that glibc 2.36 lacks. */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/** Field 22 of /proc/PID/stat (clock ticks since boot), parsed after the last ")"; *state gets
 *  field 3. -ESRCH when there is no such process. A pid is an identity only with this number. */
int proc_start_time(pid_t pid, uint64_t *out_start, char *out_state);

/** Is the process with this start time there and not a zombie or dead? */
bool proc_is_alive(pid_t pid, uint64_t start_time);

/** Has the process, a child of ours that is not reaped, executed a program since it was born? Its
 * end does not change the answer, so what looks like an exec from outside (descriptors that close)
 * can be told from a death. true when /proc does not say. */
bool proc_has_executed(pid_t pid);

/** The inode of a pidfd, which no other process has until the machine is started again, also when
 * it gets the same pid (Linux 6.9); 0 = the kernel does not tell them apart. */
uint64_t proc_pidfd_inode(int pidfd);
/** Is the process with this pid and this inode of its pidfd there, with a thread that runs? Half of
 *  what proc_is_alive() costs. -errno: it could not be asked (never because there is none). */
int proc_is_alive_inode(pid_t pid, uint64_t inode);

/** The same as proc_is_alive(), also while it is a zombie: nobody else has the pid yet. */
bool proc_is_same(pid_t pid, uint64_t start_time);

/** How a zombie ended, as waitpid(2) would tell its parent. -EAGAIN when it is none (yet), -ESRCH
 *  when it is gone, -EACCES when we may not know. */
int proc_zombie_status(pid_t pid, uint64_t start_time, int *out_status);

/** Masks of /proc/self/status: the bounding set, and the signals that are ignored (bit 0 = signal
 * 1). One read instead of a hundred prctl and sigaction calls. */
int proc_self_masks(uint64_t *out_bounding, uint64_t *out_ignored);

/** Does the process handle, or block, this signal? true when that cannot be known. */
bool proc_hears_signal(pid_t pid, int signal);

/** A child of one of the process's threads; 0 = there is none, or the kernel does not say. */
pid_t proc_first_child(pid_t pid);

/** Do we run in the initial user namespace (inode of /proc/self/ns/user is 0xEFFFFFFD)? */
bool proc_in_initial_userns(void);
/** CAP_SYS_ADMIN over the initial user namespace; what "not rootless" means here. */
bool proc_is_privileged(void);

/** Wait for a pid by waitid(P_PID); status as waitpid gives it; rusage may be NULL. */
struct rusage;
int proc_wait(pid_t pid, int *out_status, struct rusage *rusage);
/** Add processor time, and take the larger peak of memory. */
void proc_usage_add(struct rusage *sum, const struct rusage *usage);
/** What the calling thread has used since *begin said so of it, and the peak memory of its process,
 * into sum. */
void proc_usage_add_thread(struct rusage *sum, const struct rusage *begin);
/** Shell-style exit status: code, or 128 + signal. */
int proc_exit_status(int wait_status);

#endif
