/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of the linux section of config.json. Rows stand in the order in which callers write them
 * (that of the Go structs), which is also the order of our own output.
 */
#include "spec/config-linux.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>

#include "lib/syscalls.h"
#include "spec/tables.h"

/* clang-format off */

/* -- names ----------------------------------------------------------------------------------------- */

const struct name_value oci_namespace_names[] = {
	{ "pid",     CLONE_NEWPID },
	{ "network", CLONE_NEWNET },
	{ "ipc",     CLONE_NEWIPC },
	{ "uts",     CLONE_NEWUTS },
	{ "mount",   CLONE_NEWNS },
	{ "user",    CLONE_NEWUSER },
	{ "cgroup",  CLONE_NEWCGROUP },
	{ "time",    CLONE_NEWTIME },
	{ NULL },
};

const struct name_value oci_propagation_names[] = {
	{ "private",     MS_PRIVATE },
	{ "rprivate",    MS_PRIVATE | MS_REC },
	{ "slave",       MS_SLAVE },
	{ "rslave",      MS_SLAVE | MS_REC },
	{ "shared",      MS_SHARED },
	{ "rshared",     MS_SHARED | MS_REC },
	{ "unbindable",  MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL },
};

/* "" is what Go callers send when nothing was chosen. */
static const struct name_value propagation_values[] = {
	{ "",            0 },
	{ "private",     MS_PRIVATE },
	{ "rprivate",    MS_PRIVATE | MS_REC },
	{ "slave",       MS_SLAVE },
	{ "rslave",      MS_SLAVE | MS_REC },
	{ "shared",      MS_SHARED },
	{ "rshared",     MS_SHARED | MS_REC },
	{ "unbindable",  MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL },
};

const struct name_value oci_seccomp_action_names[] = {
	{ "SCMP_ACT_ALLOW",        SECCOMP_ACTION_ALLOW },
	{ "SCMP_ACT_ERRNO",        SECCOMP_ACTION_ERRNO },
	{ "SCMP_ACT_KILL",         SECCOMP_ACTION_KILL },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_ACTION_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD",  SECCOMP_ACTION_KILL_THREAD },
	{ "SCMP_ACT_LOG",          SECCOMP_ACTION_LOG },
	{ "SCMP_ACT_NOTIFY",       SECCOMP_ACTION_NOTIFY },
	{ "SCMP_ACT_TRACE",        SECCOMP_ACTION_TRACE },
	{ "SCMP_ACT_TRAP",         SECCOMP_ACTION_TRAP },
	{ NULL },
};

const struct name_value oci_seccomp_operator_names[] = {
	{ "SCMP_CMP_EQ",        SECCOMP_OPERATOR_EQ },
	{ "SCMP_CMP_GE",        SECCOMP_OPERATOR_GE },
	{ "SCMP_CMP_GT",        SECCOMP_OPERATOR_GT },
	{ "SCMP_CMP_LE",        SECCOMP_OPERATOR_LE },
	{ "SCMP_CMP_LT",        SECCOMP_OPERATOR_LT },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_OPERATOR_MASKED_EQ },
	{ "SCMP_CMP_NE",        SECCOMP_OPERATOR_NE },
	{ NULL },
};

const struct name_value oci_seccomp_flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC",              SECCOMP_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG",                SECCOMP_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW",         SECCOMP_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FLAG_WAIT_KILLABLE_RECV },
	{ NULL },
};

const struct name_value oci_seccomp_arch_names[] = {
	{ "SCMP_ARCH_X86",         0 },  { "SCMP_ARCH_X86_64",      1 },
	{ "SCMP_ARCH_X32",         2 },  { "SCMP_ARCH_ARM",         3 },
	{ "SCMP_ARCH_AARCH64",     4 },  { "SCMP_ARCH_LOONGARCH64", 5 },
	{ "SCMP_ARCH_M68K",        6 },  { "SCMP_ARCH_MIPS",        7 },
	{ "SCMP_ARCH_MIPS64",      8 },  { "SCMP_ARCH_MIPS64N32",   9 },
	{ "SCMP_ARCH_MIPSEL",      10 }, { "SCMP_ARCH_MIPSEL64",    11 },
	{ "SCMP_ARCH_MIPSEL64N32", 12 }, { "SCMP_ARCH_PPC",         13 },
	{ "SCMP_ARCH_PPC64",       14 }, { "SCMP_ARCH_PPC64LE",     15 },
	{ "SCMP_ARCH_S390",        16 }, { "SCMP_ARCH_S390X",       17 },
	{ "SCMP_ARCH_SH",          18 }, { "SCMP_ARCH_SHEB",        19 },
	{ "SCMP_ARCH_PARISC",      20 }, { "SCMP_ARCH_PARISC64",    21 },
	{ "SCMP_ARCH_RISCV64",     22 },
	{ NULL },
};

