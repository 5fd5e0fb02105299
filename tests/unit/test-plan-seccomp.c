/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp: the compiled filter, run by a small interpreter of classic BPF. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "lib/io.h"
#include "lib/path.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/seccomp-cache.h"
#include "runtime/plan/seccomp.h"
#include "tests/unit/plan-fixture.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#define NATIVE 0
#endif

#define ALLOW SECCOMP_RET_ALLOW
#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))

/* What the program returns for a call; 0xdead when it is broken. */
static uint32_t interpret(const struct plan_seccomp *seccomp, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < seccomp->length; pc++) {
		const struct sock_filter *i = &seccomp->filter[pc];
		bool yes = false;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_JMP | BPF_JA:
			if (i->k >= seccomp->length - pc - 1)
				return 0xdead;
			pc += i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = a & i->k;
			break;
		default:
			return 0xdead;
		}
		pc += yes ? i->jt : i->jf;
	}
	return 0xdead;
}

static uint32_t call_on(const struct plan *plan, uint32_t arch, uint32_t nr)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = arch };

	return interpret(&plan->process.seccomp, &data);
}

static uint32_t call(const struct plan *plan, int nr, uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data data = { .nr = nr, .arch = NATIVE, .args = { arg0, arg1 } };

	return interpret(&plan->process.seccomp, &data);
}

static int compile(struct fixture *f, const char *members, struct error *err)
{
	cleanup_free char *text = xasprintf(",\"seccomp\":{%s}", members);

	return fixture_compile_linux(f, text, err);
}

static void test_actions(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(compile(&f,
			  "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
			  "\"syscalls\":[{\"names\":[\"read\",\"no_such_call\",\"write\"],"
			  "\"action\":\"SCMP_ACT_ALLOW\"},"
			  "{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ERRNO\"},"
			  "{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
			  "{\"names\":[\"getuid\"],\"action\":\"SCMP_ACT_TRAP\"},"
			  "{\"names\":[\"getgid\"],\"action\":\"SCMP_ACT_LOG\"},"
			  "{\"names\":[\"geteuid\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":7}]",
			  NULL),
		  0);
	CHECK_INT(call(&f.plan, SYS_read, 0, 0), ALLOW);
	CHECK_INT(call(&f.plan, SYS_write, 0, 0), ALLOW);
	CHECK_INT(call(&f.plan, SYS_getpid, 0, 0), ERRNO(1));
	CHECK_INT(call(&f.plan, SYS_getppid, 0, 0), SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(call(&f.plan, SYS_getuid, 0, 0), SECCOMP_RET_TRAP);
	CHECK_INT(call(&f.plan, SYS_getgid, 0, 0), SECCOMP_RET_LOG);
	CHECK_INT(call(&f.plan, SYS_geteuid, 0, 0), SECCOMP_RET_TRACE | 7);
	CHECK_INT(call(&f.plan, SYS_close, 0, 0), ERRNO(38));
}

static void test_args(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(compile(&f,
			  "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
			  "{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			  "{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"},"
			  "{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"}]},"
			  "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			  "{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_NE\"},"
			  "{\"index\":1,\"value\":18446744073709551615,\"op\":\"SCMP_CMP_LT\"}]},"
			  "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			  "{\"index\":0,\"value\":2114060288,\"valueTwo\":0,"
			  "\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]",
			  NULL),
		  0);
	/* several conditions on one argument: one is enough */
	CHECK_INT(call(&f.plan, SYS_personality, 0, 0), ALLOW);
	CHECK_INT(call(&f.plan, SYS_personality, 8, 0), ALLOW);
	CHECK_INT(call(&f.plan, SYS_personality, 9, 0), ERRNO(1));
	/* on different arguments: all must hold */
	CHECK_INT(call(&f.plan, SYS_socket, 1, 1), ALLOW);
	CHECK_INT(call(&f.plan, SYS_socket, 40, 1), ERRNO(1));
	CHECK_INT(call(&f.plan, SYS_socket, 1, UINT64_MAX), ERRNO(1));
	CHECK_INT(call(&f.plan, SYS_clone, 17, 0), ALLOW);
	CHECK_INT(call(&f.plan, SYS_clone, 0x10000000, 0), ERRNO(1));
}

