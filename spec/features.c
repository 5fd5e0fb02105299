/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the document that `features` prints. */
#include "spec/features.h"

#include "spec/tables.h"

/* clang-format off */
static const struct json_field cgroup_fields[] = {
	JSON_BOOL(struct features_cgroup, "v1", v1, .flags = JSON_ALWAYS),
	JSON_BOOL(struct features_cgroup, "v2", v2, .flags = JSON_ALWAYS),
	JSON_BOOL(struct features_cgroup, "systemd", systemd, .flags = JSON_ALWAYS),
	JSON_BOOL(struct features_cgroup, "systemdUser", systemd_user, .flags = JSON_ALWAYS),
	JSON_BOOL(struct features_cgroup, "rdma", rdma, .flags = JSON_ALWAYS),
};
static const struct json_object cgroup_object = JSON_TABLE(struct features_cgroup, cgroup_fields);

static const struct json_field seccomp_fields[] = {
	JSON_BOOL(struct features_seccomp, "enabled", enabled, .flags = JSON_ALWAYS),
	JSON_STRINGS(struct features_seccomp, "actions", actions),
	JSON_STRINGS(struct features_seccomp, "operators", operators),
	JSON_STRINGS(struct features_seccomp, "archs", archs),
	JSON_STRINGS(struct features_seccomp, "knownFlags", known_flags),
	JSON_STRINGS(struct features_seccomp, "supportedFlags", supported_flags),
};
static const struct json_object seccomp_object =
	JSON_TABLE(struct features_seccomp, seccomp_fields);

static const struct json_field enabled_fields[] = {
	JSON_BOOL(struct features_enabled, "enabled", enabled, .flags = JSON_ALWAYS),
};
static const struct json_object enabled_object =
	JSON_TABLE(struct features_enabled, enabled_fields);

static const struct json_field intel_rdt_fields[] = {
	JSON_BOOL(struct features_intel_rdt, "enabled", enabled, .flags = JSON_ALWAYS),
	JSON_BOOL(struct features_intel_rdt, "schemata", schemata, .flags = JSON_ALWAYS),
	JSON_BOOL(struct features_intel_rdt, "monitoring", monitoring, .flags = JSON_ALWAYS),
};
static const struct json_object intel_rdt_object =
	JSON_TABLE(struct features_intel_rdt, intel_rdt_fields);

static const struct json_field memory_policy_fields[] = {
	JSON_STRINGS(struct features_memory_policy, "modes", modes),
	JSON_STRINGS(struct features_memory_policy, "flags", flags),
};
static const struct json_object memory_policy_object =
	JSON_TABLE(struct features_memory_policy, memory_policy_fields);

static const struct json_field mount_extensions_fields[] = {
	JSON_OBJECT(struct features_mount_extensions, "idmap", idmap, &enabled_object),
};
static const struct json_object mount_extensions_object =
	JSON_TABLE(struct features_mount_extensions, mount_extensions_fields);

static const struct json_field linux_fields[] = {
	JSON_STRINGS(struct features_linux, "namespaces", namespaces),
	JSON_STRINGS(struct features_linux, "capabilities", capabilities),
	JSON_OBJECT(struct features_linux, "cgroup", cgroup, &cgroup_object),
	JSON_OBJECT(struct features_linux, "seccomp", seccomp, &seccomp_object),
	JSON_OBJECT(struct features_linux, "apparmor", apparmor, &enabled_object),
	JSON_OBJECT(struct features_linux, "selinux", selinux, &enabled_object),
	JSON_OBJECT(struct features_linux, "intelRdt", intel_rdt, &intel_rdt_object),
	JSON_OBJECT(struct features_linux, "memoryPolicy", memory_policy, &memory_policy_object),
	JSON_OBJECT(struct features_linux, "mountExtensions", mount_extensions,
		    &mount_extensions_object),
	JSON_OBJECT(struct features_linux, "netDevices", net_devices, &enabled_object),
};
static const struct json_object linux_object = JSON_TABLE(struct features_linux, linux_fields);

static const struct json_field features_fields[] = {
	JSON_STRING(struct oci_features, "ociVersionMin", oci_version_min, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_features, "ociVersionMax", oci_version_max, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct oci_features, "hooks", hooks),
	JSON_STRINGS(struct oci_features, "mountOptions", mount_options),
	JSON_OBJECT(struct oci_features, "linux", linux, &linux_object),
	JSON_MAP(struct oci_features, "annotations", annotations),
	JSON_STRINGS(struct oci_features, "potentiallyUnsafeConfigAnnotations",
		     potentially_unsafe_config_annotations),
};
const struct json_object oci_features_object = JSON_TABLE(struct oci_features, features_fields);
/* clang-format on */

void features_write(const struct oci_features *features, enum json_style style, struct strbuf *out)
{
	json_encode(&oci_features_object, features, style, out);
}

int features_decode(const char *name, const char *text, size_t size, struct arena *arena,
		    struct oci_features **out, struct error *err)
{
	const struct json_source source = { .name = name, .text = text, .size = size };
	struct oci_features *features = arena_alloc(arena, sizeof(*features));
	int ret = json_decode(&source, &oci_features_object, arena, features, err);

	if (ret == 0)
		*out = features;
	return ret;
}
