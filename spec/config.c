/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of config.json outside of the linux section, and reading and writing of the documents that
 * are made of them: config.json, the process of exec, the resources of update.
 */
#include "spec/config.h"

#include <errno.h>
#include <linux/sched.h>
#include <sys/resource.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/tables.h"

/* clang-format off */
const struct name_value oci_rlimit_names[] = {
	{ "RLIMIT_AS",         RLIMIT_AS },
	{ "RLIMIT_CORE",       RLIMIT_CORE },
	{ "RLIMIT_CPU",        RLIMIT_CPU },
	{ "RLIMIT_DATA",       RLIMIT_DATA },
	{ "RLIMIT_FSIZE",      RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS",      RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK",    RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE",   RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE",       RLIMIT_NICE },
	{ "RLIMIT_NOFILE",     RLIMIT_NOFILE },
	{ "RLIMIT_NPROC",      RLIMIT_NPROC },
	{ "RLIMIT_RSS",        RLIMIT_RSS },
	{ "RLIMIT_RTPRIO",     RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME",     RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK",      RLIMIT_STACK },
	{ NULL },
};

/* include/uapi/linux/sched.h; glibc's names clash with it, and SCHED_ISO is in neither */
const struct name_value oci_scheduler_policy_names[] = {
	{ "SCHED_OTHER",    0 },
	{ "SCHED_FIFO",     1 },
	{ "SCHED_RR",       2 },
	{ "SCHED_BATCH",    3 },
	{ "SCHED_ISO",      4 },
	{ "SCHED_IDLE",     5 },
	{ "SCHED_DEADLINE", 6 },
	{ NULL },
};

const struct name_value oci_scheduler_flag_names[] = {
	{ "SCHED_FLAG_RESET_ON_FORK",  SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM",        SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN",     SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY",    SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS",    SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ NULL },
};

/* ioprio_set(2) */
const struct name_value oci_io_class_names[] = {
	{ "IOPRIO_CLASS_NONE", 0 },
	{ "IOPRIO_CLASS_RT",   1 },
	{ "IOPRIO_CLASS_BE",   2 },
	{ "IOPRIO_CLASS_IDLE", 3 },
	{ NULL },
};

/* -- process ---------------------------------------------------------------------------------------- */

static const struct json_field console_size_fields[] = {
	JSON_U16(struct oci_console_size, "height", height, .flags = JSON_REQUIRED),
	JSON_U16(struct oci_console_size, "width", width, .flags = JSON_REQUIRED),
};
static const struct json_object console_size_object =
	JSON_TABLE(struct oci_console_size, console_size_fields);

static const struct json_field user_fields[] = {
	JSON_U32(struct oci_user, "uid", uid, .flags = JSON_ALWAYS),
	JSON_U32(struct oci_user, "gid", gid, .flags = JSON_ALWAYS),
	JSON_U32_OPT(struct oci_user, "umask", umask),
	JSON_NUMBERS(struct oci_user, "additionalGids", additional_gids),
	JSON_STRING(struct oci_user, "username", username),
};
static const struct json_object user_object = JSON_TABLE(struct oci_user, user_fields);

static const struct json_field capabilities_fields[] = {
	JSON_STRINGS(struct oci_capabilities, "bounding", bounding),
	JSON_STRINGS(struct oci_capabilities, "effective", effective),
	JSON_STRINGS(struct oci_capabilities, "inheritable", inheritable),
	JSON_STRINGS(struct oci_capabilities, "permitted", permitted),
	JSON_STRINGS(struct oci_capabilities, "ambient", ambient),
};
static const struct json_object capabilities_object =
	JSON_TABLE(struct oci_capabilities, capabilities_fields);

static const struct json_field rlimit_fields[] = {
	JSON_NAME(struct oci_rlimit, "type", type, oci_rlimit_names, .flags = JSON_REQUIRED,
		  .complaint = "invalid rlimit type"),
	JSON_U64(struct oci_rlimit, "hard", hard, .flags = JSON_REQUIRED),
	JSON_U64(struct oci_rlimit, "soft", soft, .flags = JSON_REQUIRED),
};
static const struct json_object rlimit_object = JSON_TABLE(struct oci_rlimit, rlimit_fields);

