/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host cannot give of a valid config.json: a table of questions, each of which only
 * looks. The answers hold for the caller: without privilege, some things are not to be had that
 * root has.
 */
#include "runtime/lifecycle/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/proc.h"
#include "lib/syscalls.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/lifecycle/resctrl.h"
#include "runtime/plan/caps.h"
#include "runtime/plan/compile.h"

struct host {
	const struct oci_config *config;
	const struct oci_linux *lin;
	const struct plan *plan;
	uint64_t capabilities; /* the caller's */
	struct findings *findings;
	size_t known; /* so many of them are not about this host */
	const char *rule;
};

/* POINTER/INDEX, and a message. */
static void lacks(const struct host *host, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void lacks(const struct host *host, const char *pointer, const char *format, ...)
{
	struct finding *finding;
	va_list ap;

	if (findings_about(host->findings, host->known, pointer))
		return; /* it is wrong everywhere */
	va_start(ap, format);
	finding = findings_vadd(host->findings, host->rule, pointer, format, ap);
	va_end(ap);
	if (finding)
		finding->severity = SEVERITY_HOST;
}

/* What errno says about a path. */
static void lacks_path(const struct host *host, const char *pointer, const char *what,
		       const char *path)
{
	struct error err = ERROR_INIT;
	char text[sizeof(err.msg) + 256];

	(void)error_errno(&err, errno, "%s \"%s\"", what, path);
	lacks(host, pointer, "%s", error_text(&err, text, sizeof(text)));
}

struct place {
	char text[128];
};

static struct place place_at(const char *pointer, size_t index, const char *behind)
{
	struct place place;

	(void)snprintf(place.text, sizeof(place.text), "%s/%zu%s", pointer, index, behind);
	return place;
}

/* -- file system ---------------------------------------------------------------------------------
 */

static void ask_rootfs(const struct host *host)
{
	struct stat st;

	if (!host->plan->rootfs)
		return; /* none is named */
	if (stat(host->plan->rootfs, &st) < 0)
		lacks_path(host, "/root/path", "root file system", host->plan->rootfs);
	else if (!S_ISDIR(st.st_mode))
		lacks(host, "/root/path", "\"%s\" is not a folder", host->plan->rootfs);
}

static void ask_mounts(const struct host *host)
{
	for (size_t i = 0; i < host->plan->mount_count; i++) {
		const struct plan_mount *mount = &host->plan->mounts[i];
		int flags = mount->flags & PLAN_MOUNT_SRC_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
		struct stat st;

		if (mount->kind == PLAN_MOUNT_BIND &&
		    fstatat(AT_FDCWD, mount->source, &st, flags) < 0)
			lacks_path(host, place_at("/mounts", mount->index, "/source").text,
				   "source", mount->source);
	}
}

/* Those of the container run in it: their paths say nothing here. */
static void ask_hooks(const struct host *host)
{
	for (size_t kind = 0; kind < HOOK_COUNT; kind++) {
		char pointer[64];

		if (kind == HOOK_START_CONTAINER)
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/hooks/%s", hook_names[kind]);
		for (size_t i = 0; i < host->plan->hooks[kind].count; i++) {
			const struct plan_hook *hook = &host->plan->hooks[kind].items[i];
			const struct place place = place_at(pointer, hook->index, "/path");
			struct stat st;

			if (stat(hook->path, &st) < 0)
				lacks_path(host, place.text, "hook", hook->path);
			else if (!S_ISREG(st.st_mode) || access(hook->path, X_OK) < 0)
				lacks(host, place.text, "hook \"%s\" cannot be executed",
				      hook->path);
		}
	}
}

/* -- namespaces ----------------------------------------------------------------------------------
 */

static void ask_joined(const struct host *host, const struct namespace_info *info, const char *path,
		       const char *pointer)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		lacks_path(host, pointer, "namespace", path);
	else if (ioctl(fd, NS_GET_NSTYPE) != (int)info->clone_flag)
		lacks(host, pointer, "\"%s\" is not a %s namespace", path, info->oci_name);
}

static void ask_namespaces(const struct host *host)
{
	for (size_t i = 0; i < host->lin->namespaces.count; i++) {
		int kind = plan_namespace_kind(host->lin->namespaces.items[i].type);
		char path[64];

		if (kind < 0)
			continue;
		if (host->plan->namespaces[kind].mode == NS_JOIN)
			ask_joined(host, &namespace_table[kind], host->plan->namespaces[kind].path,
				   place_at("/linux/namespaces", i, "/path").text);
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
			       namespace_table[kind].proc_name);
		if (access(path, F_OK) < 0)
			lacks(host, place_at("/linux/namespaces", i, "/type").text,
			      "the kernel has no %s namespaces", namespace_table[kind].oci_name);
	}
}

