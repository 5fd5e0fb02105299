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

static void namespace_add(struct plan *plan, const struct oci_namespace *config)
{
	int kind = plan_namespace_kind(config->type);
	bool joined = config->path && *config->path;

	if (kind < 0)
		return; /* the decoder takes no others, and has said so */
	plan->namespaces[kind].mode = joined ? NS_JOIN : NS_NEW;
	plan->namespaces[kind].path = joined ? config->path : NULL;
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

static const char *name_or_null(const char *name)
{
	return name && *name ? name : NULL;
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

static const char *time_offsets(const struct oci_time_offsets *offsets, struct arena *arena)
{
	if (!offsets || (!offset_is_set(offsets->monotonic) && !offset_is_set(offsets->boottime)))
		return NULL;
	return arena_printf(arena, "%s%s", offset_text(arena, "monotonic", offsets->monotonic),
			    offset_text(arena, "boottime", offsets->boottime));
}

int compile_namespaces(const struct compiler *c, struct error *err)
{
	struct plan *plan = c->plan;

	(void)err; /* for the table: rules have seen all that can be wrong */
	for (size_t i = 0; i < c->lin->namespaces.count; i++)
		namespace_add(plan, &c->lin->namespaces.items[i]);
	plan->needs_joiner = joiner_needed(plan);
	plan->hostname = name_or_null(c->config->hostname);
	plan->domainname = name_or_null(c->config->domainname);
	plan->time_offsets = time_offsets(c->lin->time_offsets, &plan->arena);
	return 0;
}