static const struct json_field scheduler_fields[] = {
	JSON_NAME_OPT(struct oci_scheduler, "policy", policy, oci_scheduler_policy_names),
	JSON_I32(struct oci_scheduler, "nice", nice),
	JSON_I32(struct oci_scheduler, "priority", priority),
	JSON_FLAGS(struct oci_scheduler, "flags", flags, oci_scheduler_flag_names),
	JSON_U64(struct oci_scheduler, "runtime", runtime),
	JSON_U64(struct oci_scheduler, "deadline", deadline),
	JSON_U64(struct oci_scheduler, "period", period),
};
static const struct json_object scheduler_object =
	JSON_TABLE(struct oci_scheduler, scheduler_fields);

static const struct json_field io_priority_fields[] = {
	JSON_NAME_OPT(struct oci_io_priority, "class", class, oci_io_class_names),
	JSON_I32(struct oci_io_priority, "priority", priority, .flags = JSON_ALWAYS),
};
static const struct json_object io_priority_object =
	JSON_TABLE(struct oci_io_priority, io_priority_fields);

static const struct json_field cpu_affinity_fields[] = {
	JSON_STRING(struct oci_cpu_affinity, "initial", initial),
	JSON_STRING(struct oci_cpu_affinity, "final", final),
};
static const struct json_object cpu_affinity_object =
	JSON_TABLE(struct oci_cpu_affinity, cpu_affinity_fields);

static const struct json_field process_fields[] = {
	JSON_BOOL(struct oci_process, "terminal", terminal),
	JSON_OBJECT(struct oci_process, "consoleSize", console_size, &console_size_object),
	JSON_INLINE(struct oci_process, "user", user, &user_object),
	JSON_STRINGS(struct oci_process, "args", args),
	JSON_STRING(struct oci_process, "commandLine", command_line),
	JSON_STRINGS(struct oci_process, "env", env),
	JSON_STRING(struct oci_process, "cwd", cwd),
	JSON_OBJECT(struct oci_process, "capabilities", capabilities, &capabilities_object),
	JSON_OBJECTS(struct oci_process, "rlimits", rlimits, &rlimit_object),
	JSON_BOOL(struct oci_process, "noNewPrivileges", no_new_privileges),
	JSON_STRING(struct oci_process, "apparmorProfile", apparmor_profile),
	JSON_I32_OPT(struct oci_process, "oomScoreAdj", oom_score_adj),
	JSON_OBJECT(struct oci_process, "scheduler", scheduler, &scheduler_object),
	JSON_STRING(struct oci_process, "selinuxLabel", selinux_label),
	JSON_OBJECT(struct oci_process, "ioPriority", io_priority, &io_priority_object),
	JSON_OBJECT(struct oci_process, "execCPUAffinity", exec_cpu_affinity, &cpu_affinity_object),
};
const struct json_object oci_process_object = JSON_TABLE(struct oci_process, process_fields);

/* -- the rest --------------------------------------------------------------------------------------- */

static const struct json_field root_fields[] = {
	JSON_STRING(struct oci_root, "path", path, .flags = JSON_REQUIRED),
	JSON_BOOL(struct oci_root, "readonly", readonly),
};
static const struct json_object root_object = JSON_TABLE(struct oci_root, root_fields);

static const struct json_field mount_fields[] = {
	JSON_STRING(struct oci_mount, "destination", destination, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_mount, "type", type),
	JSON_STRING(struct oci_mount, "source", source),
	JSON_STRINGS(struct oci_mount, "options", options),
	JSON_OBJECTS(struct oci_mount, "uidMappings", uid_mappings, &oci_id_mapping_object),
	JSON_OBJECTS(struct oci_mount, "gidMappings", gid_mappings, &oci_id_mapping_object),
};
static const struct json_object mount_object = JSON_TABLE(struct oci_mount, mount_fields);

static const struct json_field hook_fields[] = {
	JSON_STRING(struct oci_hook, "path", path, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct oci_hook, "args", args),
	JSON_STRINGS(struct oci_hook, "env", env),
	JSON_I64_OPT(struct oci_hook, "timeout", timeout),
};
static const struct json_object hook_object = JSON_TABLE(struct oci_hook, hook_fields);

