/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of config.json that need neither kernel nor file system, outside of the linux section.
 * Where callers or test suites match on runc's words, the words are runc's.
 */
#include "spec/config-check.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"

/* -- reporting ------------------------------------------------------------------------------------
 */

static int broken(struct error *err, const char *pointer, const char *format, va_list ap)
{
	int ret = error_vset(err, ERROR_INVALID, 0, format, ap);

	(void)error_prefix(err, ret, "%s", pointer);
	(void)error_phase(err, ret, PHASE_CONFIG);
	return error_pointer(err, ret, "%s", pointer);
}

int rule_broken(struct error *err, const char *pointer, const char *format, ...)
{
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = broken(err, pointer, format, ap);
	va_end(ap);
	return ret;
}

int rule_broken_at(struct error *err, const char *pointer, size_t index, const char *behind,
		   const char *format, ...)
{
	char place[128];
	va_list ap;
	int ret;

	snprintf(place, sizeof(place), "%s/%zu%s", pointer, index, behind);
	va_start(ap, format);
	ret = broken(err, place, format, ap);
	va_end(ap);
	return ret;
}

/* -- process --------------------------------------------------------------------------------------
 */

typedef int process_rule(const struct oci_process *process, struct error *err);

static int rule_cwd(const struct oci_process *process, struct error *err)
{
	if (!process->cwd || !*process->cwd)
		return rule_broken(err, "/process/cwd", "Cwd property must not be empty");
	if (*process->cwd != '/')
		return rule_broken(err, "/process/cwd", "Cwd must be an absolute path");
	return 0;
}

static int rule_args(const struct oci_process *process, struct error *err)
{
	if (!process->args.count)
		return rule_broken(err, "/process/args", "args must not be empty");
	return 0;
}

static int rule_env(const struct oci_process *process, struct error *err)
{
	for (size_t i = 0; i < process->env.count; i++) {
		const char *entry = process->env.items[i];

		if (!strchr(entry, '='))
			return rule_broken_at(err, "/process/env", i, "",
					      "invalid environment variable \"%s\": missing '='",
					      entry);
		if (*entry == '=')
			return rule_broken_at(
				err, "/process/env", i, "",
				"invalid environment variable \"%s\": name cannot be empty", entry);
	}
	return 0;
}

/* 2^32-1 means "leave it" to setuid(2) and its family. */
static int rule_user(const struct oci_process *process, struct error *err)
{
	const struct oci_user *user = &process->user;

	if (user->uid == UINT32_MAX)
		return rule_broken(err, "/process/user/uid", "%u is not a user", user->uid);
	if (user->gid == UINT32_MAX)
		return rule_broken(err, "/process/user/gid", "%u is not a group", user->gid);
	for (size_t i = 0; i < user->additional_gids.count; i++) {
		if (user->additional_gids.items[i] == UINT32_MAX)
			return rule_broken_at(err, "/process/user/additionalGids", i, "",
					      "%u is not a group", UINT32_MAX);
	}
	return 0;
}

static int rule_rlimits(const struct oci_process *process, struct error *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < process->rlimits.count; i++) {
		const struct oci_rlimit *rlimit = &process->rlimits.items[i];
		uint64_t bit = UINT64_C(1) << rlimit->type;

		if (seen & bit)
			return rule_broken_at(err, "/process/rlimits", i, "/type",
					      "duplicated rlimit %s",
					      table_name(oci_rlimit_names, rlimit->type));
		seen |= bit;
		if (rlimit->soft > rlimit->hard)
			return rule_broken_at(err, "/process/rlimits", i, "/soft",
					      "soft limit %llu is above the hard limit %llu",
					      (unsigned long long)rlimit->soft,
					      (unsigned long long)rlimit->hard);
	}
	return 0;
}

static int rule_oom_score(const struct oci_process *process, struct error *err)
{
	if (process->oom_score_adj < -1000 || process->oom_score_adj > 1000)
		return rule_broken(err, "/process/oomScoreAdj", "%d is not from -1000 to 1000",
				   process->oom_score_adj);
	return 0;
}

static int rule_io_priority(const struct oci_process *process, struct error *err)
{
	const struct oci_io_priority *io = process->io_priority;

	if (!io)
		return 0;
	if (!io->has_class)
		return rule_broken(err, "/process/ioPriority", "property \"class\" is missing");
	if (io->priority < 0 || io->priority > 7)
		return rule_broken(err, "/process/ioPriority/priority", "%d is not from 0 to 7",
				   io->priority);
	return 0;
}

/* sched(7): each policy has parameters of its own; those of another one are a mistake. */
static int rule_scheduler(const struct oci_process *process, struct error *err)
{
	enum { OTHER = 0, FIFO = 1, RR = 2, BATCH = 3, DEADLINE = 6 };
	const struct oci_scheduler *scheduler = process->scheduler;
	const char *policy;

	if (!scheduler)
		return 0;
	if (!scheduler->has_policy)
		return rule_broken(err, "/process/scheduler", "scheduler policy is required");
	policy = table_name(oci_scheduler_policy_names, scheduler->policy);
	if (scheduler->nice && scheduler->policy != OTHER && scheduler->policy != BATCH)
		return rule_broken(err, "/process/scheduler/nice", "%s has no nice value", policy);
	if (scheduler->nice < -20 || scheduler->nice > 19)
		return rule_broken(err, "/process/scheduler/nice", "%d is not from -20 to 19",
				   scheduler->nice);
	if (scheduler->priority && scheduler->policy != FIFO && scheduler->policy != RR)
		return rule_broken(err, "/process/scheduler/priority", "%s has no priority",
				   policy);
	if ((scheduler->runtime || scheduler->deadline || scheduler->period) &&
	    scheduler->policy != DEADLINE)
		return rule_broken(err, "/process/scheduler",
				   "%s has no runtime, deadline and period", policy);
	return 0;
}

