/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp compiled to classic BPF: the only user of libseccomp, which here only generates
 * code. init installs it with seccomp(2) itself, so flags that an old libseccomp does not know
 * work all the same; system calls that it does not know are in a prologue of our own.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/seccomp-prologue.h"
#include "runtime/plan/seccomp.h"

/*
 * More names than this and a search tree is loaded faster than a chain of comparisons: the kernel
 * runs the program once for every call when it is installed. Measured (Linux 6.18, the tenth
 * percentile of 400 loads, microseconds, chain and tree): 8 names 47, 41; 16 names 63, 52; 64 names
 * 138, 76; 410 names 407, 161, and for three architectures 1032, 431.
 */
#define TREE_THRESHOLD 15

/* clang-format off */
static const enum scmp_compare operators[] = {
	[SECCOMP_OPERATOR_NE] = SCMP_CMP_NE,
	[SECCOMP_OPERATOR_LT] = SCMP_CMP_LT,
	[SECCOMP_OPERATOR_LE] = SCMP_CMP_LE,
	[SECCOMP_OPERATOR_EQ] = SCMP_CMP_EQ,
	[SECCOMP_OPERATOR_GE] = SCMP_CMP_GE,
	[SECCOMP_OPERATOR_GT] = SCMP_CMP_GT,
	[SECCOMP_OPERATOR_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};
/* clang-format on */

#define POINTER "/linux/seccomp"

struct build {
	const struct oci_seccomp *config;
	bool fail_unknown;
	scmp_filter_ctx context;
	uint32_t default_action;
	uint32_t *architectures; /* libseccomp's numbers of those that the filter is for */
	size_t architecture_count;
	struct seccomp_new_rule *new_rules;
	size_t new_count, new_capacity;
};

static void build_done(struct build *build)
{
	if (build->context)
		seccomp_release(build->context);
	free(build->architectures);
	free(build->new_rules);
}

/* What the kernel returns: the numbers of SECCOMP_RET_* and of SCMP_ACT_* are the same. */
static int action_value(int action, bool has_errno, uint32_t errnum, uint32_t *out,
			struct error *err)
{
	uint32_t data = has_errno ? errnum : EPERM;

	switch ((enum seccomp_action)action) {
	case SECCOMP_ACTION_KILL:
	case SECCOMP_ACTION_KILL_THREAD:
		*out = SCMP_ACT_KILL_THREAD;
		return 0;
	case SECCOMP_ACTION_KILL_PROCESS:
		*out = SCMP_ACT_KILL_PROCESS;
		return 0;
	case SECCOMP_ACTION_TRAP:
		*out = SCMP_ACT_TRAP;
		return 0;
	case SECCOMP_ACTION_ERRNO:
		*out = SCMP_ACT_ERRNO(data);
		return 0;
	case SECCOMP_ACTION_TRACE:
		*out = SCMP_ACT_TRACE(data);
		return 0;
	case SECCOMP_ACTION_ALLOW:
		*out = SCMP_ACT_ALLOW;
		return 0;
	case SECCOMP_ACTION_LOG:
		*out = SCMP_ACT_LOG;
		return 0;
	case SECCOMP_ACTION_NOTIFY:
		*out = SCMP_ACT_NOTIFY;
		return 0;
	}
	return error_invalid(err, "action is missing or unknown");
}

/* "SCMP_ARCH_X86_64" -> libseccomp's own "x86_64"; 0 when it has no such architecture. */
static uint32_t arch_token(const char *name)
{
	char own[32];
	size_t i;

	if (strncmp(name, "SCMP_ARCH_", 10) != 0 || strlen(name + 10) >= sizeof(own))
		return 0;
	for (i = 0; name[10 + i]; i++) {
		char c = name[10 + i];

		own[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	own[i] = '\0';
	return seccomp_arch_resolve_name(own);
}

const char *seccomp_arch_supported(const char *name)
{
	return arch_token(name) ? name : NULL;
}

uint32_t seccomp_native_arch(void)
{
	return seccomp_arch_native();
}

const char *seccomp_library_version(struct arena *arena)
{
	const struct scmp_version *version = seccomp_version();

	return arena_printf(arena, "%u.%u.%u", version->major, version->minor, version->micro);
}

static int library_error(struct error *err, int ret, const char *what)
{
	return error_errno(err, ret < 0 ? -ret : EINVAL, "seccomp: %s", what);
}

static int add_architecture(struct build *build, const char *name, struct error *err)
{
	uint32_t token = arch_token(name);
	int ret;

	if (!token)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "seccomp: no support for architecture \"%s\"", name);
	ret = seccomp_arch_add(build->context, token);
	if (ret == -EEXIST)
		return 0;
	if (ret == -EDOM) { /* the other byte order: no program of it can run here */
		log_debug("seccomp: architecture \"%s\" is never seen here and skipped", name);
		return 0;
	}
	if (ret < 0)
		return library_error(err, ret, name);
	build->architectures[build->architecture_count++] = token;
	return 0;
}

/* The native one is always there. */
static int add_architectures(struct build *build, struct error *err)
{
	const struct json_strings *names = &build->config->architectures;

	build->architectures = xreallocarray(NULL, names->count + 1, sizeof(*build->architectures));
	build->architectures[build->architecture_count++] = seccomp_arch_native();
	for (size_t i = 0; i < names->count; i++) {
		int ret = add_architecture(build, names->items[i], err);

		if (ret < 0)
			return error_pointer(err, ret, POINTER "/architectures/%zu", i);
	}
	return 0;
}

/* Conditions on different arguments must all hold; several on one argument are alternatives, each
 * a rule of its own (runc's reading, on which the profiles in use rely). */
static bool args_are_alternatives(const struct oci_seccomp_syscall *rule)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < rule->args.count; i++) {
		unsigned int bit = 1U << rule->args.items[i].index;

		if (seen & bit)
			return true;
		seen |= bit;
	}
	return false;
}

