/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of `features` (runtime-spec 1.3, features.md). It says what the program implements.
 * Lists are written when items is not NULL; sections when their pointer is not NULL.
 */
#ifndef SPEC_FEATURES_H
#define SPEC_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "spec/json-types.h"

#undef linux /* gnu11 predefines it as 1 */

struct features_cgroup {
	bool v1;
	bool v2;
	bool systemd;
	bool systemd_user;
	bool rdma;
};

struct features_seccomp {
	bool enabled;
	struct json_strings actions;
	struct json_strings operators;
	struct json_strings archs;
	struct json_strings known_flags;
	struct json_strings supported_flags;
};

struct features_enabled { /* apparmor, selinux, idmap, netDevices */
	bool enabled;
};

struct features_intel_rdt {
	bool enabled;
	bool schemata;
	bool monitoring;
};

struct features_memory_policy {
	struct json_strings modes;
	struct json_strings flags;
};

struct features_mount_extensions {
	struct features_enabled *idmap;
};

struct features_linux {
	struct json_strings namespaces;
	struct json_strings capabilities;
	struct features_cgroup *cgroup;
	struct features_seccomp *seccomp;
	struct features_enabled *apparmor;
	struct features_enabled *selinux;
	struct features_intel_rdt *intel_rdt;
	struct features_memory_policy *memory_policy;
	struct features_mount_extensions *mount_extensions;
	struct features_enabled *net_devices;
};

struct oci_features {
	const char *oci_version_min;
	const char *oci_version_max;
	struct json_strings hooks;
	struct json_strings mount_options;
	struct features_linux *linux;
	struct json_map annotations;
	struct json_strings potentially_unsafe_config_annotations;
};

void features_write(const struct oci_features *features, enum json_style style, struct strbuf *out);
int features_decode(const char *name, const char *text, size_t size, struct arena *arena,
		    struct oci_features **out, struct error *err);

#endif
