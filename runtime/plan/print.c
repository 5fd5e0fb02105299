/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as sections of facts, in the order of doing. Nothing is looked up and nothing is done.
 */
#include "runtime/plan/print.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "lib/table.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/caps.h"

struct subject {
	const struct plan *plan;
	const struct oci_config *config;
};

/* clang-format off */
/* Mount options by attribute: set, cleared. */
static const struct { uint64_t bit; const char *set, *cleared; } attributes[] = {
	{ MOUNT_ATTR_RDONLY,      "ro",          "rw" },
	{ MOUNT_ATTR_NOSUID,      "nosuid",      "suid" },
	{ MOUNT_ATTR_NODEV,       "nodev",       "dev" },
	{ MOUNT_ATTR_NOEXEC,      "noexec",      "exec" },
	{ MOUNT_ATTR_NODIRATIME,  "nodiratime",  "diratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow" },
};

static const struct name_value flag_names[] = {
	{ "recursive", PLAN_MOUNT_RECURSIVE }, { "tmpcopyup", PLAN_MOUNT_TMPCOPYUP },
	{ "copy-symlink", PLAN_MOUNT_COPY_SYMLINK }, { "src-nofollow", PLAN_MOUNT_SRC_NOFOLLOW },
	{ "dest-nofollow", PLAN_MOUNT_DEST_NOFOLLOW }, { "real-dir", PLAN_MOUNT_REAL_DIR },
	{ "late", PLAN_MOUNT_LATE_RO }, { "recursive-idmap", PLAN_MOUNT_IDMAP_RECURSIVE },
	{ "relabel", PLAN_MOUNT_RELABEL },
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

static const char *const mode_names[] = {
	[NS_INHERIT] = "host", [NS_NEW] = "new", [NS_JOIN] = "join",
};
/* clang-format on */

/* -- namespaces and what comes with them ---------------------------------------------------------
 */

static void view_container(const struct subject *s, struct view *view)
{
	const struct plan *plan = s->plan;

	view_string(view, "id", plan->id);
	view_string(view, "bundle", plan->bundle);
	view_string(view, "hostname", plan->hostname);
	view_string(view, "domainname", plan->domainname);
	view_flag(view, "rootless", plan->rootless);
	/* created from inside the namespaces that a clone cannot enter */
	view_flag(view, "joiner", plan->needs_joiner);
	view_flag(view, "callersKeyring", plan->no_new_keyring);
	if (plan->has_personality)
		view_text(view, "personality", "%#lx", plan->personality);
}

static void view_namespaces(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < NS_COUNT; i++) {
		const struct plan_namespace *ns = &s->plan->namespaces[i];

		view_row(view);
		view_string(view, "type", namespace_table[i].oci_name);
		view_string(view, "mode", mode_names[ns->mode]);
		view_string(view, "path", ns->path);
		if (i == NS_TIME && s->plan->time_offsets)
			view_text(view, "offsets", "%.*s", (int)strlen(s->plan->time_offsets) - 1,
				  s->plan->time_offsets);
	}
}

static void view_idmap(struct view *view, const char *of, const struct plan_idmap *map,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		view_row(view);
		view_string(view, "of", of);
		view_number(view, "inside", map[i].inside);
		view_number(view, "outside", map[i].outside);
		view_number(view, "size", map[i].size);
	}
}

static void view_idmaps(const struct subject *s, struct view *view)
{
	view_idmap(view, "users", s->plan->uid_map, s->plan->uid_map_count);
	view_idmap(view, "groups", s->plan->gid_map, s->plan->gid_map_count);
}

static void view_net_devices(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < s->plan->net_device_count; i++) {
		view_row(view);
		view_string(view, "device", s->plan->net_devices[i].host_name);
		view_string(view, "name", s->plan->net_devices[i].name);
	}
}

/* -- cgroup
 * ---------------------------------------------------------------------------------------- */

static void view_cgroup(const struct subject *s, struct view *view)
{
	view_string(view, "manager", manager_names[s->plan->cgroup.manager]);
	view_string(view, "path", s->plan->cgroup.path);
}

static void view_cgroup_writes(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < s->plan->cgroup.write_count; i++) {
		const struct plan_cgroup_write *write = &s->plan->cgroup.writes[i];

		view_row(view);
		view_string(view, "file", write->file);
		view_string(view, "value", write->value);
		view_string(view, "insteadFile", write->instead);
		view_string(view, "insteadValue", write->instead_value);
		view_flag(view, "optional", write->optional);
		view_string(view, "from", write->pointer);
	}
}