static struct scmp_arg_cmp arg_compare(const struct oci_seccomp_arg *arg)
{
	return (struct scmp_arg_cmp){ .arg = arg->index,
				      .op = operators[arg->op],
				      .datum_a = arg->value,
				      .datum_b = arg->value_two };
}

static int add_known(struct build *build, const struct oci_seccomp_syscall *rule, uint32_t action,
		     int number)
{
	struct scmp_arg_cmp compare[6];
	int ret = 0;

	for (size_t i = 0; i < rule->args.count; i++) {
		struct scmp_arg_cmp one = arg_compare(&rule->args.items[i]);

		if (args_are_alternatives(rule)) {
			ret = seccomp_rule_add_array(build->context, action, number, 1, &one);
			if (ret < 0)
				return ret;
		} else {
			compare[i] = one;
		}
	}
	if (args_are_alternatives(rule))
		return 0;
	return seccomp_rule_add_array(build->context, action, number,
				      (unsigned int)rule->args.count, compare);
}

/* As the library does it: a rule without conditions leaves nothing for later ones. */
static bool is_decided(const struct build *build, uint32_t number)
{
	for (size_t i = 0; i < build->new_count; i++)
		if (build->new_rules[i].number == number && !build->new_rules[i].count)
			return true;
	return false;
}

static int add_new(struct build *build, const struct oci_seccomp_syscall *rule, uint32_t action,
		   const char *name, struct error *err)
{
	bool alternatives = args_are_alternatives(rule);
	struct seccomp_new_rule new_rule = { .action = action,
					     .args = rule->args.items,
					     .count = alternatives ? 1 : rule->args.count };

	if (!seccomp_new_call(name, &new_rule.number, &new_rule.arch)) {
		if (build->fail_unknown)
			return error_invalid(err, "unknown system call \"%s\"", name);
		log_debug("seccomp: system call \"%s\" is unknown here and skipped", name);
		return 0;
	}
	for (size_t i = 0; i < (alternatives ? rule->args.count : 1); i++) {
		if (is_decided(build, new_rule.number))
			return 0;
		ARRAY_GROW(build->new_rules, build->new_count, build->new_capacity);
		build->new_rules[build->new_count++] = new_rule;
		new_rule.args++;
	}
	return 0;
}

static int check_args(const struct oci_seccomp_syscall *rule, struct error *err)
{
	for (size_t i = 0; i < rule->args.count; i++) {
		if (rule->args.items[i].index > 5)
			return error_invalid(err, "index %u of an argument is not of 0..5",
					     rule->args.items[i].index);
		if (rule->args.items[i].op <= 0 ||
		    (size_t)rule->args.items[i].op >= ARRAY_SIZE(operators))
			return error_invalid(err, "operator of an argument is missing or unknown");
	}
	return 0;
}

static int add_rule(struct build *build, size_t index, struct error *err)
{
	const struct oci_seccomp_syscall *rule = &build->config->syscalls.items[index];
	uint32_t action = 0;
	int ret;

	ret = action_value(rule->action, rule->has_errno_ret, rule->errno_ret, &action, err);
	if (ret < 0)
		return ret;
	ret = check_args(rule, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < rule->names.count; i++) {
		const char *name = rule->names.items[i];
		int number = seccomp_syscall_resolve_name(name);

		if (number == __NR_SCMP_ERROR) {
			ret = add_new(build, rule, action, name, err);
			if (ret < 0)
				return error_pointer(err, ret, POINTER "/syscalls/%zu/names/%zu",
						     index, i);
			continue;
		}
		if (action == build->default_action)
			continue;
		ret = add_known(build, rule, action, number);
		if (ret < 0 && ret != -EEXIST)
			return library_error(err, ret, name);
	}
	return 0;
}

/* -- the whole -- */

/* A program that is asked about a call beyond the profile would be broken by any other answer than
 * ENOSYS; one whose default is to let calls pass, or to ask a tracer, has its answer. */
