/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of the linux section: namespaces and what depends on them, sysctls, seccomp, resources.
 * Where callers or test suites match on runc's words, the words are runc's.
 */
#include "spec/config-check.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"

static const struct oci_namespace *namespace_find(const struct oci_config *config, uint64_t type)
{
	for (size_t i = 0; i < config->linux->namespaces.count; i++) {
		if (config->linux->namespaces.items[i].type == type)
			return &config->linux->namespaces.items[i];
	}
	return NULL;
}

static bool namespace_is_joined(const struct oci_namespace *ns)
{
	return ns && ns->path && *ns->path;
}

/* -- namespaces
 * ------------------------------------------------------------------------------------- */

static int rule_namespaces(const struct oci_config *config, struct error *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < config->linux->namespaces.count; i++) {
		const struct oci_namespace *ns = &config->linux->namespaces.items[i];

		if (seen & ns->type)
			return rule_broken_at(err, "/linux/namespaces", i, "/type",
					      "malformed spec file: duplicated ns \"%s\"",
					      table_name(oci_namespace_names, (int64_t)ns->type));
		seen |= ns->type;
		if (namespace_is_joined(ns) && *ns->path != '/')
			return rule_broken_at(err, "/linux/namespaces", i, "/path",
					      "namespace path \"%s\" is not absolute", ns->path);
	}
	return 0;
}

static int mappings_check(const struct oci_id_mappings *mappings, const char *pointer,
			  struct error *err)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct oci_id_mapping *mapping = &mappings->items[i];

		if (!mapping->size)
			return rule_broken_at(err, pointer, i, "/size", "a mapping of no ids");
		if (mapping->size > UINT32_MAX - mapping->container_id ||
		    mapping->size > UINT32_MAX - mapping->host_id)
			return rule_broken_at(err, pointer, i, "", "a mapping beyond id %u",
					      UINT32_MAX - 1);
	}
	return 0;
}

static int rule_mappings(const struct oci_config *config, struct error *err)
{
	const struct oci_linux *section = config->linux;
	const struct oci_namespace *user = namespace_find(config, CLONE_NEWUSER);
	int ret;

	if (!user && (section->uid_mappings.count || section->gid_mappings.count))
		return rule_broken(err,
				   section->uid_mappings.count ? "/linux/uidMappings"
							       : "/linux/gidMappings",
				   "user namespace mappings specified, but user namespace isn't "
				   "enabled in the config");
	if (user && !namespace_is_joined(user)) {
		if (!section->uid_mappings.count)
			return rule_broken(err, "/linux/uidMappings",
					   "user namespace enabled, but no uid mapping specified");
		if (!section->gid_mappings.count)
			return rule_broken(err, "/linux/gidMappings",
					   "user namespace enabled, but no gid mapping specified");
	}
	ret = mappings_check(&section->uid_mappings, "/linux/uidMappings", err);
	return ret < 0 ? ret : mappings_check(&section->gid_mappings, "/linux/gidMappings", err);
}

static int rule_time_offsets(const struct oci_config *config, struct error *err)
{
	const struct oci_time_offsets *offsets = config->linux->time_offsets;
	const struct oci_namespace *ns = namespace_find(config, CLONE_NEWTIME);

	if (!offsets || (!offsets->monotonic && !offsets->boottime))
		return 0;
	if (!ns)
		return rule_broken(err, "/linux/timeOffsets",
				   "time namespace offsets specified, but time namespace isn't "
				   "enabled");
	if (namespace_is_joined(ns))
		return rule_broken(err, "/linux/timeOffsets",
				   "time namespace enabled, but both namespace path and time "
				   "offsets specified");
	if (offsets->monotonic && offsets->monotonic->nanosecs > 999999999)
		return rule_broken(err, "/linux/timeOffsets/monotonic/nanosecs",
				   "%u is not below a second", offsets->monotonic->nanosecs);
	if (offsets->boottime && offsets->boottime->nanosecs > 999999999)
		return rule_broken(err, "/linux/timeOffsets/boottime/nanosecs",
				   "%u is not below a second", offsets->boottime->nanosecs);
	return 0;
}

