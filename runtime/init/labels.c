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

#define LABEL_MAX ((size_t)64 << 10) /* far above what a policy can have */

/*
 * Has the kernel taken it over, and for this process? What it shows is its own form of the label,
 * which may list categories in another way and ends in NUL, or " (enforce)"; so only the beginning
 * is compared. stable: where that is the same in all forms.
 */
static int verify_attribute(struct init *init, const char *file, const char *text, size_t stable,
			    struct error *err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	int ret = io_read_file(init->self_fd, file, LABEL_MAX, &shown, err);

	if (ret < 0)
		return ret;
	if (shown.size < stable || memcmp(shown.data, text, stable) != 0)
		return error_set(err, ERROR_SYSTEM, EPERM, "the kernel has \"%s\" in %s instead",
				 strbuf_text(&shown), file);
	return 0;
}

/* user:role:type, without the level */
static size_t selinux_stable_size(const char *label)
{
	size_t size = 0;

	for (int field = 0; field < 3; field++) {
		size += strcspn(label + size, ":");
		size += label[size] == ':' && field < 2;
	}
	return size;
}

static int set_selinux(struct init *init, const char *label, struct error *err)
{
	int ret = io_write_kernel_file(init->self_fd, "attr/exec", label, err);

	return ret < 0 ? ret
		       : verify_attribute(init, "attr/exec", label, selinux_stable_size(label),
					  err);
}

/* A profile in another namespace, or a stack of them, is shown in other words. */
static size_t apparmor_stable_size(const char *profile)
{
	return *profile == ':' || strstr(profile, "//&") ? 1 : strlen(profile);
}

static int set_apparmor(struct init *init, const char *profile, struct error *err)
{
	cleanup_free char *text = xasprintf("exec %s", profile);
	const char *file = "attr/apparmor/exec";
	int ret = io_write_kernel_file(init->self_fd, file, text, NULL);

	if (ret == -ENOENT && faccessat(init->self_fd, file, F_OK, 0) < 0) {
		file = "attr/exec"; /* before Linux 5.8 there is one file for all LSMs */
		ret = io_write_kernel_file(init->self_fd, file, text, NULL);
	}
	if (ret < 0)
		return error_errno(err, -ret, "write to /proc/self/%s", file);
	return verify_attribute(init, file, profile, apparmor_stable_size(profile), err);
}

int labels_apply(struct init *init, struct error *err)
{
	const char *profile = init->plan->process.apparmor_profile;
	const char *label = init->plan->process.selinux_label;
	int ret = profile ? set_apparmor(init, profile, err) : 0;

	if (ret < 0)
		return error_pointer(
			err, error_prefix(err, ret, "apply AppArmor profile \"%s\"", profile),
			"/process/apparmorProfile");
	ret = label ? set_selinux(init, label, err) : 0;
	return error_pointer(err, error_prefix(err, ret, "set the SELinux label \"%s\"", label),
			     "/process/selinuxLabel");
}

/* The label of keys that we make from now on; NULL = that of the process. */
static int label_keys(struct init *init, const char *label, struct error *err)
{
	int ret = io_write_kernel_file(init->self_fd, "attr/keycreate", label ? label : "\n", err);

	return error_pointer(err, error_prefix(err, ret, "label the session keyring"),
			     "/process/selinuxLabel");
}

/* Keys of the caller's session must not be the container's (runc does the same by default). */
static int join_keyring(const char *id, struct error *err)
{
	char name[256 + 8];
	long ring;

	(void)snprintf(name, sizeof(name), "_ses.%s", id ? id : "");
	ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);
	if (ring < 0 && errno == ENOSYS)
		return 0;
	if (ring < 0)
		return error_errno(err, errno, "join session keyring \"%s\"", name);
	/* who possesses it may do all, nobody else anything; the first creation set it already when
	 * the kernel does not let us */
	(void)syscall(SYS_keyctl, KEYCTL_SETPERM, ring, 0x3f000000, 0, 0);
	return 0;
}

/* Where the process has a label, its keyring has it, too, or the policy would keep it from it. Keys
 * that the payload makes are its own affair. */
int labels_join_keyring(struct init *init, struct error *err)
{
	const char *label = init->plan->process.selinux_label;
	int ret = label ? label_keys(init, label, err) : 0;

	if (ret == 0)
		ret = join_keyring(init->plan->id, err);
	if (ret == 0 && label)
		ret = label_keys(init, NULL, err);
	return ret;
}