/* A text of lines as a list. */
static void view_lines(struct view *view, const char *key, const char *text)
{
	view_list(view, key, VIEW_LINES);
	while (text && *text) {
		const char *end = strchrnul(text, '\n');

		view_item(view, "%.*s", (int)(end - text), text);
		text = *end ? end + 1 : end;
	}
}

static void view_rdt(const struct subject *s, struct view *view)
{
	const struct plan_rdt *rdt = &s->plan->rdt;

	if (!rdt->group)
		return;
	view_string(view, "group", rdt->group);
	view_flag(view, "own", rdt->is_own);
	view_lines(view, "schemata", rdt->schemata);
	view_string(view, "monitor", rdt->monitor);
}

static void view_device_rules(const struct subject *s, struct view *view)
{
	const struct plan_cgroup *cgroup = &s->plan->cgroup;

	for (size_t i = 0; i < cgroup->device_rule_count; i++) {
		const struct plan_device_rule *rule = &cgroup->device_rules[i];

		view_row(view);
		view_string(view, "verdict", rule->allow ? "allow" : "deny");
		view_string(view, "type", rule->type);
		view_number_or(view, "major", rule->major, rule->major < 0 ? "any" : NULL);
		view_number_or(view, "minor", rule->minor, rule->minor < 0 ? "any" : NULL);
		view_string(view, "access", rule->access);
	}
}

/* -- the root file system ------------------------------------------------------------------------
 */

static void propagation_item(struct view *view, unsigned long flags)
{
	view_item(view, "%s%s", flags & MS_REC ? "r" : "",
		  table_name(propagation_names, (int64_t)(flags & ~(unsigned long)MS_REC)));
}

static void view_rootfs(const struct subject *s, struct view *view)
{
	view_string(view, "path", s->plan->rootfs);
	view_flag(view, "readonly", s->plan->rootfs_readonly);
	view_list(view, "propagation", VIEW_WORDS);
	propagation_item(view, s->plan->rootfs_propagation);
	view_string(view, "entered", s->plan->no_pivot ? "move" : "pivot_root");
}

/* The options as somebody would write them who wants just this. */
static void attribute_items(struct view *view, const char *prefix, uint64_t set, uint64_t clear)
{
	uint64_t atime = set & MOUNT_ATTR__ATIME;

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (set & attributes[i].bit)
			view_item(view, "%s%s", prefix, attributes[i].set);
		else if (clear & attributes[i].bit)
			view_item(view, "%s%s", prefix, attributes[i].cleared);
	}
	if (clear & MOUNT_ATTR__ATIME)
		view_item(view, "%s%s", prefix,
			  atime == MOUNT_ATTR_NOATIME	    ? "noatime"
			  : atime == MOUNT_ATTR_STRICTATIME ? "strictatime"
							    : "relatime");
}

static void view_mount(struct view *view, const struct plan_mount *mount)
{
	uint64_t late = mount->flags & PLAN_MOUNT_LATE_RO ? MOUNT_ATTR_RDONLY : 0;

	view_row(view);
	view_number(view, "index", (int64_t)mount->index);
	view_string(view, "kind", kind_names[mount->kind]);
	view_string(view, "type", mount->type);
	view_string(view, "source", mount->source);
	view_string(view, "destination", mount->destination);
	view_list(view, "options", VIEW_COMMAS);
	attribute_items(view, "", mount->attr_set | late, mount->attr_clear);
	attribute_items(view, "r", mount->attr_set_rec, mount->attr_clear_rec);
	view_list(view, "how", VIEW_COMMAS);
	for (const struct name_value *flag = flag_names; flag->name; flag++)
		if (mount->flags & (unsigned int)flag->value)
			view_item(view, "%s", flag->name);
	if (mount->idmap == PLAN_IDMAP_CONTAINER)
		view_item(view, "idmap=container");
	else if (mount->idmap != PLAN_IDMAP_NONE)
		view_item(view, "idmap=%d", mount->idmap);
	view_list(view, "propagation", VIEW_COMMAS);
	for (const unsigned long *flags = mount->propagation; flags && *flags; flags++)
		propagation_item(view, *flags);
	view_list(view, "data", VIEW_COMMAS);
	for (size_t i = 0; mount->data[i]; i++)
		view_item(view, "%s", mount->data[i]);
}

static void view_mounts(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < s->plan->mount_count; i++)
		view_mount(view, &s->plan->mounts[i]);
}

static void view_mount_maps(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < s->plan->mount_map_count; i++) {
		const struct plan_idmaps *maps = &s->plan->mount_maps[i];
		char of[32];

		(void)snprintf(of, sizeof(of), "%zu: users", i + 1);
		view_idmap(view, of, maps->uids, maps->uid_count);
		(void)snprintf(of, sizeof(of), "%zu: groups", i + 1);
		view_idmap(view, of, maps->gids, maps->gid_count);
	}
}