static void ask_net_devices(const struct host *host)
{
	for (size_t i = 0; i < host->plan->net_device_count; i++) {
		const char *name = host->plan->net_devices[i].host_name;
		cleanup_strbuf struct strbuf pointer = STRBUF_INIT;

		strbuf_adds(&pointer, "/linux/netDevices");
		json_pointer_add(&pointer, name);
		if (!if_nametoindex(name))
			lacks(host, strbuf_text(&pointer), "there is no network device \"%s\"",
			      name);
	}
}

/* -- cgroup, resctrl -----------------------------------------------------------------------------
 */

static void ask_cgroup(const struct host *host)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	const struct plan_cgroup *plan = &host->plan->cgroup;
	struct error err = ERROR_INIT;

	if (plan->manager == CGROUP_DISABLED || !plan->limits_asked || !plan->path)
		return;
	if (cgroup_locate(host->plan, &cgroup, &err) < 0 || !cgroup.mount) {
		lacks(host, "/linux/resources", "%s",
		      err.msg[0] ? err.msg : "no cgroup2 file system is mounted");
		return;
	}
	cgroup.fd = open(cgroup.mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < plan->write_count; i++)
		if (cgroup_check_controller(&cgroup, &plan->writes[i], &err) < 0)
			lacks(host,
			      plan->writes[i].pointer ? plan->writes[i].pointer
						      : "/linux/resources",
			      "%s", err.msg);
}

static void ask_rdt(const struct host *host)
{
	struct resctrl resctrl = RESCTRL_INIT;
	struct error err = ERROR_INIT;
	char text[sizeof(err.msg) + 256];

	if (!host->plan->rdt.group)
		return;
	if (resctrl_open(&resctrl, NULL, &err) < 0 ||
	    resctrl_check(&resctrl, &host->plan->rdt, &err) < 0)
		lacks(host, "/linux/intelRdt", "%s", error_text(&err, text, sizeof(text)));
	resctrl_done(&resctrl);
}

/* -- the process ---------------------------------------------------------------------------------
 */

static void ask_security_modules(const struct host *host)
{
	const struct plan_process *process = &host->plan->process;

	if (process->selinux_label && !lsm_has_selinux())
		lacks(host, "/process/selinuxLabel", "SELinux is disabled or not supported");
	if (host->plan->mount_label && !lsm_has_selinux())
		lacks(host, "/linux/mountLabel", "SELinux is disabled or not supported");
	if (process->apparmor_profile && !lsm_has_apparmor())
		lacks(host, "/process/apparmorProfile", "AppArmor is disabled or not supported");
}

static uint64_t own_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) < 0)
		return UINT64_MAX; /* cannot happen; says nothing against anybody then */
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

/* Each in the first set that has it: the others say the same. In a user namespace of the
 * container's own all are there. */
static void ask_capabilities(const struct host *host)
{
	/* clang-format off */
	const struct { const char *pointer; uint64_t mask; } sets[] = {
		{ "/process/capabilities/bounding",    host->plan->process.caps_bounding },
		{ "/process/capabilities/effective",   host->plan->process.caps_effective },
		{ "/process/capabilities/permitted",   host->plan->process.caps_permitted },
		{ "/process/capabilities/inheritable", host->plan->process.caps_inheritable },
		{ "/process/capabilities/ambient",     host->plan->process.caps_ambient },
	};
	/* clang-format on */
	char name[CAPABILITY_NAME_MAX];
	uint64_t seen = 0;

	if (plan_has_namespace(host->plan, NS_USER))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		for (int number = 0; capability_name(number, name); number++) {
			uint64_t bit = UINT64_C(1) << number;

			if (!(sets[i].mask & bit) || seen & bit)
				continue;
			seen |= bit;
			if (!(host->capabilities & bit))
				lacks(host, sets[i].pointer,
				      "%s cannot be granted: the runtime lacks it", name);
		}
	}
}

/* Above one's own hard limit only CAP_SYS_RESOURCE can go, over the initial user namespace. */
static void ask_rlimits(const struct host *host)
{
	for (size_t i = 0; i < host->plan->process.rlimit_count; i++) {
		const struct plan_rlimit *rlimit = &host->plan->process.rlimits[i];
		struct rlimit own;

		if (getrlimit((__rlimit_resource_t)rlimit->resource, &own) < 0)
			lacks(host, place_at("/process/rlimits", rlimit->index, "/type").text,
			      "the kernel has no %s", rlimit->name);
		else if (rlimit->limit.rlim_max > own.rlim_max &&
			 !(host->capabilities & UINT64_C(1) << CAP_SYS_RESOURCE))
			lacks(host, place_at("/process/rlimits", rlimit->index, "/hard").text,
			      "%s of %llu: without CAP_SYS_RESOURCE no more than %llu is to be had",
			      rlimit->name, (unsigned long long)rlimit->limit.rlim_max,
			      (unsigned long long)own.rlim_max);
	}
}

