/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: config.json turned into numbers before anything happens. Whoever acts (host side and
 * container side) sees only this; whoever plans needs no privilege, so it is tested without root.
 * Everything that a plan points to lives in its arena, or in the oci_config it was compiled from,
 * which must outlive it.
 */
#ifndef RUNTIME_PLAN_PLAN_H
#define RUNTIME_PLAN_PLAN_H

#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/alloc.h"
#include "lib/bitlist.h"
#include "lib/error.h"

struct oci_config;
struct oci_process;

/* -- namespaces -------------------------------------------------------------------------------- */

/** In the order of joining: user first when it must give the rights for the others. */
enum namespace_kind {
	NS_USER,
	NS_MOUNT,
	NS_PID,
	NS_NETWORK,
	NS_IPC,
	NS_UTS,
	NS_CGROUP,
	NS_TIME,
	NS_COUNT,
};

struct namespace_info {
	const char *oci_name;  /* "mount" */
	const char *proc_name; /* "mnt": the file in /proc/PID/ns */
	unsigned int clone_flag;
};
extern const struct namespace_info namespace_table[NS_COUNT];

enum namespace_mode { NS_INHERIT, NS_NEW, NS_JOIN };

struct plan_namespace {
	enum namespace_mode mode;
	const char *path; /* NS_JOIN: what to open */
};

struct plan_idmap {
	uint32_t inside, outside, size;
};

/** Of a user namespace; for an id-mapped mount, inside is the file system's id, outside the one
 * that shows. */
struct plan_idmaps {
	const struct plan_idmap *uids, *gids;
	size_t uid_count, gid_count;
};

/* -- mounts ------------------------------------------------------------------------------------ */

enum plan_mount_kind {
	PLAN_MOUNT_FS,	    /* fsopen(type) + fsconfig(data) + fsmount */
	PLAN_MOUNT_BIND,    /* open_tree(source) */
	PLAN_MOUNT_CGROUP,  /* cgroup or cgroup2: fresh in a new cgroup namespace, else our subtree
			       bound */
	PLAN_MOUNT_REMOUNT, /* change what is at the destination */
};

enum plan_mount_flags {
	PLAN_MOUNT_RECURSIVE = 1 << 0, /* rbind */
	PLAN_MOUNT_TMPCOPYUP = 1 << 1,
	PLAN_MOUNT_COPY_SYMLINK = 1 << 2,
	PLAN_MOUNT_SRC_NOFOLLOW = 1 << 3,
	PLAN_MOUNT_DEST_NOFOLLOW = 1 << 4,
	PLAN_MOUNT_REAL_DIR = 1 << 5, /* proc, sysfs: the destination must be an ordinary folder */
	PLAN_MOUNT_LATE_RO = 1 << 6,  /* read-only when everything in it is made */
	PLAN_MOUNT_IDMAP_RECURSIVE = 1 << 7, /* ridmap */
	PLAN_MOUNT_RELABEL = 1 << 8, /* mqueue: the label is set on the mount, not by an option */
};

/** plan_mount.idmap besides the numbers of plan.mount_maps. */
enum { PLAN_IDMAP_NONE = 0, PLAN_IDMAP_CONTAINER = -1 };

struct plan_mount {
	enum plan_mount_kind kind;
	unsigned int flags;
	const char *type;	 /* file system type, NULL for binds */
	const char *source;	 /* absolute for binds (bundle applied); else the fs "source" */
	const char *destination; /* as configured, cleaned, absolute inside the rootfs */
	const char *const
		*data; /* "key=value" or "flag" for fsconfig, NULL-terminated, never NULL */
	uint64_t attr_set, attr_clear;	       /* MOUNT_ATTR_*: this mount, after ... */
	uint64_t attr_set_rec, attr_clear_rec; /* ... the whole tree (rro ...) */
	uint64_t attr_drop; /* of a bind's source, not asked for: cleared unless locked */
	int idmap;	    /* in plan.mount_maps, counted from 1, or PLAN_IDMAP_* */
	const unsigned long
		*propagation; /* MS_SHARED|MS_REC ..., in order, 0-terminated; may be NULL */
	size_t index;	      /* in config.json's mounts[], for messages */
};

