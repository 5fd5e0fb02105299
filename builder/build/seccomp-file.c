/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles in docker's schema. A rule of it holds where what it includes is there and what it
 * excludes is not; the machines of archMap take the place of "architectures". Rules keep their
 * order.
 */
#include "builder/build/seccomp-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "builder/build/seccomp-profile.h"
#include "builder/image/digest.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/json-table.h"

#define FILE_MAX ((size_t)4 << 20) /* docker's own profile has 15 kB */

struct conditions {
	struct json_strings capabilities, machines;
	const char *kernel; /* "4.8": this one or a later one */
};

struct rule {
	const char *name; /* of old profiles; names otherwise */
	struct json_strings names;
	int action;
	uint32_t errno_ret;
	bool has_errno_ret;
	JSON_LIST(struct oci_seccomp_arg) args;
	struct conditions includes, excludes;
};

struct machine {
	const char *native;
	struct json_strings others;
};

struct seccomp_file {
	const char *path;
	struct digest digest;
	struct oci_seccomp head; /* without rules */
	JSON_LIST(struct machine) machines;
	JSON_LIST(struct rule) rules;
};

/* clang-format off */
static const struct json_field conditions_fields[] = {
	JSON_STRINGS(struct conditions, "caps", capabilities),
	JSON_STRINGS(struct conditions, "arches", machines),
	JSON_STRING(struct conditions, "minKernel", kernel),
};
static const struct json_object conditions_object = JSON_TABLE(struct conditions, conditions_fields);

static const struct json_field arg_fields[] = {
	JSON_U32(struct oci_seccomp_arg, "index", index, .flags = JSON_REQUIRED),
	JSON_U64(struct oci_seccomp_arg, "value", value, .flags = JSON_REQUIRED),
	JSON_U64(struct oci_seccomp_arg, "valueTwo", value_two),
	JSON_NAME(struct oci_seccomp_arg, "op", op, oci_seccomp_operator_names, .flags = JSON_REQUIRED),
};
static const struct json_object arg_object = JSON_TABLE(struct oci_seccomp_arg, arg_fields);

static const struct json_field rule_fields[] = {
	JSON_STRING(struct rule, "name", name),
	JSON_STRINGS(struct rule, "names", names),
	JSON_NAME(struct rule, "action", action, oci_seccomp_action_names, .flags = JSON_REQUIRED),
	JSON_U32_OPT(struct rule, "errnoRet", errno_ret),
	JSON_OBJECTS(struct rule, "args", args, &arg_object),
	JSON_INLINE(struct rule, "includes", includes, &conditions_object),
	JSON_INLINE(struct rule, "excludes", excludes, &conditions_object),
};
static const struct json_object rule_object = JSON_TABLE(struct rule, rule_fields);

static const struct json_field machine_fields[] = {
	JSON_STRING(struct machine, "architecture", native, .flags = JSON_REQUIRED, .names = oci_seccomp_arch_names),
	JSON_STRINGS(struct machine, "subArchitectures", others, .names = oci_seccomp_arch_names),
};
static const struct json_object machine_object = JSON_TABLE(struct machine, machine_fields);

static const struct json_field file_fields[] = {
	JSON_NAME(struct seccomp_file, "defaultAction", head.default_action, oci_seccomp_action_names,
		  .flags = JSON_REQUIRED),
	JSON_U32(struct seccomp_file, "defaultErrnoRet", head.default_errno_ret,
		 JSON_HAS(struct seccomp_file, head.has_default_errno_ret)),
	JSON_STRINGS(struct seccomp_file, "architectures", head.architectures, .names = oci_seccomp_arch_names),
	JSON_OBJECTS(struct seccomp_file, "archMap", machines, &machine_object),
	JSON_FLAGS(struct seccomp_file, "flags", head.flags, oci_seccomp_flag_names,
		   JSON_HAS(struct seccomp_file, head.has_flags)),
	JSON_STRING(struct seccomp_file, "listenerPath", head.listener_path),
	JSON_STRING(struct seccomp_file, "listenerMetadata", head.listener_metadata),
	JSON_OBJECTS(struct seccomp_file, "syscalls", rules, &rule_object),
};
static const struct json_object file_object = JSON_TABLE(struct seccomp_file, file_fields);
/* clang-format on */

/* -- reading -------------------------------------------------------------------------------------
 */

/* "4.8" or a release, "6.1.0-18-amd64": as far as profiles go. */
static bool read_kernel(const char *text, unsigned int *major, unsigned int *minor)
{
	static const char digits[] = "0123456789";
	size_t first = strspn(text, digits);

	/* (scanf would take signs and blanks) */
	return first && text[first] == '.' && strspn(text + first + 1, digits) &&
	       sscanf(text, "%4u.%4u", major, minor) == 2;
}

static bool is_kernel(const struct conditions *conditions)
{
	unsigned int major, minor;

	return !conditions->kernel || read_kernel(conditions->kernel, &major, &minor);
}

