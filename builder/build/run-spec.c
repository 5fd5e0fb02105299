/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build the config.json of a step or a container from tables: the mounts, the capabilities, what
 * is masked, which namespaces. The struct is the specification's own (spec/config.h), so what is
 * written here is what the runtime decodes.
 */
#include "builder/build/run-spec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/seccomp-file.h"
#include "builder/build/seccomp-profile.h"
#include "builder/container/block-io.h"
#include "builder/container/capabilities.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/strv.h"
#include "lib/userns.h"
#include "spec/config.h"

#define SHM "/dev/shm"
#define MQUEUE "/dev/mqueue"
#define SHM_OPTIONS "nosuid,noexec,nodev,mode=1777,size="
#define DEFAULT_HOSTNAME "buildkitsandbox" /* what some installers write into files */

/* The host's own files: larger ones are refused rather than copied into every step. */
#define HOST_FILE_MAX ((size_t)1 << 20)

/* clang-format off */
struct mount_row {
	const char *destination, *type, *source;
	const char *options; /* comma-separated */
};

static const struct mount_row mounts[] = {
	{ "/proc",          "proc",   "proc",   "nosuid,noexec,nodev" },
	{ "/dev",           "tmpfs",  "tmpfs",  "nosuid,strictatime,mode=755,size=65536k" },
	{ "/dev/pts",       "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ SHM,              "tmpfs",  "shm",    SHM_OPTIONS "65536k" },
	{ MQUEUE,           "mqueue", "mqueue", "nosuid,noexec,nodev" },
	{ "/sys",           "sysfs",  "sysfs",  "nosuid,noexec,nodev,ro" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro" },
};

const char *const run_spec_mount_folders[] = { "/proc", "/dev", "/sys", NULL };
const char *const run_spec_mount_files[] = { "/etc/resolv.conf", "/etc/hosts", NULL };

static const char *const masked_paths[] = {
	"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
	"/sys/firmware", "/sys/devices/virtual/powercap", NULL,
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};
/* clang-format on */

static const struct sandbox plain; /* nothing was asked for */

static const char host_options[] = "rbind,rprivate,nosuid,nodev,noexec";
static const char file_options[] = "rbind,rprivate,nosuid,nodev,noexec,ro";

static struct json_strings strings_from(const char *const *items, struct arena *arena)
{
	struct json_strings list = { 0 };
	size_t count = 0;

	while (items[count])
		count++;
	json_strings_add_all(&list, arena, (char *const *)items, count);
	return list;
}

static struct json_strings strings_split(const char *text, struct arena *arena)
{
	cleanup_strv struct strv pieces = STRV_INIT;

	strv_split(&pieces, text, ',');
	return strings_from((const char *const *)strv_items(&pieces), arena);
}

static void add_mount(struct oci_config *config, const struct mount_row *row, struct arena *arena)
{
	struct oci_mount *mount = &config->mounts.items[config->mounts.count++];

	mount->destination = row->destination;
	mount->type = row->type;
	mount->source = row->source;
	mount->options = strings_split(row->options, arena);
}

static void add_bind(struct oci_config *config, const char *source, const char *target,
		     const char *options, struct arena *arena)
{
	const struct mount_row row = { target, "bind", source, options };

	if (source)
		add_mount(config, &row, arena);
}

static void add_volume(struct oci_config *config, const struct run_volume *volume,
		       struct arena *arena)
{
	struct mount_row row = { volume->target, "bind", volume->source, NULL };

	row.options = arena_printf(arena, "%s%s%s%s", volume->source ? "rbind,rprivate," : "",
				   volume->read_only ? "ro" : "rw", volume->options ? "," : "",
				   volume->options ? volume->options : "");
	if (!volume->source)
		row.type = row.source = "tmpfs";
	add_mount(config, &row, arena);
}

/* A standard mount as this container has it. */
static const char *mount_options(const struct run_spec *spec, const struct mount_row *row,
				 struct arena *arena)
{
	size_t size = strlen(row->options);

	if (spec->sandbox && spec->sandbox->shm_size && strcmp(row->destination, SHM) == 0)
		return arena_printf(arena, SHM_OPTIONS "%" PRIu64, spec->sandbox->shm_size);
	if (spec->insecure && size > 3 && strcmp(row->options + size - 3, ",ro") == 0)
		return arena_strndup(arena, row->options, size - 3);
	return row->options;
}

static bool is_of_host(const struct run_spec *spec, uint64_t namespace)
{
	if (namespace == CLONE_NEWNET)
		return spec->network == RUN_NETWORK_HOST;
	return spec->sandbox && (spec->sandbox->host_namespaces & namespace);
}

/* What shows a namespace that is the host's. Who made it may mount it; others share the mount. */
static bool is_host_mount(const struct run_spec *spec, const struct mount_row *row)
{
	if (strcmp(row->destination, SHM) == 0 || strcmp(row->destination, MQUEUE) == 0)
		return is_of_host(spec, CLONE_NEWIPC) && access(row->destination, F_OK) == 0;
	return strcmp(row->destination, "/proc") == 0 && is_of_host(spec, CLONE_NEWPID) &&
	       !proc_is_privileged();
}

/* The host's folder in the place of a standard mount; NULL = none. */
static const char *host_folder(const struct run_spec *spec, const struct mount_row *row)
{
	if (strcmp(row->destination, SHM) == 0 && spec->shm)
		return spec->shm;
	return is_host_mount(spec, row) ? row->destination : NULL;
}

static void add_mounts(struct oci_config *config, const struct run_spec *spec, struct arena *arena)
{
	config->mounts.items = arena_alloc(arena, (ARRAY_SIZE(mounts) + 2 + spec->volume_count) *
							  sizeof(*config->mounts.items));
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		struct mount_row row = mounts[i];
		const char *folder = host_folder(spec, &row);

		if (strcmp(row.destination, SHM) == 0 && spec->sandbox && spec->sandbox->no_shm)
			continue;
		row.options = mount_options(spec, &mounts[i], arena);
		if (folder)
			add_bind(config, folder, row.destination, host_options, arena);
		else
			add_mount(config, &row, arena);
	}
	add_bind(config, spec->resolv_conf, "/etc/resolv.conf", file_options, arena);
	add_bind(config, spec->hosts, "/etc/hosts", file_options, arena);
	for (size_t i = 0; i < spec->volume_count; i++)
		add_volume(config, &spec->volumes[i], arena);
}

/*
 * The primary group is one of the supplementary ones too: a process that gives it up must not gain
 * by that what "others" may do and the group may not (CVE-2022-36109).
 */
static void add_groups(struct oci_process *process, const struct user *user, struct arena *arena)
{
	uint32_t *groups = arena_alloc(arena, (user->group_count + 1) * sizeof(*groups));
	size_t count = 0;

	if (userns_denies_groups())
		return; /* it has but one group, and that is the primary one */
	groups[count++] = user->gid;
	for (size_t i = 0; i < user->group_count; i++)
		if (user->groups[i] != user->gid)
			groups[count++] = user->groups[i];
	process->user.additional_gids.items = groups;
	process->user.additional_gids.count = count;
}

int run_spec_set_user(struct oci_process *process, const struct user *user, struct arena *arena,
		      struct error *err)
{
	if ((user->uid || user->gid) && !userns_has_ids(user->uid, user->gid))
		return error_set(err, ERROR_UNSUPPORTED, EINVAL,
				 "run as user %u:%u: the user namespace has no such ids (without "
				 "root they come from your lines in /etc/subuid and /etc/subgid; a "
				 "store made before those lines stays without)",
				 user->uid, user->gid);
	process->user.uid = user->uid;
	process->user.gid = user->gid;
	add_groups(process, user, arena);
	return 0;
}

static struct oci_process *make_process(const struct run_spec *spec, struct arena *arena)
{
	struct oci_process *process = arena_alloc(arena, sizeof(*process));
	const struct sandbox *sandbox = spec->sandbox ? spec->sandbox : &plain;
	const char *const home_name = "HOME=";
	bool has_home = false;
	size_t count = 0;

	process->terminal = spec->terminal;
	if (spec->rows && spec->columns) {
		process->console_size = arena_alloc(arena, sizeof(*process->console_size));
		process->console_size->height = spec->rows;
		process->console_size->width = spec->columns;
	}
	process->args = strings_from((const char *const *)spec->args, arena);
	for (; spec->env && spec->env[count]; count++)
		has_home |= strncmp(spec->env[count], home_name, strlen(home_name)) == 0;
	json_strings_add_all(&process->env, arena, spec->env, count);
	/* ourselves, so that every runtime gives the same one */
	if (!has_home)
		json_strings_add(&process->env, arena,
				 arena_printf(arena, "HOME=%s", spec->user->home));
	process->cwd = spec->cwd && *spec->cwd ? spec->cwd : "/";
	process->capabilities = arena_alloc(arena, sizeof(*process->capabilities));
	process->capabilities->bounding = capabilities_select(spec->insecure, &sandbox->cap_added,
							      &sandbox->cap_dropped, arena);
	/* a user other than root gains these only through set-user-ID programs, as in docker */
	if (spec->user->uid == 0) {
		process->capabilities->effective = process->capabilities->bounding;
		process->capabilities->permitted = process->capabilities->bounding;
	}
	process->no_new_privileges = sandbox->no_new_privileges;
	process->oom_score_adj = sandbox->oom_score;
	process->has_oom_score_adj = sandbox->has_oom_score;
	process->apparmor_profile = sandbox->apparmor_profile;
	process->rlimits.items = sandbox->rlimits;
	process->rlimits.count = sandbox->rlimit_count;
	return process;
}

static void add_namespaces(struct oci_linux *linux_section, const struct run_spec *spec,
			   struct arena *arena)
{
	static const uint64_t all[] = { CLONE_NEWPID, CLONE_NEWIPC,    CLONE_NEWUTS,
					CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWNET };
	struct oci_namespace *items = arena_alloc(arena, ARRAY_SIZE(all) * sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (is_of_host(spec, all[i]))
			continue;
		items[count].type = all[i];
		if (all[i] == CLONE_NEWNET && spec->network == RUN_NETWORK_BRIDGE)
			items[count].path = spec->netns->path;
		if (all[i] == CLONE_NEWPID)
			items[count].path = spec->pid_namespace;
		if (all[i] == CLONE_NEWIPC)
			items[count].path = spec->ipc_namespace;
		count++;
	}
	linux_section->namespaces.items = items;
	linux_section->namespaces.count = count;
}

/* What of the usual paths is still to be hidden or read-only. */
static struct json_strings usual_paths(const char *const *paths, const struct sandbox *sandbox,
				       struct arena *arena)
{
	struct json_strings list = { 0 };

	for (; !sandbox->system_paths && *paths; paths++)
		if (!json_strings_contain(&sandbox->unmasked, *paths))
			json_strings_add(&list, arena, *paths);
	return list;
}

static void add_hidden_paths(struct oci_linux *section, const struct sandbox *sandbox,
			     bool insecure, struct arena *arena)
{
	if (!insecure) {
		section->masked_paths = usual_paths(masked_paths, sandbox, arena);
		section->readonly_paths = usual_paths(readonly_paths, sandbox, arena);
	}
	for (size_t i = 0; i < sandbox->masked.count; i++)
		json_strings_add(&section->masked_paths, arena, sandbox->masked.items[i]);
}

static void add_device_rules(struct oci_resources *resources, const struct sandbox *sandbox,
			     struct arena *arena)
{
	for (size_t i = 0; i < sandbox->device_rule_count; i++)
		EDITS_APPEND(resources->devices.items, resources->devices.count,
			     sandbox->device_rules[i], arena);
}

static int make_linux(struct oci_config *config, const struct run_spec *spec, struct arena *arena,
		      struct error *err)
{
	const struct sandbox *sandbox = spec->sandbox ? spec->sandbox : &plain;
	struct oci_linux *section = arena_alloc(arena, sizeof(*section));
	struct oci_device_rule *deny = arena_alloc(arena, sizeof(*deny));
	struct seccomp_place place = { NULL };

	config->linux = section;
	add_namespaces(section, spec, arena);
	deny->allow = spec->insecure;
	deny->access = "rwm"; /* all; the runtime adds the usual harmless devices */
	section->resources = arena_alloc(arena, sizeof(*section->resources));
	section->resources->devices.items = deny;
	section->resources->devices.count = 1;
	section->resources->memory = sandbox->memory;
	section->resources->cpu = sandbox->cpu;
	section->resources->pids = sandbox->pids;
	if (sandbox->block_io)
		section->resources->block_io = &sandbox->block_io->resources;
	section->sysctl = sandbox->sysctls;
	section->cgroups_path = spec->cgroups_path;
	/* what was asked for by name is there without the usual, too */
	add_hidden_paths(section, sandbox, spec->insecure, arena);
	place.capabilities = &config->process->capabilities->bounding;
	if (sandbox->filter)
		return seccomp_file_resolve(sandbox->filter, &place, arena, &section->seccomp, err);
	if (spec->insecure || sandbox->no_filter)
		return 0;
	return seccomp_profile_resolve(NULL, place.capabilities, arena, &section->seccomp, err);
}

int run_spec_write(const struct run_spec *spec, struct strbuf *out, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = arena_alloc(&arena, sizeof(*config));
	int ret;

	/* what every runtime in use accepts; nothing newer is written here */
	config->oci_version = "1.0.2";
	config->hostname = spec->hostname && *spec->hostname ? spec->hostname : DEFAULT_HOSTNAME;
	config->root = arena_alloc(&arena, sizeof(*config->root));
	config->root->path = spec->rootfs;
	config->root->readonly = spec->read_only;
	config->process = make_process(spec, &arena);
	add_mounts(config, spec, &arena);
	ret = run_spec_set_user(config->process, spec->user, &arena, err);
	if (ret == 0)
		ret = make_linux(config, spec, &arena, err);
	if (ret < 0)
		return ret;
	if (is_of_host(spec, CLONE_NEWUTS))
		config->hostname = NULL; /* it has one */
	if (spec->sandbox) {
		config->annotations = spec->sandbox->annotations;
		add_device_rules(config->linux->resources, spec->sandbox, &arena);
		edits_apply(&spec->sandbox->edits, config, &arena);
	}
	if (spec->edits)
		edits_apply(spec->edits, config, &arena);
	config_write(config, JSON_COMPACT, out);
	return 0;
}

/* A host file that may be absent. */
static int add_host_file(const char *path, struct strbuf *out, struct error *err)
{
	int ret = io_read_file(AT_FDCWD, path, HOST_FILE_MAX, out, err);

	return ret == -ENOENT ? 0 : ret;
}

#define RESOLVED_STUB "127.0.0.53" /* systemd-resolved; its servers are in the file below */
#define RESOLVED_FILE "/run/systemd/resolve/resolv.conf"

/* The host's lines, without servers that are on the host's own loopback. */
static void add_reachable(const char *text, struct strbuf *out)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char word[16] = "", address[64] = "";

		if (sscanf(line, "%15s %63s", word, address) == 2 &&
		    strcmp(word, "nameserver") == 0 &&
		    (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0))
			continue;
		if (*line)
			strbuf_addf(out, "%s\n", line);
	}
}