/* The same rules for calls that the library does not know. */
static void test_args_of_new_calls(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(compile(&f,
			  "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
			  "{\"names\":[\"futex_wake\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			  "{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"},"
			  "{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"}]},"
			  "{\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			  "{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_NE\"},"
			  "{\"index\":1,\"value\":18446744073709551615,\"op\":\"SCMP_CMP_LT\"}]},"
			  "{\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":7},"
			  "{\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_LOG\"},"
			  "{\"names\":[\"listns\"],\"action\":\"SCMP_ACT_ALLOW\"}]",
			  NULL),
		  0);
	CHECK_INT(call(&f.plan, 454, 0, 0), ALLOW);
	CHECK_INT(call(&f.plan, 454, 8, 0), ALLOW);
	CHECK_INT(call(&f.plan, 454, 9, 0), ERRNO(1));
	CHECK_INT(call(&f.plan, 462, 1, 1), ALLOW);
	CHECK_INT(call(&f.plan, 462, 40, 1), ERRNO(7));
	CHECK_INT(call(&f.plan, 462, 1, UINT64_MAX), ERRNO(7));
	CHECK_INT(call(&f.plan, 470, 40, UINT64_MAX), ALLOW);
	CHECK_INT(call(&f.plan, 471, 0, 0), ERRNO(ENOSYS));
}

/* A call by name is a rule by number on every architecture; other calls do not notice. */
static void test_new_calls(void)
{
	static const char *const archs[] = {
		"", "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
	};

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		cleanup_fixture struct fixture f = { 0 };
		cleanup_free char *text = xasprintf(
			"%s\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
			"{\"names\":[\"read\",\"mseal\",\"listns\"],\"action\":\"SCMP_ACT_ALLOW\"},"
			"{\"names\":[\"statmount\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}]",
			archs[i]);

		CHECK_INT(compile(&f, text, NULL), 0);
		CHECK_INT(call(&f.plan, 462, 0, 0), ALLOW);
		CHECK_INT(call(&f.plan, 470, 0, 0), ALLOW);
		CHECK_INT(call(&f.plan, 457, 0, 0), SECCOMP_RET_KILL_PROCESS);
		CHECK_INT(call(&f.plan, SYS_read, 0, 0), ALLOW);
		CHECK_INT(call(&f.plan, 463, 0, 0), ERRNO(1));
		CHECK_INT(call(&f.plan, SYS_write, 0, 0), ERRNO(1));
		CHECK_INT(call_on(&f.plan, AUDIT_ARCH_S390, 462), SECCOMP_RET_KILL_THREAD);
	}
}

static bool holds(const char *op, uint64_t x, uint64_t value, uint64_t two)
{
	if (op[0] == 'M')
		return (x & value) == two;
	if (op[0] == 'N' || op[0] == 'E')
		return (x == value) == (op[0] == 'E');
	if (x == value)
		return op[1] == 'E';
	return (x > value) == (op[0] == 'G');
}

