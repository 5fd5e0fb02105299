/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's cgroup in the v2 hierarchy. cgroup_locate decides where it will be without
 * touching anything (that is recorded first), then the manager's driver makes it.
 */
#ifndef RUNTIME_CGROUP_CGROUP_H
#define RUNTIME_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"
#include "runtime/plan/plan.h"

struct cgroup {
	enum cgroup_manager manager;
	char *mount;	 /* where cgroup2 is mounted; NULL = nowhere */
	char *path;	 /* below it: "/orlop/ID"; "" = the container has no cgroup of its own */
	uint64_t origin; /* the inode of the folder that path counts from; 0 = it is not known */
	int mount_fd;	 /* O_PATH of that folder, opened when needed */
	int fd;		 /* O_PATH of the cgroup itself; -EBADF = not open */
	bool limits_optional; /* rootless without limits: without permission, none */
	bool elsewhere;	      /* it could not be opened: it cannot be seen from here */
	bool made;	      /* this process made the leaf: a failed creation removes it */
	/* of the systemd manager */
	char *unit;
	bool user_instance; /* the unit is one of the user's systemd, not the system's */
	int stop_fd;	    /* borrowed: readable = give up waiting for systemd; -EBADF = none */
};

#define CGROUP_INIT                                                                                \
	{                                                                                          \
		.mount_fd = -EBADF, .fd = -EBADF, .stop_fd = -EBADF                                \
	}

/** Is the program that the systemd manager needs a part of this build? */
bool cgroup_has_systemd(void);

/** Where cgroup2 is mounted (owned), also on hybrid hosts; *out is NULL when it is nowhere. */
int cgroup_find_mount(const char *mountinfo, char **out, struct error *err);

/** What a path below this mount counts from, for a record; 0 = nothing. */
uint64_t cgroup_origin(const char *mount);

/** Fills manager, mount, path and origin from the plan. */
int cgroup_locate(const struct plan *plan, struct cgroup *out, struct error *err);

/** Makes the cgroup and opens it. cgroup->fd is what clone3 gets (CLONE_INTO_CGROUP), or -EBADF:
 *  then cgroup_adopt moves the process. It must be empty and not frozen. */
int cgroup_prepare(struct cgroup *cgroup, const struct plan *plan, struct error *err);
int cgroup_adopt(struct cgroup *cgroup, const struct plan *plan, pid_t pid, struct error *err);
/** Writes the limits and attaches the device program. */
int cgroup_apply(struct cgroup *cgroup, const struct plan *plan, struct error *err);

/** By annotation, when all is made: the process moves below the cgroup, which is the root of its
 *  cgroup namespace: what it makes there beside itself has controllers, and the limits stay out of
 *  its reach. pid 0: all processes that are in it. */
int cgroup_enter_delegated(const struct cgroup *cgroup, const struct plan *plan, pid_t pid,
			   struct error *err);

/** Has the manager a record of its own of the limits? */
bool cgroup_manager_keeps_limits(const struct cgroup *cgroup);
/** After a change of limits, which the plan has alone: tell the manager. Fails without having
 *  changed anything; may take until a deadline, so that no lock should be held. */
int cgroup_tell_manager(const struct cgroup *cgroup, const struct plan_cgroup *plan,
			struct error *err);
/** Then, under the lock: write over what the manager has written itself, which may be less exact.
 *  plan has all limits that the cgroup is to have. */
void cgroup_settle(const struct cgroup *cgroup, const struct plan_cgroup *plan);

/** Has the manager a way to put a process into the cgroup that clone3 is not allowed to? */
bool cgroup_can_attach(const struct cgroup *cgroup);
int cgroup_attach(const struct cgroup *cgroup, pid_t pid, struct error *err);

/** The cgroup that a process is in now, below the root of our cgroup namespace; *out is owned. */
int cgroup_of_process(pid_t pid, char **out, struct error *err);

/** Has the cgroup that cgroup->fd is the controller that this needs? Error: no, and where it is. */
int cgroup_check_controller(const struct cgroup *cgroup, const struct plan_cgroup_write *limit,
			    struct error *err);

/** An existing one, as recorded, also from another cgroup namespace; cgroup->fd stays -EBADF (and 0
 * is returned) when it is gone. An error with cgroup->elsewhere: it cannot be seen from here. */
int cgroup_open(struct cgroup *cgroup, struct error *err);

/** Is the open one frozen? false when it cannot be told. */
bool cgroup_is_frozen(const struct cgroup *cgroup);
/** The same by its path below the mount, without a struct: list asks it of every container.
 * Negative errno when it is not there. */
int cgroup_path_is_frozen(const char *mount, const char *path);
/** Freeze or thaw and wait (10 s) until it is. */
int cgroup_freeze(const struct cgroup *cgroup, bool freeze, struct error *err);
/** Can memory be taken back from it (memory.reclaim, since Linux 5.19)? */
int cgroup_check_reclaim(const struct cgroup *cgroup, struct error *err);
/** Have the kernel take back what memory it can; *out_bytes is how much less is used then. */
int cgroup_reclaim(const struct cgroup *cgroup, uint64_t *out_bytes, struct error *err);
/** How many processes has the kernel's OOM killer killed here so far? */
int64_t cgroup_oom_kills(const struct cgroup *cgroup);
/** The pids of it and all below it, as the caller's pid namespace sees them; *out is owned. */
int cgroup_pids(const struct cgroup *cgroup, pid_t **out, size_t *out_count, struct error *err);
/** SIGKILL everything in it and below: cgroup.kill, or a loop on kernels without it. */
int cgroup_kill(const struct cgroup *cgroup, struct error *err);
/** Signal everything in it and below. *out_count (may be NULL) is how many there were. */
int cgroup_signal(const struct cgroup *cgroup, int signal, size_t *out_count, struct error *err);
/** Remove it with all below it; waits (10 s) for the killed to go. Gone already = success. */
int cgroup_remove(struct cgroup *cgroup, struct error *err);

/** Remove it if nothing is in it; true when it is gone. */
bool cgroup_remove_empty(struct cgroup *cgroup);

/** Notes on it whose it is: containers of several state directories may name the same one, each
 * when nobody is in it. Only privilege can, and no container without it can change it. */
void cgroup_note_owner(const struct cgroup *cgroup, const char *owner);
/** Is there a note, of somebody else? */
bool cgroup_has_other_owner(const struct cgroup *cgroup, const char *owner);

/** Frees and closes; the cgroup itself stays. */
void cgroup_done(struct cgroup *cgroup);
#define cleanup_cgroup __attribute__((cleanup(cgroup_done)))

#endif