/* -- devices, limits, sysctl, hooks ------------------------------------------------------------ */

struct plan_device {
	const char *path; /* inside the rootfs */
	mode_t type;	  /* S_IFCHR, S_IFBLK, S_IFIFO */
	dev_t number;
	mode_t mode;
	uint32_t uid, gid;
	bool is_default; /* one of the always-made nodes: an existing right one is fine */
};

struct plan_net_device {
	const char *host_name;
	const char *name; /* in the container; may be a template: "eth%d" */
};

struct plan_rlimit {
	int resource;
	const char *name; /* "RLIMIT_NOFILE" */
	struct rlimit limit;
	size_t index; /* in config.json's list */
};

struct plan_sysctl {
	const char *key;  /* as config.json has it */
	const char *file; /* below /proc/sys: "net/ipv4/ip_forward" */
	const char *value;
};

enum hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_COUNT,
};
extern const char *const hook_names[HOOK_COUNT]; /* "createRuntime" */

struct plan_hook {
	const char *path;
	char *const *argv; /* never NULL */
	char *const *env;  /* exactly this, never NULL */
	int64_t timeout;   /* seconds, 0 = none */
	size_t index;	   /* in config.json's list */
};

enum hook_stream { HOOK_STDOUT, HOOK_STDERR, HOOK_STREAMS };

struct plan_hooks {
	const struct plan_hook *items;
	size_t count;
};

/* -- the process (of the container, or of exec) ------------------------------------------------ */

/**
 * How the listener of a filter gets from the process, which the filter is for by then, to the host
 * side. By the message is the better way; a filter may leave only the other one, with which the
 * host side must fetch it, for which users without privilege have no rights.
 */
enum plan_handover {
	HANDOVER_MESSAGE, /* sendmsg(2) with the fd */
	HANDOVER_NUMBER,  /* write(2) of its number, and pidfd_getfd(2) */
};

struct plan_seccomp {
	const struct sock_filter *filter; /* NULL = none */
	unsigned short length;
	unsigned int flags;	       /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
	bool is_raw;		       /* not from the profile: an annotation had it ready made */
	bool notifies;		       /* some calls wait for the answer of a listener ... */
	const char *listener;	       /* ... who is handed the fd at this unix socket ... */
	const char *listener_metadata; /* ... with this text, or NULL */
	enum plan_handover handover;
};

/** For sched_setattr(2). */
struct plan_scheduler {
	const char *policy; /* "SCHED_FIFO"; NULL = as it is */
	uint32_t number;    /* of the policy */
	uint32_t priority;
	int32_t nice;
	uint64_t flags;
	uint64_t runtime, deadline, period;
	bool cpus_limited; /* by the cgroup: the kernel then refuses deadlines */
};

/** linux/ioprio.h, which not every libc's headers go with. */
#define PLAN_IO_CLASS_SHIFT 13

struct plan_process {
	char *const *args; /* NULL: the container can be created, but not started */
	char *const
		*env; /* deduplicated, last wins, checked; HOME is added by init from /etc/passwd */
	const char *cwd;
	bool terminal;
	uint16_t console_width, console_height; /* 0 = not given */
	uint32_t uid, gid;
	mode_t umask; /* 022 unless given */
	const gid_t *groups;
	size_t group_count;
	bool keep_groups; /* those of our caller instead */
	uint64_t caps_bounding, caps_effective, caps_permitted, caps_inheritable, caps_ambient;
	bool no_new_privileges;
	bool has_ignored_signals;
	uint64_t ignored_signals; /* by our caller: bit 0 = signal 1; the payload starts without */
	bool has_oom_score_adj;
	int oom_score_adj;
	const struct plan_rlimit *rlimits;
	size_t rlimit_count;
	struct plan_scheduler scheduler;
	bool has_io_priority;
	int io_priority;			 /* as ioprio_set(2) takes it: class and priority */
	struct bitlist initial_cpus, final_cpus; /* exec: of the runtime while it enters the cgroup,
						    of the process behind it */
	const char *selinux_label;		 /* NULL = none */
	const char *apparmor_profile;
	struct plan_seccomp seccomp;
};

