/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of linux.seccomp. Where callers or test suites match on runc's words, the words are runc's.
 */
#include <stdio.h>
#include <string.h>

#include "spec/config-check.h"

static bool action_takes_errno(int action)
{
	return action == SECCOMP_ACTION_ERRNO || action == SECCOMP_ACTION_TRACE;
}

static void errno_check(int action, uint32_t value, const char *pointer, struct check *check)
{
	if (value > 4095)
		rule_broken(check, pointer, "%u is not an errno (0 to 4095)", value);
	else if (value && !action_takes_errno(action))
		rule_broken(check, pointer, "%s takes no errno",
			    table_name(oci_seccomp_action_names, action));
}

static void seccomp_syscall_check(const struct oci_seccomp_syscall *entry, size_t index,
				  struct check *check)
{
	static const char pointer[] = "/linux/seccomp/syscalls";
	char place[64];

	snprintf(place, sizeof(place), "%s/%zu/errnoRet", pointer, index);
	errno_check(entry->action, entry->errno_ret, place, check);
	if (!entry->names.count)
		rule_broken_at(check, pointer, index, "/names", "no names");
	for (size_t i = 0; i < entry->args.count; i++) {
		if (entry->args.items[i].index > 5)
			rule_broken_at(check, pointer, index, "/args",
				       "a system call has no argument %u (0 to 5)",
				       entry->args.items[i].index);
	}
	/* the runtime itself hands the listener's fd over by write */
	if (entry->action == SECCOMP_ACTION_NOTIFY && json_strings_contain(&entry->names, "write"))
		rule_broken_at(check, pointer, index, "/names",
			       "SCMP_ACT_NOTIFY cannot be used for the write syscall");
}

void rule_seccomp(const struct oci_config *config, struct check *check)
{
	const struct oci_seccomp *seccomp = config->linux->seccomp;
	bool listener;

	if (!seccomp)
		return;
	listener = (seccomp->listener_path && *seccomp->listener_path) ||
		   json_map_get(&config->annotations, "run.oci.seccomp.receiver");
	if (seccomp->listener_metadata && *seccomp->listener_metadata && !listener)
		rule_broken(check, "/linux/seccomp/listenerMetadata",
			    "listenerMetadata without a listenerPath");
	if (seccomp->default_action == SECCOMP_ACTION_NOTIFY)
		rule_broken(check, "/linux/seccomp/defaultAction",
			    "SCMP_ACT_NOTIFY cannot be used as default action");
	errno_check(seccomp->default_action, seccomp->default_errno_ret,
		    "/linux/seccomp/defaultErrnoRet", check);
	for (size_t i = 0; i < seccomp->syscalls.count; i++) {
		seccomp_syscall_check(&seccomp->syscalls.items[i], i, check);
		if (seccomp->syscalls.items[i].action == SECCOMP_ACTION_NOTIFY && !listener)
			rule_broken_at(check, "/linux/seccomp/syscalls", i, "/action",
				       "SCMP_ACT_NOTIFY needs a listenerPath");
	}
}
