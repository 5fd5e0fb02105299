/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp: the compiled filter, run by a small interpreter of classic BPF. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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

/* 462 (mseal) is newer than libseccomp 2.5; other calls must not notice the prologue. */
static void test_new_calls(void)
{
	static const char *const archs[] = {
		"", "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
	};
	struct seccomp_data foreign = { .nr = 462, .arch = AUDIT_ARCH_S390 };

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
		CHECK_INT(interpret(&f.plan.process.seccomp, &foreign), SECCOMP_RET_KILL_THREAD);
	}
}

static void test_architectures(void)
{
	cleanup_fixture struct fixture f = { 0 };
	struct seccomp_data i386 = { .nr = 3 /* read */, .arch = AUDIT_ARCH_I386 };
	struct seccomp_data i386_new = { .nr = 462, .arch = AUDIT_ARCH_I386 };

	if (NATIVE != AUDIT_ARCH_X86_64)
		CHECK_SKIP("needs x86_64");
	CHECK_INT(compile(&f,
			  "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":"
			  "[\"SCMP_ARCH_X86\"],\"syscalls\":[{\"names\":[\"read\",\"mseal\"],"
			  "\"action\":\"SCMP_ACT_ALLOW\"}]",
			  NULL),
		  0);
	CHECK_INT(interpret(&f.plan.process.seccomp, &i386), ALLOW);
	CHECK_INT(interpret(&f.plan.process.seccomp, &i386_new), ALLOW);
	CHECK_INT(call(&f.plan, SYS_read, 0, 0), ALLOW); /* the native one is always there */
	CHECK_STR(seccomp_arch_supported("SCMP_ARCH_AARCH64"), "SCMP_ARCH_AARCH64");
	CHECK(seccomp_arch_supported("SCMP_ARCH_VAX") == NULL);
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

/* A cached program is taken as it is, so a changed one shows that it was. */
static void test_cache(void)
{
	static const char profile[] =
		",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
	char directory[] = "/tmp/test-plan-seccomp-XXXXXX", *cache = mkdtemp(directory);
	cleanup_fixture struct fixture f = { 0 };
	cleanup_strbuf struct strbuf key = STRBUF_INIT, other = STRBUF_INIT;
	struct plan_seccomp found = { 0 }, changed;
	struct sock_filter only = BPF_STMT(BPF_RET | BPF_K, 42);
	const struct oci_seccomp *config;

	CHECK(cache != NULL);
	CHECK_INT(fixture_compile_linux(&f, profile, NULL), 0);
	config = f.config->linux->seccomp;
	CHECK_INT(compile_seccomp(config, cache, &f.arena, &found, NULL), 0);
	CHECK_INT(found.length, f.plan.process.seccomp.length);
	CHECK(found.length > 1);
	seccomp_cache_key(config, "1.2.3", &key);
	CHECK(!seccomp_cache_load(cache, &key, &f.arena, &found)); /* another libseccomp */
	strbuf_truncate(&key, 0);
	seccomp_cache_key(config, seccomp_library_version(&f.arena), &key);
	CHECK(seccomp_cache_load(cache, &key, &f.arena, &found));
	changed = (struct plan_seccomp){ .filter = &only, .length = 1 };
	seccomp_cache_store(cache, &key, &changed);
	CHECK_INT(compile_seccomp(config, cache, &f.arena, &found, NULL), 0);
	CHECK_INT(found.length, 1);
	CHECK_INT(found.filter[0].k, 42);
	CHECK_INT(found.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	/* one that others may write is not believed */
	CHECK_INT(chmod(cache, 0777), 0);
	CHECK(!seccomp_cache_load(cache, &key, &f.arena, &found));
	CHECK_INT(compile_seccomp(config, cache, &f.arena, &found, NULL), 0);
	CHECK_INT(found.length, f.plan.process.seccomp.length);
	CHECK_INT(chmod(cache, 0700), 0);
	/* every part of the profile is in the key */
	config->syscalls.items[0].errno_ret = 1;
	seccomp_cache_key(config, seccomp_library_version(&f.arena), &other);
	CHECK(!seccomp_cache_load(cache, &other, &f.arena, &found));
	CHECK_INT(path_remove_tree(AT_FDCWD, cache, NULL), 0);
}

static void test_refused(void)
{
	cleanup_fixture struct fixture a = { 0 }, b = { 0 }, c = { 0 };

	CHECK_ERROR(compile(&a,
			    "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
			    "[\"read\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
			    &err),
		    EOPNOTSUPP, "/linux/seccomp/syscalls/0: SCMP_ACT_NOTIFY: not supported yet");
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
		    EINVAL, "index 6");
}

CHECK_MAIN({ "actions and their errno", test_actions }, { "conditions on arguments", test_args },
	   { "calls that the library does not know", test_new_calls },
	   { "architectures besides the native one", test_architectures },
	   { "flags, and what their absence means", test_flags }, { "the cache", test_cache },
	   { "what is refused", test_refused })