/* -- cgroup ------------------------------------------------------------------------------------ */

enum cgroup_manager { CGROUP_FS, CGROUP_SYSTEMD, CGROUP_DISABLED };

/** One value for one file of the v2 hierarchy, in the order of writing. */
struct plan_cgroup_write {
	const char *file; /* "memory.max" */
	const char *value;
	const char *instead;	   /* another file when there is no such file, or NULL ... */
	const char *instead_value; /* ... and what it gets */
	bool optional;		   /* neither file there: fine */
	const char *controller;	   /* "memory"; NULL = core file */
	const char *pointer;	   /* JSON pointer, for "not available here" */
};

/** For `explain`: what the device program decides by; the last one that matches does. */
struct plan_device_rule {
	bool allow;
	const char *type;     /* "c", "b", "a" = both */
	int32_t major, minor; /* -1 = any */
	const char *access;   /* "rwm" or less */
};

struct plan_cgroup {
	enum cgroup_manager manager;
	const char *path; /* absolute below the cgroup2 mount: "/orlop/ID"; systemd: that of the
			     unit, below the cgroup of the instance of systemd */
	uint32_t owner;	  /* uid on the host that it is given to; 0 = it is root's */
	/* of systemd alone */
	const char *slice, *unit; /* "a-b.slice", "prefix-name.scope" */
	const char *subgroup;	  /* the process is here below the unit's cgroup; NULL = in it */
	const char *delegated; /* of any manager: the process is moved here below its cgroup, in the
				  end; NULL = it stays */
	const char *unit_properties; /* by annotations, as in runtime/cgroup/systemd-request.h */
	size_t unit_properties_size;
	bool limits_asked; /* any write or device rule: lack of permission is an error then */
	const struct plan_cgroup_write *writes;
	size_t write_count;
	const struct bpf_insn *device_program;	     /* NULL = everything allowed: load nothing */
	size_t device_program_length;		     /* in instructions */
	const struct plan_device_rule *device_rules; /* the first one is for all devices */
	size_t device_rule_count;
};

struct oci_resources;

/** For update: what to write, and what the container's resources are then. */
struct plan_update {
	struct plan_cgroup cgroup;  /* writes, device program */
	bool changes_devices;	    /* the program is another one; NULL = none any more */
	bool checks_usage;	    /* memory.checkBeforeUpdate, with ... */
	int64_t memory_limit, swap; /* ... these, if positive: swap with memory, as in v1 */
	const struct oci_resources *resources;
};

/* -- intelRdt ---------------------------------------------------------------------------------- */

struct plan_rdt {
	const char *group;    /* below resctrl's root, "." = that itself; NULL = don't touch it */
	bool is_own;	      /* named by the container's id: comes and goes with it */
	const char *schemata; /* lines to write, or to compare; NULL = none */
	const char *monitor;  /* "mon_groups/ID" inside the group; NULL = none */
};

/* -- the whole --------------------------------------------------------------------------------- */

struct plan {
	struct arena arena;
	const char *id;
	const char *bundle; /* absolute, real */
	const char *rootfs; /* absolute, real */
	bool rootfs_readonly;
	unsigned long rootfs_propagation; /* MS_* | MS_REC; MS_SLAVE|MS_REC by default */
	bool no_pivot;
	bool no_new_keyring;
	bool rootless;	/* no CAP_SYS_ADMIN over the initial user namespace */
	bool look_only; /* nobody will act on it: the same on every host, see plan_request */

	struct plan_namespace namespaces[NS_COUNT];
	bool needs_joiner; /* init must be made from inside namespaces that a clone can't enter */
	const struct plan_idmap *uid_map, *gid_map; /* NS_JOIN has its maps: don't write them */
	size_t uid_map_count, gid_map_count;
	const char *time_offsets; /* text for /proc/PID/timens_offsets; NULL = none */