static void add_without_servers(const char *text, struct strbuf *out)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line && strncmp(line, "nameserver", 10) != 0)
			strbuf_addf(out, "%s\n", line);
}

static int add_bridge_servers(const struct run_netns *netns, struct strbuf *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = add_host_file("/etc/resolv.conf", &text, err);

	if (ret == 0 && !netns->name_server && strstr(strbuf_text(&text), RESOLVED_STUB)) {
		strbuf_truncate(&text, 0);
		ret = add_host_file(RESOLVED_FILE, &text, err);
	}
	if (ret < 0)
		return ret;
	if (!netns->name_server) {
		add_reachable(strbuf_text(&text), out);
		return 0;
	}
	strbuf_addf(out, "nameserver %s\n", netns->name_server);
	add_without_servers(strbuf_text(&text), out);
	return 0;
}

int run_spec_resolv_conf(const struct run_spec *spec, struct strbuf *out, struct error *err)
{
	int ret = 0;

	if (spec->network == RUN_NETWORK_HOST)
		ret = add_host_file("/etc/resolv.conf", out, err);
	else if (spec->network == RUN_NETWORK_BRIDGE)
		ret = add_bridge_servers(spec->netns, out, err);
	if (ret == 0 && spec->sandbox)
		sandbox_edit_resolv_conf(spec->sandbox, out);
	return ret;
}

int run_spec_hosts(const struct run_spec *spec, struct strbuf *out, struct error *err)
{
	bool bridge = spec->network == RUN_NETWORK_BRIDGE;
	const char *hostname = spec->hostname;
	int ret = 0;

	if (spec->network == RUN_NETWORK_HOST)
		ret = add_host_file("/etc/hosts", out, err);
	else
		strbuf_adds(out,
			    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (ret < 0)
		return ret;
	if (out->size && out->data[out->size - 1] != '\n')
		strbuf_addc(out, '\n');
	strbuf_addf(out, "%s\t%s\n", bridge ? spec->netns->address : "127.0.0.1",
		    hostname && *hostname ? hostname : DEFAULT_HOSTNAME);
	if (spec->sandbox)
		sandbox_add_hosts_lines(spec->sandbox, bridge ? spec->netns->gateway : "127.0.0.1",
					out);
	return 0;
}