static void view_devices(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < s->plan->device_count; i++) {
		const struct plan_device *device = &s->plan->devices[i];
		char type = S_ISCHR(device->type) ? 'c' : S_ISBLK(device->type) ? 'b' : 'p';

		view_row(view);
		view_string(view, "path", device->path);
		view_text(view, "type", "%c", type);
		view_number(view, "major", major(device->number));
		view_number(view, "minor", minor(device->number));
		view_text(view, "mode", "%04o", device->mode);
		view_number(view, "uid", device->uid);
		view_number(view, "gid", device->gid);
		view_flag(view, "default", device->is_default);
	}
}

static void view_paths(const struct subject *s, struct view *view)
{
	view_list(view, "masked", VIEW_LINES);
	for (size_t i = 0; s->plan->masked_paths[i]; i++)
		view_item(view, "%s", s->plan->masked_paths[i]);
	view_list(view, "readonly", VIEW_LINES);
	for (size_t i = 0; s->plan->readonly_paths[i]; i++)
		view_item(view, "%s", s->plan->readonly_paths[i]);
}

static void view_sysctls(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < s->plan->sysctl_count; i++) {
		view_row(view);
		view_string(view, "file", s->plan->sysctls[i].file);
		view_string(view, "value", s->plan->sysctls[i].value);
	}
}

static void view_hooks(const struct subject *s, struct view *view)
{
	for (size_t kind = 0; kind < HOOK_COUNT; kind++) {
		for (size_t i = 0; i < s->plan->hooks[kind].count; i++) {
			const struct plan_hook *hook = &s->plan->hooks[kind].items[i];

			view_row(view);
			view_string(view, "when", hook_names[kind]);
			view_string(view, "path", hook->path);
			view_list(view, "args", VIEW_WORDS);
			for (size_t j = 0; hook->argv[j]; j++)
				view_item(view, "%s", hook->argv[j]);
			view_list(view, "env", VIEW_WORDS);
			for (size_t j = 0; hook->env[j]; j++)
				view_item(view, "%s", hook->env[j]);
			if (hook->timeout)
				view_number(view, "timeout", hook->timeout);
		}
	}
}

/* -- the process ---------------------------------------------------------------------------------
 */

static void view_user(const struct plan_process *process, struct view *view)
{
	view_number(view, "uid", process->uid);
	view_number(view, "gid", process->gid);
	view_list(view, "additionalGids", VIEW_WORDS);
	for (size_t i = 0; i < process->group_count; i++)
		view_item(view, "%u", process->groups[i]);
	view_text(view, "umask", "%04o", process->umask);
}

static void view_process(const struct subject *s, struct view *view)
{
	const struct plan_process *process = &s->plan->process;

	if (!process->args)
		return;
	view_list(view, "args", VIEW_WORDS);
	for (size_t i = 0; process->args[i]; i++)
		view_item(view, "%s", process->args[i]);
	view_string(view, "cwd", process->cwd);
	view_user(process, view);
	view_list(view, "env", VIEW_LINES);
	for (size_t i = 0; process->env[i]; i++)
		view_item(view, "%s", process->env[i]);
	view_flag(view, "terminal", process->terminal);
	if (process->console_width || process->console_height)
		view_text(view, "consoleSize", "%ux%u", process->console_width,
			  process->console_height);
	view_flag(view, "noNewPrivileges", process->no_new_privileges);
	if (process->has_oom_score_adj)
		view_number(view, "oomScoreAdj", process->oom_score_adj);
	view_string(view, "selinuxLabel", process->selinux_label);
	view_string(view, "mountLabel", s->plan->mount_label);
	view_string(view, "apparmorProfile", process->apparmor_profile);
}

static void view_capability_set(struct view *view, const char *key, uint64_t mask)
{
	char name[CAPABILITY_NAME_MAX];

	view_list(view, key, VIEW_WORDS);
	for (int i = 0; i < 64; i++)
		if (mask & (UINT64_C(1) << i) && capability_name(i, name))
			view_item(view, "%s", name);
}

static void view_capabilities(const struct subject *s, struct view *view)
{
	const struct plan_process *process = &s->plan->process;

	view_capability_set(view, "bounding", process->caps_bounding);
	view_capability_set(view, "effective", process->caps_effective);
	view_capability_set(view, "permitted", process->caps_permitted);
	view_capability_set(view, "inheritable", process->caps_inheritable);
	view_capability_set(view, "ambient", process->caps_ambient);
}

