/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of a bundle (runtime-spec 1.3), decoded member for member; the sections of other
 * operating systems are ignored. Everything lives in the arena given to the decoder, and numbers
 * are as the document has them: what they mean is the plan's business.
 */
#ifndef SPEC_CONFIG_H
#define SPEC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/table.h"
#include "spec/config-linux.h"
#include "spec/findings.h"
#include "spec/json-types.h"

/** The version of the runtime specification that this program implements. */
#define OCI_RUNTIME_VERSION "1.3.0"

struct oci_root {
	const char *path;
	bool readonly;
};

struct oci_mount {
	const char *destination;
	const char *type;
	const char *source;
	struct json_strings options;
	struct oci_id_mappings uid_mappings;
	struct oci_id_mappings gid_mappings;
};

struct oci_console_size {
	uint16_t height;
	uint16_t width;
};

struct oci_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t umask;
	bool has_umask;
	struct json_numbers additional_gids;
	const char *username; /* Windows */
};

struct oci_capabilities {
	struct json_strings bounding;
	struct json_strings effective;
	struct json_strings inheritable;
	struct json_strings permitted;
	struct json_strings ambient;
};

struct oci_rlimit {
	int type; /* RLIMIT_* */
	uint64_t hard;
	uint64_t soft;
};

struct oci_io_priority {
	int class; /* the kernel's IOPRIO_CLASS_*: 0 none, 1 real time, 2 best effort, 3 idle */
	bool has_class;
	int32_t priority;
};

struct oci_scheduler {
	int policy; /* SCHED_* */
	bool has_policy;
	int32_t nice;
	int32_t priority;
	uint64_t flags; /* SCHED_FLAG_*, or-ed */
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

/** Above what any kernel can be built for: lists of CPUs and memory nodes end below. */
#define OCI_CPUS_MAX 8192
#define OCI_NODES_MAX 1024

struct oci_cpu_affinity {
	const char *initial;
	const char *final;
};

struct oci_process {
	bool terminal;
	struct oci_console_size *console_size;
	struct oci_user user;
	struct json_strings args;
	const char *command_line; /* Windows */
	struct json_strings env;
	const char *cwd;
	struct oci_capabilities *capabilities;
	JSON_LIST(struct oci_rlimit) rlimits;
	bool no_new_privileges;
	const char *apparmor_profile;
	const char *selinux_label;
	int32_t oom_score_adj; /* 0 is a value */
	bool has_oom_score_adj;
	struct oci_scheduler *scheduler;
	struct oci_io_priority *io_priority;
	struct oci_cpu_affinity *exec_cpu_affinity;
};

struct oci_hook {
	const char *path;
	struct json_strings args; /* args[0] is argv[0]; empty = the path */
	struct json_strings env;
	int64_t timeout; /* seconds */
	bool has_timeout;
};

struct oci_hook_list {
	struct oci_hook *items;
	size_t count;
};

struct oci_hooks {
	struct oci_hook_list prestart;
	struct oci_hook_list create_runtime;
	struct oci_hook_list create_container;
	struct oci_hook_list start_container;
	struct oci_hook_list poststart;
	struct oci_hook_list poststop;
};

struct oci_config {
	const char *oci_version;
	struct oci_process *process;
	struct oci_root *root;
	const char *hostname;
	const char *domainname;
	struct oci_mount_list {
		struct oci_mount *items;
		size_t count;
	} mounts;
	struct oci_hooks *hooks;
	struct json_map annotations;
	struct oci_linux *linux;
};

/**
 * Decode a document from memory. name stands for it in messages ("config.json:12:7: ..."). The text
 * is not referred to afterwards. What follows the first JSON value is ignored, as runc does.
 */
int config_decode(const char *name, const char *text, size_t size, struct arena *arena,
		  struct oci_config **out, struct error *err);
/** The `process` document of `exec --process`. */
int process_decode(const char *name, const char *text, size_t size, struct arena *arena,
		   struct oci_process **out, struct error *err);
/** The `linux.resources` document of `update -r`. */
int resources_decode(const char *name, const char *text, size_t size, struct arena *arena,
		     struct oci_resources **out, struct error *err);

/** The most that a config.json may have; far above what the largest real one needs. */
#define CONFIG_SIZE_MAX ((size_t)16 << 20)

/** Read dirfd/path and decode it; raw (may be NULL) gets the bytes as they were. */
int config_load(int dirfd, const char *path, struct arena *arena, struct strbuf *raw,
		struct oci_config **out, struct error *err);

/** Append the document to out. */
void config_write(const struct oci_config *config, enum json_style style, struct strbuf *out);
void process_write(const struct oci_process *process, enum json_style style, struct strbuf *out);
void resources_write(const struct oci_resources *resources, enum json_style style,
		     struct strbuf *out);

/**
 * The rules that need no kernel and no file system: versions, process, conflicts between sections.
 * Stops at the first one broken: code ERROR_INVALID, err->pointer says where.
 */
int config_check(const struct oci_config *config, struct error *err);
/** All of them that are broken, behind what the decoder has found already. */
void config_check_all(const struct oci_config *config, struct findings *findings);
/** The part of it for a process document of its own. */
int process_check(const struct oci_process *process, struct error *err);

/**
 * Decoding and checking at once, for people: all that is wrong is appended to findings (see
 * findings_locate for the lines). 0 when nothing is: only then *out is a config to plan with; after
 * failure it has what could be decoded.
 */
int config_examine(const char *text, size_t size, struct arena *arena, struct findings *findings,
		   struct oci_config **out);

/** The document that `spec` writes: a shell in the usual sandbox. */
struct oci_config *config_default(struct arena *arena);
/** The same for a user without privilege: the user namespace maps uid and gid to root. */
struct oci_config *config_default_rootless(struct arena *arena, uint32_t uid, uint32_t gid);

extern const struct name_value oci_rlimit_names[];
extern const struct name_value oci_scheduler_policy_names[];
extern const struct name_value oci_scheduler_flag_names[];
extern const struct name_value oci_io_class_names[];

#endif
