/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The linux section of config.json (runtime-spec 1.3, config-linux.md), member for member. Names
 * that stand for kernel numbers are decoded to those numbers; a name that nobody knows is an error
 * of the decoder. Seccomp's names are our own enums, because libseccomp stays behind one file.
 *
 * Pointers are NULL when the property is absent. Numbers whose 0 is a value have has_X beside them.
 */
#ifndef SPEC_CONFIG_LINUX_H
#define SPEC_CONFIG_LINUX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/table.h"
#include "spec/json-types.h"

#undef linux /* gnu11 predefines it as 1; the member of struct oci_config has this name */

struct oci_namespace {
	uint64_t type;	  /* CLONE_NEW* */
	const char *path; /* NULL or "" = a new one */
};

struct oci_id_mapping {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct oci_id_mappings {
	struct oci_id_mapping *items;
	size_t count;
};

struct oci_time_offset {
	int64_t secs;
	uint32_t nanosecs;
};

struct oci_time_offsets {
	struct oci_time_offset *monotonic;
	struct oci_time_offset *boottime;
};

struct oci_device {
	const char *type; /* "c", "b", "u", "p" */
	const char *path;
	int64_t major;
	int64_t minor;
	uint32_t file_mode;
	uint32_t uid;
	uint32_t gid;
	bool has_major;
	bool has_minor;
	bool has_file_mode;
	bool has_uid;
	bool has_gid;
};

struct oci_net_device {
	const char *host_name; /* the key of the map */
	const char *name;      /* in the container; NULL or "" = the same */
};

/* -- resources --------------------------------------------------------------------------------- */

struct oci_device_rule {
	bool allow;
	const char *type;   /* "a", "b", "c"; NULL or "" = a */
	const char *access; /* of "rwm"; NULL or "" = all */
	int64_t major;	    /* absent or -1 = all */
	int64_t minor;
	bool has_major;
	bool has_minor;
};

struct oci_memory {
	int64_t limit;
	int64_t reservation;
	int64_t swap;
	int64_t kernel;
	int64_t kernel_tcp;
	uint64_t swappiness;
	bool disable_oom_killer;
	bool use_hierarchy;
	bool check_before_update;
	bool has_limit;
	bool has_reservation;
	bool has_swap;
	bool has_kernel;
	bool has_kernel_tcp;
	bool has_swappiness;
	bool has_disable_oom_killer;
	bool has_use_hierarchy;
	bool has_check_before_update;
};

struct oci_cpu {
	uint64_t shares;
	int64_t quota;
	uint64_t burst;
	uint64_t period;
	int64_t realtime_runtime;
	uint64_t realtime_period;
	int64_t idle;
	const char *cpus;
	const char *mems;
	bool has_shares;
	bool has_quota;
	bool has_burst;
	bool has_period;
	bool has_realtime_runtime;
	bool has_realtime_period;
	bool has_idle;
};

struct oci_pids {
	int64_t limit; /* 0 is a value */
	bool has_limit;
};

struct oci_weight_device {
	int64_t major;
	int64_t minor;
	uint16_t weight;
	uint16_t leaf_weight;
	bool has_weight;
	bool has_leaf_weight;
};

struct oci_throttle_device {
	int64_t major;
	int64_t minor;
	uint64_t rate;
};

struct oci_throttle_devices {
	struct oci_throttle_device *items;
	size_t count;
};

struct oci_block_io {
	uint16_t weight;
	uint16_t leaf_weight;
	bool has_weight;
	bool has_leaf_weight;
	JSON_LIST(struct oci_weight_device) weight_device;
	struct oci_throttle_devices throttle_read_bps_device;
	struct oci_throttle_devices throttle_write_bps_device;
	struct oci_throttle_devices throttle_read_iops_device;
	struct oci_throttle_devices throttle_write_iops_device;
};

struct oci_hugepage_limit {
	const char *page_size;
	uint64_t limit;
};

struct oci_interface_priority {
	const char *name;
	uint32_t priority;
};

struct oci_network {
	uint32_t class_id;
	bool has_class_id;
	JSON_LIST(struct oci_interface_priority) priorities;
};

struct oci_rdma {
	const char *name; /* the key of the map: the device */
	uint32_t hca_handles;
	uint32_t hca_objects;
	bool has_hca_handles;
	bool has_hca_objects;
};

struct oci_resources {
	JSON_LIST(struct oci_device_rule) devices;
	struct oci_memory *memory;
	struct oci_cpu *cpu;
	struct oci_pids *pids;
	struct oci_block_io *block_io;
	JSON_LIST(struct oci_hugepage_limit) hugepage_limits;
	struct oci_network *network;
	JSON_LIST(struct oci_rdma) rdma;
	struct json_map unified;
};

/* -- seccomp ----------------------------------------------------------------------------------- */

enum seccomp_action { /* the numbers are ours; 0 = not given */
		      SECCOMP_ACTION_KILL = 1,
		      SECCOMP_ACTION_KILL_PROCESS,
		      SECCOMP_ACTION_KILL_THREAD,
		      SECCOMP_ACTION_TRAP,
		      SECCOMP_ACTION_ERRNO,
		      SECCOMP_ACTION_TRACE,
		      SECCOMP_ACTION_ALLOW,
		      SECCOMP_ACTION_LOG,
		      SECCOMP_ACTION_NOTIFY,
};

enum seccomp_operator {
	SECCOMP_OPERATOR_NE = 1,
	SECCOMP_OPERATOR_LT,
	SECCOMP_OPERATOR_LE,
	SECCOMP_OPERATOR_EQ,
	SECCOMP_OPERATOR_GE,
	SECCOMP_OPERATOR_GT,
	SECCOMP_OPERATOR_MASKED_EQ,
};

enum seccomp_flag { /* bits of oci_seccomp.flags: the kernel's SECCOMP_FILTER_FLAG_* */
		    SECCOMP_FLAG_TSYNC = 1 << 0,
		    SECCOMP_FLAG_LOG = 1 << 1,
		    SECCOMP_FLAG_SPEC_ALLOW = 1 << 2,
		    SECCOMP_FLAG_WAIT_KILLABLE_RECV = 1 << 5,
};

struct oci_seccomp_arg {
	uint32_t index;
	int op; /* enum seccomp_operator */
	uint64_t value;
	uint64_t value_two;
};

struct oci_seccomp_syscall {
	struct json_strings names;
	int action; /* enum seccomp_action */
	uint32_t errno_ret;
	bool has_errno_ret;
	JSON_LIST(struct oci_seccomp_arg) args;
};

struct oci_seccomp {
	int default_action; /* enum seccomp_action */
	uint32_t default_errno_ret;
	bool has_default_errno_ret;
	bool has_flags; /* [] is not the same as absent, which means SPEC_ALLOW */
	uint64_t flags; /* enum seccomp_flag, or-ed */
	struct json_strings architectures; /* "SCMP_ARCH_*", each one known to the specification */
	const char *listener_path;
	const char *listener_metadata;
	JSON_LIST(struct oci_seccomp_syscall) syscalls;
};

/* -- the rest ---------------------------------------------------------------------------------- */

struct oci_intel_rdt {
	const char *clos_id;
	struct json_strings schemata;
	const char *l3_cache_schema;
	const char *mem_bw_schema;
	bool enable_monitoring;
};

struct oci_personality {
	uint64_t domain; /* PER_LINUX, PER_LINUX32 */
	struct json_strings flags;
};

struct oci_memory_policy {
	int mode; /* MPOL_* */
	bool has_mode;
	uint64_t flags; /* MPOL_F_*, or-ed */
	const char *nodes;
};

struct oci_linux {
	struct oci_id_mappings uid_mappings;
	struct oci_id_mappings gid_mappings;
	JSON_LIST(struct oci_namespace) namespaces;
	struct oci_time_offsets *time_offsets;
	JSON_LIST(struct oci_device) devices;
	JSON_LIST(struct oci_net_device) net_devices;
	const char *cgroups_path;
	struct oci_resources *resources;
	uint64_t rootfs_propagation; /* MS_PRIVATE ... perhaps | MS_REC; 0 = not given */
	struct oci_seccomp *seccomp;
	struct json_map sysctl;
	struct json_strings masked_paths;
	struct json_strings readonly_paths;
	const char *mount_label;
	struct oci_intel_rdt *intel_rdt;
	struct oci_personality *personality;
	struct oci_memory_policy *memory_policy;
};

/* -- the names, for error messages and `features` ---------------------------------------------- */

extern const struct name_value oci_namespace_names[];	/* "pid" -> CLONE_NEWPID ... */
extern const struct name_value oci_propagation_names[]; /* "rslave" -> MS_SLAVE | MS_REC ... */
extern const struct name_value oci_seccomp_action_names[];
extern const struct name_value oci_seccomp_operator_names[];
extern const struct name_value oci_seccomp_flag_names[];
extern const struct name_value oci_seccomp_arch_names[]; /* value = index, no meaning */
extern const struct name_value oci_memory_policy_names[];
extern const struct name_value oci_memory_policy_flag_names[];
extern const struct name_value oci_personality_names[];

#endif
