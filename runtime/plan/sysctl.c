/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: only settings that belong to a namespace of the container's own may be written;
 * anything else would change the host.
 */
#include <string.h>

#include "lib/cleanup.h"
#include "runtime/plan/compile.h"
#include "spec/sysctl.h"

/* No component may be empty, "." or "..": the text is used below a file descriptor of /proc/sys. */
static bool sysctl_is_clean(const char *file)
{
	while (true) {
		size_t length = strcspn(file, "/");

		if (length == 0 || (length == 1 && file[0] == '.') ||
		    (length == 2 && file[0] == '.' && file[1] == '.'))
			return false;
		if (!file[length])
			return true;
		file += length + 1;
	}
}

static int sysctl_compile(const struct plan *plan, const char *key, const char *file,
			  struct error *err)
{
	int kind = plan_namespace_kind(sysctl_namespace(file));

	if (!sysctl_is_clean(file))
		return error_invalid(err, "sysctl \"%s\" is not a valid name", key);
	if (strcmp(file, "kernel/hostname") == 0)
		return error_invalid(err, "sysctl \"%s\" conflicts with the property \"hostname\"",
				     key);
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
		ret = sysctl_compile(c->plan, key, file, err);
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