static int check(const struct seccomp_file *file, struct error *err)
{
	if (file->machines.count && file->head.architectures.count)
		return error_invalid(err, "%s: both architectures and archMap are there",
				     file->path);
	for (size_t i = 0; i < file->rules.count; i++) {
		const struct rule *rule = &file->rules.items[i];

		if (!rule->name == !rule->names.count)
			return error_invalid(err, "%s: /syscalls/%zu: expected names (or name)",
					     file->path, i);
		if (!is_kernel(&rule->includes) || !is_kernel(&rule->excludes))
			return error_invalid(err,
					     "%s: /syscalls/%zu: minKernel: expected MAJOR.MINOR",
					     file->path, i);
	}
	return 0;
}

int seccomp_file_decode(const char *name, const char *text, size_t size, struct arena *arena,
			const struct seccomp_file **out, struct error *err)
{
	struct seccomp_file *file = arena_alloc(arena, sizeof(*file));
	const struct json_source source = { .name = name, .text = text, .size = size };
	int ret = json_decode(&source, &file_object, arena, file, err);

	if (ret < 0)
		return ret;
	file->path = arena_strdup(arena, name);
	digest_of(text, size, &file->digest);
	ret = check(file, err);
	if (ret == 0)
		*out = file;
	return ret;
}

int seccomp_file_load(const char *path, struct arena *arena, const struct seccomp_file **out,
		      struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(AT_FDCWD, path, FILE_MAX, &text, err);

	return ret < 0 ? ret
		       : seccomp_file_decode(path, strbuf_text(&text), text.size, arena, out, err);
}

const char *seccomp_file_digest(const struct seccomp_file *file)
{
	return file->digest.text;
}

/* -- resolving -----------------------------------------------------------------------------------
 */

static bool is_since(const char *kernel, const struct seccomp_place *place)
{
	unsigned int major = 0, minor = 0, least_major = 0, least_minor = 0;

	(void)read_kernel(kernel, &least_major, &least_minor); /* was looked at when it was read */
	(void)read_kernel(place->kernel, &major, &minor);      /* 0.0 is older than all */
	return major > least_major || (major == least_major && minor >= least_minor);
}

static bool has_all(const struct json_strings *wanted, const struct json_strings *have)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!json_strings_contain(have, wanted->items[i]))
			return false;
	return true;
}

static bool has_any(const struct json_strings *wanted, const struct json_strings *have)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (json_strings_contain(have, wanted->items[i]))
			return true;
	return false;
}

static bool holds(const struct rule *rule, const struct seccomp_place *place)
{
	const struct conditions *with = &rule->includes, *without = &rule->excludes;

	if (with->machines.count && !json_strings_contain(&with->machines, place->architecture))
		return false;
	if (!has_all(&with->capabilities, place->capabilities) ||
	    (with->kernel && !is_since(with->kernel, place)))
		return false;
	return !json_strings_contain(&without->machines, place->architecture) &&
	       !has_any(&without->capabilities, place->capabilities) &&
	       !(without->kernel && is_since(without->kernel, place));
}

static void add_rule(struct oci_seccomp *seccomp, const struct rule *rule, struct arena *arena)
{
	struct oci_seccomp_syscall *call = &seccomp->syscalls.items[seccomp->syscalls.count++];

	call->names = rule->names;
	if (rule->name)
		json_strings_add(&call->names, arena, rule->name);
	call->action = rule->action;
	call->errno_ret = rule->errno_ret;
	call->has_errno_ret = rule->has_errno_ret;
	call->args.items = rule->args.items;
	call->args.count = rule->args.count;
}

static void add_machines(struct oci_seccomp *seccomp, const struct seccomp_file *file,
			 const char *machine, struct arena *arena)
{
	const char *native = seccomp_native_architecture(machine);

	for (size_t i = 0; i < file->machines.count; i++) {
		const struct machine *row = &file->machines.items[i];

		if (!native || strcmp(row->native, native) != 0)
			continue;
		json_strings_add(&seccomp->architectures, arena, row->native);
		for (size_t j = 0; j < row->others.count; j++)
			json_strings_add(&seccomp->architectures, arena, row->others.items[j]);
	}
}

int seccomp_file_resolve(const struct seccomp_file *file, const struct seccomp_place *given,
			 struct arena *arena, struct oci_seccomp **out, struct error *err)
{
	struct oci_seccomp *seccomp = arena_alloc(arena, sizeof(*seccomp));
	struct seccomp_place place = *given;
	struct utsname here;

	if (uname(&here) < 0)
		return error_errno(err, errno, "uname");
	if (!place.machine)
		place.machine = here.machine;
	if (!place.kernel)
		place.kernel = here.release;
	if (!place.architecture)
		place.architecture = platform_host_architecture();
	*seccomp = file->head;
	add_machines(seccomp, file, place.machine, arena);
	seccomp->syscalls.items =
		arena_alloc(arena, (file->rules.count + 1) * sizeof(*seccomp->syscalls.items));
	for (size_t i = 0; i < file->rules.count; i++)
		if (holds(&file->rules.items[i], &place))
			add_rule(seccomp, &file->rules.items[i], arena);
	*out = seccomp;
	return 0;
}