const struct name_value oci_memory_policy_names[] = {
	{ "MPOL_DEFAULT",             MPOL_DEFAULT },
	{ "MPOL_PREFERRED",           MPOL_PREFERRED },
	{ "MPOL_BIND",                MPOL_BIND },
	{ "MPOL_INTERLEAVE",          MPOL_INTERLEAVE },
	{ "MPOL_LOCAL",               MPOL_LOCAL },
	{ "MPOL_PREFERRED_MANY",      MPOL_PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 }, /* an enumerator since Linux 6.9: #ifndef cannot see it */
	{ NULL },
};

const struct name_value oci_memory_policy_flag_names[] = {
	{ "MPOL_F_STATIC_NODES",   MPOL_F_STATIC_NODES },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ NULL },
};

const struct name_value oci_personality_names[] = {
	{ "LINUX",   PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ NULL },
};

static const struct name_value device_types[] = {
	{ "c", 0 }, { "b", 1 }, { "u", 2 }, { "p", 3 },
	{ NULL },
};

/* -- resources -------------------------------------------------------------------------------------- */

static const struct json_field device_rule_fields[] = {
	JSON_BOOL(struct oci_device_rule, "allow", allow, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_device_rule, "type", type),
	JSON_I64_OPT(struct oci_device_rule, "major", major),
	JSON_I64_OPT(struct oci_device_rule, "minor", minor),
	JSON_STRING(struct oci_device_rule, "access", access),
};
static const struct json_object device_rule_object =
	JSON_TABLE(struct oci_device_rule, device_rule_fields);

static const struct json_field memory_fields[] = {
	JSON_I64_OPT(struct oci_memory, "limit", limit),
	JSON_I64_OPT(struct oci_memory, "reservation", reservation),
	JSON_I64_OPT(struct oci_memory, "swap", swap),
	JSON_I64_OPT(struct oci_memory, "kernel", kernel),
	JSON_I64_OPT(struct oci_memory, "kernelTCP", kernel_tcp),
	JSON_U64_OPT(struct oci_memory, "swappiness", swappiness),
	JSON_BOOL_OPT(struct oci_memory, "disableOOMKiller", disable_oom_killer),
	JSON_BOOL_OPT(struct oci_memory, "useHierarchy", use_hierarchy),
	JSON_BOOL_OPT(struct oci_memory, "checkBeforeUpdate", check_before_update),
};
static const struct json_object memory_object = JSON_TABLE(struct oci_memory, memory_fields);

static const struct json_field cpu_fields[] = {
	JSON_U64_OPT(struct oci_cpu, "shares", shares),
	JSON_I64_OPT(struct oci_cpu, "quota", quota),
	JSON_U64_OPT(struct oci_cpu, "burst", burst),
	JSON_U64_OPT(struct oci_cpu, "period", period),
	JSON_I64_OPT(struct oci_cpu, "realtimeRuntime", realtime_runtime),
	JSON_U64_OPT(struct oci_cpu, "realtimePeriod", realtime_period),
	JSON_STRING(struct oci_cpu, "cpus", cpus),
	JSON_STRING(struct oci_cpu, "mems", mems),
	JSON_I64_OPT(struct oci_cpu, "idle", idle),
};
static const struct json_object cpu_object = JSON_TABLE(struct oci_cpu, cpu_fields);

static const struct json_field pids_fields[] = {
	JSON_I64_OPT(struct oci_pids, "limit", limit),
};
static const struct json_object pids_object = JSON_TABLE(struct oci_pids, pids_fields);