static int rule_paths(const struct oci_config *config, struct error *err)
{
	const struct oci_linux *section = config->linux;

	if (namespace_find(config, CLONE_NEWNS))
		return 0;
	if (!section->masked_paths.count && !section->readonly_paths.count)
		return 0;
	return rule_broken(
		err, section->masked_paths.count ? "/linux/maskedPaths" : "/linux/readonlyPaths",
		"unable to restrict sys entries without a private MNT namespace");
}

/* dev_valid_name() of the kernel; %d may stand in the new name for the first free number. */
static bool interface_name_is_valid(const char *name)
{
	size_t size = strlen(name);

	return size && size < 16 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strpbrk(name, "/: \t\n\v\f\r");
}

static const char *new_name(const struct oci_net_device *device)
{
	return device->name && *device->name ? device->name : device->host_name;
}

static int compare_new_names(const void *a, const void *b)
{
	const struct oci_net_device *const *left = a, *const *right = b;

	return strcmp(new_name(*left), new_name(*right));
}

static int net_device_names_check(const struct oci_linux *section, struct error *err)
{
	size_t count = section->net_devices.count;
	cleanup_free const struct oci_net_device **order =
		xreallocarray(NULL, count, sizeof(*order));

	for (size_t i = 0; i < count; i++)
		order[i] = &section->net_devices.items[i];
	qsort(order, count, sizeof(*order), compare_new_names);
	for (size_t i = 1; i < count; i++) {
		const char *name = new_name(order[i]);

		if (!strchr(name, '%') && !strcmp(new_name(order[i - 1]), name))
			return rule_broken(err, "/linux/netDevices",
					   "two network devices with the name \"%s\"", name);
	}
	return 0;
}

static int rule_net_devices(const struct oci_config *config, struct error *err)
{
	const struct oci_linux *section = config->linux;

	if (!section->net_devices.count)
		return 0;
	if (!namespace_find(config, CLONE_NEWNET))
		return rule_broken(err, "/linux/netDevices",
				   "unable to move network devices without a NET namespace");
	for (size_t i = 0; i < section->net_devices.count; i++) {
		const struct oci_net_device *device = &section->net_devices.items[i];

		if (!interface_name_is_valid(device->host_name) ||
		    !interface_name_is_valid(new_name(device)))
			return rule_broken(
				err, "/linux/netDevices", "invalid network device name \"%s\"",
				interface_name_is_valid(device->host_name) ? new_name(device)
									   : device->host_name);
	}
	return net_device_names_check(section, err);
}

/* -- sysctl
 * ----------------------------------------------------------------------------------------- */

/* clang-format off */
/* Which namespace a sysctl belongs to; a name that ends in '.' stands for all below it. */
static const struct name_value sysctl_namespaces[] = {
	{ "fs.mqueue.",             CLONE_NEWIPC },
	{ "kernel.domainname",      CLONE_NEWUTS },
	{ "kernel.msgmax",          CLONE_NEWIPC },
	{ "kernel.msgmnb",          CLONE_NEWIPC },
	{ "kernel.msgmni",          CLONE_NEWIPC },
	{ "kernel.sem",             CLONE_NEWIPC },
	{ "kernel.shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel.shmall",          CLONE_NEWIPC },
	{ "kernel.shmmax",          CLONE_NEWIPC },
	{ "kernel.shmmni",          CLONE_NEWIPC },
	{ "net.",                   CLONE_NEWNET },
	{ "user.",                  CLONE_NEWUSER },
	{ NULL },
};
/* clang-format on */

/* As sysctl(8): the first separator decides which of '.' and '/' separates. */
static void sysctl_normalize(char *name)
{
	char *first = strpbrk(name, "./");

	if (!first || *first == '.')
		return;
	for (char *p = name; *p; p++) {
		if (*p == '/')
			*p = '.';
		else if (*p == '.')
			*p = '/';
	}
}

static bool sysctl_matches(const char *pattern, const char *name)
{
	size_t size = strlen(pattern);

	if (pattern[size - 1] == '.')
		return !strncmp(pattern, name, size);
	return !strcmp(pattern, name);
}

