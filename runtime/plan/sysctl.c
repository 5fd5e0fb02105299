/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: only settings that belong to a namespace of the container's own may be written;
 * anything else would change the host.
 */
#include <string.h>

#include "lib/cleanup.h"
#include "runtime/plan/compile.h"

/* Which namespace a file below /proc/sys belongs to; a name ending in "/" is a prefix. */
struct sysctl_scope {
	const char *name;
	enum namespace_kind kind;
};

/* clang-format off */
static const struct sysctl_scope sysctl_scopes[] = {
	{ "kernel/msgmax",          NS_IPC },
	{ "kernel/msgmnb",          NS_IPC },
	{ "kernel/msgmni",          NS_IPC },
	{ "kernel/sem",             NS_IPC },
	{ "kernel/shmall",          NS_IPC },
	{ "kernel/shmmax",          NS_IPC },
	{ "kernel/shmmni",          NS_IPC },
	{ "kernel/shm_rmid_forced", NS_IPC },
	{ "fs/mqueue/",             NS_IPC },
	{ "kernel/domainname",      NS_UTS },
	{ "net/",                   NS_NETWORK },
	{ "user/",                  NS_USER },
};
/* clang-format on */

/*
 * "net.ipv4.ip_forward" and "net/ipv4/ip_forward" are the same; which separator comes first is the
 * separator, and the other character is then part of a name ("net/ipv4/conf/eth0.1/forwarding",
 * "net.ipv4.conf.eth0/1.forwarding"): sysctl.d(5).
 */
static char *sysctl_file(struct arena *arena, const char *key)
{
	char *file = arena_strdup(arena, key);
	const char *first = strpbrk(key, "./");

	if (first && *first == '/')
		return file;
	for (char *c = file; *c; c++) {
		if (*c == '.')
			*c = '/';
		else if (*c == '/')
			*c = '.';
	}
	return file;
}

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

static const struct sysctl_scope *sysctl_find(const char *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctl_scopes); i++) {
		const char *name = sysctl_scopes[i].name;
		size_t length = strlen(name);

		if (name[length - 1] == '/' ? strncmp(file, name, length) == 0 && file[length]
					    : strcmp(file, name) == 0)
			return &sysctl_scopes[i];
	}
	return NULL;
}

static int sysctl_compile(const struct plan *plan, const char *key, const char *file,
			  struct error *err)
{
	const struct sysctl_scope *scope;

	if (!sysctl_is_clean(file))
		return error_invalid(err, "sysctl \"%s\" is not a valid name", key);
	if (strcmp(file, "kernel/hostname") == 0)
		return error_invalid(err, "sysctl \"%s\" conflicts with the property \"hostname\"",
				     key);
	scope = sysctl_find(file);
	if (!scope || plan_namespace_is_ours(plan, scope->kind))
		return error_invalid(err, "sysctl \"%s\" is not in a separate kernel namespace",
				     key);
	return 0;
}

int compile_sysctls(const struct compiler *c, struct error *err)
{
	const struct json_map *config = &c->lin->sysctl;
	struct plan_sysctl *sysctls;

	sysctls = arena_alloc(&c->plan->arena, config->count * sizeof(*sysctls));
	for (size_t i = 0; i < config->count; i++) {
		const char *key = config->items[i].key;
		int ret;

		sysctls[i].file = sysctl_file(&c->plan->arena, key);
		sysctls[i].value = config->items[i].value;
		ret = sysctl_compile(c->plan, key, sysctls[i].file, err);
		if (ret < 0)
			return error_pointer(err, ret, "/linux/sysctl/%s", key);
	}
	c->plan->sysctls = sysctls;
	c->plan->sysctl_count = config->count;
	return 0;
}
