/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the root of the container to the user of its process: capabilities, groups, ids. Everything
 * is read back at the end; a process with more rights than planned is never started.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "runtime/init/init.h"
#include "runtime/plan/caps.h"
#include "runtime/texts.h"

/* Until the kernel says that there are no more (EINVAL): nobody has to know the last number. */
static int drop_bounding(uint64_t keep, struct error *err)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (keep & (1ULL << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			return 0;
		return error_errno(err, errno, "drop capability %lu from the bounding set", cap);
	}
	return 0;
}

/* 1 when all six ids are those of process; they are read back, not believed. */
static int ids_match(const struct plan_process *process, struct error *err)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return error_errno(err, errno, "read the ids");
	for (int i = 0; i < 3; i++)
		if (uid[i] != process->uid || gid[i] != process->gid)
			return 0;
	return 1;
}

/*
 * Refused where the user namespace denies setgroups(2), as it does to users without privilege: who
 * asked for no groups keeps those that it could not shed before either.
 */
static int set_groups(const struct plan *plan, struct error *err)
{
	const struct plan_process *process = &plan->process;
	bool may_be_denied = plan->rootless || plan->namespaces[NS_USER].mode != NS_INHERIT;
	int errnum;

	if (process->keep_groups || setgroups(process->group_count, process->groups) == 0)
		return 0;
	errnum = errno;
	if (errnum == EPERM && may_be_denied && !process->group_count)
		return 0;
	return error_pointer(err, error_errno(err, errnum, "set the supplementary groups"),
			     "/process/user/additionalGids");
}

static int set_ids(struct init *init, struct error *err)
{
	const struct plan_process *process = &init->plan->process;
	int ret;

	ret = set_groups(init->plan, err);
	if (ret < 0)
		return ret;
	ret = ids_match(process, err);
	if (ret != 0)
		return ret < 0 ? ret : 0; /* the usual root needs no change */
	if (setresgid(process->gid, process->gid, process->gid) < 0)
		return error_errno(err, errno, "become group %u", process->gid);
	if (setresuid(process->uid, process->uid, process->uid) < 0)
		return error_errno(err, errno, "become user %u", process->uid);
	ret = ids_match(process, err);
	if (ret == 0)
		return error_set(err, ERROR_INTERNAL, EPERM, "the ids did not take effect");
	return ret < 0 ? ret : 0;
}

static void split_set(uint64_t set, uint32_t *low, uint32_t *high)
{
	*low = (uint32_t)set;
	*high = (uint32_t)(set >> 32);
}

static int set_capabilities(const struct plan_process *process, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	split_set(process->caps_effective, &data[0].effective, &data[1].effective);
	split_set(process->caps_permitted, &data[0].permitted, &data[1].permitted);
	split_set(process->caps_inheritable, &data[0].inheritable, &data[1].inheritable);
	if (syscall(SYS_capset, &header, data) < 0)
		return error_errno(err, errno, "set the capabilities");
	return 0;
}

/*
 * One that cannot be raised is only a warning: that is what callers of runc know. One that is not
 * inheritable never can be, and buildah asks for those in each RUN: the user is not told.
 */
static void raise_ambient(const struct plan_process *process)
{
	uint64_t set = process->caps_ambient;

	for (unsigned long cap = 0; cap < 64 && set >> cap; cap++) {
		char name[CAPABILITY_NAME_MAX];
		const char *text;

		if (!(set >> cap & 1) ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == 0)
			continue;
		text = capability_name((int)cap, name);
		log_write(process->caps_inheritable >> cap & 1 ? LOG_WARNING : LOG_INFO,
			  TEXT_AMBIENT "%s", text ? text : "unknown", strerror(errno));
	}
}

static int verify(const struct plan_process *process, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint64_t permitted, effective, inheritable;

	if (syscall(SYS_capget, &header, data) < 0)
		return error_errno(err, errno, "read the capabilities back");
	permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	if (permitted != process->caps_permitted || effective != process->caps_effective ||
	    inheritable != process->caps_inheritable)
		return error_set(err, ERROR_INTERNAL, EPERM,
				 "the capabilities did not take effect");
	return 0;
}

/* Pipes and terminals that the container's user gets as standard streams must be its own, or it
 * could not open /dev/stdout again. */
static int own_standard_streams(const struct plan_process *process, struct error *err)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat status;

		if (fstat(fd, &status) < 0)
			return error_errno(err, errno, "look at standard stream %d", fd);
		/* files and shared devices (/dev/null) belong to the host */
		if (status.st_uid == process->uid || S_ISREG(status.st_mode) ||
		    (S_ISCHR(status.st_mode) && !isatty(fd)))
			continue;
		if (fchown(fd, process->uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM &&
		    errno != EROFS)
			return error_errno(err, errno, "own standard stream %d", fd);
	}
	return 0;
}

int credentials_apply(struct init *init, struct error *err)
{
	const struct plan_process *process = &init->plan->process;
	int ret = 0;

	if (process->uid != 0)
		ret = own_standard_streams(process, err);
	if (ret == 0)
		ret = drop_bounding(process->caps_bounding, err);
	if (ret < 0)
		return ret;
	if (process->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "keep the capabilities over the change of user");
	ret = set_ids(init, err);
	if (ret == 0)
		ret = set_capabilities(process, err);
	if (ret < 0)
		return ret;
	raise_ambient(process);
	if (process->uid != 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return error_errno(err, errno, "stop keeping capabilities");
	return verify(process, err);
}

int credentials_set_no_new_privileges(struct init *init, struct error *err)
{
	(void)init;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "set no_new_privs");
	return 0;
}