static int rule_sysctl(const struct oci_config *config, struct error *err)
{
	for (size_t i = 0; i < config->linux->sysctl.count; i++) {
		const char *key = config->linux->sysctl.items[i].key;
		const struct name_value *entry = sysctl_namespaces;
		cleanup_free char *name = xstrdup(key);

		sysctl_normalize(name);
		if (!strcmp(name, "kernel.hostname"))
			return rule_broken(
				err, "/linux/sysctl",
				"sysctl \"%s\" conflicts with the OCI field \"hostname\"", key);
		while (entry->name && !sysctl_matches(entry->name, name))
			entry++;
		if (!entry->name || !namespace_find(config, (uint64_t)entry->value))
			return rule_broken(err, "/linux/sysctl",
					   "sysctl \"%s\" is not in a separate kernel namespace",
					   key);
	}
	return 0;
}

/* -- devices, resources
 * ----------------------------------------------------------------------------- */

static int rule_devices(const struct oci_config *config, struct error *err)
{
	for (size_t i = 0; i < config->linux->devices.count; i++) {
		const struct oci_device *device = &config->linux->devices.items[i];

		if (*device->path != '/')
			return rule_broken_at(err, "/linux/devices", i, "/path",
					      "device path \"%s\" is not absolute", device->path);
		if (strcmp(device->type, "p") != 0 && (!device->has_major || !device->has_minor))
			return rule_broken_at(err, "/linux/devices", i, "",
					      "a device of type %s needs major and minor",
					      device->type);
	}
	return 0;
}

static int rule_device_rules(const struct oci_config *config, struct error *err)
{
	static const char pointer[] = "/linux/resources/devices";
	const struct oci_resources *resources = config->linux->resources;

	for (size_t i = 0; resources && i < resources->devices.count; i++) {
		const struct oci_device_rule *rule = &resources->devices.items[i];
		const char *type = rule->type ? rule->type : "";
		const char *access = rule->access ? rule->access : "";

		if (*type && (type[1] || !strchr("abcup", *type)))
			return rule_broken_at(err, pointer, i, "/type",
					      "invalid device type \"%s\"", type);
		if (strspn(access, "rwm") != strlen(access))
			return rule_broken_at(err, pointer, i, "/access",
					      "invalid device access \"%s\"", access);
	}
	return 0;
}

static bool page_size_is_valid(const char *size)
{
	size_t digits = strspn(size, "0123456789");

	return digits && *size != '0' && size[digits] && strchr("KMG", size[digits]) &&
	       !strcmp(size + digits + 1, "B");
}

static int rule_resources(const struct oci_config *config, struct error *err)
{
	const struct oci_resources *resources = config->linux->resources;

	if (!resources)
		return 0;
	for (size_t i = 0; i < resources->hugepage_limits.count; i++) {
		const char *size = resources->hugepage_limits.items[i].page_size;

		if (!page_size_is_valid(size))
			return rule_broken_at(err, "/linux/resources/hugepageLimits", i,
					      "/pageSize", "\"%s\" is not a page size", size);
	}
	for (size_t i = 0; i < resources->unified.count; i++) {
		const char *key = resources->unified.items[i].key;

		if (strchr(key, '/'))
			return rule_broken(
				err, "/linux/resources/unified",
				"unified resource \"%s\" must be a file name (no slashes)", key);
		if (!strchr(key, '.') || *key == '.')
			return rule_broken(
				err, "/linux/resources/unified",
				"unified resource \"%s\" must be in the form CONTROLLER.PARAMETER",
				key);
	}
	return 0;
}

/* -- seccomp
 * ---------------------------------------------------------------------------------------- */

static bool action_takes_errno(int action)
{
	return action == SECCOMP_ACTION_ERRNO || action == SECCOMP_ACTION_TRACE;
}

static int errno_check(int action, uint32_t value, const char *pointer, struct error *err)
{
	if (value > 4095)
		return rule_broken(err, pointer, "%u is not an errno (0 to 4095)", value);
	if (value && !action_takes_errno(action))
		return rule_broken(err, pointer, "%s takes no errno",
				   table_name(oci_seccomp_action_names, action));
	return 0;
}