static process_rule *const process_rules[] = {
	rule_cwd,	rule_args,	  rule_env,	  rule_user, rule_rlimits,
	rule_oom_score, rule_io_priority, rule_scheduler, NULL,
};

int process_check(const struct oci_process *process, struct error *err)
{
	for (process_rule *const *rule = process_rules; *rule; rule++) {
		int ret = (*rule)(process, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* -- the document
 * ----------------------------------------------------------------------------------- */

bool config_has_namespace(const struct oci_config *config, uint64_t type)
{
	for (size_t i = 0; config->linux && i < config->linux->namespaces.count; i++) {
		if (config->linux->namespaces.items[i].type == type)
			return true;
	}
	return false;
}

/* 1.x, 1.x.y, with a pre-release or build part: what a later 1.x adds must not break us. */
static bool version_is_known(const char *version)
{
	static const char digits[] = "0123456789";
	size_t size;

	if (strncmp(version, "1.", 2) != 0)
		return false;
	version += 2;
	size = strspn(version, digits);
	if (!size)
		return false;
	version += size;
	if (*version == '.') {
		size = strspn(++version, digits);
		if (!size)
			return false;
		version += size;
	}
	return !*version || ((*version == '-' || *version == '+') && version[1]);
}

static int rule_version(const struct oci_config *config, struct error *err)
{
	if (!config->oci_version || !*config->oci_version)
		return rule_broken(err, "/ociVersion", "ociVersion must not be empty");
	if (!version_is_known(config->oci_version))
		return rule_broken(err, "/ociVersion",
				   "version \"%s\" is not 1.x (this program implements %s)",
				   config->oci_version, OCI_RUNTIME_VERSION);
	return 0;
}

static int rule_process(const struct oci_config *config, struct error *err)
{
	if (!config->process)
		return rule_broken(err, "/process", "process property must not be empty");
	return process_check(config->process, err);
}

static int rule_root(const struct oci_config *config, struct error *err)
{
	if (!config->root)
		return rule_broken(err, "/root", "root must be specified");
	if (!*config->root->path)
		return rule_broken(err, "/root/path", "root path must not be empty");
	return 0;
}

static int rule_hostname(const struct oci_config *config, struct error *err)
{
	if (config_has_namespace(config, CLONE_NEWUTS))
		return 0;
	if (config->hostname && *config->hostname)
		return rule_broken(err, "/hostname",
				   "unable to set hostname without a private UTS namespace");
	if (config->domainname && *config->domainname)
		return rule_broken(err, "/domainname",
				   "unable to set domainname without a private UTS namespace");
	return 0;
}

static int rule_mounts(const struct oci_config *config, struct error *err)
{
	for (size_t i = 0; i < config->mounts.count; i++) {
		const struct oci_mount *mount = &config->mounts.items[i];

		if (!*mount->destination)
			return rule_broken_at(err, "/mounts", i, "/destination",
					      "mount destination must not be empty");
		if (!mount->uid_mappings.count != !mount->gid_mappings.count)
			return rule_broken_at(err, "/mounts", i, "",
					      "id-mapped mounts must have both uid and gid "
					      "mappings specified");
	}
	return 0;
}

static int hook_list_check(const struct oci_hook_list *list, const char *name, struct error *err)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/hooks/%s", name);
	for (size_t i = 0; i < list->count; i++) {
		const struct oci_hook *hook = &list->items[i];

		if (*hook->path != '/')
			return rule_broken_at(err, pointer, i, "/path",
					      "hook path \"%s\" is not absolute", hook->path);
		if (hook->has_timeout && hook->timeout <= 0)
			return rule_broken_at(err, pointer, i, "/timeout",
					      "hook timeout must be greater than zero");
	}
	return 0;
}

static int rule_hooks(const struct oci_config *config, struct error *err)
{
	/* clang-format off */
	static const struct name_value lists[] = {
		{ "prestart",        offsetof(struct oci_hooks, prestart) },
		{ "createRuntime",   offsetof(struct oci_hooks, create_runtime) },
		{ "createContainer", offsetof(struct oci_hooks, create_container) },
		{ "startContainer",  offsetof(struct oci_hooks, start_container) },
		{ "poststart",       offsetof(struct oci_hooks, poststart) },
		{ "poststop",        offsetof(struct oci_hooks, poststop) },
		{ NULL },
	};
	/* clang-format on */

	for (const struct name_value *list = lists; config->hooks && list->name; list++) {
		const char *hooks = (const char *)config->hooks + list->value;
		int ret = hook_list_check((const void *)hooks, list->name, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int rule_annotations(const struct oci_config *config, struct error *err)
{
	if (json_map_get(&config->annotations, ""))
		return rule_broken(err, "/annotations", "the name of an annotation is empty");
	return 0;
}

static config_rule *const config_rules[] = {
	rule_version, rule_process, rule_root,	      rule_hostname,
	rule_mounts,  rule_hooks,   rule_annotations, NULL,
};

int config_check(const struct oci_config *config, struct error *err)
{
	config_rule *const *tables[] = { config_rules, config->linux ? config_linux_rules : NULL };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (config_rule *const *rule = tables[i]; rule && *rule; rule++) {
			int ret = (*rule)(config, err);

			if (ret < 0)
				return ret;
		}
	}
	return 0;
}