static const struct json_field weight_device_fields[] = {
	JSON_I64(struct oci_weight_device, "major", major, .flags = JSON_REQUIRED),
	JSON_I64(struct oci_weight_device, "minor", minor, .flags = JSON_REQUIRED),
	JSON_U16_OPT(struct oci_weight_device, "weight", weight),
	JSON_U16_OPT(struct oci_weight_device, "leafWeight", leaf_weight),
};
static const struct json_object weight_device_object =
	JSON_TABLE(struct oci_weight_device, weight_device_fields);

static const struct json_field throttle_device_fields[] = {
	JSON_I64(struct oci_throttle_device, "major", major, .flags = JSON_REQUIRED),
	JSON_I64(struct oci_throttle_device, "minor", minor, .flags = JSON_REQUIRED),
	JSON_U64(struct oci_throttle_device, "rate", rate, .flags = JSON_ALWAYS),
};
static const struct json_object throttle_device_object =
	JSON_TABLE(struct oci_throttle_device, throttle_device_fields);

static const struct json_field block_io_fields[] = {
	JSON_U16_OPT(struct oci_block_io, "weight", weight),
	JSON_U16_OPT(struct oci_block_io, "leafWeight", leaf_weight),
	JSON_OBJECTS(struct oci_block_io, "weightDevice", weight_device, &weight_device_object),
	JSON_OBJECTS(struct oci_block_io, "throttleReadBpsDevice", throttle_read_bps_device,
		     &throttle_device_object),
	JSON_OBJECTS(struct oci_block_io, "throttleWriteBpsDevice", throttle_write_bps_device,
		     &throttle_device_object),
	JSON_OBJECTS(struct oci_block_io, "throttleReadIOPSDevice", throttle_read_iops_device,
		     &throttle_device_object),
	JSON_OBJECTS(struct oci_block_io, "throttleWriteIOPSDevice", throttle_write_iops_device,
		     &throttle_device_object),
};
static const struct json_object block_io_object = JSON_TABLE(struct oci_block_io, block_io_fields);

static const struct json_field hugepage_limit_fields[] = {
	JSON_STRING(struct oci_hugepage_limit, "pageSize", page_size, .flags = JSON_REQUIRED),
	JSON_U64(struct oci_hugepage_limit, "limit", limit, .flags = JSON_REQUIRED),
};
static const struct json_object hugepage_limit_object =
	JSON_TABLE(struct oci_hugepage_limit, hugepage_limit_fields);

static const struct json_field interface_priority_fields[] = {
	JSON_STRING(struct oci_interface_priority, "name", name, .flags = JSON_REQUIRED),
	JSON_U32(struct oci_interface_priority, "priority", priority, .flags = JSON_REQUIRED),
};
static const struct json_object interface_priority_object =
	JSON_TABLE(struct oci_interface_priority, interface_priority_fields);

static const struct json_field network_fields[] = {
	JSON_U32_OPT(struct oci_network, "classID", class_id),
	JSON_OBJECTS(struct oci_network, "priorities", priorities, &interface_priority_object),
};
static const struct json_object network_object = JSON_TABLE(struct oci_network, network_fields);

static const struct json_field rdma_fields[] = {
	JSON_U32_OPT(struct oci_rdma, "hcaHandles", hca_handles),
	JSON_U32_OPT(struct oci_rdma, "hcaObjects", hca_objects),
};
static const struct json_object rdma_object = JSON_TABLE(struct oci_rdma, rdma_fields);

static const struct json_field resources_fields[] = {
	JSON_OBJECTS(struct oci_resources, "devices", devices, &device_rule_object),
	JSON_OBJECT(struct oci_resources, "memory", memory, &memory_object),
	JSON_OBJECT(struct oci_resources, "cpu", cpu, &cpu_object),
	JSON_OBJECT(struct oci_resources, "pids", pids, &pids_object),
	JSON_OBJECT(struct oci_resources, "blockIO", block_io, &block_io_object),
	JSON_OBJECTS(struct oci_resources, "hugepageLimits", hugepage_limits, &hugepage_limit_object),
	JSON_OBJECT(struct oci_resources, "network", network, &network_object),
	JSON_OBJECT_MAP(struct oci_resources, "rdma", rdma, &rdma_object),
	JSON_MAP(struct oci_resources, "unified", unified),
};
const struct json_object oci_resources_object = JSON_TABLE(struct oci_resources, resources_fields);

