/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The prologue of a filter, a section for each ABI:
 *
 *	if (arch is this one && nr < end) {
 *		if (nr == N && conditions) return action;    for each rule
 *		if (nr > newest) return -ENOSYS;
 *		go on with the library's program
 *	}
 *
 * A profile cannot mean calls that it does not know, and programs that try a new call fall back to
 * an old one on ENOSYS, but not on EPERM. The library's program loads what it needs anew. All of
 * this can be decided without the arguments unless a rule has conditions, so the kernel answers
 * allowed calls from its bitmap and runs none of it.
 */
#include "runtime/plan/seccomp-prologue.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"

/* clang-format off */
/* Since Linux 5.1 a new call has one number everywhere; a few belong to one architecture. */
static const struct {
	const char *name;
	uint32_t number, arch;
} new_calls[] = {
	{ "memfd_secret",            447, 0 },
	{ "process_mrelease",        448, 0 },
	{ "futex_waitv",             449, 0 },
	{ "set_mempolicy_home_node", 450, 0 },
	{ "cachestat",               451, 0 },
	{ "fchmodat2",               452, 0 },
	{ "map_shadow_stack",        453, 0 },
	{ "futex_wake",              454, 0 },
	{ "futex_wait",              455, 0 },
	{ "futex_requeue",           456, 0 },
	{ "statmount",               457, 0 },
	{ "listmount",               458, 0 },
	{ "lsm_get_self_attr",       459, 0 },
	{ "lsm_set_self_attr",       460, 0 },
	{ "lsm_list_modules",        461, 0 },
	{ "mseal",                   462, 0 },
	{ "setxattrat",              463, 0 },
	{ "getxattrat",              464, 0 },
	{ "listxattrat",             465, 0 },
	{ "removexattrat",           466, 0 },
	{ "open_tree_attr",          467, 0 },
	{ "file_getattr",            468, 0 },
	{ "file_setattr",            469, 0 },
	{ "listns",                  470, 0 },
	{ "uretprobe",               335, AUDIT_ARCH_X86_64 },
	{ "uprobe",                  336, AUDIT_ARCH_X86_64 },
	{ "riscv_hwprobe",           258, AUDIT_ARCH_RISCV64 },
};

/* Where numbers do not begin at 0, or others follow behind those of calls. */
#define X32_TOKEN (EM_X86_64 | __AUDIT_ARCH_LE) /* libseccomp's; the kernel says x86_64 */
#define X32_BIT 0x40000000U
#define ARM_PRIVATE 0xf0000U /* breakpoint, cacheflush, set_tls ... */
static const struct {
	uint32_t arch, token, base, end;
} special_abis[] = {
	{ AUDIT_ARCH_X86_64,      AUDIT_ARCH_X86_64,      0,       X32_BIT },
	{ X32_TOKEN,              AUDIT_ARCH_X86_64,      X32_BIT, 0 },
	{ AUDIT_ARCH_ARM,         AUDIT_ARCH_ARM,         0,       ARM_PRIVATE },
	{ AUDIT_ARCH_MIPS,        AUDIT_ARCH_MIPS,        4000,    0 },
	{ AUDIT_ARCH_MIPSEL,      AUDIT_ARCH_MIPSEL,      4000,    0 },
	{ AUDIT_ARCH_MIPS64,      AUDIT_ARCH_MIPS64,      5000,    0 },
	{ AUDIT_ARCH_MIPSEL64,    AUDIT_ARCH_MIPSEL64,    5000,    0 },
	{ AUDIT_ARCH_MIPS64N32,   AUDIT_ARCH_MIPS64N32,   6000,    0 },
	{ AUDIT_ARCH_MIPSEL64N32, AUDIT_ARCH_MIPSEL64N32, 6000,    0 },
};
/* clang-format on */

bool seccomp_new_call(const char *name, uint32_t *out_number, uint32_t *out_arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(new_calls); i++) {
		if (strcmp(new_calls[i].name, name) != 0)
			continue;
		*out_number = new_calls[i].number;
		*out_arch = new_calls[i].arch;
		return true;
	}
	return false;
}

