/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter may say to a call, and by which call its listener can be handed over. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "runtime/plan/seccomp.h"
#include "tests/unit/plan-fixture.h"

#define NR offsetof(struct seccomp_data, nr)
#define ARCH offsetof(struct seccomp_data, arch)
#define ARGUMENT offsetof(struct seccomp_data, args)
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define IF_EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)

#define PASSES SECCOMP_VERDICT_PASSES
#define REPORTS SECCOMP_VERDICT_REPORTS
#define REFUSES SECCOMP_VERDICT_REFUSES
#define UNKNOWN SECCOMP_VERDICT_UNKNOWN

static unsigned int say(const struct sock_filter *filter, size_t length, uint32_t number)
{
	const struct plan_seccomp seccomp = { .filter = filter, .length = (unsigned short)length };
	const struct seccomp_call call = { number, AUDIT_ARCH_X86_64 };

	return seccomp_verdicts(&seccomp, &call);
}
#define SAY(filter, number) say(filter, ARRAY_SIZE(filter), number)

static void test_calls(void)
{
	const struct sock_filter filter[] = {
		LOAD(ARCH),
		IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(NR),
		IF_EQUAL(1, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 100, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 50, 3, 0),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_USER_NOTIF),
		RETURN(SECCOMP_RET_ERRNO | 5),
		RETURN(SECCOMP_RET_LOG),
	};
	const struct plan_seccomp seccomp = { .filter = filter, .length = ARRAY_SIZE(filter) };
	const struct seccomp_call other = { 1, AUDIT_ARCH_AARCH64 };

	CHECK_INT(SAY(filter, 1), REPORTS);
	CHECK_INT(SAY(filter, 2), PASSES);
	CHECK_INT(SAY(filter, 50), PASSES);
	CHECK_INT(SAY(filter, 51), PASSES);
	CHECK_INT(SAY(filter, 100), REFUSES);
	CHECK_INT(seccomp_verdicts(&seccomp, &other), REFUSES);
	CHECK_INT(seccomp_verdicts(&seccomp, NULL), PASSES | REPORTS | REFUSES);
}

/* Everything that may be is said, where an argument decides; and only that. */
static void test_arguments(void)
{
	const struct sock_filter filter[] = {
		LOAD(NR),
		IF_EQUAL(1, 0, 4),
		LOAD(ARGUMENT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1),
		RETURN(SECCOMP_RET_USER_NOTIF),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_ERRNO | 1),
	};

	CHECK_INT(SAY(filter, 1), PASSES | REPORTS);
	CHECK_INT(SAY(filter, 2), REFUSES);
}

