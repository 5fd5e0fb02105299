/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: what this program implements, as the specification's features.md has it. Engines ask
 * before they use a feature, so nothing stands here that does not work yet.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/syscalls.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cli/cli.h"
#include "runtime/lifecycle/host.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/caps.h"
#include "runtime/plan/mount-options.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/seccomp.h"
#include "spec/config.h"
#include "spec/features.h"

static const struct option_spec features_options[] = { OPT_END };

static void add_hooks(struct json_strings *out, struct arena *arena)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		json_strings_add(out, arena, hook_names[i]);
}

/* Only what is made, option by option: an engine that sees a name here relies on it. */
static void add_mount_options(struct json_strings *out, struct arena *arena)
{
	for (size_t i = 0; mount_option_name(i); i++)
		json_strings_add(out, arena, mount_option_name(i));
}

static void add_namespaces(struct json_strings *out, struct arena *arena)
{
	for (size_t i = 0; i < NS_COUNT; i++)
		json_strings_add(out, arena, namespace_table[i].oci_name);
}

static void add_capabilities(struct json_strings *out, struct arena *arena)
{
	char name[CAPABILITY_NAME_MAX];

	for (int i = 0; capability_name(i, name); i++)
		json_strings_add(out, arena, name);
}

static void add_names(struct json_strings *out, struct arena *arena, const struct name_value *table)
{
	for (; table->name; table++)
		json_strings_add(out, arena, table->name);
}

static void fill_seccomp(struct features_seccomp *seccomp, struct arena *arena)
{
	seccomp->enabled = true;
	add_names(&seccomp->actions, arena, oci_seccomp_action_names);
	add_names(&seccomp->operators, arena, oci_seccomp_operator_names);
	for (size_t i = 0; oci_seccomp_arch_names[i].name; i++)
		if (seccomp_arch_supported(oci_seccomp_arch_names[i].name))
			json_strings_add(&seccomp->archs, arena, oci_seccomp_arch_names[i].name);
	add_names(&seccomp->known_flags, arena, oci_seccomp_flag_names);
	for (const struct name_value *flag = oci_seccomp_flag_names; flag->name; flag++)
		if (host_has_seccomp_flag((unsigned int)flag->value))
			json_strings_add(&seccomp->supported_flags, arena, flag->name);
}

/* What can be asked for at all; the names are those of the tables that decode it. */
static void fill_linux(struct features_linux *lin, struct arena *arena)
{
	add_namespaces(&lin->namespaces, arena);
	add_capabilities(&lin->capabilities, arena);
	fill_seccomp(lin->seccomp, arena);
	add_names(&lin->memory_policy->modes, arena, oci_memory_policy_names);
	add_names(&lin->memory_policy->flags, arena, oci_memory_policy_flag_names);
}

static int cmd_features(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct features_enabled yes = { .enabled = true }, idmap = { .enabled = false };
	struct features_cgroup cgroup = { .v2 = true,
					  .systemd = cgroup_has_systemd(),
					  .systemd_user = cgroup_has_systemd(),
					  .rdma = true };
	struct features_seccomp seccomp = { 0 };
	struct features_intel_rdt rdt = { .enabled = true, .schemata = true, .monitoring = true };
	struct features_memory_policy memory_policy = { 0 };
	struct features_mount_extensions extensions = { .idmap = &idmap };
	struct features_linux lin = { .cgroup = &cgroup,
				      .seccomp = &seccomp,
				      .apparmor = &yes,
				      .selinux = &yes,
				      .intel_rdt = &rdt,
				      .memory_policy = &memory_policy,
				      .mount_extensions = &extensions,
				      .net_devices = &yes };
	struct oci_features features = { .oci_version_min = "1.0.0",
					 .oci_version_max = OCI_RUNTIME_VERSION,
					 .linux = &lin };
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse(cli, command, argc, argv, NULL, &result);
	if (ret < 0)
		return ret;
	add_hooks(&features.hooks, &cli->arena);
	add_mount_options(&features.mount_options, &cli->arena);
	idmap.enabled = json_strings_contain(&features.mount_options, "idmap");
	fill_linux(&lin, &cli->arena);
	json_map_set(&features.annotations, &cli->arena, "io.github.seccomp.libseccomp.version",
		     seccomp_library_version(&cli->arena));
	json_strings_add(&features.potentially_unsafe_config_annotations, &cli->arena,
			 ANNOTATION_PREFIX);
	json_strings_add(&features.potentially_unsafe_config_annotations, &cli->arena,
			 ANNOTATION_UNIT_PROPERTY);
	features_write(&features, JSON_INDENT_2, &text);
	puts(strbuf_text(&text));
	return 0;
}

const struct command_spec features_command = {
	.name = "features",
	.arguments = "",
	.options = features_options,
	.run = cmd_features,
	.summary = "print what this runtime implements as JSON",
};
