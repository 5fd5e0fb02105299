/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of the linux section: namespaces and what depends on them, sysctls, devices, resources.
 * Where callers or test suites match on runc's words, the words are runc's.
 */
#include "spec/config-check.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bitlist.h"
#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "spec/sysctl.h"

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

static void rule_namespaces(const struct oci_config *config, struct check *check)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < config->linux->namespaces.count; i++) {
		const struct oci_namespace *ns = &config->linux->namespaces.items[i];

		if (seen & ns->type)
			rule_broken_at(check, "/linux/namespaces", i, "/type",
				       "malformed spec file: duplicated ns \"%s\"",
				       table_name(oci_namespace_names, (int64_t)ns->type));
		seen |= ns->type;
		if (namespace_is_joined(ns) && *ns->path != '/')
			rule_broken_at(check, "/linux/namespaces", i, "/path",
				       "namespace path \"%s\" is not absolute", ns->path);
	}
}

static void mappings_check(const struct oci_id_mappings *mappings, const char *pointer,
			   struct check *check)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct oci_id_mapping *mapping = &mappings->items[i];

		if (!mapping->size)
			rule_broken_at(check, pointer, i, "/size", "a mapping of no ids");
		if (mapping->size > UINT32_MAX - mapping->container_id ||
		    mapping->size > UINT32_MAX - mapping->host_id)
			rule_broken_at(check, pointer, i, "", "a mapping beyond id %u",
				       UINT32_MAX - 1);
	}
}

static void rule_mappings(const struct oci_config *config, struct check *check)
{
	const struct oci_linux *section = config->linux;
	const struct oci_namespace *user = namespace_find(config, CLONE_NEWUSER);

	if (!user && (section->uid_mappings.count || section->gid_mappings.count))
		rule_broken(check,
			    section->uid_mappings.count ? "/linux/uidMappings"
							: "/linux/gidMappings",
			    "user namespace mappings specified, but user namespace isn't "
			    "enabled in the config");
	if (user && !namespace_is_joined(user)) {
		if (!section->uid_mappings.count)
			rule_broken(check, "/linux/uidMappings",
				    "user namespace enabled, but no uid mapping specified");
		if (!section->gid_mappings.count)
			rule_broken(check, "/linux/gidMappings",
				    "user namespace enabled, but no gid mapping specified");
	}
	mappings_check(&section->uid_mappings, "/linux/uidMappings", check);
	mappings_check(&section->gid_mappings, "/linux/gidMappings", check);
}

static bool offset_is_set(const struct oci_time_offset *offset)
{
	return offset && (offset->secs || offset->nanosecs);
}

static void rule_time_offsets(const struct oci_config *config, struct check *check)
{
	const struct oci_time_offsets *offsets = config->linux->time_offsets;
	const struct oci_namespace *ns = namespace_find(config, CLONE_NEWTIME);

	if (!offsets || (!offset_is_set(offsets->monotonic) && !offset_is_set(offsets->boottime)))
		return;
	if (!ns)
		rule_broken(check, "/linux/timeOffsets",
			    "time namespace offsets specified, but time namespace isn't "
			    "enabled");
	else if (namespace_is_joined(ns))
		rule_broken(check, "/linux/timeOffsets",
			    "time namespace enabled, but both namespace path and time "
			    "offsets specified");
	if (offsets->monotonic && offsets->monotonic->nanosecs > 999999999)
		rule_broken(check, "/linux/timeOffsets/monotonic/nanosecs",
			    "%u is not below a second", offsets->monotonic->nanosecs);
	if (offsets->boottime && offsets->boottime->nanosecs > 999999999)
		rule_broken(check, "/linux/timeOffsets/boottime/nanosecs",
			    "%u is not below a second", offsets->boottime->nanosecs);
}

/* "The values MUST be absolute paths in the container namespace" (config-linux.md). */
static void paths_check(const struct oci_config *config, const struct json_strings *paths,
			const char *pointer, struct check *check)
{
	if (paths->count && !namespace_find(config, CLONE_NEWNS))
		rule_broken(check, pointer,
			    "unable to restrict sys entries without a private MNT namespace");
	for (size_t i = 0; i < paths->count; i++)
		if (*paths->items[i] != '/')
			rule_broken_at(check, pointer, i, "", "path \"%s\" is not absolute",
				       paths->items[i]);
}

static void rule_paths(const struct oci_config *config, struct check *check)
{
	paths_check(config, &config->linux->masked_paths, "/linux/maskedPaths", check);
	paths_check(config, &config->linux->readonly_paths, "/linux/readonlyPaths", check);
}

/* dev_valid_name() of the kernel; %d may stand in the new name for the first free number. */
static bool interface_name_is_valid(const char *name)
{
	size_t size = strlen(name);

	return size && size < 16 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strpbrk(name, "/: \t\n\v\f\r");
}