struct seccomp_abi seccomp_abi_of(uint32_t arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(special_abis); i++)
		if (special_abis[i].arch == arch)
			return (struct seccomp_abi){ .token = special_abis[i].token,
						     .base = special_abis[i].base,
						     .end = special_abis[i].end };
	return (struct seccomp_abi){ .token = arch };
}

/* -- instructions -- */

struct code {
	struct sock_filter *items;
	size_t count, capacity;
};

/* Targets that are known later. A conditional jump reaches 255 instructions, a plain one all. */
#define TO_NEXT_RULE 0xff
#define TO_NEXT_ABI UINT32_MAX
#define TO_LIBRARY (UINT32_MAX - 1)

static void add(struct code *code, uint16_t operation, uint32_t k, uint8_t jt, uint8_t jf)
{
	ARRAY_GROW(code->items, code->count, code->capacity);
	code->items[code->count++] = (struct sock_filter)BPF_JUMP(operation, k, jt, jf);
}

static void add_load(struct code *code, size_t offset)
{
	add(code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void add_go(struct code *code, uint32_t target)
{
	add(code, BPF_JMP | BPF_JA, target, 0, 0);
}

static void add_return(struct code *code, uint32_t action)
{
	add(code, BPF_RET | BPF_K, action, 0, 0);
}

static void resolve_go(struct code *code, size_t from, uint32_t target)
{
	for (size_t i = from; i < code->count; i++)
		if (code->items[i].code == (BPF_JMP | BPF_JA) && code->items[i].k == target)
			code->items[i].k = (uint32_t)(code->count - i - 1);
}

static void resolve_conditions(struct code *code, size_t from)
{
	for (size_t i = from; i < code->count; i++) {
		struct sock_filter *item = &code->items[i];
		uint8_t distance = (uint8_t)(code->count - i - 1);

		if (BPF_CLASS(item->code) != BPF_JMP || BPF_OP(item->code) == BPF_JA)
			continue;
		item->jt = item->jt == TO_NEXT_RULE ? distance : item->jt;
		item->jf = item->jf == TO_NEXT_RULE ? distance : item->jf;
	}
}

/* -- conditions: 64 bits by two comparisons of 32 -- */

/* clang-format off */
static const struct comparison {
	bool masked;            /* value is a mask, value_two what must be under it */
	uint16_t high;          /* tells the high halves apart ... */
	uint8_t high_t, high_f; /* ... the next instruction looks whether they are equal */
	uint8_t equal_f;        /* unequal halves: 0 = goes on, 2 = holds, TO_NEXT_RULE = does not */
	uint16_t low;
	uint8_t low_t, low_f;
} comparisons[] = {
	[SECCOMP_OPERATOR_EQ] = { false, 0, 0, 0, TO_NEXT_RULE, BPF_JEQ, 0, TO_NEXT_RULE },
	[SECCOMP_OPERATOR_NE] = { false, 0, 0, 0, 2, BPF_JEQ, TO_NEXT_RULE, 0 },
	[SECCOMP_OPERATOR_GT] = { false, BPF_JGT, 3, 0, TO_NEXT_RULE, BPF_JGT, 0, TO_NEXT_RULE },
	[SECCOMP_OPERATOR_GE] = { false, BPF_JGT, 3, 0, TO_NEXT_RULE, BPF_JGE, 0, TO_NEXT_RULE },
	[SECCOMP_OPERATOR_LT] = { false, BPF_JGT, TO_NEXT_RULE, 0, 2, BPF_JGE, TO_NEXT_RULE, 0 },
	[SECCOMP_OPERATOR_LE] = { false, BPF_JGT, TO_NEXT_RULE, 0, 2, BPF_JGT, TO_NEXT_RULE, 0 },
	[SECCOMP_OPERATOR_MASKED_EQ] = { true, 0, 0, 0, TO_NEXT_RULE, BPF_JEQ, 0, TO_NEXT_RULE },
};
/* clang-format on */

static size_t half_of(uint32_t index, bool high)
{
	size_t low_first = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) +
	       (high == low_first ? sizeof(uint32_t) : 0);
}

static void add_condition(struct code *code, const struct oci_seccomp_arg *arg)
{
	const struct comparison *how = &comparisons[arg->op];
	uint64_t value = how->masked ? arg->value_two & arg->value : arg->value;
	uint32_t high = (uint32_t)(value >> 32), low = (uint32_t)value;

	add_load(code, half_of(arg->index, true));
	if (how->masked)
		add(code, BPF_ALU | BPF_AND | BPF_K, (uint32_t)(arg->value >> 32), 0, 0);
	if (how->high)
		add(code, BPF_JMP | how->high | BPF_K, high, how->high_t, how->high_f);
	add(code, BPF_JMP | BPF_JEQ | BPF_K, high, 0, how->equal_f);
	add_load(code, half_of(arg->index, false));
	if (how->masked)
		add(code, BPF_ALU | BPF_AND | BPF_K, (uint32_t)arg->value, 0, 0);
	add(code, BPF_JMP | how->low | BPF_K, low, how->low_t, how->low_f);
}

/* -- a section -- */

static bool rule_is_of(const struct seccomp_new_rule *rule, const struct seccomp_abi *abi)
{
	return !rule->arch || (rule->arch == abi->token && !abi->base);
}

static void add_rule(struct code *code, const struct seccomp_new_rule *rule, uint32_t number)
{
	size_t start = code->count;

	/* conditions have loaded something else since */
	add_load(code, offsetof(struct seccomp_data, nr));
	add(code, BPF_JMP | BPF_JEQ | BPF_K, number, 0, TO_NEXT_RULE);
	for (size_t i = 0; i < rule->count; i++)
		add_condition(code, &rule->args[i]);
	add_return(code, rule->action);
	resolve_conditions(code, start);
}

/* The lowest number that a section has something to say about; false when there is none. */
static bool find_lowest(const struct seccomp_prologue *prologue, const struct seccomp_abi *abi,
			uint32_t *out)
{
	bool found = prologue->newer_is_enosys && abi->names_any && abi->newest != UINT32_MAX;

	if (found)
		*out = abi->newest + 1;
	for (size_t i = 0; i < prologue->rule_count; i++) {
		uint32_t number = prologue->rules[i].number + abi->base;

		if (!rule_is_of(&prologue->rules[i], abi) || (found && number >= *out))
			continue;
		*out = number;
		found = true;
	}
	return found;
}

static void add_section(struct code *code, const struct seccomp_prologue *prologue,
			const struct seccomp_abi *abi)
{
	size_t start = code->count;
	uint32_t lowest = 0;

	if (!find_lowest(prologue, abi, &lowest))
		return;
	add_load(code, offsetof(struct seccomp_data, arch));
	add(code, BPF_JMP | BPF_JEQ | BPF_K, abi->token, 1, 0);
	add_go(code, TO_NEXT_ABI);
	add_load(code, offsetof(struct seccomp_data, nr));
	if (abi->end) {
		add(code, BPF_JMP | BPF_JGE | BPF_K, abi->end, 0, 1);
		add_go(code, TO_NEXT_ABI);
	}
	add(code, BPF_JMP | BPF_JGE | BPF_K, lowest, 1, 0);
	add_go(code, TO_LIBRARY);
	for (size_t i = 0; i < prologue->rule_count; i++)
		if (rule_is_of(&prologue->rules[i], abi))
			add_rule(code, &prologue->rules[i], prologue->rules[i].number + abi->base);
	if (prologue->newer_is_enosys && abi->names_any) {
		add_load(code, offsetof(struct seccomp_data, nr));
		add(code, BPF_JMP | BPF_JGT | BPF_K, abi->newest, 0, 1);
		add_return(code, SECCOMP_RET_ERRNO | ENOSYS);
	}
	add_go(code, TO_LIBRARY);
	resolve_go(code, start, TO_NEXT_ABI);
}

size_t seccomp_prologue_make(const struct seccomp_prologue *prologue, struct sock_filter **out)
{
	struct code code = { 0 };

	for (size_t i = 0; i < prologue->abi_count; i++)
		add_section(&code, prologue, &prologue->abis[i]);
	resolve_go(&code, 0, TO_LIBRARY);
	*out = code.items;
	return code.count;
}
