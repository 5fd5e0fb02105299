/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters that namespaces have values of their own of; all others are the host's. */
#include "spec/sysctl.h"

#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "lib/syscalls.h"
#include "lib/table.h"

/* clang-format off */
/* A name that ends in '/' stands for all below it. */
static const struct name_value namespaces[] = {
	{ "fs/mqueue/",             CLONE_NEWIPC },
	{ "kernel/domainname",      CLONE_NEWUTS },
	{ "kernel/msgmax",          CLONE_NEWIPC },
	{ "kernel/msgmnb",          CLONE_NEWIPC },
	{ "kernel/msgmni",          CLONE_NEWIPC },
	{ "kernel/sem",             CLONE_NEWIPC },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel/shmall",          CLONE_NEWIPC },
	{ "kernel/shmmax",          CLONE_NEWIPC },
	{ "kernel/shmmni",          CLONE_NEWIPC },
	{ "net/",                   CLONE_NEWNET },
	{ "user/",                  CLONE_NEWUSER },
	{ NULL },
};
/* clang-format on */

void sysctl_to_path(char *name)
{
	const char *first = strpbrk(name, "./");

	if (!first || *first == '/')
		return;
	for (char *p = name; *p; p++) {
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
}

bool sysctl_path_is_clean(const char *path)
{
	while (true) {
		size_t length = strcspn(path, "/");

		if (length == 0 || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[length])
			return true;
		path += length + 1;
	}
}

uint64_t sysctl_namespace(const char *path)
{
	for (const struct name_value *entry = namespaces; entry->name; entry++) {
		size_t size = strlen(entry->name);

		if (entry->name[size - 1] == '/' ? !strncmp(path, entry->name, size) && path[size]
						 : !strcmp(path, entry->name))
			return (uint64_t)entry->value;
	}
	return 0;
}