/* Of '%' there may be one, as "%d", and no device is called so. */
static bool new_name_is_valid(const char *name)
{
	const char *percent = strchr(name, '%');

	return interface_name_is_valid(name) &&
	       (!percent || (percent[1] == 'd' && !strchr(percent + 1, '%')));
}

static bool host_name_is_valid(const char *name)
{
	return interface_name_is_valid(name) && !strchr(name, '%');
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

static void net_device_names_check(const struct oci_linux *section, struct check *check)
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
			rule_broken_key(check, "/linux/netDevices", order[i]->host_name,
					"two network devices with the name \"%s\"", name);
	}
}

static void rule_net_devices(const struct oci_config *config, struct check *check)
{
	static const char pointer[] = "/linux/netDevices";
	const struct oci_linux *section = config->linux;

	if (!section->net_devices.count)
		return;
	if (!namespace_find(config, CLONE_NEWNET))
		rule_broken(check, pointer,
			    "unable to move network devices without a private NET namespace");
	for (size_t i = 0; i < section->net_devices.count; i++) {
		const struct oci_net_device *device = &section->net_devices.items[i];

		if (host_name_is_valid(device->host_name) && new_name_is_valid(new_name(device)))
			continue;
		rule_broken_key(check, pointer, device->host_name,
				"invalid network device name \"%s\"",
				host_name_is_valid(device->host_name) ? new_name(device)
								      : device->host_name);
	}
	net_device_names_check(section, check);
}

/* -- sysctl
 * ----------------------------------------------------------------------------------------- */

static void rule_sysctl(const struct oci_config *config, struct check *check)
{
	for (size_t i = 0; i < config->linux->sysctl.count; i++) {
		const char *key = config->linux->sysctl.items[i].key;
		cleanup_free char *path = xstrdup(key);
		uint64_t type;

		sysctl_to_path(path);
		type = sysctl_namespace(path);
		if (!sysctl_path_is_clean(path))
			rule_broken_key(check, "/linux/sysctl", key,
					"sysctl \"%s\" is not a valid name", key);
		else if (!strcmp(path, "kernel/hostname"))
			rule_broken_key(check, "/linux/sysctl", key,
					"sysctl \"%s\" conflicts with the OCI field \"hostname\"",
					key);
		else if (!type || !namespace_find(config, type))
			rule_broken_key(check, "/linux/sysctl", key,
					"sysctl \"%s\" is not in a separate kernel namespace", key);
	}
}

/* -- devices, resources
 * ----------------------------------------------------------------------------- */

/* More than the kernel's dev_t has room for (linux/kdev_t.h) would come out as another device. */
static void device_number_check(const struct oci_device *device, size_t index, struct check *check)
{
	enum { MAJOR_MAX = (1 << 12) - 1, MINOR_MAX = (1 << 20) - 1 };
	bool major_is_wrong = device->major < 0 || device->major > MAJOR_MAX;

	if (!strcmp(device->type, "p"))
		return;
	if (!device->has_major || !device->has_minor)
		rule_broken_at(check, "/linux/devices", index, "",
			       "a device of type %s needs major and minor", device->type);
	else if (major_is_wrong || device->minor < 0 || device->minor > MINOR_MAX)
		rule_broken_at(check, "/linux/devices", index, major_is_wrong ? "/major" : "/minor",
			       "there is no device %lld:%lld", (long long)device->major,
			       (long long)device->minor);
}

static void rule_devices(const struct oci_config *config, struct check *check)
{
	for (size_t i = 0; i < config->linux->devices.count; i++) {
		const struct oci_device *device = &config->linux->devices.items[i];

		if (*device->path != '/')
			rule_broken_at(check, "/linux/devices", i, "/path",
				       "device path \"%s\" is not absolute", device->path);
		device_number_check(device, i, check);
		if (device->has_uid && device->uid == UINT32_MAX)
			rule_broken_at(check, "/linux/devices", i, "/uid", "%u is not a user",
				       device->uid);
		if (device->has_gid && device->gid == UINT32_MAX)
			rule_broken_at(check, "/linux/devices", i, "/gid", "%u is not a group",
				       device->gid);
	}
}

static void rule_device_rules(const struct oci_config *config, struct check *check)
{
	static const char pointer[] = "/linux/resources/devices";
	const struct oci_resources *resources = config->linux->resources;

	for (size_t i = 0; resources && i < resources->devices.count; i++) {
		const struct oci_device_rule *rule = &resources->devices.items[i];
		const char *type = rule->type ? rule->type : "";
		const char *access = rule->access ? rule->access : "";

		if (*type && (type[1] || !strchr("abcu", *type)))
			rule_broken_at(check, pointer, i, "/type", "invalid device type \"%s\"",
				       type);
		if (strspn(access, "rwm") != strlen(access))
			rule_broken_at(check, pointer, i, "/access", "invalid device access \"%s\"",
				       access);
	}
}