static bool is_permissive(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		return true;
	default:
		return action == SCMP_ACT_ERRNO(ENOSYS);
	}
}

/* The number on arch, with what the architecture adds to all of them; false: it has no such. */
static bool call_number(const char *name, uint32_t arch, const struct seccomp_abi *abi,
			uint32_t *out)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);
	uint32_t only = 0;

	if (number == __NR_SCMP_ERROR) {
		if (!seccomp_new_call(name, out, &only) || (only && only != arch))
			return false;
		*out += abi->base;
		return true;
	}
	*out = (uint32_t)number;
	return number >= 0; /* negative: the library's mark for a call of other architectures */
}

static struct seccomp_abi describe_abi(const struct oci_seccomp *config, uint32_t arch)
{
	struct seccomp_abi abi = seccomp_abi_of(arch);

	for (size_t i = 0; i < config->syscalls.count; i++) {
		const struct json_strings *names = &config->syscalls.items[i].names;

		for (size_t j = 0; j < names->count; j++) {
			uint32_t number;

			if (!call_number(names->items[j], arch, &abi, &number) ||
			    (abi.end && number >= abi.end))
				continue;
			if (!abi.names_any || number > abi.newest)
				abi.newest = number;
			abi.names_any = true;
		}
	}
	return abi;
}

static size_t make_prologue(const struct build *build, struct sock_filter **out)
{
	cleanup_free struct seccomp_abi *abis =
		xreallocarray(NULL, build->architecture_count, sizeof(*abis));
	struct seccomp_prologue prologue = { .abis = abis,
					     .abi_count = build->architecture_count,
					     .rules = build->new_rules,
					     .rule_count = build->new_count,
					     .newer_is_enosys =
						     !is_permissive(build->default_action) };

	*out = NULL;
	if (!prologue.newer_is_enosys && !prologue.rule_count)
		return 0;
	for (size_t i = 0; i < build->architecture_count; i++)
		abis[i] = describe_abi(build->config, build->architectures[i]);
	return seccomp_prologue_make(&prologue, out);
}

static int generate(const struct build *build, struct strbuf *out, struct error *err)
{
	cleanup_close int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "seccomp: memory file");
	ret = seccomp_export_bpf(build->context, fd);
	if (ret < 0)
		return library_error(err, ret, "generate the program");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "seccomp: rewind the program");
	ret = io_read_rest(fd, (size_t)1 << 20, out);
	return ret < 0 ? error_errno(err, -ret, "seccomp: read the program") : 0;
}

static int export(const struct build *build, struct arena *arena, struct plan_seccomp *out,
		  struct error *err)
{
	cleanup_strbuf struct strbuf code = STRBUF_INIT;
	cleanup_free struct sock_filter *before = NULL;
	struct sock_filter *filter;
	size_t length, before_length;
	int ret;

	ret = generate(build, &code, err);
	if (ret < 0)
		return ret;
	before_length = make_prologue(build, &before);
	length = before_length + code.size / sizeof(*filter);
	if (length > BPF_MAXINSNS)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "seccomp: the program has %zu instructions, the kernel takes %d",
				 length, BPF_MAXINSNS);
	filter = arena_alloc(arena, length * sizeof(*filter));
	if (before_length)
		memcpy(filter, before, before_length * sizeof(*filter));
	memcpy(filter + before_length, code.data, code.size);
	out->filter = filter;
	out->length = (unsigned short)length;
	return 0;
}

static int build_start(struct build *build, struct error *err)
{
	const struct oci_seccomp *config = build->config;
	int ret;

	ret = action_value(config->default_action, config->has_default_errno_ret,
			   config->default_errno_ret, &build->default_action, err);
	if (ret < 0)
		return error_pointer(err, ret, POINTER "/defaultAction");
	/* every kernel that we run on has all of level 5: spares the library's probing */
	(void)seccomp_api_set(5);
	build->context = seccomp_init(build->default_action);
	if (!build->context)
		return error_pointer(err, error_invalid(err, "seccomp: bad default action"),
				     POINTER "/defaultAction");
	if (config->syscalls.count > 0) {
		size_t names = 0;

		for (size_t i = 0; i < config->syscalls.count; i++)
			names += config->syscalls.items[i].names.count;
		if (names > TREE_THRESHOLD)
			(void)seccomp_attr_set(build->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	}
	return add_architectures(build, err);
}

int seccomp_build(const struct oci_seccomp *config, bool fail_unknown, struct arena *arena,
		  struct plan_seccomp *out, struct error *err)
{
	struct build build __attribute__((cleanup(build_done))) = { .config = config,
								    .fail_unknown = fail_unknown };
	int ret;

	ret = build_start(&build, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < config->syscalls.count; i++) {
		ret = add_rule(&build, i, err);
		if (ret < 0)
			return error_pointer(err, ret, POINTER "/syscalls/%zu", i);
	}
	ret = export(&build, arena, out, err);
	return ret < 0 ? error_pointer(err, ret, POINTER) : 0;
}
