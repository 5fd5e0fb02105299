/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may make cgroups inside the container: "cgroup ownership" of the specification's
 * config-linux.md. With a cgroup namespace of its own and its cgroup mounted to be written, it is
 * the user that the process runs as, by the id on the host.
 */
#include <string.h>
#include <sys/mount.h>

#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"

static bool cgroup_is_writable(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (mount->kind == PLAN_MOUNT_CGROUP && !(mount->flags & PLAN_MOUNT_LATE_RO) &&
		    !((mount->attr_set | mount->attr_set_rec) & MOUNT_ATTR_RDONLY))
			return true;
	}
	return false;
}

int compile_sub_cgroup(const struct compiler *c, const char *annotation, const char **out,
		       struct error *err)
{
	const char *name = json_map_get(&c->config->annotations, annotation);

	if (!name || !*name)
		return 0;
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return compile_key_pointer(
			err, error_invalid(err, "\"%s\" is not the name of a cgroup", name),
			"/annotations", annotation);
	*out = arena_strdup(&c->plan->arena, name);
	return 0;
}

static void compile_owner(const struct compiler *c)
{
	const struct oci_process *process = c->config->process;
	uint32_t uid = process ? process->user.uid : 0;
	struct plan *plan = c->plan;

	if (plan->namespaces[NS_CGROUP].mode != NS_NEW || !cgroup_is_writable(plan))
		return;
	if (plan->namespaces[NS_USER].mode == NS_INHERIT)
		plan->cgroup.owner = uid;
	for (size_t i = 0; i < plan->uid_map_count; i++) {
		const struct plan_idmap *map = &plan->uid_map[i];

		if (uid >= map->inside && uid - map->inside < map->size)
			plan->cgroup.owner = map->outside + (uid - map->inside);
	}
}

int compile_delegation(const struct compiler *c, struct error *err)
{
	compile_owner(c);
	return compile_sub_cgroup(c, ANNOTATION_DELEGATE_CGROUP, &c->plan->cgroup.delegated, err);
}