static bool page_size_is_valid(const char *size)
{
	size_t digits = strspn(size, "0123456789");

	return digits && *size != '0' && size[digits] && strchr("KMG", size[digits]) &&
	       !strcmp(size + digits + 1, "B");
}

static void rule_resources(const struct oci_config *config, struct check *check)
{
	const struct oci_resources *resources = config->linux->resources;

	if (!resources)
		return;
	for (size_t i = 0; i < resources->hugepage_limits.count; i++) {
		const char *size = resources->hugepage_limits.items[i].page_size;

		if (!page_size_is_valid(size))
			rule_broken_at(check, "/linux/resources/hugepageLimits", i, "/pageSize",
				       "\"%s\" is not a page size", size);
	}
	for (size_t i = 0; i < resources->unified.count; i++) {
		const char *key = resources->unified.items[i].key;

		if (strchr(key, '/'))
			rule_broken_key(check, "/linux/resources/unified", key,
					"unified resource \"%s\" must be a file name (no slashes)",
					key);
		else if (!strchr(key, '.') || *key == '.')
			rule_broken_key(check, "/linux/resources/unified", key,
					"unified resource \"%s\" must be in the form "
					"CONTROLLER.PARAMETER",
					key);
	}
}

/* -- the rest
 * --------------------------------------------------------------------------------------- */

static void rule_personality(const struct oci_config *config, struct check *check)
{
	const struct oci_personality *personality = config->linux->personality;

	if (personality && personality->flags.count)
		rule_broken(check, "/linux/personality/flags",
			    "no personality flags are defined, \"%s\" was given",
			    personality->flags.items[0]);
}

/* set_mempolicy(2). MPOL_PREFERRED takes any number of nodes: none means the local one. */
static void memory_nodes_check(const struct oci_memory_policy *policy, size_t count,
			       struct check *check)
{
	static const char pointer[] = "/linux/memoryPolicy/nodes";
	bool takes_none = policy->mode == MPOL_DEFAULT || policy->mode == MPOL_LOCAL;

	if (takes_none && count)
		rule_broken(check, pointer, "memory policy mode requires 0 nodes but got %zu",
			    count);
	else if (!takes_none && policy->mode != MPOL_PREFERRED && !count)
		rule_broken(check, pointer, "memory policy mode requires at least one node");
}

static void rule_memory_policy(const struct oci_config *config, struct check *check)
{
	const uint64_t nodes_flags = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	const struct oci_memory_policy *policy = config->linux->memory_policy;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct bitlist nodes = { 0 };

	if (!policy)
		return;
	if (!policy->has_mode) {
		rule_broken(check, "/linux/memoryPolicy/mode",
			    "invalid memory policy mode: it is missing");
		return;
	}
	if ((policy->flags & nodes_flags) == nodes_flags)
		rule_broken(check, "/linux/memoryPolicy/flags",
			    "invalid memory policy flag: MPOL_F_STATIC_NODES and "
			    "MPOL_F_RELATIVE_NODES exclude each other");
	if (policy->nodes && bitlist_parse(policy->nodes, OCI_NODES_MAX, &arena, &nodes) < 0)
		rule_broken(check, "/linux/memoryPolicy/nodes",
			    "invalid memory policy node: \"%s\" is not a list of nodes below %d",
			    policy->nodes, OCI_NODES_MAX);
	else
		memory_nodes_check(policy, nodes.count, check);
}

static void rule_intel_rdt(const struct oci_config *config, struct check *check)
{
	const struct oci_intel_rdt *rdt = config->linux->intel_rdt;

	if (!rdt || !rdt->clos_id || !strcmp(rdt->clos_id, "/"))
		return;
	if (!strcmp(rdt->clos_id, ".") || !strcmp(rdt->clos_id, "..") || strchr(rdt->clos_id, '/'))
		rule_broken(check, "/linux/intelRdt/closID", "invalid intelRdt.ClosID \"%s\"",
			    rdt->clos_id);
}

/* clang-format off */
const struct config_rule config_linux_rules[] = {
	{ "namespaces",    rule_namespaces },
	{ "id-mappings",   rule_mappings,     RULE_NAMESPACES },
	{ "time-offsets",  rule_time_offsets, RULE_NAMESPACES },
	{ "masked-paths",  rule_paths,        RULE_NAMESPACES },
	{ "net-devices",   rule_net_devices,  RULE_NAMESPACES },
	{ "sysctl",        rule_sysctl,       RULE_NAMESPACES },
	{ "devices",       rule_devices },
	{ "device-rules",  rule_device_rules },
	{ "resources",     rule_resources },
	{ "seccomp",       rule_seccomp },
	{ "personality",   rule_personality },
	{ "memory-policy", rule_memory_policy },
	{ "intel-rdt",     rule_intel_rdt },
	{ NULL },
};
/* clang-format on */