/* -- seccomp ---------------------------------------------------------------------------------------- */

static const struct json_field seccomp_arg_fields[] = {
	JSON_U32(struct oci_seccomp_arg, "index", index, .flags = JSON_REQUIRED),
	JSON_U64(struct oci_seccomp_arg, "value", value, .flags = JSON_REQUIRED),
	JSON_U64(struct oci_seccomp_arg, "valueTwo", value_two),
	JSON_NAME(struct oci_seccomp_arg, "op", op, oci_seccomp_operator_names, .flags = JSON_REQUIRED),
};
static const struct json_object seccomp_arg_object =
	JSON_TABLE(struct oci_seccomp_arg, seccomp_arg_fields);

static const struct json_field seccomp_syscall_fields[] = {
	JSON_STRINGS(struct oci_seccomp_syscall, "names", names, .flags = JSON_REQUIRED),
	JSON_NAME(struct oci_seccomp_syscall, "action", action, oci_seccomp_action_names,
		  .flags = JSON_REQUIRED),
	JSON_U32_OPT(struct oci_seccomp_syscall, "errnoRet", errno_ret),
	JSON_OBJECTS(struct oci_seccomp_syscall, "args", args, &seccomp_arg_object),
};
static const struct json_object seccomp_syscall_object =
	JSON_TABLE(struct oci_seccomp_syscall, seccomp_syscall_fields);

static const struct json_field seccomp_fields[] = {
	JSON_NAME(struct oci_seccomp, "defaultAction", default_action, oci_seccomp_action_names,
		  .flags = JSON_REQUIRED),
	JSON_U32_OPT(struct oci_seccomp, "defaultErrnoRet", default_errno_ret),
	JSON_STRINGS(struct oci_seccomp, "architectures", architectures,
		     .names = oci_seccomp_arch_names),
	JSON_FLAGS_OPT(struct oci_seccomp, "flags", flags, oci_seccomp_flag_names),
	JSON_STRING(struct oci_seccomp, "listenerPath", listener_path),
	JSON_STRING(struct oci_seccomp, "listenerMetadata", listener_metadata),
	JSON_OBJECTS(struct oci_seccomp, "syscalls", syscalls, &seccomp_syscall_object),
};
static const struct json_object seccomp_object = JSON_TABLE(struct oci_seccomp, seccomp_fields);

/* -- the section ------------------------------------------------------------------------------------ */

static const struct json_field id_mapping_fields[] = {
	JSON_U32(struct oci_id_mapping, "containerID", container_id, .flags = JSON_REQUIRED),
	JSON_U32(struct oci_id_mapping, "hostID", host_id, .flags = JSON_REQUIRED),
	JSON_U32(struct oci_id_mapping, "size", size, .flags = JSON_REQUIRED),
};
const struct json_object oci_id_mapping_object =
	JSON_TABLE(struct oci_id_mapping, id_mapping_fields);

static const struct json_field namespace_fields[] = {
	JSON_NAME_U64(struct oci_namespace, "type", type, oci_namespace_names,
		      .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_namespace, "path", path),
};
static const struct json_object namespace_object =
	JSON_TABLE(struct oci_namespace, namespace_fields);

static const struct json_field device_fields[] = {
	JSON_STRING(struct oci_device, "path", path, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_device, "type", type, .flags = JSON_REQUIRED, .names = device_types),
	JSON_I64_OPT(struct oci_device, "major", major),
	JSON_I64_OPT(struct oci_device, "minor", minor),
	JSON_U32_OPT(struct oci_device, "fileMode", file_mode),
	JSON_U32_OPT(struct oci_device, "uid", uid),
	JSON_U32_OPT(struct oci_device, "gid", gid),
};
static const struct json_object device_object = JSON_TABLE(struct oci_device, device_fields);

static const struct json_field net_device_fields[] = {
	JSON_STRING(struct oci_net_device, "name", name),
};
static const struct json_object net_device_object =
	JSON_TABLE(struct oci_net_device, net_device_fields);