static void view_limit(struct view *view, const char *key, rlim_t limit)
{
	view_number_or(view, key, (int64_t)limit, limit > INT64_MAX ? "unlimited" : NULL);
}

static void view_rlimits(const struct subject *s, struct view *view)
{
	for (size_t i = 0; i < s->plan->process.rlimit_count; i++) {
		const struct plan_rlimit *rlimit = &s->plan->process.rlimits[i];

		view_row(view);
		view_string(view, "type", rlimit->name);
		view_limit(view, "soft", rlimit->limit.rlim_cur);
		view_limit(view, "hard", rlimit->limit.rlim_max);
	}
}

/* -- policies ------------------------------------------------------------------------------------
 */

static void view_members(struct view *view, const char *key, const struct bitlist *list)
{
	const size_t bits = sizeof(*list->words) * 8;

	if (!list->words)
		return;
	view_list(view, key, VIEW_WORDS);
	for (size_t i = 0; i < list->size * 8; i++)
		if (list->words[i / bits] >> i % bits & 1)
			view_item(view, "%zu", i);
}

static void view_flags(struct view *view, const char *key, const struct name_value *names,
		       uint64_t flags)
{
	view_list(view, key, VIEW_WORDS);
	for (; names->name; names++)
		if (flags & (uint64_t)names->value)
			view_item(view, "%s", names->name);
}

static void view_scheduler(const struct subject *s, struct view *view)
{
	const struct plan_scheduler *scheduler = &s->plan->process.scheduler;

	if (!scheduler->policy)
		return;
	view_string(view, "policy", scheduler->policy);
	view_number(view, "nice", scheduler->nice);
	view_number(view, "priority", scheduler->priority);
	view_flags(view, "flags", oci_scheduler_flag_names, scheduler->flags);
	if (!scheduler->deadline)
		return;
	view_number(view, "runtime", (int64_t)scheduler->runtime);
	view_number(view, "deadline", (int64_t)scheduler->deadline);
	view_number(view, "period", (int64_t)scheduler->period);
}

static void view_io_priority(const struct subject *s, struct view *view)
{
	const struct plan_process *process = &s->plan->process;

	if (!process->has_io_priority)
		return;
	view_string(view, "class",
		    table_name(oci_io_class_names, process->io_priority >> PLAN_IO_CLASS_SHIFT));
	view_number(view, "priority", process->io_priority & ((1 << PLAN_IO_CLASS_SHIFT) - 1));
}

static void view_memory_policy(const struct subject *s, struct view *view)
{
	if (!s->plan->memory_policy)
		return;
	view_string(view, "mode", s->plan->memory_policy);
	view_flags(view, "flags", oci_memory_policy_flag_names, (uint64_t)s->plan->memory_mode);
	view_members(view, "nodes", &s->plan->memory_nodes);
}

static void view_exec_cpus(const struct subject *s, struct view *view)
{
	view_members(view, "initial", &s->plan->process.initial_cpus);
	view_members(view, "final", &s->plan->process.final_cpus);
}

/* -- seccomp: of the profile, for the program says it less clearly -------------------------------
 */

/* NULL without one, and where the program did not come from it. */
static const struct oci_seccomp *seccomp_of(const struct subject *s)
{
	const struct plan_seccomp *seccomp = &s->plan->process.seccomp;

	if (!seccomp->filter || seccomp->is_raw || !s->config->linux)
		return NULL;
	return s->config->linux->seccomp;
}

static void view_errno(struct view *view, int action, bool given, uint32_t number)
{
	const char *name;

	if (action != SECCOMP_ACTION_ERRNO && action != SECCOMP_ACTION_TRACE)
		return;
	name = strerrorname_np(given ? (int)number : EPERM);
	if (name)
		view_string(view, "errno", name);
	else
		view_text(view, "errno", "%u", number);
}

static void view_profile(const struct oci_seccomp *seccomp, struct view *view)
{
	view_string(view, "default", table_name(oci_seccomp_action_names, seccomp->default_action));
	view_errno(view, seccomp->default_action, seccomp->has_default_errno_ret,
		   seccomp->default_errno_ret);
	view_list(view, "architectures", VIEW_WORDS);
	for (size_t i = 0; i < seccomp->architectures.count; i++)
		view_item(view, "%s", seccomp->architectures.items[i]);
}