static void check_operator(const char *op, uint64_t value, const uint64_t *values, size_t count)
{
	cleanup_fixture struct fixture f = { 0 };
	const uint64_t two = 0x100000001 & value;
	cleanup_free char *text =
		xasprintf("\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":["
			  "\"mseal\",\"read\"],"
			  "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":%llu,"
			  "\"valueTwo\":%llu,\"op\":\"SCMP_CMP_%s\"}]}]",
			  (unsigned long long)value, (unsigned long long)two, op);

	CHECK_INT(compile(&f, text, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		uint32_t expected = holds(op, values[i], value, two) ? ALLOW : ERRNO(EPERM);
		uint32_t known = call(&f.plan, SYS_read, 0, values[i]);
		uint32_t new = call(&f.plan, 462, 0, values[i]);

		if (known != expected || new != expected)
			printf("# %s %llx on %llx\n", op, (unsigned long long)value,
			       (unsigned long long)values[i]);
		CHECK_INT(known, expected);
		CHECK_INT(new, expected);
	}
}

/* All operators on calls that the library knows, and on those that it does not, by the meaning. */
static void test_operators(void)
{
	static const uint64_t values[] = { 0,		1,	     0xffffffff, 0x100000000,
					   0x100000001, 0x500000003, UINT64_MAX };
	static const char *const names[] = { "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ" };

	for (size_t op = 0; op < ARRAY_SIZE(names); op++)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++)
			check_operator(names[op], values[v], values, ARRAY_SIZE(values));
}

/* From each architecture's own table: the number of read, and where numbers begin. */
static const struct abi_row {
	uint32_t arch, base, read;
} abi_table[] = {
	{ AUDIT_ARCH_X86_64, 0, 0 },	     { AUDIT_ARCH_X86_64, 0x40000000, 0x40000000 },
	{ AUDIT_ARCH_I386, 0, 3 },	     { AUDIT_ARCH_ARM, 0, 3 },
	{ AUDIT_ARCH_AARCH64, 0, 63 },	     { AUDIT_ARCH_MIPSEL, 4000, 4003 },
	{ AUDIT_ARCH_MIPSEL64, 5000, 5000 }, { AUDIT_ARCH_MIPSEL64N32, 6000, 6000 },
	{ AUDIT_ARCH_PPC64LE, 0, 3 },	     { AUDIT_ARCH_RISCV64, 0, 63 },
};

static void test_architectures(void)
{
	cleanup_fixture struct fixture f = { 0 };

	if (NATIVE != AUDIT_ARCH_X86_64)
		CHECK_SKIP("needs x86_64");
	CHECK_INT(compile(&f,
			  "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":"
			  "[\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\",\"SCMP_ARCH_ARM\",\"SCMP_ARCH_"
			  "AARCH64\","
			  "\"SCMP_ARCH_MIPSEL\",\"SCMP_ARCH_MIPSEL64\",\"SCMP_ARCH_MIPSEL64N32\","
			  "\"SCMP_ARCH_PPC64LE\",\"SCMP_ARCH_S390X\",\"SCMP_ARCH_RISCV64\"],"
			  "\"syscalls\":[{\"names\":[\"read\",\"mseal\"],"
			  "\"action\":\"SCMP_ACT_ALLOW\"}]",
			  NULL),
		  0);
	for (size_t i = 0; i < ARRAY_SIZE(abi_table); i++) {
		const struct abi_row *row = &abi_table[i];

		CHECK_INT(call_on(&f.plan, row->arch, row->read), ALLOW);
		CHECK_INT(call_on(&f.plan, row->arch, row->read + 2), ERRNO(EPERM));
		CHECK_INT(call_on(&f.plan, row->arch, row->base + 462), ALLOW);
		CHECK_INT(call_on(&f.plan, row->arch, row->base + 461), ERRNO(EPERM));
		CHECK_INT(call_on(&f.plan, row->arch, row->base + 463), ERRNO(ENOSYS));
		CHECK_INT(call_on(&f.plan, row->arch, row->base + 999), ERRNO(ENOSYS));
	}
	/* the other byte order cannot run here */
	CHECK_INT(call_on(&f.plan, AUDIT_ARCH_S390X, 3), SECCOMP_RET_KILL_THREAD);
	/* ARM's private calls are no news */
	CHECK_INT(call_on(&f.plan, AUDIT_ARCH_ARM, 0xf0005), ERRNO(EPERM));
	CHECK_INT(call_on(&f.plan, AUDIT_ARCH_PPC, 3), SECCOMP_RET_KILL_THREAD);
	CHECK_STR(seccomp_arch_supported("SCMP_ARCH_AARCH64"), "SCMP_ARCH_AARCH64");
	CHECK(seccomp_arch_supported("SCMP_ARCH_VAX") == NULL);
}

/* The native architecture is always there, and the others have their own newest call. */
static void test_newer_than_the_profile(void)
{
	cleanup_fixture struct fixture f = { 0 };

	if (NATIVE != AUDIT_ARCH_X86_64)
		CHECK_SKIP("needs x86_64");
	CHECK_INT(compile(&f,
			  "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":"
			  "[\"SCMP_ARCH_X86\"],\"syscalls\":[{\"names\":[\"read\",\"rseq\"],"
			  "\"action\":\"SCMP_ACT_ALLOW\"}]",
			  NULL),
		  0);
	CHECK_INT(call(&f.plan, SYS_rseq, 0, 0), ALLOW);
	CHECK_INT(call(&f.plan, SYS_rseq - 1, 0, 0), ERRNO(EPERM));
	CHECK_INT(call(&f.plan, SYS_rseq + 1, 0, 0), ERRNO(ENOSYS));
	CHECK_INT(call_on(&f.plan, AUDIT_ARCH_I386, 386), ALLOW);
	CHECK_INT(call_on(&f.plan, AUDIT_ARCH_I386, SYS_rseq + 1), ERRNO(EPERM));
	CHECK_INT(call_on(&f.plan, AUDIT_ARCH_I386, 387), ERRNO(ENOSYS));
	/* no x32 in the profile, and a number that is none */
	CHECK_INT(call(&f.plan, 0x40000000, 0, 0), SECCOMP_RET_KILL_THREAD);
	CHECK_INT(call(&f.plan, -1, 0, 0), ERRNO(EPERM));
}

/* Which default actions make a newer call one that does not exist. */
static void test_newer_by_default_action(void)
{
	static const struct {
		const char *action;
		uint32_t newer;
	} cases[] = {
		{ "SCMP_ACT_KILL\"", ERRNO(ENOSYS) },
		{ "SCMP_ACT_KILL_THREAD\"", ERRNO(ENOSYS) },
		{ "SCMP_ACT_KILL_PROCESS\"", ERRNO(ENOSYS) },
		{ "SCMP_ACT_TRAP\"", ERRNO(ENOSYS) },
		{ "SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0", ERRNO(ENOSYS) },
		{ "SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38", ERRNO(ENOSYS) },
		{ "SCMP_ACT_TRACE\",\"defaultErrnoRet\":3", SECCOMP_RET_TRACE | 3 },
		{ "SCMP_ACT_LOG\"", SECCOMP_RET_LOG },
		{ "SCMP_ACT_ALLOW\"", ALLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 }, none = { 0 };
		cleanup_free char *text =
			xasprintf("\"defaultAction\":\"%s,\"syscalls\":[{\"names\":[\"rseq\"],"
				  "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5}]",
				  cases[i].action);
		cleanup_free char *empty = xasprintf("\"defaultAction\":\"%s", cases[i].action);

		CHECK_INT(compile(&f, text, NULL), 0);
		CHECK_INT(call(&f.plan, SYS_rseq, 0, 0), ERRNO(5));
		CHECK_INT(call(&f.plan, SYS_rseq + 1, 0, 0), cases[i].newer);
		/* nothing is newer than a profile that names nothing */
		CHECK_INT(compile(&none, empty, NULL), 0);
		CHECK(call(&none.plan, 1, 0, 0) == call(&none.plan, 999, 0, 0));
	}
}

static void test_flags(void)
{
	static const struct {
		const char *text;
		unsigned int flags;
	} cases[] = {
		{ "", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ ",\"flags\":null", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ ",\"flags\":[]", 0 },
		{ ",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"]",
		  SECCOMP_FILTER_FLAG_LOG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };
		cleanup_free char *text =
			xasprintf("\"defaultAction\":\"SCMP_ACT_ALLOW\"%s", cases[i].text);

		CHECK_INT(compile(&f, text, NULL), 0);
		CHECK(f.plan.process.seccomp.filter != NULL);
		CHECK_INT(f.plan.process.seccomp.flags, cases[i].flags);
	}
}

