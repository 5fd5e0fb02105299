/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container side: from clone3 to execve. Runs in a child of the runtime that shares its image
 * and sees only the plan and what is listed here; tables of steps, run in order.
 */
#ifndef RUNTIME_INIT_INIT_H
#define RUNTIME_INIT_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/strv.h"
#include "runtime/lifecycle/sync.h"
#include "runtime/plan/plan.h"
#include "spec/state.h"

/** What the host side opened and knows. All fds are kept open in the child; nothing else is. */
struct init_args {
	const struct plan *plan;
	struct sync *sync;
	int proc_fd; /* O_PATH of the host's procfs root; -EBADF if !init_needs_proc */
	int fifo_fd; /* O_PATH of exec.fifo: wait there for start; -EBADF = exec at COMMIT */
	int join_fds[NS_COUNT]; /* namespaces to join by path; -EBADF */
	int container_fd;	/* exec: pidfd of the container's init; -EBADF = create */
	int root_fd; /* exec without a mount namespace to join: the container's root; -EBADF */
	unsigned int own_namespaces;   /* init makes these itself (CLONE_NEW*) */
	bool network_later;	       /* SYNC_NETWORK brings the new network namespace */
	unsigned int container_flags;  /* exec: what to join through it (CLONE_NEW*) */
	uint64_t preserve_fds;	       /* 3 ... 3 + this - 1 go on to the payload */
	unsigned int listen_fds;       /* so many of them are sockets by LISTEN_FDS */
	const struct oci_state *state; /* for the hooks of the container side ... */
	int hook_output[HOOK_STREAMS]; /* ... and the files of their output; -EBADF */
	const char *mount_for_cgroups; /* the host's cgroup2 mount; NULL = none */
	const char *cgroup_path;       /* the container's below it; "" = none */
};

/** What init says to start behind the "0", when it cannot go on. Start may be a newer program than
 *  create was, so it looks at the first two before the third. */
struct init_failure {
	uint32_t format; /* ERROR_FORMAT */
	uint32_t size;	 /* of error */
	struct error error;
};

/** The child's own, while it works. */
struct init {
	const struct init_args *args;
	const struct plan *plan;
	struct sync *sync;
	int proc_fd; /* the host's /proc */
	int self_fd; /* its /proc/self: this process */
	int root_fd; /* the new root; also usable after pivot_root */
	int fifo_fd;
	int start_fd; /* start's end of the fifo, once it is there */
	pid_t host_pid;
	bool in_network; /* in the network namespace that SYNC_NETWORK brought */
	bool joined;	 /* a joiner did the namespaces before us */
	size_t mounted;	 /* of the plan's mounts, so many are made */
	int *late_fds;	 /* mounts that become read-only at the end */
	size_t late_count;
	struct strv env;
	char *program;	 /* resolved args[0] */
	bool chdir_late; /* the working directory needs the user's own rights */
};

/**
 * Close everything that is not init's own. Mount fds of all kinds are left open where they are
 * used and closed here in a few calls: a hundred less than one by one.
 */
int init_sweep_fds(struct init *init, struct error *err);
/** So many mounts between two sweeps; each leaves up to four fds. */
#define INIT_SWEEP_EVERY 64

/** A step: run is skipped when condition (if any) says no. */
struct init_step {
	const char *name;
	int (*run)(struct init *init, struct error *err);
	bool (*condition)(const struct init *init);
};

/** Will anything on the container side go through the host's /proc? */
bool init_needs_proc(const struct init_args *args);
/** The process that becomes the container's. joined: the namespaces are entered already. */
void init_main(const struct init_args *args, bool joined) __attribute__((noreturn));
/** The short-lived process that enters namespaces and creates init as its sibling. */
void joiner_main(const struct init_args *args, unsigned int clone_flags) __attribute__((noreturn));

/* -- the steps, by file -- */