static void view_seccomp(const struct subject *s, struct view *view)
{
	const struct plan_seccomp *plan = &s->plan->process.seccomp;
	const struct oci_seccomp *seccomp = seccomp_of(s);

	if (!plan->filter)
		return;
	if (seccomp)
		view_profile(seccomp, view);
	else
		view_string(view, "program", ANNOTATION_SECCOMP_BPF_DATA);
	view_list(view, "flags", VIEW_WORDS);
	for (const struct name_value *flag = oci_seccomp_flag_names; flag->name; flag++)
		if (plan->flags & (uint64_t)flag->value)
			view_item(view, "%s", flag->name);
	view_string(view, "listener", plan->listener);
	view_string(view, "listenerMetadata", plan->listener_metadata);
	view_number(view, "instructions", plan->length);
}

static bool same_verdict(const struct oci_seccomp_syscall *a, const struct oci_seccomp_syscall *b)
{
	return a->action == b->action && a->has_errno_ret == b->has_errno_ret &&
	       a->errno_ret == b->errno_ret;
}

/* One row for each verdict: how many calls get it, and how many of those only sometimes. */
static void view_seccomp_rules(const struct subject *s, struct view *view)
{
	const struct oci_seccomp *seccomp = seccomp_of(s);
	size_t count = seccomp ? seccomp->syscalls.count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct oci_seccomp_syscall *rule = &seccomp->syscalls.items[i];
		size_t first = 0, always = 0, conditional = 0;

		while (!same_verdict(&seccomp->syscalls.items[first], rule))
			first++;
		if (first < i)
			continue;
		for (size_t j = i; j < count; j++) {
			const struct oci_seccomp_syscall *other = &seccomp->syscalls.items[j];

			if (same_verdict(other, rule))
				*(other->args.count ? &conditional : &always) += other->names.count;
		}
		view_row(view);
		view_string(view, "action", table_name(oci_seccomp_action_names, rule->action));
		view_errno(view, rule->action, rule->has_errno_ret, rule->errno_ret);
		view_number(view, "calls", (int64_t)always);
		view_number(view, "byArguments", (int64_t)conditional);
	}
}

/* -- all -----------------------------------------------------------------------------------------
 */

/* clang-format off */
static const struct {
	const char *key, *title;
	enum view_form form;
	void (*fill)(const struct subject *s, struct view *view);
} sections[] = {
	{ "container",    "Container",                       VIEW_RECORD, view_container },
	{ "namespaces",   "Namespaces",                      VIEW_TABLE,  view_namespaces },
	{ "idMappings",   "Ids of the user namespace",       VIEW_TABLE,  view_idmaps },
	{ "cgroup",       "Cgroup",                          VIEW_RECORD, view_cgroup },
	{ "cgroupWrites", "Cgroup files",                    VIEW_TABLE,  view_cgroup_writes },
	{ "deviceRules",  "Device access (the last rule that matches decides)",
	                                                     VIEW_TABLE,  view_device_rules },
	{ "intelRdt",     "Cache and memory bandwidth (resctrl)", VIEW_RECORD, view_rdt },
	{ "netDevices",   "Network devices",                 VIEW_TABLE,  view_net_devices },
	{ "rootfs",       "Root file system",                VIEW_RECORD, view_rootfs },
	{ "mounts",       "Mounts, in this order",           VIEW_TABLE,  view_mounts },
	{ "mountMaps",    "Ids of id-mapped mounts",         VIEW_TABLE,  view_mount_maps },
	{ "devices",      "Device nodes",                    VIEW_TABLE,  view_devices },
	{ "paths",        "Paths that are masked or read-only", VIEW_RECORD, view_paths },
	{ "sysctl",       "Kernel parameters, in /proc/sys", VIEW_TABLE,  view_sysctls },
	{ "hooks",        "Hooks",                           VIEW_TABLE,  view_hooks },
	{ "process",      "Process",                         VIEW_RECORD, view_process },
	{ "capabilities", "Capabilities",                    VIEW_RECORD, view_capabilities },
	{ "rlimits",      "Limits of the process",           VIEW_TABLE,  view_rlimits },
	{ "scheduler",    "Scheduler",                       VIEW_RECORD, view_scheduler },
	{ "ioPriority",   "I/O priority",                    VIEW_RECORD, view_io_priority },
	{ "memoryPolicy", "Memory policy",                   VIEW_RECORD, view_memory_policy },
	{ "execCpus",     "CPUs of exec",                    VIEW_RECORD, view_exec_cpus },
	{ "seccomp",      "Seccomp",                         VIEW_RECORD, view_seccomp },
	{ "seccompRules", "System calls by verdict",         VIEW_TABLE,  view_seccomp_rules },
};
/* clang-format on */

void plan_view(const struct plan *plan, const struct oci_config *config, struct view *view)
{
	const struct subject subject = { plan, config };

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		view_section(view, sections[i].key, sections[i].title, sections[i].form);
		sections[i].fill(&subject, view);
	}
}
