/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs call: each cli/cmd-<verb>.c turns argv into one of these calls and prints the
 * result. Nothing here prints or exits.
 */
#ifndef RUNTIME_LIFECYCLE_CONTAINER_H
#define RUNTIME_LIFECYCLE_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"
#include "runtime/plan/plan.h"
#include "spec/json-types.h"

/** The global options, resolved. */
struct runtime_globals {
	const char *root; /* state directory, absolute */
	bool root_is_default;
	const char *resctrl;	   /* root of the resctrl tree, NULL = where it is mounted */
	const char *seccomp_cache; /* directory for compiled filters, absolute */
	enum cgroup_manager cgroup_manager;
	bool rootless;
	bool debug;
	const struct error *unsealed; /* why our executable could not be sealed; NULL: it is */
};

/** create and run. */
struct container_create_options {
	const char *bundle;	    /* absolute */
	const char *config;	    /* file, NULL = bundle/config.json */
	const char *console_socket; /* absolute or NULL */
	const char *pidfd_socket;
	const char *pid_file; /* absolute or NULL */
	bool no_pivot;
	bool no_new_keyring;
	uint64_t preserve_fds;
	bool detach; /* run */
	bool keep;   /* run: don't delete at the end */
};

/** Sets up everything but the process itself; undoes all of it on failure. */
int container_create(const struct runtime_globals *globals, const char *id,
		     const struct container_create_options *options, struct error *err);
int container_start(const struct runtime_globals *globals, const char *id, struct error *err);

/** create + start (+ wait + delete). *out_status is the exit status to give (0 when detached). */
int container_run(const struct runtime_globals *globals, const char *id,
		  const struct container_create_options *options, int *out_status,
		  struct error *err);

/** checkpoint and restore: what criu is told. Paths are absolute; NULL = not given. */
struct container_criu_options {
	const char *image_path; /* never NULL */
	const char *work_path;	/* NULL = image_path */
	const char *manage_cgroups_mode, *network_lock;
	struct strv empty_ns;
	bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
	/* checkpoint */
	const char *parent_path; /* relative to image_path */
	const char *page_server; /* ADDRESS:PORT */
	const char *status_fd;	 /* a number */
	bool leave_running, pre_dump, tcp_skip_in_flight, link_remap;
	/* restore */
	const char *lsm_profile, *lsm_mount_context;
	bool tcp_close;
};

/** Write the container's processes to image_path; it is deleted then, unless asked otherwise. */
int container_checkpoint(const struct runtime_globals *globals, const char *id,
			 const struct container_criu_options *options, struct error *err);
/** A new container whose processes come from image_path; then as container_run. */
int container_restore(const struct runtime_globals *globals, const char *id,
		      const struct container_create_options *options,
		      const struct container_criu_options *criu, int *out_status,
		      struct error *err);

/**
 * Mount what a file has, an array like mounts of config.json, into a container that runs, or detach
 * what is mounted at its destinations. All of it or, after a failure, nothing more than before;
 * of several that are to go those before the failing one are gone.
 */
int container_add_mounts(const struct runtime_globals *globals, const char *id, const char *file,
			 struct error *err);
int container_remove_mounts(const struct runtime_globals *globals, const char *id, const char *file,
			    struct error *err);

struct container_exec_options {
	const char *process_file; /* -p; NULL = args below on the config's process */
	char **args;		  /* NULL-terminated */
	const char *console_socket, *pidfd_socket, *pid_file;
	const char *cwd, *user;
	struct strv env, additional_gids, caps;
	bool terminal, detach, no_new_privileges, ignore_paused;
	const char *process_label, *apparmor;
	struct strv cgroup; /* --cgroup [ctrl:]PATH */
	uint64_t preserve_fds;
};
int container_exec(const struct runtime_globals *globals, const char *id,
		   const struct container_exec_options *options, int *out_status,
		   struct error *err);

int container_kill(const struct runtime_globals *globals, const char *id, int signal, bool all,
		   struct error *err);
