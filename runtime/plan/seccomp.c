/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp compiled to classic BPF: the only user of libseccomp, which here only generates
 * code. init installs it with seccomp(2) itself, so flags that an old libseccomp does not know
 * work all the same; system calls that it does not know get a prologue of our own.
 */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/seccomp-cache.h"
#include "runtime/plan/seccomp.h"
#include "runtime/texts.h"

/*
 * More rules than this and a search tree beats a chain of comparisons. The kernel runs the program
 * once for every call when it is installed: 340 names take 0.17 ms as a tree and 0.40 as a chain.
 */
#define TREE_THRESHOLD 32

/*
 * Calls newer than libseccomp 2.5.4 knows. Since Linux 5.1 a new call has one number on all
 * architectures that we build for; FIRST_NEW lets the prologue pass everything older at once.
 */
/* clang-format off */
static const struct name_value new_syscalls[] = {
	{ "memfd_secret",            447 },
	{ "process_mrelease",        448 },
	{ "futex_waitv",             449 },
	{ "set_mempolicy_home_node", 450 },
	{ "cachestat",               451 },
	{ "fchmodat2",               452 },
	{ "map_shadow_stack",        453 },
	{ "futex_wake",              454 },
	{ "futex_wait",              455 },
	{ "futex_requeue",           456 },
	{ "statmount",               457 },
	{ "listmount",               458 },
	{ "lsm_get_self_attr",       459 },
	{ "lsm_set_self_attr",       460 },
	{ "lsm_list_modules",        461 },
	{ "mseal",                   462 },
	{ "setxattrat",              463 },
	{ "getxattrat",              464 },
	{ "listxattrat",             465 },
	{ "removexattrat",           466 },
	{ "open_tree_attr",          467 },
	{ "file_getattr",            468 },
	{ "file_setattr",            469 },
	{ "listns",                  470 },
	{ NULL, 0 },
};
#define FIRST_NEW 447

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

/* There is one thread, and waiting for a listener's answer needs a listener; the kernel refuses the
 * second flag without one. */
#define FLAGS_WITHOUT_EFFECT ((unsigned int)(SECCOMP_FLAG_TSYNC | SECCOMP_FLAG_WAIT_KILLABLE_RECV))
#define ERRNO_MAX 4095

/* A rule for a call that libseccomp does not know. */
struct new_rule {
	uint32_t number, action;
};

struct build {
	const struct oci_seccomp *config;
	scmp_filter_ctx context;
	uint32_t default_action;
	struct new_rule *new_rules;
	size_t new_count, new_capacity;
};

static void build_done(struct build *build)
{
	if (build->context)
		seccomp_release(build->context);
	free(build->new_rules);
}

/* What the kernel returns: the numbers of SECCOMP_RET_* and of SCMP_ACT_* are the same. */
static int action_value(int action, bool has_errno, uint32_t errnum, uint32_t *out,
			struct error *err)
{
	uint32_t data = has_errno ? errnum : EPERM;