static int seccomp_syscall_check(const struct oci_seccomp_syscall *entry, size_t index,
				 struct error *err)
{
	static const char pointer[] = "/linux/seccomp/syscalls";
	char place[64];
	int ret;

	snprintf(place, sizeof(place), "%s/%zu/errnoRet", pointer, index);
	ret = errno_check(entry->action, entry->errno_ret, place, err);
	if (ret < 0)
		return ret;
	if (!entry->names.count)
		return rule_broken_at(err, pointer, index, "/names", "no names");
	for (size_t i = 0; i < entry->args.count; i++) {
		if (entry->args.items[i].index > 5)
			return rule_broken_at(err, pointer, index, "/args",
					      "a system call has no argument %u (0 to 5)",
					      entry->args.items[i].index);
	}
	/* the runtime itself hands the listener's fd over by write */
	if (entry->action == SECCOMP_ACTION_NOTIFY && json_strings_contain(&entry->names, "write"))
		return rule_broken_at(err, pointer, index, "/names",
				      "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	return 0;
}

static int rule_seccomp(const struct oci_config *config, struct error *err)
{
	const struct oci_seccomp *seccomp = config->linux->seccomp;
	bool listener;
	int ret;

	if (!seccomp)
		return 0;
	listener = seccomp->listener_path && *seccomp->listener_path;
	if (seccomp->listener_metadata && *seccomp->listener_metadata && !listener)
		return rule_broken(err, "/linux/seccomp/listenerMetadata",
				   "listenerMetadata without a listenerPath");
	if (seccomp->default_action == SECCOMP_ACTION_NOTIFY)
		return rule_broken(err, "/linux/seccomp/defaultAction",
				   "SCMP_ACT_NOTIFY cannot be used as default action");
	ret = errno_check(seccomp->default_action, seccomp->default_errno_ret,
			  "/linux/seccomp/defaultErrnoRet", err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < seccomp->syscalls.count; i++) {
		ret = seccomp_syscall_check(&seccomp->syscalls.items[i], i, err);
		if (ret < 0)
			return ret;
		if (seccomp->syscalls.items[i].action == SECCOMP_ACTION_NOTIFY && !listener)
			return rule_broken_at(err, "/linux/seccomp/syscalls", i, "/action",
					      "SCMP_ACT_NOTIFY needs a listenerPath");
	}
	return 0;
}

/* -- the rest
 * --------------------------------------------------------------------------------------- */

static int rule_personality(const struct oci_config *config, struct error *err)
{
	const struct oci_personality *personality = config->linux->personality;

	if (personality && personality->flags.count)
		return rule_broken(err, "/linux/personality/flags",
				   "no personality flags are defined, \"%s\" was given",
				   personality->flags.items[0]);
	return 0;
}

static int rule_memory_policy(const struct oci_config *config, struct error *err)
{
	const struct oci_memory_policy *policy = config->linux->memory_policy;

	if (policy && !policy->has_mode)
		return rule_broken(err, "/linux/memoryPolicy/mode",
				   "invalid memory policy mode: it is missing");
	return 0;
}

static int rule_intel_rdt(const struct oci_config *config, struct error *err)
{
	const struct oci_intel_rdt *rdt = config->linux->intel_rdt;

	if (!rdt || !rdt->clos_id || !strcmp(rdt->clos_id, "/"))
		return 0;
	if (!strcmp(rdt->clos_id, ".") || !strcmp(rdt->clos_id, "..") || strchr(rdt->clos_id, '/'))
		return rule_broken(err, "/linux/intelRdt/closID", "invalid intelRdt.ClosID \"%s\"",
				   rdt->clos_id);
	return 0;
}

config_rule *const config_linux_rules[] = {
	rule_namespaces,  rule_mappings,      rule_time_offsets, rule_paths,	 rule_net_devices,
	rule_sysctl,	  rule_devices,	      rule_device_rules, rule_resources, rule_seccomp,
	rule_personality, rule_memory_policy, rule_intel_rdt,	 NULL,
};