/* namespaces.c */
int namespaces_join(struct init *init, struct error *err);
int namespaces_become_root(struct init *init, struct error *err);
int namespaces_unshare_own(struct init *init, struct error *err);
int namespaces_set_names(struct init *init, struct error *err);
int namespaces_bring_loopback_up(struct init *init, struct error *err);
/**
 * A new network namespace, the caller's, has a loopback device that is down; programs expect
 * 127.0.0.1.
 */
int namespaces_loopback_up(struct error *err);
/**
 * Enter the network namespace that the host side makes meanwhile (launch.h), if it does and we are
 * not in it: before whatever depends on the network namespace, and before the next message.
 */
int namespaces_need_network(struct init *init, struct error *err);

/* rootfs.c */
int rootfs_prepare(struct init *init, struct error *err);
int rootfs_pivot(struct init *init, struct error *err);
int rootfs_finish(struct init *init, struct error *err);
/** Ask the host for the mount of mounts[index] or SYNC_ROOTFS. */
int rootfs_need_fd(struct init *init, int index, struct error *err);

/* mounts.c */
/** All of them, or those that need not wait for a network namespace that the host side makes. */
int mounts_apply(struct init *init, struct error *err);
int mounts_apply_rest(struct init *init, struct error *err);
/** The mounts that had to stay writable until everything in them was made. */
int mounts_make_readonly(struct init *init, struct error *err);
/** The detached mount fd to the destination of its entry, all but that it may become read-only at
 *  the end. */
int mount_place(struct init *init, const struct plan_mount *mount, int fd, struct error *err);
/** Attach the detached mount to what target_fd is. */
int mount_attach(int mount_fd, int target_fd, struct error *err);

/* devices.c */
int devices_create(struct init *init, struct error *err);

/* masks.c */
int masks_apply(struct init *init, struct error *err);

/* sysctl.c */
int sysctl_apply(struct init *init, struct error *err);

/* console.c */
int console_setup(struct init *init, struct error *err);

/* limits.c */
/** The rlimits of process on pid (0 = ourselves). */
int limits_set(const struct plan_process *process, pid_t pid, struct error *err);
int limits_apply(struct init *init, struct error *err);
int limits_apply_files(struct init *init, struct error *err);
/** The OOM score, in this folder of a procfs. */
int limits_write_oom_score(int dirfd, const struct plan_process *process, struct error *err);
int limits_set_oom_score(struct init *init, struct error *err);

/* policies.c */
/** exec, host side: the CPUs of this process until it is in the cgroup; children have them, too. */
int policies_enter_initial_cpus(const struct plan_process *process, struct error *err);
int policies_set_cpus(struct init *init, struct error *err);
int policies_apply(struct init *init, struct error *err);
int policies_set_memory(struct init *init, struct error *err);
int policies_set_personality(struct init *init, struct error *err);
/**
 * Is the process in a user namespace of the container's? There it may not raise its limits, or
 * give itself a better place than others, even if the runtime may.
 */
bool policies_need_host(const struct init_args *args);
/** What the host side does therefore, with the process waiting after READY. */
int policies_set_from_outside(const struct init_args *args, pid_t pid, struct error *err);

/* credentials.c */
int credentials_apply(struct init *init, struct error *err);
int credentials_set_no_new_privileges(struct init *init, struct error *err);

/* labels.c */
int labels_apply(struct init *init, struct error *err);
int labels_join_keyring(struct init *init, struct error *err);

/* filter.c */
int filter_install(struct init *init, struct error *err);

/* process.c */
int process_enter_cwd(struct init *init, struct error *err);
int process_enter_cwd_late(struct init *init, struct error *err);
int process_make_environment(struct init *init, struct error *err);
/** What start says of a container that was created without a process: nothing else is left. */
int process_is_missing(struct init *init, struct error *err);
int process_find_program(struct init *init, struct error *err);
int process_execute(struct init *init, struct error *err);

#endif
