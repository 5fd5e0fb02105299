/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolve seccomp.json, which is linked into the program (so that it is always there, and nobody
 * else's) and installed beside it for people to read. Rules keep their order: of two rules for a
 * call without conditions the first one counts, as libseccomp has it.
 */
#include "builder/build/seccomp-profile.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/cleanup.h"
#include "spec/json-table.h"

/* the file's bytes between two symbols; the assembler reads it */
__asm__(".section .rodata\n"
	"seccomp_json_start:\n"
	".incbin \"" SECCOMP_JSON "\"\n"
	"seccomp_json_end:\n"
	".previous\n");
extern const char seccomp_json_start[], seccomp_json_end[];

struct condition {
	uint32_t index;
	int op;
	uint64_t value;
};

struct rule {
	const char *topic;
	struct json_strings arch;
	const char *with;
	const char *without;
	JSON_LIST(struct condition) when;
	struct json_strings allow;
	struct json_strings refuse;
	int error;
};

struct profile {
	int default_error;
	JSON_LIST(struct rule) rules;
};

static const struct name_value error_names[] = {
	{ "EPERM", EPERM },
	{ "ENOSYS", ENOSYS },
	{ "EINVAL", EINVAL },
	{ NULL, 0 },
};

/* clang-format off */
static const struct json_field condition_fields[] = {
	JSON_U32(struct condition, "index", index),
	JSON_NAME(struct condition, "op", op, oci_seccomp_operator_names, .flags = JSON_REQUIRED),
	JSON_U64(struct condition, "value", value),
};
static const struct json_object condition_object = JSON_TABLE(struct condition, condition_fields);

static const struct json_field rule_fields[] = {
	JSON_STRING(struct rule, "topic", topic),
	JSON_STRINGS(struct rule, "arch", arch),
	JSON_STRING(struct rule, "with", with),
	JSON_STRING(struct rule, "without", without),
	JSON_OBJECTS(struct rule, "when", when, &condition_object),
	JSON_STRINGS(struct rule, "allow", allow),
	JSON_STRINGS(struct rule, "refuse", refuse),
	JSON_NAME(struct rule, "errno", error, error_names),
};
static const struct json_object rule_object = JSON_TABLE(struct rule, rule_fields);

static const struct json_field profile_fields[] = {
	JSON_NAME(struct profile, "default", default_error, error_names, .flags = JSON_REQUIRED),
	JSON_OBJECTS(struct profile, "rules", rules, &rule_object),
};
static const struct json_object profile_object = JSON_TABLE(struct profile, profile_fields);

/* A 64-bit kernel also runs these; a call by another table would be killed. */
static const struct {
	const char *machine;
	const char *architectures[3];
} machines[] = {
	{ "x86_64",      { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" } },
	{ "aarch64",     { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" } },
	{ "s390x",       { "SCMP_ARCH_S390X", "SCMP_ARCH_S390" } },
	{ "ppc64le",     { "SCMP_ARCH_PPC64LE" } },
	{ "riscv64",     { "SCMP_ARCH_RISCV64" } },
	{ "loongarch64", { "SCMP_ARCH_LOONGARCH64" } },
};
/* clang-format on */

const char *seccomp_native_architecture(const char *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (strcmp(machines[i].machine, machine) == 0)
			return machines[i].architectures[0];
	return NULL;
}

static bool applies(const struct rule *rule, const char *machine,
		    const struct json_strings *capabilities)
{
	if (rule->arch.items && !json_strings_contain(&rule->arch, machine))
		return false;
	if (rule->with && !json_strings_contain(capabilities, rule->with))
		return false;
	return !rule->without || !json_strings_contain(capabilities, rule->without);
}

static void add_rule(struct oci_seccomp *seccomp, const struct rule *rule, struct arena *arena)
{
	struct oci_seccomp_syscall *call = &seccomp->syscalls.items[seccomp->syscalls.count++];

	call->names = rule->allow.count ? rule->allow : rule->refuse;
	call->action = rule->allow.count ? SECCOMP_ACTION_ALLOW : SECCOMP_ACTION_ERRNO;
	call->errno_ret = (uint32_t)rule->error;
	call->has_errno_ret = rule->refuse.count > 0;
	if (!rule->when.count)
		return;
	call->args.items = arena_alloc(arena, rule->when.count * sizeof(*call->args.items));
	call->args.count = rule->when.count;
	for (size_t i = 0; i < rule->when.count; i++) {
		call->args.items[i].index = rule->when.items[i].index;
		call->args.items[i].op = rule->when.items[i].op;
		call->args.items[i].value = rule->when.items[i].value;
	}
}

static void add_architectures(struct oci_seccomp *seccomp, const char *machine, struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (strcmp(machines[i].machine, machine) != 0)
			continue;
		for (size_t j = 0; j < 3 && machines[i].architectures[j]; j++)
			json_strings_add(&seccomp->architectures, arena,
					 machines[i].architectures[j]);
	}
}

int seccomp_profile_resolve(const char *machine, const struct json_strings *capabilities,
			    struct arena *arena, struct oci_seccomp **out, struct error *err)
{
	const struct json_source source = {
		.name = "seccomp.json",
		.text = seccomp_json_start,
		.size = (size_t)(seccomp_json_end - seccomp_json_start),
	};
	struct profile profile = { 0 };
	struct oci_seccomp *seccomp;
	struct utsname here;
	int ret;

	if (!machine) {
		if (uname(&here) < 0)
			return error_errno(err, errno, "uname");
		machine = here.machine;
	}
	ret = json_decode(&source, &profile_object, arena, &profile, err);
	if (ret < 0)
		return ret;
	seccomp = arena_alloc(arena, sizeof(*seccomp));
	seccomp->default_action = SECCOMP_ACTION_ERRNO;
	seccomp->default_errno_ret = (uint32_t)profile.default_error;
	seccomp->has_default_errno_ret = true;
	add_architectures(seccomp, machine, arena);
	seccomp->syscalls.items =
		arena_alloc(arena, profile.rules.count * sizeof(*seccomp->syscalls.items));
	for (size_t i = 0; i < profile.rules.count; i++)
		if (applies(&profile.rules.items[i], machine, capabilities))
			add_rule(seccomp, &profile.rules.items[i], arena);
	*out = seccomp;
	return 0;
}