static const struct json_field intel_rdt_fields[] = {
	JSON_STRING(struct oci_intel_rdt, "closID", clos_id),
	JSON_STRINGS(struct oci_intel_rdt, "schemata", schemata),
	JSON_STRING(struct oci_intel_rdt, "l3CacheSchema", l3_cache_schema),
	JSON_STRING(struct oci_intel_rdt, "memBwSchema", mem_bw_schema),
	JSON_BOOL(struct oci_intel_rdt, "enableMonitoring", enable_monitoring),
};
static const struct json_object intel_rdt_object =
	JSON_TABLE(struct oci_intel_rdt, intel_rdt_fields);

static const struct json_field memory_policy_fields[] = {
	JSON_NAME(struct oci_memory_policy, "mode", mode, oci_memory_policy_names,
		  JSON_HAS(struct oci_memory_policy, has_mode),
		  .complaint = "invalid memory policy mode"),
	JSON_STRING(struct oci_memory_policy, "nodes", nodes),
	JSON_FLAGS(struct oci_memory_policy, "flags", flags, oci_memory_policy_flag_names,
		   .complaint = "invalid memory policy flag"),
};
static const struct json_object memory_policy_object =
	JSON_TABLE(struct oci_memory_policy, memory_policy_fields);

static const struct json_field personality_fields[] = {
	JSON_NAME_U64(struct oci_personality, "domain", domain, oci_personality_names,
		      .flags = JSON_REQUIRED),
	JSON_STRINGS(struct oci_personality, "flags", flags),
};
static const struct json_object personality_object =
	JSON_TABLE(struct oci_personality, personality_fields);

static const struct json_field time_offset_fields[] = {
	JSON_I64(struct oci_time_offset, "secs", secs),
	JSON_U32(struct oci_time_offset, "nanosecs", nanosecs),
};
static const struct json_object time_offset_object =
	JSON_TABLE(struct oci_time_offset, time_offset_fields);

static const struct json_field time_offsets_fields[] = {
	JSON_OBJECT(struct oci_time_offsets, "monotonic", monotonic, &time_offset_object),
	JSON_OBJECT(struct oci_time_offsets, "boottime", boottime, &time_offset_object),
};
static const struct json_object time_offsets_object =
	JSON_TABLE(struct oci_time_offsets, time_offsets_fields);

static const struct json_field linux_fields[] = {
	JSON_OBJECTS(struct oci_linux, "uidMappings", uid_mappings, &oci_id_mapping_object),
	JSON_OBJECTS(struct oci_linux, "gidMappings", gid_mappings, &oci_id_mapping_object),
	JSON_MAP(struct oci_linux, "sysctl", sysctl),
	JSON_OBJECT(struct oci_linux, "resources", resources, &oci_resources_object),
	JSON_STRING(struct oci_linux, "cgroupsPath", cgroups_path),
	JSON_OBJECTS(struct oci_linux, "namespaces", namespaces, &namespace_object),
	JSON_OBJECTS(struct oci_linux, "devices", devices, &device_object),
	JSON_OBJECT_MAP(struct oci_linux, "netDevices", net_devices, &net_device_object),
	JSON_OBJECT(struct oci_linux, "seccomp", seccomp, &seccomp_object),
	JSON_NAME_U64(struct oci_linux, "rootfsPropagation", rootfs_propagation, propagation_values),
	JSON_STRINGS(struct oci_linux, "maskedPaths", masked_paths),
	JSON_STRINGS(struct oci_linux, "readonlyPaths", readonly_paths),
	JSON_STRING(struct oci_linux, "mountLabel", mount_label),
	JSON_OBJECT(struct oci_linux, "intelRdt", intel_rdt, &intel_rdt_object),
	JSON_OBJECT(struct oci_linux, "memoryPolicy", memory_policy, &memory_policy_object),
	JSON_OBJECT(struct oci_linux, "personality", personality, &personality_object),
	JSON_OBJECT(struct oci_linux, "timeOffsets", time_offsets, &time_offsets_object),
};
const struct json_object oci_linux_object = JSON_TABLE(struct oci_linux, linux_fields);
/* clang-format on */