static const struct json_field hooks_fields[] = {
	JSON_OBJECTS(struct oci_hooks, "prestart", prestart, &hook_object),
	JSON_OBJECTS(struct oci_hooks, "createRuntime", create_runtime, &hook_object),
	JSON_OBJECTS(struct oci_hooks, "createContainer", create_container, &hook_object),
	JSON_OBJECTS(struct oci_hooks, "startContainer", start_container, &hook_object),
	JSON_OBJECTS(struct oci_hooks, "poststart", poststart, &hook_object),
	JSON_OBJECTS(struct oci_hooks, "poststop", poststop, &hook_object),
};
static const struct json_object hooks_object = JSON_TABLE(struct oci_hooks, hooks_fields);

static const struct json_field config_fields[] = {
	JSON_STRING(struct oci_config, "ociVersion", oci_version),
	JSON_OBJECT(struct oci_config, "process", process, &oci_process_object),
	JSON_OBJECT(struct oci_config, "root", root, &root_object),
	JSON_STRING(struct oci_config, "hostname", hostname),
	JSON_STRING(struct oci_config, "domainname", domainname),
	JSON_OBJECTS(struct oci_config, "mounts", mounts, &mount_object),
	JSON_OBJECT(struct oci_config, "hooks", hooks, &hooks_object),
	JSON_MAP(struct oci_config, "annotations", annotations),
	JSON_OBJECT(struct oci_config, "linux", linux, &oci_linux_object),
};
const struct json_object oci_config_object = JSON_TABLE(struct oci_config, config_fields);
/* clang-format on */

/* Every document here: duplicates are errors, what follows is ignored (as runc's decoder does). */
static int decode(const char *name, const char *text, size_t size, const struct json_object *table,
		  struct arena *arena, void *out, struct error *err)
{
	const struct json_source source = { .name = name,
					    .text = text,
					    .size = size,
					    .max_size = CONFIG_SIZE_MAX,
					    .flags = JSON_IGNORE_TRAILING };

	return json_decode(&source, table, arena, out, err);
}

int config_decode(const char *name, const char *text, size_t size, struct arena *arena,
		  struct oci_config **out, struct error *err)
{
	struct oci_config *config = arena_alloc(arena, sizeof(*config));
	int ret = decode(name, text, size, &oci_config_object, arena, config, err);

	if (ret == 0)
		*out = config;
	return ret;
}

int config_examine(const char *text, size_t size, struct arena *arena, struct findings *findings,
		   struct oci_config **out)
{
	const struct json_source source = { .name = "",
					    .text = text,
					    .size = size,
					    .max_size = CONFIG_SIZE_MAX,
					    .flags = JSON_IGNORE_TRAILING,
					    .findings = findings };
	struct oci_config *config = arena_alloc(arena, sizeof(*config));

	*out = NULL;
	if (json_decode(&source, &oci_config_object, arena, config, NULL) < 0)
		return -EINVAL;
	*out = config;
	config_check_all(config, findings);
	return findings->count ? -EINVAL : 0;
}

int process_decode(const char *name, const char *text, size_t size, struct arena *arena,
		   struct oci_process **out, struct error *err)
{
	struct oci_process *process = arena_alloc(arena, sizeof(*process));
	int ret = decode(name, text, size, &oci_process_object, arena, process, err);

	if (ret == 0)
		*out = process;
	return ret;
}

int resources_decode(const char *name, const char *text, size_t size, struct arena *arena,
		     struct oci_resources **out, struct error *err)
{
	struct oci_resources *resources = arena_alloc(arena, sizeof(*resources));
	int ret = decode(name, text, size, &oci_resources_object, arena, resources, err);

	if (ret == 0)
		*out = resources;
	return ret;
}

int config_load(int dirfd, const char *path, struct arena *arena, struct strbuf *raw,
		struct oci_config **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	ret = io_read_file(dirfd, path, CONFIG_SIZE_MAX, &text, err);
	if (ret < 0)
		return ret;
	ret = config_decode(path, strbuf_text(&text), text.size, arena, out, err);
	if (ret < 0)
		return ret;
	if (raw)
		strbuf_add(raw, strbuf_text(&text), text.size);
	return 0;
}

void config_write(const struct oci_config *config, enum json_style style, struct strbuf *out)
{
	json_encode(&oci_config_object, config, style, out);
}

void process_write(const struct oci_process *process, enum json_style style, struct strbuf *out)
{
	json_encode(&oci_process_object, process, style, out);
}

void resources_write(const struct oci_resources *resources, enum json_style style,
		     struct strbuf *out)
{
	json_encode(&oci_resources_object, resources, style, out);
}
