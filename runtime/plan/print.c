/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as text, a line for each thing that will be done, in the order of doing. */
#include "runtime/plan/print.h"

#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "lib/table.h"
#include "runtime/plan/caps.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"

/* clang-format off */
static const struct name_value attribute_names[] = {
	{ "ro", MOUNT_ATTR_RDONLY }, { "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV }, { "noexec", MOUNT_ATTR_NOEXEC },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME }, { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	{ NULL, 0 },
};

static const struct name_value flag_names[] = {
	{ "recursive", PLAN_MOUNT_RECURSIVE }, { "tmpcopyup", PLAN_MOUNT_TMPCOPYUP },
	{ "copy-symlink", PLAN_MOUNT_COPY_SYMLINK }, { "src-nofollow", PLAN_MOUNT_SRC_NOFOLLOW },
	{ "dest-nofollow", PLAN_MOUNT_DEST_NOFOLLOW }, { "real-dir", PLAN_MOUNT_REAL_DIR },
	{ NULL, 0 },
};

static const struct name_value propagation_names[] = {
	{ "shared", MS_SHARED }, { "slave", MS_SLAVE }, { "private", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE }, { NULL, 0 },
};

static const char *const kind_names[] = {
	[PLAN_MOUNT_FS] = "fs", [PLAN_MOUNT_BIND] = "bind", [PLAN_MOUNT_CGROUP] = "cgroup",
	[PLAN_MOUNT_REMOUNT] = "remount",
};

static const char *const manager_names[] = {
	[CGROUP_FS] = "cgroupfs", [CGROUP_SYSTEMD] = "systemd", [CGROUP_DISABLED] = "disabled",
};
/* clang-format on */

/* " label=a,b,c" of those bits that are set; nothing when none is. */
static void print_bits(FILE *out, const char *label, const struct name_value *table, uint64_t bits)
{
	const char *separator = "=";

	if (!bits)
		return;
	fprintf(out, " %s", label);
	for (; table->name; table++) {
		if (bits & (uint64_t)table->value) {
			fprintf(out, "%s%s", separator, table->name);
			separator = ",";
		}
	}
}

static void print_atime(FILE *out, const char *label, uint64_t set, uint64_t clear)
{
	uint64_t value = set & MOUNT_ATTR__ATIME;

	if (clear & MOUNT_ATTR__ATIME)
		fprintf(out, " %s=%s", label,
			value == MOUNT_ATTR_NOATIME	  ? "noatime"
			: value == MOUNT_ATTR_STRICTATIME ? "strictatime"
							  : "relatime");
}

static void print_propagation(FILE *out, unsigned long flags)
{
	fprintf(out, " %s%s", flags & MS_REC ? "r" : "",
		table_name(propagation_names, (int64_t)(flags & ~(unsigned long)MS_REC)));
}

static void print_namespaces(FILE *out, const struct plan *plan)
{
	for (size_t i = 0; i < NS_COUNT; i++) {
		const struct plan_namespace *ns = &plan->namespaces[i];

		if (ns->mode == NS_NEW)
			fprintf(out, "namespace %s new\n", namespace_table[i].oci_name);
		else if (ns->mode == NS_JOIN)
			fprintf(out, "namespace %s join %s\n", namespace_table[i].oci_name,
				ns->path);
	}
	if (plan->needs_joiner)
		fputs("joiner\n", out);
	for (size_t i = 0; i < plan->uid_map_count; i++)
		fprintf(out, "uid-map %u %u %u\n", plan->uid_map[i].inside,
			plan->uid_map[i].outside, plan->uid_map[i].size);
	for (size_t i = 0; i < plan->gid_map_count; i++)
		fprintf(out, "gid-map %u %u %u\n", plan->gid_map[i].inside,
			plan->gid_map[i].outside, plan->gid_map[i].size);
	if (plan->time_offsets)
		fprintf(out, "time-offsets\n%s", plan->time_offsets);
	for (size_t i = 0; i < plan->net_device_count; i++)
		fprintf(out, "net-device %s as %s\n", plan->net_devices[i].host_name,
			plan->net_devices[i].name);
	if (plan->hostname)
		fprintf(out, "hostname %s\n", plan->hostname);
	if (plan->domainname)
		fprintf(out, "domainname %s\n", plan->domainname);
}

static void print_mount(FILE *out, const struct plan_mount *mount)
{
	fprintf(out, "mount %s", kind_names[mount->kind]);
	if (mount->type)
		fprintf(out, " %s", mount->type);
	if (mount->source)
		fprintf(out, " %s", mount->source);
	fprintf(out, " on %s", mount->destination);
	print_bits(out, "flags", flag_names, mount->flags);
	print_bits(out, "set", attribute_names, mount->attr_set);
	print_bits(out, "clear", attribute_names, mount->attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME);
	print_atime(out, "atime", mount->attr_set, mount->attr_clear);
	print_bits(out, "rset", attribute_names, mount->attr_set_rec);
	print_bits(out, "rclear", attribute_names,
		   mount->attr_clear_rec & ~(uint64_t)MOUNT_ATTR__ATIME);
	print_atime(out, "ratime", mount->attr_set_rec, mount->attr_clear_rec);
	for (const unsigned long *p = mount->propagation; p && *p; p++)
		print_propagation(out, *p);
	for (size_t i = 0; mount->data[i]; i++)
		fprintf(out, "%s%s", i ? "," : " data=", mount->data[i]);
	fputc('\n', out);
}

static void print_rootfs(FILE *out, const struct plan *plan)
{
	fprintf(out, "rootfs %s%s", plan->rootfs, plan->rootfs_readonly ? " ro" : "");
	print_propagation(out, plan->rootfs_propagation);
	fprintf(out, "%s\n", plan->no_pivot ? " no-pivot" : "");
	for (size_t i = 0; i < plan->mount_count; i++)
		print_mount(out, &plan->mounts[i]);
	for (size_t i = 0; i < plan->device_count; i++) {
		const struct plan_device *device = &plan->devices[i];
		char type = S_ISCHR(device->type) ? 'c' : S_ISBLK(device->type) ? 'b' : 'p';

		fprintf(out, "device %s %c %u:%u %04o %u:%u\n", device->path, type,
			major(device->number), minor(device->number), device->mode, device->uid,
			device->gid);
	}
	for (size_t i = 0; plan->masked_paths[i]; i++)
		fprintf(out, "mask %s\n", plan->masked_paths[i]);
	for (size_t i = 0; plan->readonly_paths[i]; i++)
		fprintf(out, "read-only %s\n", plan->readonly_paths[i]);
	for (size_t i = 0; i < plan->sysctl_count; i++)
		fprintf(out, "sysctl %s=%s\n", plan->sysctls[i].file, plan->sysctls[i].value);
}

static void print_capabilities(FILE *out, const char *set, uint64_t mask)
{
	char name[CAPABILITY_NAME_MAX];

	if (!mask)
		return;
	fprintf(out, "capabilities %s", set);
	for (int i = 0; i < 64; i++)
		if (mask & (UINT64_C(1) << i) && capability_name(i, name))
			fprintf(out, " %s", name);
	fputc('\n', out);
}

static void print_limits(FILE *out, const struct plan_process *process)
{
	for (size_t i = 0; i < process->rlimit_count; i++)
		fprintf(out, "rlimit %s %llu %llu\n", process->rlimits[i].name,
			(unsigned long long)process->rlimits[i].limit.rlim_cur,
			(unsigned long long)process->rlimits[i].limit.rlim_max);
	print_capabilities(out, "bounding", process->caps_bounding);
	print_capabilities(out, "effective", process->caps_effective);
	print_capabilities(out, "permitted", process->caps_permitted);
	print_capabilities(out, "inheritable", process->caps_inheritable);
	print_capabilities(out, "ambient", process->caps_ambient);
	if (process->no_new_privileges)
		fputs("no-new-privileges\n", out);
	if (process->has_oom_score_adj)
		fprintf(out, "oom-score-adj %d\n", process->oom_score_adj);
	if (process->seccomp.filter)
		fprintf(out, "seccomp %u instructions, flags %#x\n", process->seccomp.length,
			process->seccomp.flags);
}

static void print_cpus(FILE *out, const char *label, const struct bitlist *cpus)
{
	const unsigned int bits = sizeof(*cpus->words) * 8;

	if (!cpus->words)
		return;
	fputs(label, out);
	for (size_t i = 0; i < cpus->size * 8; i++)
		if (cpus->words[i / bits] >> i % bits & 1)
			fprintf(out, " %zu", i);
	fputc('\n', out);
}

static void print_scheduling(FILE *out, const struct plan_process *process)
{
	const struct plan_scheduler *scheduler = &process->scheduler;

	if (scheduler->policy) {
		fprintf(out, "scheduler %s nice %d priority %u", scheduler->policy, scheduler->nice,
			scheduler->priority);
		if (scheduler->deadline)
			fprintf(out, " runtime %llu deadline %llu period %llu",
				(unsigned long long)scheduler->runtime,
				(unsigned long long)scheduler->deadline,
				(unsigned long long)scheduler->period);
		print_bits(out, "flags", oci_scheduler_flag_names, scheduler->flags);
		fputc('\n', out);
	}
	if (process->has_io_priority)
		fprintf(out, "io-priority %s %d\n",
			table_name(oci_io_class_names, process->io_priority >> PLAN_IO_CLASS_SHIFT),
			process->io_priority & ((1 << PLAN_IO_CLASS_SHIFT) - 1));
	print_cpus(out, "exec-cpus initial", &process->initial_cpus);
	print_cpus(out, "exec-cpus final", &process->final_cpus);
}

static void print_process(FILE *out, const struct plan_process *process)
{
	if (!process->args)
		return;
	fputs("args", out);
	for (size_t i = 0; process->args[i]; i++)
		fprintf(out, " \"%s\"", process->args[i]);
	fprintf(out, "\ncwd %s\nuser %u:%u umask %04o\n", process->cwd, process->uid, process->gid,
		process->umask);
	for (size_t i = 0; i < process->group_count; i++)
		fprintf(out, "group %u\n", process->groups[i]);
	for (size_t i = 0; process->env[i]; i++)
		fprintf(out, "env %s\n", process->env[i]);
	if (process->terminal)
		fprintf(out, "terminal %ux%u\n", process->console_width, process->console_height);
	print_limits(out, process);
	print_scheduling(out, process);
}

static void print_hooks(FILE *out, const struct plan *plan)
{
	for (size_t kind = 0; kind < HOOK_COUNT; kind++) {
		for (size_t i = 0; i < plan->hooks[kind].count; i++) {
			const struct plan_hook *hook = &plan->hooks[kind].items[i];

			fprintf(out, "hook %s %s", hook_names[kind], hook->path);
			for (size_t j = 0; hook->argv[j]; j++)
				fprintf(out, " \"%s\"", hook->argv[j]);
			if (hook->timeout)
				fprintf(out, " timeout %llds", (long long)hook->timeout);
			fputc('\n', out);
		}
	}
}

static void print_cgroup(FILE *out, const struct plan_cgroup *cgroup)
{
	fprintf(out, "cgroup %s %s\n", manager_names[cgroup->manager], cgroup->path);
	for (size_t i = 0; i < cgroup->write_count; i++) {
		const struct plan_cgroup_write *write = &cgroup->writes[i];

		fprintf(out, "write %s=%s", write->file, write->value);
		if (write->instead)
			fprintf(out, " or %s=%s", write->instead, write->instead_value);
		fprintf(out, "%s\n", write->optional ? " if there" : "");
	}
	if (cgroup->device_program)
		fprintf(out, "device-program %zu instructions\n", cgroup->device_program_length);
}

static void print_rdt(FILE *out, const struct plan_rdt *rdt)
{
	if (!rdt->group)
		return;
	fprintf(out, "resctrl %s%s%s%s\n", rdt->group, rdt->is_own ? " own" : "",
		rdt->monitor ? " monitor " : "", rdt->monitor ? rdt->monitor : "");
	if (rdt->schemata)
		fprintf(out, "schemata\n%s", rdt->schemata);
}

void plan_print(FILE *out, const struct plan *plan)
{
	print_namespaces(out, plan);
	print_cgroup(out, &plan->cgroup);
	print_rdt(out, &plan->rdt);
	print_rootfs(out, plan);
	if (plan->has_personality)
		fprintf(out, "personality %#lx\n", plan->personality);
	if (plan->memory_policy) {
		fprintf(out, "memory-policy %s", plan->memory_policy);
		print_bits(out, "flags", oci_memory_policy_flag_names, (uint64_t)plan->memory_mode);
		print_cpus(out, " nodes", &plan->memory_nodes);
		if (!plan->memory_nodes.words)
			fputc('\n', out);
	}
	print_hooks(out, plan);
	print_process(out, &plan->process);
}
