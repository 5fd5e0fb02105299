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

bool lsm_has_selinux(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

bool lsm_has_apparmor(void)
{
	cleanup_close int fd =
		open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

/* A plan that is only looked at may name what another host has. */
static bool lsm_is_enabled(const struct plan *plan, bool (*has)(void))
{
	return plan->look_only || has();
}

static bool text_is_set(const char *text)
{
	return text && *text;
}

static int not_enabled(struct error *err, const char *pointer, const char *text)
{
	return error_pointer(err, error_set(err, ERROR_UNSUPPORTED, 0, "%s", text), "%s", pointer);
}

int compile_labels(const struct compiler *c, const struct oci_process *process,
		   const char *mount_label, struct error *err)
{
	static const char selinux[] =
		"selinux label is specified in config, but selinux is disabled or not supported";
	static const char apparmor[] = "apparmor profile is specified in config, but apparmor is "
				       "disabled or not supported";
	const char *label = process->selinux_label, *profile = process->apparmor_profile;
	struct plan *plan = c->plan;

	if (text_is_set(label) && !lsm_is_enabled(plan, lsm_has_selinux))
		return not_enabled(err, "/process/selinuxLabel", selinux);
	if (text_is_set(mount_label) && !lsm_is_enabled(plan, lsm_has_selinux))
		return not_enabled(err, "/linux/mountLabel", selinux);
	if (text_is_set(label))
		plan->process.selinux_label = label;
	if (!text_is_set(profile))
		return 0;
	if (!lsm_is_enabled(plan, lsm_has_apparmor)) {
		/* without the module everything is; with it, a profile may be attached to paths */
		if (strcmp(profile, "unconfined") == 0)
			return 0;
		return not_enabled(err, "/process/apparmorProfile", apparmor);
	}
	plan->process.apparmor_profile = profile;
	return 0;
}
