/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LSM labels of the process, written through our own fd of /proc/self (never the container's
 * procfs: CVE-2019-16884, CVE-2025-52881), and the container's session keyring.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "runtime/init/init.h"

static int write_attribute(struct init *init, const char *file, const char *text)
{
	return io_write_kernel_file(init->self_fd, file, text, NULL);
}

static int set_apparmor(struct init *init, const char *profile, struct error *err)
{
	cleanup_free char *text = NULL;
	int ret;

	if (asprintf(&text, "exec %s", profile) < 0)
		return error_errno(err, ENOMEM, "AppArmor profile");
	ret = write_attribute(init, "attr/apparmor/exec", text);
	if (ret == -ENOENT) /* before Linux 5.8 there is one file for all LSMs */
		ret = write_attribute(init, "attr/exec", text);
	return ret < 0 ? error_errno(err, -ret, "apply AppArmor profile \"%s\"", profile) : 0;
}

int labels_apply(struct init *init, struct error *err)
{
	const struct plan_process *process = &init->plan->process;
	int ret = 0;

	if (process->apparmor_profile)
		ret = set_apparmor(init, process->apparmor_profile, err);
	if (ret == 0 && process->selinux_label) {
		ret = write_attribute(init, "attr/exec", process->selinux_label);
		if (ret < 0)
			return error_errno(err, -ret, "set the SELinux label \"%s\"",
					   process->selinux_label);
	}
	return ret;
}

static int create_keyring(const char *name, struct error *err)
{
	long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);

	if (ring < 0 && errno == ENOSYS)
		return 0;
	if (ring < 0)
		return error_errno(err, errno, "join session keyring \"%s\"", name);
	/* who possesses it may do all, nobody else anything; the first creation set it already when
	 * the kernel does not let us */
	(void)syscall(SYS_keyctl, KEYCTL_SETPERM, ring, 0x3f000000, 0, 0);
	return 0;
}

/* Keys of the caller's session must not be the container's (runc does the same by default). Where
 * the process has a label, its keyring has it, too, or the policy would keep it from it. */
int labels_join_keyring(struct init *init, struct error *err)
{
	const char *label = init->plan->process.selinux_label;
	char name[256 + 8];
	int ret = 0;

	(void)snprintf(name, sizeof(name), "_ses.%s", init->plan->id ? init->plan->id : "");
	if (label)
		ret = write_attribute(init, "attr/keycreate", label);
	if (ret < 0)
		return error_errno(err, -ret, "set the SELinux label \"%s\" of keys", label);
	ret = create_keyring(name, err);
	if (label) /* keys that the payload makes are its own affair; exec would clear it as well */
		(void)write_attribute(init, "attr/keycreate", "\n");
	return ret;
}