	if (has_errno && action != SECCOMP_ACTION_ERRNO && action != SECCOMP_ACTION_TRACE)
		return error_invalid(err, "errnoRet is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE");
	if (data > ERRNO_MAX)
		return error_invalid(err, "errnoRet %u is not of 0..%d", errnum, ERRNO_MAX);
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
		return error_set(err, ERROR_UNSUPPORTED, 0, "SCMP_ACT_NOTIFY: " TEXT_NOT_YET);
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

const char *seccomp_library_version(struct arena *arena)
{
	const struct scmp_version *version = seccomp_version();

	return arena_printf(arena, "%u.%u.%u", version->major, version->minor, version->micro);
}

static int library_error(struct error *err, int ret, const char *what)
{
	return error_errno(err, ret < 0 ? -ret : EINVAL, "seccomp: %s", what);
}

static int add_architectures(struct build *build, struct error *err)
{
	const struct json_strings *names = &build->config->architectures;

	for (size_t i = 0; i < names->count; i++) {
		uint32_t token = arch_token(names->items[i]);
		int ret;

		if (!token)
			return error_pointer(
				err,
				error_set(err, ERROR_UNSUPPORTED, 0,
					  "seccomp: no support for architecture \"%s\"",
					  names->items[i]),
				POINTER "/architectures/%zu", i);
		ret = seccomp_arch_add(build->context, token);
		if (ret < 0 && ret != -EEXIST)
			return error_pointer(err, library_error(err, ret, names->items[i]),
					     POINTER "/architectures/%zu", i);
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

static void add_new(struct build *build, const struct oci_seccomp_syscall *rule, uint32_t action,
		    const char *name)
{
	const struct name_value *found = table_find(new_syscalls, name);

	if (!found) {
		log_debug("seccomp: system call \"%s\" is unknown here and skipped", name);
		return;
	}
	if (rule->args.count) {
		log_warning("seccomp: rule with conditions on \"%s\" is skipped: the library does "
			    "not know this call",
			    name);
		return;
	}
	for (size_t i = 0; i < build->new_count; i++)
		if (build->new_rules[i].number == (uint32_t)found->value)
			return; /* the first one wins, as in the library */
	ARRAY_GROW(build->new_rules, build->new_count, build->new_capacity);
	build->new_rules[build->new_count++] = (struct new_rule){ (uint32_t)found->value, action };
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

static int add_rule(struct build *build, const struct oci_seccomp_syscall *rule, struct error *err)
{
	uint32_t action = 0;
	int ret;

	ret = action_value(rule->action, rule->has_errno_ret, rule->errno_ret, &action, err);
	if (ret < 0)
		return ret;
	ret = check_args(rule, err);
	if (ret < 0)
		return ret;
	if (action == build->default_action)
		return 0;
	for (size_t i = 0; i < rule->names.count; i++) {
		const char *name = rule->names.items[i];
		int number = seccomp_syscall_resolve_name(name);

		if (number == __NR_SCMP_ERROR) {
			add_new(build, rule, action, name);
			continue;
		}
		ret = add_known(build, rule, action, number);
		if (ret < 0 && ret != -EEXIST)
			return library_error(err, ret, name);
	}
	return 0;
}

/* -- the prologue for new calls
 * -------------------------------------------------------------------- */

/* Architectures whose system calls have the common numbers (x32 and mips add an offset). */
static bool arch_has_common_numbers(uint32_t token)
{
	switch (token) {
	case SCMP_ARCH_X86:
	case SCMP_ARCH_X86_64:
	case SCMP_ARCH_ARM:
	case SCMP_ARCH_AARCH64:
	case SCMP_ARCH_PPC64LE:
	case SCMP_ARCH_S390X:
	case SCMP_ARCH_RISCV64:
		return true;
	default:
		return false;
	}
}

static size_t common_architectures(const struct build *build, uint32_t *tokens, size_t max)
{
	size_t count = 0;

	tokens[count++] = seccomp_arch_native();
	for (size_t i = 0; i < build->config->architectures.count && count < max; i++) {
		uint32_t token = arch_token(build->config->architectures.items[i]);

		if (token != tokens[0] && arch_has_common_numbers(token))
			tokens[count++] = token;
	}
	return count;
}

/*
 * if (arch is one of ours && nr >= FIRST_NEW) { if (nr == N) return action; ... }, in front of the
 * library's program, which loads what it needs anew.
 */
static size_t prologue(const struct build *build, struct sock_filter *out)
{
	struct sock_filter *at = out;
	uint32_t tokens[8];
	size_t arches = common_architectures(build, tokens, ARRAY_SIZE(tokens));
	uint32_t body = (uint32_t)(2 + 2 * build->new_count);

	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < arches; i++)
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, tokens[i],
						     (uint8_t)(arches - i), 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, body + 1);
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr));
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_NEW, 1, 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(2 * build->new_count));
	for (size_t i = 0; i < build->new_count; i++) {
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						     build->new_rules[i].number, 0, 1);
		*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, build->new_rules[i].action);
	}
	return (size_t)(at - out);
}

/* -- the whole
 * -------------------------------------------------------------------------------------- */

static int export(const struct build *build, struct arena *arena, struct plan_seccomp *out,
		  struct error *err)
{
	cleanup_close int fd = memfd_create("seccomp", MFD_CLOEXEC);
	cleanup_strbuf struct strbuf code = STRBUF_INIT;
	size_t length, before = 0;
	struct sock_filter *filter;
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "seccomp: memory file");
	ret = seccomp_export_bpf(build->context, fd);
	if (ret < 0)
		return library_error(err, ret, "generate the program");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "seccomp: rewind the program");
	ret = io_read_rest(fd, (size_t)1 << 20, &code);
	if (ret < 0)
		return error_errno(err, -ret, "seccomp: read the program");
	length = code.size / sizeof(*filter);
	filter = arena_alloc(arena, (length + 16 + 2 * build->new_count) * sizeof(*filter));
	if (build->new_count)
		before = prologue(build, filter);
	memcpy(filter + before, code.data, length * sizeof(*filter));
	length += before;
	if (length > BPF_MAXINSNS)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "seccomp: the program has %zu instructions, the kernel takes %d",
				 length, BPF_MAXINSNS);
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

static int build_program(const struct oci_seccomp *config, struct arena *arena,
			 struct plan_seccomp *out, struct error *err)
{
	struct build build __attribute__((cleanup(build_done))) = { .config = config };
	int ret;

	ret = build_start(&build, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < config->syscalls.count; i++) {
		ret = add_rule(&build, &config->syscalls.items[i], err);
		if (ret < 0)
			return error_pointer(err, ret, POINTER "/syscalls/%zu", i);
	}
	ret = export(&build, arena, out, err);
	return ret < 0 ? error_pointer(err, ret, POINTER) : 0;
}

int compile_seccomp(const struct oci_seccomp *config, const char *cache, struct arena *arena,
		    struct plan_seccomp *out, struct error *err)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	int ret = 0;

	memset(out, 0, sizeof(*out));
	if (!config || !config->default_action)
		return 0;
	if (cache)
		seccomp_cache_key(config, seccomp_library_version(arena), &key);
	if (!cache || !seccomp_cache_load(cache, &key, arena, out)) {
		ret = build_program(config, arena, out, err);
		if (ret == 0 && cache)
			seccomp_cache_store(cache, &key, out);
	}
	out->flags = config->has_flags ? (unsigned int)config->flags & ~FLAGS_WITHOUT_EFFECT
				       : SECCOMP_FLAG_SPEC_ALLOW;
	return ret;
}