/* -- the cache -- */

struct cache {
	struct fixture fixture;
	char directory[40];
	struct strbuf key;
	struct seccomp_source source;
};

/* A profile compiled once, so that its program is in a cache of its own. */
static void cache_open(struct cache *cache)
{
	static const char profile[] =
		",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]}]}";
	struct plan_seccomp found;

	*cache = (struct cache){ .directory = "/tmp/test-plan-seccomp-XXXXXX" };
	CHECK(mkdtemp(cache->directory) != NULL);
	CHECK_INT(fixture_compile_linux(&cache->fixture, profile, NULL), 0);
	cache->source =
		(struct seccomp_source){ cache->fixture.config->linux->seccomp,
					 &cache->fixture.config->annotations, cache->directory };
	seccomp_cache_key(cache->source.config, false,
			  seccomp_library_version(&cache->fixture.arena), &cache->key);
	CHECK_INT(compile_seccomp(&cache->source, &cache->fixture.arena, &found, NULL), 0);
	CHECK_INT(found.length, cache->fixture.plan.process.seccomp.length);
}

static void cache_close(struct cache *cache)
{
	CHECK_INT(path_remove_tree(AT_FDCWD, cache->directory, NULL), 0);
	strbuf_done(&cache->key);
	fixture_done(&cache->fixture);
}