	const char *hostname, *domainname; /* NULL = leave */
	const struct plan_mount *mounts;
	size_t mount_count;
	const struct plan_idmaps *mount_maps; /* each once */
	size_t mount_map_count;
	const char *mount_label;	   /* SELinux context of the mounts, or NULL ... */
	const char *mount_context;	   /* ... and the mount option for it: "context" */
	const char *const *masked_paths;   /* NULL-terminated, never NULL */
	const char *const *readonly_paths; /* NULL-terminated, never NULL */
	const struct plan_device *devices; /* default ones first */
	size_t device_count;
	const struct plan_net_device *net_devices;
	size_t net_device_count;
	bool dev_is_bound; /* /dev is a bind of the host's: make no nodes or links in it */
	const struct plan_sysctl *sysctls;
	size_t sysctl_count;
	bool has_personality;
	unsigned long personality;
	const char *memory_policy; /* "MPOL_BIND"; NULL = as it is */
	int memory_mode;	   /* its number, with flags, as set_mempolicy(2) takes it */
	struct bitlist memory_nodes;

	struct plan_process process;
	struct plan_hooks hooks[HOOK_COUNT];
	const char
		*hook_output[HOOK_STREAMS]; /* absolute: append it there; NULL = to the message */
	struct plan_cgroup cgroup;
	struct plan_rdt rdt;
};

/** What the command line adds to config.json. */
struct plan_request {
	const char *id;
	const char *bundle; /* absolute */
	enum cgroup_manager cgroup_manager;
	bool no_pivot;
	bool no_new_keyring;
	bool rootless;
	bool detached;		   /* create, run -d: a terminal then needs a console socket */
	const char *seccomp_cache; /* directory for compiled filters; NULL = none */
	/* For explain and validate: what the host lacks (a rootfs, a security module, capabilities
	 * of the caller) does not matter. */
	bool look_only;
};

/**
 * Compile. The config has passed config_check. Values that cannot be acted upon are
 * ERROR_UNSUPPORTED with their JSON pointer. Warnings (capabilities that the bounding set lacks
 * ...) go to the log. *out is released by plan_done, also after failure.
 */
int plan_compile(const struct oci_config *config, const struct plan_request *request,
		 struct plan *out, struct error *err);

/**
 * The plan of a change to a container whose resources were `before` (NULL = none). change is in the
 * words of config.json and is completed in place. What out has lives in arena and in both
 * documents.
 */
int plan_compile_update(const struct oci_resources *before, struct oci_resources *change,
			bool rootless, struct arena *arena, struct plan_update *out,
			struct error *err);
/** The plan of all that is recorded of a container, as if nothing of it were there; without
 *  warnings, which its create and each update gave. */
int plan_compile_recorded(struct oci_resources *recorded, bool rootless, struct arena *arena,
			  struct plan_update *out, struct error *err);

struct findings;

/**
 * The same for validate, also of a document that breaks rules or could not be read in parts: what
 * fails is a finding, unless there is one about its place, and the rest is looked at. The plan
 * lacks what failed.
 */
void plan_examine(const struct oci_config *config, const struct plan_request *request,
		  struct plan *out, struct findings *findings);

/**
 * The plan of an additional process (exec): only .process is made, with the container's own
 * config for what an exec inherits (seccomp of the config when the process is from -p too).
 * seccomp is left empty: the caller loads the saved program of the container.
 */
int plan_compile_process(const struct oci_process *process, const struct oci_config *config,
			 struct plan *out, struct error *err);

/**
 * Who answers the calls that seccomp's program, which is there already, reports, and how he gets
 * the listener. A program that would have the runtime itself wait for him before is an error.
 */
int plan_find_listener(const struct oci_config *config, struct plan_seccomp *seccomp,
		       struct error *err);

/** For open_tree(2) of a bind's source. */
unsigned int plan_mount_clone_flags(const struct plan_mount *mount);

/**
 * So many of the first mounts can be made before the network namespace is there, and so can the
 * devices then: a sysfs shows the namespace of who mounts it, and what follows it does not reach
 * beyond /sys. All of them when nothing depends on it, or when the order cannot be changed unseen.
 */
size_t plan_mounts_before_network(const struct plan *plan);

void plan_done(struct plan *plan);
#define cleanup_plan __attribute__((cleanup(plan_done)))

/** "TYPE": sets of namespaces as clone flags: those with this mode. */
unsigned int plan_clone_flags(const struct plan *plan, enum namespace_mode mode);

#endif