static void test_meeting_ways(void)
{
	/* two ways to one comparison: what they agree on is still known, what not is not */
	const struct sock_filter filter[] = {
		LOAD(ARGUMENT),
		BPF_STMT(BPF_LDX | BPF_IMM, 7),
		IF_EQUAL(0, 0, 1),
		BPF_STMT(BPF_LD | BPF_IMM, 3),
		LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
		RETURN(SECCOMP_RET_USER_NOTIF),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_filter differing[] = {
		LOAD(ARGUMENT),
		IF_EQUAL(0, 0, 1),
		BPF_STMT(BPF_LDX | BPF_IMM, 7),
		LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
		RETURN(SECCOMP_RET_USER_NOTIF),
		RETURN(SECCOMP_RET_ALLOW),
	};

	CHECK_INT(SAY(filter, 7), REPORTS);
	CHECK_INT(SAY(filter, 8), PASSES);
	CHECK_INT(SAY(differing, 7), PASSES | REPORTS);
}

static void test_arithmetic(void)
{
	static const struct {
		uint16_t operation;
		uint32_t k, result; /* of 12 */
	} cases[] = {
		{ BPF_ADD, 5, 17 }, { BPF_SUB, 5, 7 },	  { BPF_MUL, 3, 36 }, { BPF_DIV, 5, 2 },
		{ BPF_AND, 10, 8 }, { BPF_OR, 3, 15 },	  { BPF_XOR, 6, 10 }, { BPF_LSH, 2, 48 },
		{ BPF_RSH, 2, 3 },  { BPF_NEG, 0, -12U },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sock_filter filter[] = {
			LOAD(NR),
			BPF_STMT(BPF_ALU | cases[i].operation | BPF_K, cases[i].k),
			IF_EQUAL(cases[i].result, 0, 1),
			RETURN(SECCOMP_RET_ALLOW),
			RETURN(SECCOMP_RET_USER_NOTIF),
		};

		CHECK_INT(SAY(filter, 12), PASSES);
	}
}

static void test_computed_actions(void)
{
	/* the action is in the memory, or the length of the data, or an argument */
	const struct sock_filter stored[] = {
		BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_ST, 3),
		LOAD(ARGUMENT),
		BPF_STMT(BPF_LDX | BPF_MEM, 3),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_filter length[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_STX, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 0),
		IF_EQUAL(sizeof(struct seccomp_data), 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_USER_NOTIF),
	};
	const struct sock_filter argument[] = {
		LOAD(ARGUMENT),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	CHECK_INT(SAY(stored, 0), REPORTS);
	CHECK_INT(SAY(length, 0), PASSES);
	CHECK_INT(SAY(argument, 0), UNKNOWN);
}

/* A saved program that was damaged. */
static void test_no_program(void)
{
	const struct sock_filter jumps_out[] = {
		BPF_JUMP(BPF_JMP | BPF_JA, UINT32_MAX, 0, 0),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_filter runs_out[] = {
		LOAD(NR),
		BPF_STMT(BPF_ST, 99),
		BPF_STMT(BPF_LD | BPF_MEM, 99),
	};

	CHECK_INT(SAY(jumps_out, 0), UNKNOWN);
	CHECK_INT(SAY(runs_out, 0), UNKNOWN);
}

/* -- the way of the listener -- */

static int compile(struct fixture *f, const char *action, const char *rules, struct error *err)
{
	cleanup_free char *text = xasprintf("{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT
					    "," FIXTURE_PROCESS ",\"linux\":{" FIXTURE_NAMESPACES
					    ",\"seccomp\":{\"defaultAction\":\"%s\","
					    "\"listenerPath\":\"/run/agent\",\"syscalls\":[%s]}}}",
					    action, rules);

	return fixture_compile(f, text, err);
}

#define RULE(action, names) "{\"names\":[" names "],\"action\":\"SCMP_ACT_" action "\"}"

static void test_handover(void)
{
	static const struct {
		const char *action, *rules;
		int handover; /* -1 = none is left */
	} cases[] = {
		{ "SCMP_ACT_ALLOW", RULE("NOTIFY", "\"mkdirat\""), HANDOVER_MESSAGE },
		{ "SCMP_ACT_LOG", RULE("NOTIFY", "\"read\""), HANDOVER_MESSAGE },
		{ "SCMP_ACT_ALLOW", RULE("NOTIFY", "\"sendmsg\""), HANDOVER_NUMBER },
		{ "SCMP_ACT_ALLOW", RULE("ERRNO", "\"sendmsg\"") "," RULE("NOTIFY", "\"mkdirat\""),
		  HANDOVER_NUMBER },
		{ "SCMP_ACT_ERRNO", RULE("ALLOW", "\"write\"") "," RULE("NOTIFY", "\"mkdirat\""),
		  HANDOVER_NUMBER },
		{ "SCMP_ACT_ALLOW", RULE("NOTIFY", "\"sendmsg\"") "," RULE("ERRNO", "\"write\""),
		  -1 },
		{ "SCMP_ACT_KILL", RULE("NOTIFY", "\"mkdirat\""), -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };

		if (cases[i].handover < 0) {
			CHECK_ERROR(compile(&f, cases[i].action, cases[i].rules, &err), EINVAL,
				    "/linux/seccomp: the filter must let sendmsg(2) or write(2)");
			continue;
		}
		CHECK_INT(compile(&f, cases[i].action, cases[i].rules, NULL), 0);
		CHECK_INT(f.plan.process.seccomp.handover, cases[i].handover);
	}
}

CHECK_MAIN({ "calls", test_calls }, { "arguments", test_arguments },
	   { "ways that meet", test_meeting_ways }, { "arithmetic", test_arithmetic },
	   { "actions that are computed", test_computed_actions },
	   { "no program at all", test_no_program }, { "the way of the listener", test_handover })