static bool cache_has(struct cache *cache, const struct strbuf *key)
{
	struct plan_seccomp found;

	return seccomp_cache_load(cache->directory, key, &cache->fixture.arena, &found);
}

/* The only file that is in there. */
static char *cache_file(const struct cache *cache)
{
	cleanup_dir DIR *dir = opendir(cache->directory);

	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			return xasprintf("%s/%s", cache->directory, entry->d_name);
	return xstrdup("");
}

static size_t cache_count(const struct cache *cache)
{
	cleanup_dir DIR *dir = opendir(cache->directory);
	size_t count = 0;

	while (readdir(dir))
		count++;
	return count - 2;
}

/* A cached program is taken as it is, so a changed one shows that it was. */
static void test_cache_is_used(void)
{
	struct sock_filter only = BPF_STMT(BPF_RET | BPF_K, 42);
	const struct plan_seccomp changed = { .filter = &only, .length = 1 };
	struct plan_seccomp found;
	struct cache cache;

	cache_open(&cache);
	CHECK(cache_has(&cache, &cache.key));
	CHECK_INT(cache_count(&cache), 1);
	seccomp_cache_store(cache.directory, &cache.key, &changed);
	CHECK_INT(compile_seccomp(&cache.source, &cache.fixture.arena, &found, NULL), 0);
	CHECK_INT(found.length, 1);
	CHECK_INT(found.filter[0].k, 42);
	CHECK_INT(found.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	CHECK_INT(cache_count(&cache), 1);
	cache_close(&cache);
}

/* Everything that decides the program is in the key. */
static void test_cache_key(void)
{
	cleanup_strbuf struct strbuf other = STRBUF_INIT;
	char native[] = "SCMP_ARCH_X86_64", *native_list[] = { native };
	struct oci_seccomp_syscall *rule;
	struct oci_seccomp *config;
	struct utsname host;
	struct cache cache;

	cache_open(&cache);
	config = cache.fixture.config->linux->seccomp;
	rule = &config->syscalls.items[0];
#define OTHER_KEY(version, fail_unknown)                                                           \
	do {                                                                                       \
		strbuf_truncate(&other, 0);                                                        \
		seccomp_cache_key(config, fail_unknown, version, &other);                          \
	} while (0)
#define CHANGES_KEY(member, value)                                                                 \
	do {                                                                                       \
		__typeof__(member) before = member;                                                \
		member = value;                                                                    \
		OTHER_KEY(seccomp_library_version(&cache.fixture.arena), false);                   \
		member = before;                                                                   \
		CHECK(!cache_has(&cache, &other));                                                 \
	} while (0)
	OTHER_KEY("1.2.3", false);
	CHECK(!cache_has(&cache, &other));
	OTHER_KEY(seccomp_library_version(&cache.fixture.arena), true);
	CHECK(!cache_has(&cache, &other));
	CHANGES_KEY(config->default_action, SECCOMP_ACTION_KILL);
	CHANGES_KEY(config->default_errno_ret, 3);
	CHANGES_KEY(config->has_default_errno_ret, true);
	CHANGES_KEY(config->architectures, ((struct json_strings){ native_list, 1, false }));
	CHANGES_KEY(rule->action, SECCOMP_ACTION_LOG);
	CHANGES_KEY(rule->has_errno_ret, true);
	CHANGES_KEY(rule->errno_ret, 1);
	CHANGES_KEY(rule->names, ((struct json_strings){ native_list, 1, false }));
	CHANGES_KEY(rule->args.count, 0);
	CHANGES_KEY(rule->args.items[0].index, 2);
	CHANGES_KEY(rule->args.items[0].op, SECCOMP_OPERATOR_NE);
	CHANGES_KEY(rule->args.items[0].value, 3);
	CHANGES_KEY(rule->args.items[0].value_two, 3);
	CHECK_INT(uname(&host), 0);
	CHECK(strstr(cache.key.data, host.machine) != NULL);
	CHECK(strstr(cache.key.data, host.release) != NULL);
	OTHER_KEY(seccomp_library_version(&cache.fixture.arena), false);
	CHECK(cache_has(&cache, &other));
	cache_close(&cache);
}

/* What somebody else may have written is not believed, and is written anew. */
static void test_cache_of_others(void)
{
	cleanup_free char *file = NULL, *elsewhere = NULL;
	struct cache cache;

	cache_open(&cache);
	file = cache_file(&cache);
	elsewhere = xasprintf("%s.else", file);
	CHECK_INT(chmod(cache.directory, 0770), 0);
	CHECK(!cache_has(&cache, &cache.key));
	CHECK_INT(chmod(cache.directory, 0700), 0);
	CHECK(cache_has(&cache, &cache.key));
	CHECK_INT(chmod(file, 0602), 0);
	CHECK(!cache_has(&cache, &cache.key));
	CHECK_INT(chmod(file, 0600), 0);
	CHECK(cache_has(&cache, &cache.key));
	CHECK_INT(rename(file, elsewhere), 0);
	CHECK_INT(symlink(elsewhere, file), 0);
	CHECK(!cache_has(&cache, &cache.key));
	CHECK_INT(unlink(file), 0);
	CHECK_INT(mkfifo(file, 0600), 0); /* nobody waits at it */
	CHECK(!cache_has(&cache, &cache.key));
	CHECK_INT(rename(elsewhere, file), 0);
	CHECK(cache_has(&cache, &cache.key));
	if (geteuid() == 0) {
		CHECK_INT(chown(file, 1, 1), 0);
		CHECK(!cache_has(&cache, &cache.key));
		CHECK_INT(chown(file, 0, 0), 0);
		CHECK_INT(chown(cache.directory, 1, 1), 0);
		CHECK(!cache_has(&cache, &cache.key));
		CHECK_INT(chown(cache.directory, 0, 0), 0);
	}
	cache_close(&cache);
}

static void test_cache_behind_a_link(void)
{
	cleanup_free char *moved = NULL;
	struct plan_seccomp found;
	struct cache cache;

	cache_open(&cache);
	moved = xasprintf("%s.moved", cache.directory);
	CHECK_INT(rename(cache.directory, moved), 0);
	CHECK_INT(symlink(moved, cache.directory), 0);
	CHECK(!cache_has(&cache, &cache.key));
	/* without a cache that can be trusted everything works as with none */
	CHECK_INT(compile_seccomp(&cache.source, &cache.fixture.arena, &found, NULL), 0);
	CHECK_INT(found.length, cache.fixture.plan.process.seccomp.length);
	CHECK_INT(unlink(cache.directory), 0);
	CHECK_INT(rename(moved, cache.directory), 0);
	cache_close(&cache);
}

/* Damage of any kind: a file that is cut, longer, of another format, for another profile. */
static void test_cache_damage(void)
{
	cleanup_strbuf struct strbuf good = STRBUF_INIT;
	cleanup_free char *file = NULL;
	struct cache cache;

	cache_open(&cache);
	file = cache_file(&cache);
	CHECK_INT(io_read_file(AT_FDCWD, file, 1 << 20, &good, NULL), 0);
	for (size_t size = 0; size <= good.size; size++) {
		CHECK_INT(truncate(file, (off_t)size), 0);
		if (cache_has(&cache, &cache.key) != (size == good.size))
			printf("# %zu of %zu bytes\n", size, good.size);
		CHECK(cache_has(&cache, &cache.key) == (size == good.size));
		CHECK_INT(io_replace_file(AT_FDCWD, file, good.data, good.size, 0600, IO_NO_SYNC,
					  NULL),
			  0);
	}
	/* the header and the key; the program behind them is the owner's own */
	for (size_t i = 0; i < 12 + cache.key.size; i++) {
		good.data[i] ^= 1;
		CHECK_INT(io_replace_file(AT_FDCWD, file, good.data, good.size, 0600, IO_NO_SYNC,
					  NULL),
			  0);
		CHECK(!cache_has(&cache, &cache.key));
		good.data[i] ^= 1;
	}
	cache_close(&cache);
}

static void test_cache_is_bounded(void)
{
	struct sock_filter only = BPF_STMT(BPF_RET | BPF_K, 42);
	const struct plan_seccomp program = { .filter = &only, .length = 1 };
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	struct cache cache;
	size_t most = 0;

	cache_open(&cache);
	for (int i = 0; i < 200; i++) {
		strbuf_truncate(&key, 0);
		strbuf_addf(&key, "%d", i);
		seccomp_cache_store(cache.directory, &key, &program);
		CHECK(cache_has(&cache, &key));
		most = cache_count(&cache) > most ? cache_count(&cache) : most;
	}
	CHECK(most > 32 && most <= 65);
	/* one that is too large alone is not kept */
	strbuf_truncate(&key, 0);
	for (int i = 0; i < 20000; i++)
		strbuf_adds(&key, "a long name");
	seccomp_cache_store(cache.directory, &key, &program);
	CHECK(!cache_has(&cache, &key));
	cache_close(&cache);
}

static void test_refused(void)
{
	cleanup_fixture struct fixture a = { 0 }, b = { 0 }, c = { 0 };

	CHECK_ERROR(compile(&a,
			    "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
			    "[\"read\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
			    &err),
		    EINVAL,
		    "/linux/seccomp/syscalls/0/action: SCMP_ACT_NOTIFY needs a listenerPath");
	CHECK_ERROR(compile(&b,
			    "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
			    "[\"read\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5000}]",
			    &err),
		    EINVAL, "4095");
	CHECK_ERROR(compile(&c,
			    "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":"
			    "[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":6,"
			    "\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]",
			    &err),
		    EINVAL, "a system call has no argument 6");
}

/* -- notification -- */

static void test_notify(void)
{
	cleanup_fixture struct fixture f = { 0 }, unused = { 0 };

	CHECK_INT(compile(&f,
			  "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/run/agent\","
			  "\"listenerMetadata\":\"text\",\"flags\":"
			  "[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],\"syscalls\":[{\"names\":"
			  "[\"mkdir\",\"mseal\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
			  NULL),
		  0);
	CHECK_INT(call_on(&f.plan, NATIVE, SYS_mkdirat), ALLOW);
	CHECK_INT(call_on(&f.plan, NATIVE, 462), SECCOMP_RET_USER_NOTIF);
	CHECK(f.plan.process.seccomp.notifies);
	CHECK_STR(f.plan.process.seccomp.listener, "/run/agent");
	CHECK_STR(f.plan.process.seccomp.listener_metadata, "text");
	CHECK_INT(f.plan.process.seccomp.flags, SECCOMP_FLAG_WAIT_KILLABLE_RECV);
	/* a listener to whom nothing is ever reported is not bothered */
	CHECK_INT(compile(&unused,
			  "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/run/agent\","
			  "\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]",
			  NULL),
		  0);
	CHECK(!unused.plan.process.seccomp.notifies);
	CHECK(!unused.plan.process.seccomp.listener);
	CHECK_INT(unused.plan.process.seccomp.flags, 0);
}

/* -- annotations -- */

static int compile_annotated(struct fixture *f, const char *seccomp, const char *name,
			     const char *value, struct error *err)
{
	cleanup_free char *text =
		xasprintf("{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS
			  ",\"annotations\":{\"%s\":\"%s\"},\"linux\":{" FIXTURE_NAMESPACES "%s}}",
			  name, value, seccomp);

	return fixture_compile(f, text, err);
}

static void test_receiver(void)
{
	static const char profile[] =
		",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
		"[\"mkdirat\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}";
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(compile_annotated(&f, profile, "run.oci.seccomp.receiver", "/run/other", NULL),
		  0);
	CHECK_STR(f.plan.process.seccomp.listener, "/run/other");
}

static void test_unknown_call_fails(void)
{
	static const char profile[] =
		",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":"
		"[\"mkdirat\",\"mseal\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"read\","
		"\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
	cleanup_fixture struct fixture f = { 0 };

	CHECK_ERROR(
		compile_annotated(&f, profile, "run.oci.seccomp_fail_unknown_syscall", "1", &err),
		EINVAL, "/linux/seccomp/syscalls/1/names/1: unknown system call \"no_such_call\"");
}

static void test_raw_program(void)
{
	static const struct {
		const char *text, *message; /* NULL = good */
	} cases[] = {
		{ "BgAAAAUABQA=", NULL }, /* return ERRNO(5) */
		{ "IAAAAAAAAAAVAAABHQAAAAYAAAAFAAUABgAAAAAA/38=", NULL },
		{ "", "1 to 4096 instructions" },
		{ "BgAAAAUABQ==", "1 to 4096 instructions" },
		{ "BgAAAAUABQA", "not base64" },
		{ "BgAAAAUAB!A=", "not base64" },
		{ "IAAAAAAAAAA=", "does not end with a return" },
		{ "BQAAAAAAAAA=", "instruction 0 is not valid" }, /* a jump to behind the end */
		{ "IAAAAAIAAAAGAAAABQAFAA==", "instruction 0 is not valid" }, /* load of byte 2 */
		{ "IAAAAEAAAAAGAAAABQAFAA==", "instruction 0 is not valid" }, /* behind the data */
		{ "/wAAAEAAAAAGAAAABQAFAA==", "instruction 0 is not valid" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };

		if (cases[i].message) {
			CHECK_ERROR(compile_annotated(&f, "", "run.oci.seccomp_bpf_data",
						      cases[i].text, &err),
				    EINVAL, cases[i].message);
			continue;
		}
		CHECK_INT(
			compile_annotated(&f, "", "run.oci.seccomp_bpf_data", cases[i].text, NULL),
			0);
		CHECK_INT(call(&f.plan, 29, 0, 0), ERRNO(5));
		CHECK_INT(call(&f.plan, 30, 0, 0), i ? ALLOW : ERRNO(5));
		CHECK_INT(f.plan.process.seccomp.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	}
}

CHECK_MAIN({ "actions and their errno", test_actions }, { "conditions on arguments", test_args },
	   { "calls that the library does not know", test_new_calls },
	   { "their conditions", test_args_of_new_calls },
	   { "every operator on every kind of value", test_operators },
	   { "architectures besides the native one", test_architectures },
	   { "calls newer than the profile do not exist", test_newer_than_the_profile },
	   { "... by default action", test_newer_by_default_action },
	   { "notification", test_notify }, { "a receiver by annotation", test_receiver },
	   { "unknown calls as an error", test_unknown_call_fails },
	   { "a program by annotation", test_raw_program },
	   { "flags, and what their absence means", test_flags },
	   { "a cached program is used", test_cache_is_used },
	   { "what decides a program is in its key", test_cache_key },
	   { "a cache that others could write is not believed", test_cache_of_others },
	   { "nor one behind a link", test_cache_behind_a_link },
	   { "damaged files are no programs", test_cache_damage },
	   { "the cache is bounded", test_cache_is_bounded }, { "what is refused", test_refused })
