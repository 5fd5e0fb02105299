/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.namespaces, hostname, domainname and time offsets: which namespaces are new, joined or
 * inherited, and whether creating init takes a joiner (design of the process model: a clone3 child
 * cannot make itself a member of these).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "runtime/plan/compile.h"

/* clang-format off */
const struct namespace_info namespace_table[NS_COUNT] = {
	[NS_USER]    = { "user",    "user",   CLONE_NEWUSER },
	[NS_MOUNT]   = { "mount",   "mnt",    CLONE_NEWNS },
	[NS_PID]     = { "pid",     "pid",    CLONE_NEWPID },
	[NS_NETWORK] = { "network", "net",    CLONE_NEWNET },
	[NS_IPC]     = { "ipc",     "ipc",    CLONE_NEWIPC },
	[NS_UTS]     = { "uts",     "uts",    CLONE_NEWUTS },
	[NS_CGROUP]  = { "cgroup",  "cgroup", CLONE_NEWCGROUP },
	[NS_TIME]    = { "time",    "time",   CLONE_NEWTIME },
};
/* clang-format on */

unsigned int plan_clone_flags(const struct plan *plan, enum namespace_mode mode)
{
	unsigned int flags = 0;

	for (size_t i = 0; i < NS_COUNT; i++)
		if (plan->namespaces[i].mode == mode)
			flags |= namespace_table[i].clone_flag;
	return flags;
}

