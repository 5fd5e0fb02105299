/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROOT/ID: the folder of a container and what is recorded in it. state.json is written with the
 * intent before anything is made and again, with the pid, when everything is; it is replaced by
 * rename, so readers need no lock. The status is never stored: it is derived each time.
 */
#ifndef RUNTIME_LIFECYCLE_RECORD_H
#define RUNTIME_LIFECYCLE_RECORD_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/lifecycle/container.h"
#include "spec/json-types.h"
#include "spec/state.h"

#define RECORD_VERSION 1
#define RECORD_STATE "state.json"
#define RECORD_NEXT "state.json~"
#define RECORD_CONFIG "config.json"
#define RECORD_SECCOMP "seccomp.bpf"
/* there while init waits for start; start renames it first of all */
#define RECORD_FIFO "exec.fifo"
#define RECORD_STARTED "started.fifo"

/** state.json. Strings live in the arena it was decoded into. */
struct record {
	uint32_t version;
	const char *id;
	const char *bundle;
	const char *rootfs;
	const char *created;
	uint32_t owner; /* uid that made it */
	bool rootless;
	const char *manager; /* "cgroupfs", "systemd", "disabled" */
	const char *cgroup_mount;
	const char *cgroup_path;
	uint64_t cgroup_origin;	 /* what the path counts from: struct cgroup */
	const char *cgroup_unit; /* systemd's; NULL = another manager */
	struct json_map annotations;
	uint32_t namespaces; /* bits 1 << enum namespace_kind: those not inherited */
	bool new_pid_namespace;
	bool no_new_keyring;
	bool poststart; /* hooks that later verbs have to run */
	bool poststop;
	bool has_seccomp; /* seccomp.bpf is there */
	uint32_t seccomp_flags;
	const char *rdt_root; /* resctrl: NULL = not used */
	const char *rdt_group;
	const char *rdt_monitor; /* NULL = none */
	bool rdt_is_own;	 /* the group goes with the container */
	const char *resources; /* linux.resources since the last update, as JSON; NULL: config's */
	int32_t pid;	       /* 0 until everything is made */
	uint64_t start_time;
	/* of its pidfd; 0: the kernel does not number them, or the state outlives it */
	uint64_t pidfd_inode;
};

/** Is the text a container id, a path component of harmless letters? TEXT_ID_FORMAT else. */
int record_check_id(const char *id, struct error *err);

/** ERROR_NOT_FOUND, in the words that callers know. */
int record_not_found(struct error *err);
/** ROOT/ID, or ROOT/ID/file. */
int record_path(const struct runtime_globals *globals, const char *id, const char *file,
		char path[PATH_MAX], struct error *err);
/**
 * Opens ROOT/ID of a name that comes from outside; TEXT_NOT_FOUND. ERROR_INVALID when somebody else
 * than root and the caller could have written what is in it: by the owner and the mode of ROOT or,
 * where that is sticky and open to all, of the folder.
 */
int record_open(const struct runtime_globals *globals, const char *id, int *out_dirfd,
		struct error *err);
/** The same from the open ROOT, that record_open_root() said was shared, or not. */
int record_open_below(int rootfd, const char *path, bool shared, int *out_dirfd, struct error *err);
/** Makes ROOT (if missing) and ROOT/ID, locked for us; *out_dirfd holds the lock. */
int record_reserve(const struct runtime_globals *globals, const char *id, int *out_dirfd,
		   struct error *err);
/** Opens ROOT/ID and takes its lock, waiting at most wait_ms; names the holder when it fails.
 *  -ENOENT with TEXT_NOT_FOUND when there is no such container. */
int record_lock(const struct runtime_globals *globals, const char *id, int wait_ms, int *out_dirfd,
		struct error *err);

/** Write the first state.json into the folder. */
int record_write(int dirfd, const struct record *record, struct error *err);
/** Write the next one beside it, and put it in place: two steps, so that the first one can be done
 *  while there is time. */
int record_write_next(int dirfd, const struct record *record, struct error *err);
int record_publish(int dirfd, struct error *err);
/**
 * The state directory, to be read; NULL (and 0) when the default one was never made. ERROR_INVALID
 * when it is another user's or others can write to it, as from all who take a container's id here;
 * *out_shared: others can make folders in it (see record_open).
 */
int record_open_root(const struct runtime_globals *globals, DIR **out, bool *out_shared,
		     struct error *err);
/** Read ROOT/ID/state.json without a lock. -ENOENT with TEXT_NOT_FOUND. */
int record_read(const struct runtime_globals *globals, const char *id, struct arena *arena,
		struct record *out, struct error *err);
/** The same from the open ROOT, when that is not shared. */
int record_read_below(int rootfd, const char *id, struct arena *arena, struct record *out,
		      struct error *err);
/** The same from the open folder. All of them: -EBADMSG when the file is no state at all, cut off
 *  or overwritten. */
int record_read_at(int dirfd, const char *id, struct arena *arena, struct record *out,
		   struct error *err);
/** Then: the members before the damage, if they are of this container's and of our version. */
int record_read_partly(int dirfd, const char *id, struct arena *arena, struct record *out,
		       struct error *err);

/** Removes ROOT/ID and what is in it. */
int record_remove(const struct runtime_globals *globals, const char *id, int dirfd,
		  struct error *err);

/** Notes which process is the container's: of all that ever have this pid it is the only one. */
int record_set_process(struct record *record, int dirfd, pid_t pid, int pidfd, struct error *err);
/** Is it there, and has not ended? */
bool record_is_alive(const struct record *record);
/** Derived: pid and start time, cgroup.events, exec.fifo. */
enum container_status record_status(const struct runtime_globals *globals,
				    const struct record *record);
/** The same from the open ROOT. */
enum container_status record_status_below(int rootfd, const struct record *record);

/** The word for a manager in state.json. */
const char *record_manager_name(enum cgroup_manager manager);
/** The recorded cgroup, not opened yet. */
void record_cgroup(const struct record *record, struct cgroup *out);

/** Notes on the cgroup that it is this container's. */
void record_note_cgroup(const struct record *record, const struct cgroup *cgroup);
/**
 * The recorded cgroup, opened to be ended; fd stays -EBADF when it is gone. So it does when it is
 * another container's since, one of another state directory that names the same cgroup, or cannot
 * be seen from here: then there is nothing to end or remove, and a warning (unless err is NULL).
 */
int record_open_cgroup(const struct record *record, struct cgroup *out, struct error *err);

/**
 * CLONE_NEW* of the namespaces that create made or joined, for a setns(2) by the pidfd of init. Of
 * those only the user namespace must not be ours already: setns into one's own is EINVAL.
 */
unsigned int record_namespaces_to_join(const struct record *record);

/** What hooks get, with this status and pid; borrows from record. */
void record_oci_state(const struct record *record, enum container_status status, pid_t pid,
		      struct oci_state *out);

/** The saved configuration, decoded. */
struct oci_config;
int record_load_config(int dirfd, struct arena *arena, struct oci_config **out, struct error *err);
/** Puts the resources of the last update, if there was one, in the place of the configuration's. */
int record_use_resources(const struct record *record, struct oci_config *config,
			 struct arena *arena, struct error *err);

#endif
