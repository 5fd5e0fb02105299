/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux and AppArmor labels: asked for on a host without that module, they must fail rather
 * than run the container unconfined. Whether SELinux is on is asked of the kernel directly:
 * libselinux answers the same question in a constructor that every verb would pay for.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "lib/cleanup.h"
#include "runtime/plan/compile.h"

static bool selinux_is_enabled(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

static bool apparmor_is_enabled(void)
{
	cleanup_close int fd =
		open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static bool text_is_set(const char *text)
{
	return text && *text;
}

int compile_labels(const struct oci_process *process, const char *mount_label, struct plan *plan,
		   struct error *err)
{
	const char *profile = process->apparmor_profile;

	if (text_is_set(process->selinux_label) || text_is_set(mount_label)) {
		const char *pointer = text_is_set(process->selinux_label) ? "/process/selinuxLabel"
									  : "/linux/mountLabel";

		if (!selinux_is_enabled())
			return error_pointer(err,
					     error_set(err, ERROR_UNSUPPORTED, 0,
						       "selinux label is specified in config, but "
						       "selinux is disabled or not supported"),
					     "%s", pointer);
		return plan_not_yet(err, "%s", pointer);
	}
	/* "unconfined" is what a process without a profile is */
	if (text_is_set(profile) && strcmp(profile, "unconfined") != 0) {
		if (!apparmor_is_enabled())
			return error_pointer(err,
					     error_set(err, ERROR_UNSUPPORTED, 0,
						       "apparmor profile is specified in config, "
						       "but apparmor is disabled or not supported"),
					     "/process/apparmorProfile");
		return plan_not_yet(err, "/process/apparmorProfile");
	}
	plan->process.selinux_label = NULL;
	plan->process.apparmor_profile = NULL;
	return 0;
}