bool plan_namespace_is_ours(const struct plan *plan, enum namespace_kind kind)
{
	const struct plan_namespace *ns = &plan->namespaces[kind];
	struct stat ours, theirs;
	char own[64];

	if (ns->mode != NS_JOIN)
		return ns->mode == NS_INHERIT;
	(void)snprintf(own, sizeof(own), "/proc/self/ns/%s", namespace_table[kind].proc_name);
	return stat(own, &ours) == 0 && stat(ns->path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

int plan_namespace_kind(uint64_t clone_flag)
{
	for (int i = 0; i < NS_COUNT; i++)
		if (namespace_table[i].clone_flag == clone_flag)
			return i;
	return -ENOENT;
}

static int namespace_add(struct plan *plan, const struct oci_namespace *config, size_t index,
			 struct error *err)
{
	int kind = plan_namespace_kind(config->type);
	struct plan_namespace *ns;
	int ret = 0;

	if (kind < 0)
		ret = error_invalid(err, "unknown type of namespace");
	else if (plan->namespaces[kind].mode != NS_INHERIT)
		ret = error_invalid(err, "namespace \"%s\" is listed twice",
				    namespace_table[kind].oci_name);
	else if (config->path && *config->path && *config->path != '/')
		ret = error_invalid(err, "path of namespace \"%s\" is not absolute: \"%s\"",
				    namespace_table[kind].oci_name, config->path);
	if (ret < 0)
		return error_pointer(err, ret, "/linux/namespaces/%zu", index);
	ns = &plan->namespaces[kind];
	ns->mode = config->path && *config->path ? NS_JOIN : NS_NEW;
	ns->path = ns->mode == NS_JOIN ? config->path : NULL;
	return 0;
}

/*
 * A new user namespace has no rights over namespaces that belong to its parent, so whoever enters
 * those must do it first and then create the user namespace: the joiner, too.
 */
static bool joiner_needed(const struct plan *plan)
{
	const struct plan_namespace *ns = plan->namespaces;

	if (ns[NS_USER].mode == NS_JOIN || ns[NS_PID].mode == NS_JOIN ||
	    ns[NS_TIME].mode == NS_JOIN)
		return true;
	/* others are born into it from the host side, who must have the right to come back */
	if (ns[NS_TIME].mode == NS_NEW && (plan->rootless || ns[NS_USER].mode == NS_NEW))
		return true;
	return ns[NS_USER].mode == NS_NEW && plan_clone_flags(plan, NS_JOIN) != 0;
}

static int compile_names(const struct compiler *c, struct error *err)
{
	const struct {
		const char *value, *property;
		const char **out;
	} names[] = {
		{ c->config->hostname, "hostname", &c->plan->hostname },
		{ c->config->domainname, "domainname", &c->plan->domainname },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int ret = 0;

		if (!names[i].value || !*names[i].value)
			continue;
		if (!plan_has_namespace(c->plan, NS_UTS))
			ret = error_invalid(err, "unable to set %s without a private UTS namespace",
					    names[i].property);
		else if (strlen(names[i].value) > 64)
			ret = error_invalid(err, "%s is longer than 64 bytes", names[i].property);
		if (ret < 0)
			ret = compile_go_on(c, error_pointer(err, ret, "/%s", names[i].property),
					    err);
		else
			*names[i].out = names[i].value;
		if (ret < 0)
			return ret;
	}
	return 0;
}

static bool offset_is_set(const struct oci_time_offset *offset)
{
	return offset && (offset->secs || offset->nanosecs);
}

static const char *offset_text(struct arena *arena, const char *clock,
			       const struct oci_time_offset *offset)
{
	if (!offset_is_set(offset))
		return "";
	return arena_printf(arena, "%s %lld %u\n", clock, (long long)offset->secs,
			    offset->nanosecs);
}

static int compile_time_offsets(const struct compiler *c, struct error *err)
{
	const struct oci_time_offsets *offsets = c->lin->time_offsets;
	struct arena *arena = &c->plan->arena;
	int ret = 0;

	if (!offsets || (!offset_is_set(offsets->monotonic) && !offset_is_set(offsets->boottime)))
		return 0;
	if (c->plan->namespaces[NS_TIME].mode == NS_INHERIT)
		ret = error_invalid(err, "time namespace offsets specified, but time namespace "
					 "isn't enabled in the config");
	else if (c->plan->namespaces[NS_TIME].mode == NS_JOIN)
		ret = error_invalid(err, "time namespace offsets cannot be set in a joined time "
					 "namespace");
	if (ret < 0)
		return error_pointer(err, ret, "/linux/timeOffsets");
	c->plan->time_offsets =
		arena_printf(arena, "%s%s", offset_text(arena, "monotonic", offsets->monotonic),
			     offset_text(arena, "boottime", offsets->boottime));
	return 0;
}

/*
 * Without a mount namespace the container has a chroot in the runtime's. What would be mounted for
 * it would show on the host and stay there when it is gone, so there can be nothing of that kind.
 */
static int check_without_mounts(const struct compiler *c, struct error *err)
{
	const struct {
		const char *pointer;
		bool asked;
	} mounting[] = {
		{ "/mounts", c->config->mounts.count > 0 },
		{ "/linux/maskedPaths", c->lin->masked_paths.count > 0 },
		{ "/linux/readonlyPaths", c->lin->readonly_paths.count > 0 },
		{ "/linux/rootfsPropagation", c->lin->rootfs_propagation != 0 },
		{ "/root/readonly", c->config->root && c->config->root->readonly },
		{ "/process/terminal", c->config->process && c->config->process->terminal },
	};

	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mounting) && ret == 0; i++) {
		if (!mounting[i].asked || plan_has_namespace(c->plan, NS_MOUNT))
			continue;
		ret = error_invalid(err, "it needs a mount namespace of the container's own");
		(void)error_pointer(err, ret, "%s", mounting[i].pointer);
		ret = compile_go_on(c, ret, err);
	}
	return ret;
}

int compile_namespaces(const struct compiler *c, struct error *err)
{
	int ret;

	for (size_t i = 0; i < c->lin->namespaces.count; i++) {
		ret = namespace_add(c->plan, &c->lin->namespaces.items[i], i, err);
		ret = compile_go_on(c, ret, err);
		if (ret < 0)
			return ret;
	}
	ret = check_without_mounts(c, err);
	if (ret < 0)
		return ret;
	c->plan->needs_joiner = joiner_needed(c->plan);
	ret = compile_names(c, err);
	if (ret < 0)
		return ret;
	return compile_time_offsets(c, err);
}