struct oci_resources;
/** What an update asks for; the resources are completed in place. */
struct container_update {
	struct oci_resources *resources;
	const char *l3_cache_schema, *mem_bw_schema; /* for the resctrl group; NULL = as it is */
};
/** Other limits for a container that runs, is created or paused: all of them, or none. */
int container_update(const struct runtime_globals *globals, const char *id,
		     const struct container_update *asked, struct error *err);

/** What events tells beside statistics and OOM kills, each a bit: 1 << enum. */
enum event_watch {
	WATCH_MEMORY, /* counters of memory.events */
	WATCH_PIDS,   /* ... of pids.events */
	WATCH_CPU_PRESSURE,
	WATCH_MEMORY_PRESSURE,
	WATCH_IO_PRESSURE,
	WATCH_COUNT,
};
extern const char *const event_watch_names[WATCH_COUNT]; /* "memory-pressure" */

struct container_events {
	uint64_t interval_ns; /* between statistics; 0: once, and that is all */
	unsigned int watch;
	/** Gets each event as one line of JSON without the line's end; negative ends it all. */
	int (*tell)(const char *line, void *data, struct error *err);
	void *data;
};
/** Tells what happens in a container until it ends. */
int container_events(const struct runtime_globals *globals, const char *id,
		     const struct container_events *options, struct error *err);

/** Freeze all processes of a container that runs (or is created), and let them go on. With
 *  out_reclaimed (else NULL) the kernel takes back what memory of theirs it can: so many bytes. */
int container_pause(const struct runtime_globals *globals, const char *id, uint64_t *out_reclaimed,
		    struct error *err);
int container_resume(const struct runtime_globals *globals, const char *id, struct error *err);
/** Its processes by their numbers on the host, sorted; *out is malloc()ed. None when it has ended.
 */
int container_pids(const struct runtime_globals *globals, const char *id, pid_t **out,
		   size_t *out_count, struct error *err);
/** Whether pid is one of those that container_pids() gave. */
bool container_has_pid(const pid_t *pids, size_t count, pid_t pid);
/** force: kills first; an unknown id is then success. */
int container_delete(const struct runtime_globals *globals, const char *id, bool force,
		     struct error *err);

/** runc's words, derived each time from pid, start time, exec.fifo, cgroup.freeze. */
enum container_status {
	CONTAINER_CREATING,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
};
extern const char *const container_status_names[];

struct container_info {
	const char *id, *bundle, *rootfs, *created;
	uint32_t owner; /* uid that made it */
	struct json_map annotations;
	const char *extension; /* the object of our own members, as text; NULL = none */
	enum container_status status;
	pid_t pid; /* 0 when stopped */
};
/**
 * Wait for its end (at once when it has ended) and tell how it was; it is recorded for `state`.
 * Strings go to arena. An error when it ended unseen: the kernel tells no one else than a waiter.
 */
struct exit_record;
int container_wait(const struct runtime_globals *globals, const char *id, struct arena *arena,
		   struct exit_record *out, struct error *err);

/** One container; takes no lock. Strings are the arena's. */
int container_load_info(const struct runtime_globals *globals, const char *id, struct arena *arena,
			struct container_info *out, struct error *err);
/**
 * All of them, sorted by id; broken ones are left out with a debug line. *out is an array for
 * free(), what is in it is the arena's.
 */
int container_list(const struct runtime_globals *globals, struct arena *arena,
		   struct container_info **out, size_t *out_count, struct error *err);
/**
 * Containers whose create was killed before they came to be, and that nobody works on: all that was
 * made of them is removed, unless remove is false. Their ids go to out, sorted. A failure does not
 * keep the others; the first one is the error, the rest are warnings.
 */
int container_gc(const struct runtime_globals *globals, bool remove, struct strv *out,
		 struct error *err);
/** The ids that match an extended regular expression, regex(7), anywhere in them. */
int container_match(const struct runtime_globals *globals, const char *pattern, struct strv *out,
		    struct error *err);

#endif
