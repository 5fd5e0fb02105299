/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: only settings that belong to a namespace of the container's own may be written;
 * anything else would change the host.
 */
#include "spec/sysctl.h"
#include "lib/cleanup.h"
#include "runtime/plan/compile.h"

/* The rules know the list of namespaces; that one of them, given by path, is the host's is seen
 * here.
 */
static int check_namespace(const struct plan *plan, const char *key, const char *file,
			   struct error *err)
{
	int kind = plan_namespace_kind(sysctl_namespace(file));

	if (kind < 0 || plan_namespace_is_ours(plan, (enum namespace_kind)kind))
		return error_invalid(err, "sysctl \"%s\" is not in a separate kernel namespace",
				     key);
	return 0;
}

int compile_sysctls(const struct compiler *c, struct error *err)
{
	const struct json_map *config = &c->lin->sysctl;
	struct plan_sysctl *sysctls;
	size_t count = 0;
	int ret = 0;

	sysctls = arena_alloc(&c->plan->arena, config->count * sizeof(*sysctls));
	for (size_t i = 0; i < config->count && ret == 0; i++) {
		const char *key = config->items[i].key;
		char *file = arena_strdup(&c->plan->arena, key);

		sysctl_to_path(file);
		ret = check_namespace(c->plan, key, file, err);
		if (ret < 0)
			ret = compile_go_on(c, compile_key_pointer(err, ret, "/linux/sysctl", key),
					    err);
		else
			sysctls[count++] =
				(struct plan_sysctl){ key, file, config->items[i].value };
	}
	c->plan->sysctls = sysctls;
	c->plan->sysctl_count = count;
	return ret;
}