static void ask_sysctls(const struct host *host)
{
	for (size_t i = 0; i < host->plan->sysctl_count; i++) {
		cleanup_strbuf struct strbuf pointer = STRBUF_INIT, path = STRBUF_INIT;

		strbuf_addf(&path, "/proc/sys/%s", host->plan->sysctls[i].file);
		strbuf_adds(&pointer, "/linux/sysctl");
		json_pointer_add(&pointer, host->plan->sysctls[i].key);
		if (access(strbuf_text(&path), F_OK) < 0)
			lacks_path(host, strbuf_text(&pointer), "kernel parameter",
				   strbuf_text(&path));
	}
}

/* -- seccomp -------------------------------------------------------------------------------------
 */

/* An unknown flag is EINVAL, a known one gets as far as the missing program. */
bool host_has_seccomp_flag(unsigned int flag)
{
	if (flag == SECCOMP_FLAG_WAIT_KILLABLE_RECV) /* valid only with this one */
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

static bool host_has_seccomp_action(int action)
{
	/* clang-format off */
	static const uint32_t kernel_actions[] = {
		[SECCOMP_ACTION_KILL]         = SECCOMP_RET_KILL_THREAD,
		[SECCOMP_ACTION_KILL_PROCESS] = SECCOMP_RET_KILL_PROCESS,
		[SECCOMP_ACTION_KILL_THREAD]  = SECCOMP_RET_KILL_THREAD,
		[SECCOMP_ACTION_TRAP]         = SECCOMP_RET_TRAP,
		[SECCOMP_ACTION_ERRNO]        = SECCOMP_RET_ERRNO,
		[SECCOMP_ACTION_TRACE]        = SECCOMP_RET_TRACE,
		[SECCOMP_ACTION_ALLOW]        = SECCOMP_RET_ALLOW,
		[SECCOMP_ACTION_LOG]          = SECCOMP_RET_LOG,
		[SECCOMP_ACTION_NOTIFY]       = SECCOMP_RET_USER_NOTIF,
	};
	/* clang-format on */
	uint32_t value = kernel_actions[action];

	return sys_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &value) == 0;
}

static void ask_seccomp(const struct host *host)
{
	const struct oci_seccomp *seccomp = host->lin->seccomp;

	if (!seccomp || !host->plan->process.seccomp.filter)
		return;
	if (!host_has_seccomp_action(seccomp->default_action))
		lacks(host, "/linux/seccomp/defaultAction", "the kernel does not know this action");
	for (const struct name_value *flag = oci_seccomp_flag_names; flag->name; flag++)
		if (seccomp->has_flags && seccomp->flags & (uint64_t)flag->value &&
		    !host_has_seccomp_flag((unsigned int)flag->value))
			lacks(host, "/linux/seccomp/flags", "the kernel does not know %s",
			      flag->name);
	for (size_t i = 0; i < seccomp->syscalls.count; i++)
		if (!host_has_seccomp_action(seccomp->syscalls.items[i].action))
			lacks(host, place_at("/linux/seccomp/syscalls", i, "/action").text,
			      "the kernel does not know this action");
}

/* -- all -----------------------------------------------------------------------------------------
 */

/* clang-format off */
static const struct {
	const char *name;
	void (*ask)(const struct host *host);
} questions[] = {
	{ "host-rootfs",       ask_rootfs },
	{ "host-mounts",       ask_mounts },
	{ "host-hooks",        ask_hooks },
	{ "host-namespaces",   ask_namespaces },
	{ "host-net-devices",  ask_net_devices },
	{ "host-cgroup",       ask_cgroup },
	{ "host-intel-rdt",    ask_rdt },
	{ "host-lsm",          ask_security_modules },
	{ "host-capabilities", ask_capabilities },
	{ "host-rlimits",      ask_rlimits },
	{ "host-sysctl",       ask_sysctls },
	{ "host-seccomp",      ask_seccomp },
};
/* clang-format on */

void host_examine(const struct oci_config *config, const struct plan *plan,
		  struct findings *findings)
{
	static const struct oci_linux empty;
	struct host host = {
		.config = config,
		.lin = config->linux ? config->linux : &empty,
		.plan = plan,
		.capabilities = own_capabilities(),
		.findings = findings,
		.known = findings->count,
	};

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		host.rule = questions[i].name;
		questions[i].ask(&host);
	}
}
