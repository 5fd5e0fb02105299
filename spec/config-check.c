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
#include "lib/strbuf.h"
#include "lib/syscalls.h"

/* -- reporting ------------------------------------------------------------------------------------
 */

static void broken(struct check *check, const char *pointer, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* A place that could not be decoded has its finding: what it lacks now is no news. */
static void broken(struct check *check, const char *pointer, const char *format, va_list ap)
{
	if (!findings_about(check->findings, check->findings->decoded, pointer))
		(void)findings_vadd(check->findings, check->rule, pointer, format, ap);
}

void rule_broken(struct check *check, const char *pointer, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	broken(check, pointer, format, ap);
	va_end(ap);
}

void rule_broken_at(struct check *check, const char *pointer, size_t index, const char *behind,
		    const char *format, ...)
{
	char place[128];
	va_list ap;

	snprintf(place, sizeof(place), "%s/%zu%s", pointer, index, behind);
	va_start(ap, format);
	broken(check, place, format, ap);
	va_end(ap);
}

void rule_broken_key(struct check *check, const char *pointer, const char *key, const char *format,
		     ...)
{
	cleanup_strbuf struct strbuf place = STRBUF_INIT;
	va_list ap;

	strbuf_adds(&place, pointer);
	json_pointer_add(&place, key);
	va_start(ap, format);
	broken(check, strbuf_text(&place), format, ap);
	va_end(ap);
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

static void rule_version(const struct oci_config *config, struct check *check)
{
	if (!config->oci_version || !*config->oci_version)
		rule_broken(check, "/ociVersion", "ociVersion must not be empty");
	else if (!version_is_known(config->oci_version))
		rule_broken(check, "/ociVersion",
			    "version \"%s\" is not 1.x (this program implements %s)",
			    config->oci_version, OCI_RUNTIME_VERSION);
}

static void rule_root(const struct oci_config *config, struct check *check)
{
	if (!config->root)
		rule_broken(check, "/root", "root must be specified");
	else if (!*config->root->path)
		rule_broken(check, "/root/path", "root path must not be empty");
}

/* sethostname(2), setdomainname(2) */
static void rule_hostname(const struct oci_config *config, struct check *check)
{
	enum { NAME_MAX_UTS = 64 };
	const struct {
		const char *pointer, *name;
	} names[] = { { "/hostname", config->hostname }, { "/domainname", config->domainname } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!names[i].name || !*names[i].name)
			continue;
		if (!config_has_namespace(config, CLONE_NEWUTS))
			rule_broken(check, names[i].pointer,
				    "unable to set %s without a private UTS namespace",
				    names[i].pointer + 1);
		if (strlen(names[i].name) > NAME_MAX_UTS)
			rule_broken(check, names[i].pointer, "%s is longer than %d bytes",
				    names[i].pointer + 1, NAME_MAX_UTS);
	}
}

/*
 * Without a mount namespace the container has a chroot in the runtime's. What would be mounted for
 * it would show on the host and stay there when it is gone, so there can be nothing of that kind.
 * (Masked and read-only paths have a rule of their own.)
 */
static void rule_mount_namespace(const struct oci_config *config, struct check *check)
{
	const struct {
		const char *pointer;
		bool asked;
	} mounting[] = {
		{ "/mounts", config->mounts.count > 0 },
		{ "/linux/rootfsPropagation", config->linux && config->linux->rootfs_propagation },
		{ "/root/readonly", config->root && config->root->readonly },
		{ "/process/terminal", config->process && config->process->terminal },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounting); i++)
		if (mounting[i].asked && !config_has_namespace(config, CLONE_NEWNS))
			rule_broken(check, mounting[i].pointer,
				    "it needs a mount namespace of the container's own");
}

static void rule_mounts(const struct oci_config *config, struct check *check)
{
	for (size_t i = 0; i < config->mounts.count; i++) {
		const struct oci_mount *mount = &config->mounts.items[i];

		if (!*mount->destination)
			rule_broken_at(check, "/mounts", i, "/destination",
				       "mount destination must not be empty");
		if (!mount->uid_mappings.count != !mount->gid_mappings.count)
			rule_broken_at(check, "/mounts", i, "",
				       "id-mapped mounts must have both uid and gid "
				       "mappings specified");
	}
}

static void hook_list_check(const struct oci_hook_list *list, const char *name, struct check *check)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/hooks/%s", name);
	for (size_t i = 0; i < list->count; i++) {
		const struct oci_hook *hook = &list->items[i];

		if (*hook->path != '/')
			rule_broken_at(check, pointer, i, "/path",
				       "hook path \"%s\" is not absolute", hook->path);
		if (hook->has_timeout && hook->timeout <= 0)
			rule_broken_at(check, pointer, i, "/timeout",
				       "hook timeout must be greater than zero");
	}
}

static void rule_hooks(const struct oci_config *config, struct check *check)
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

		hook_list_check((const void *)hooks, list->name, check);
	}
}

static void rule_annotations(const struct oci_config *config, struct check *check)
{
	if (json_map_get(&config->annotations, ""))
		rule_broken_key(check, "/annotations", "", "the name of an annotation is empty");
}

/* clang-format off */
static const struct config_rule config_rules[] = {
	{ "version",         rule_version },
	{ "root",            rule_root },
	{ "hostname",        rule_hostname,        RULE_NAMESPACES },
	{ "mount-namespace", rule_mount_namespace, RULE_NAMESPACES },
	{ "mounts",          rule_mounts },
	{ "hooks",           rule_hooks },
	{ "annotations",     rule_annotations },
	{ NULL },
};
/* clang-format on */

static void rules_run(const struct config_rule *rule, const struct oci_config *config,
		      struct check *check)
{
	bool blind = findings_about(check->findings, check->findings->decoded, "/linux/namespaces");

	for (; rule->name; rule++) {
		if (blind && (rule->flags & RULE_NAMESPACES))
			continue;
		check->rule = rule->name;
		rule->run(config, check);
	}
}

void config_check_all(const struct oci_config *config, struct findings *findings)
{
	struct check check = { .findings = findings };

	findings->decoded = findings->count;
	rules_run(config_rules, config, &check);
	/* without one a container can be created, if not started: runtime.md and config.md */
	if (config->process)
		process_rules_run(config->process, &check);
	if (config->linux)
		rules_run(config_linux_rules, config, &check);
}

int config_check(const struct oci_config *config, struct error *err)
{
	cleanup_findings struct findings findings = { .limit = 1 };

	config_check_all(config, &findings);
	return findings.count ? finding_error(&findings.items[0], err) : 0;
}
