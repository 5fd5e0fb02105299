/* SPDX-License-Identifier: Apache-2.0 */
/* Called by run-spec.c for every container, and for the command line's options. */
#include "builder/container/capabilities.h"

#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#include "lib/cleanup.h"
#include "lib/table.h"

#define ALL "ALL"
#define PREFIX "CAP_"

/* clang-format off */
/* All of Linux 6.1 and later, in the order of their numbers. */
static const struct capability {
	const char *name;
	bool usual; /* docker's and BuildKit's set: enough for package managers, nothing that reaches the host */
} capabilities[] = {
	{ "CAP_CHOWN", true }, { "CAP_DAC_OVERRIDE", true }, { "CAP_DAC_READ_SEARCH", false },
	{ "CAP_FOWNER", true }, { "CAP_FSETID", true }, { "CAP_KILL", true }, { "CAP_SETGID", true },
	{ "CAP_SETUID", true }, { "CAP_SETPCAP", true }, { "CAP_LINUX_IMMUTABLE", false },
	{ "CAP_NET_BIND_SERVICE", true }, { "CAP_NET_BROADCAST", false }, { "CAP_NET_ADMIN", false },
	{ "CAP_NET_RAW", true }, { "CAP_IPC_LOCK", false }, { "CAP_IPC_OWNER", false },
	{ "CAP_SYS_MODULE", false }, { "CAP_SYS_RAWIO", false }, { "CAP_SYS_CHROOT", true },
	{ "CAP_SYS_PTRACE", false }, { "CAP_SYS_PACCT", false }, { "CAP_SYS_ADMIN", false },
	{ "CAP_SYS_BOOT", false }, { "CAP_SYS_NICE", false }, { "CAP_SYS_RESOURCE", false },
	{ "CAP_SYS_TIME", false }, { "CAP_SYS_TTY_CONFIG", false }, { "CAP_MKNOD", true },
	{ "CAP_LEASE", false }, { "CAP_AUDIT_WRITE", true }, { "CAP_AUDIT_CONTROL", false },
	{ "CAP_SETFCAP", true }, { "CAP_MAC_OVERRIDE", false }, { "CAP_MAC_ADMIN", false },
	{ "CAP_SYSLOG", false }, { "CAP_WAKE_ALARM", false }, { "CAP_BLOCK_SUSPEND", false },
	{ "CAP_AUDIT_READ", false }, { "CAP_PERFMON", false }, { "CAP_BPF", false },
	{ "CAP_CHECKPOINT_RESTORE", false },
};
/* clang-format on */

static const char *find(const char *text, struct suggestion *near)
{
	if (strcasecmp(text, ALL) == 0)
		return ALL;
	if (strncasecmp(text, PREFIX, strlen(PREFIX)) == 0)
		text += strlen(PREFIX);
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		const char *name = capabilities[i].name + strlen(PREFIX);

		if (strcasecmp(text, name) == 0)
			return capabilities[i].name;
		suggestion_consider(near, name);
	}
	return NULL;
}

int capabilities_parse(const struct strv *texts, struct arena *arena, struct json_strings *out,
		       struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		cleanup_free char *upper = xstrdup(texts->items[i]);
		struct suggestion near = { .word = upper };
		const char *name;
		int ret;

		for (char *p = upper; *p; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 32);
		name = find(upper, &near);
		if (name) {
			json_strings_add(out, arena, name);
			continue;
		}
		ret = error_set(err, ERROR_USAGE, 0, "unknown capability \"%s\"", texts->items[i]);
		return near.best ? error_suffix(err, ret, " (did you mean %s?)", near.best) : ret;
	}
	return 0;
}

/* All that there are to give: runc ends at one that its caller's bounding set lacks. */
static bool is_ours(size_t number)
{
	return prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1;
}

struct json_strings capabilities_select(bool all, const struct json_strings *added,
					const struct json_strings *dropped, struct arena *arena)
{
	struct json_strings set = { .items = arena_alloc(arena, sizeof(char *)) };
	bool add_all = json_strings_contain(added, ALL);
	bool drop_all = json_strings_contain(dropped, ALL);

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		const char *name = capabilities[i].name;
		bool has = capabilities[i].usual || ((all || add_all) && is_ours(i));

		if (drop_all)
			has = false;
		if (json_strings_contain(dropped, name))
			has = false;
		if (json_strings_contain(added, name))
			has = true;
		if (has)
			json_strings_add(&set, arena, name);
	}
	return set;
}
