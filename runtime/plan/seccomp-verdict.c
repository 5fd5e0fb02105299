/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter can say to a call of ours, before it is installed. Jumps of classic BPF only go
 * forward, so one pass over the program follows all of its ways at once: each instruction gets what
 * all ways that lead to it agree on. The arguments of the call are not known, nor what depends on
 * them; there, a filter can say more than it will.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/seccomp.h"

struct value {
	bool known;
	uint32_t number;
};

/* The machine before an instruction. */
struct machine {
	bool reached;
	struct value a, x, memory[BPF_MEMWORDS];
};

struct run {
	const struct sock_filter *filter;
	size_t length;
	const struct seccomp_call *call;
	struct machine *before; /* one for each instruction */
	unsigned int verdicts;
};

static struct value constant(uint32_t number)
{
	return (struct value){ true, number };
}

static const struct value unknown = { false, 0 };

/* -- ways that meet -- */

static void agree(struct value *value, struct value other)
{
	if (!other.known || other.number != value->number)
		*value = unknown;
}

static void go_to(struct run *run, size_t target, const struct machine *from)
{
	struct machine *to;

	if (target >= run->length) { /* the kernel takes no such program */
		run->verdicts |= SECCOMP_VERDICT_UNKNOWN;
		return;
	}
	to = &run->before[target];
	if (!to->reached) {
		*to = *from;
		return;
	}
	agree(&to->a, from->a);
	agree(&to->x, from->x);
	for (size_t i = 0; i < BPF_MEMWORDS; i++)
		agree(&to->memory[i], from->memory[i]);
}

/* -- instructions -- */

static struct value load_data(const struct run *run, uint32_t offset)
{
	if (!run->call)
		return unknown;
	if (offset == offsetof(struct seccomp_data, nr))
		return constant(run->call->number);
	return offset == offsetof(struct seccomp_data, arch) ? constant(run->call->arch) : unknown;
}

static struct value load(const struct run *run, const struct machine *machine,
			 const struct sock_filter *item)
{
	switch (BPF_MODE(item->code)) {
	case BPF_IMM:
		return constant(item->k);
	case BPF_LEN:
		return constant(sizeof(struct seccomp_data));
	case BPF_MEM:
		return item->k < BPF_MEMWORDS ? machine->memory[item->k] : unknown;
	case BPF_ABS:
		return load_data(run, item->k);
	default:
		return unknown;
	}
}

static struct value operand(const struct machine *machine, const struct sock_filter *item)
{
	return BPF_SRC(item->code) == BPF_X ? machine->x : constant(item->k);
}

static struct value compute(const struct sock_filter *item, struct value left, struct value right)
{
	uint32_t a = left.number, b = right.number;

	if (!left.known || (!right.known && BPF_OP(item->code) != BPF_NEG))
		return unknown;
	switch (BPF_OP(item->code)) {
	case BPF_ADD:
		return constant(a + b);
	case BPF_SUB:
		return constant(a - b);
	case BPF_MUL:
		return constant(a * b);
	case BPF_DIV:
		return b ? constant(a / b) : unknown;
	case BPF_AND:
		return constant(a & b);
	case BPF_OR:
		return constant(a | b);
	case BPF_XOR:
		return constant(a ^ b);
	case BPF_LSH:
		return b < 32 ? constant(a << b) : unknown;
	case BPF_RSH:
		return b < 32 ? constant(a >> b) : unknown;
	case BPF_NEG:
		return constant(-a);
	default:
		return unknown;
	}
}

static bool holds(uint16_t operation, uint32_t a, uint32_t b)
{
	switch (operation) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return a & b; /* BPF_JSET */
	}
}

static void jump(struct run *run, size_t at, const struct machine *machine)
{
	const struct sock_filter *item = &run->filter[at];
	struct value right = operand(machine, item);
	bool decided = machine->a.known && right.known, yes;

	if (BPF_OP(item->code) == BPF_JA) {
		go_to(run, at + 1 + item->k, machine);
		return;
	}
	yes = decided && holds(BPF_OP(item->code), machine->a.number, right.number);
	if (!decided || yes)
		go_to(run, at + 1 + item->jt, machine);
	if (!decided || !yes)
		go_to(run, at + 1 + item->jf, machine);
}

static unsigned int verdict_of(struct value action)
{
	if (!action.known)
		return SECCOMP_VERDICT_UNKNOWN;
	switch (action.number & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return SECCOMP_VERDICT_PASSES;
	case SECCOMP_RET_USER_NOTIF:
		return SECCOMP_VERDICT_REPORTS;
	default:
		return SECCOMP_VERDICT_REFUSES;
	}
}

static void step(struct run *run, size_t at)
{
	const struct sock_filter *item = &run->filter[at];
	struct machine machine = run->before[at];

	switch (BPF_CLASS(item->code)) {
	case BPF_RET:
		run->verdicts |=
			verdict_of(BPF_RVAL(item->code) == BPF_A ? machine.a : constant(item->k));
		return;
	case BPF_JMP:
		jump(run, at, &machine);
		return;
	case BPF_LD:
		machine.a = load(run, &machine, item);
		break;
	case BPF_LDX:
		machine.x = load(run, &machine, item);
		break;
	case BPF_ST:
	case BPF_STX:
		if (item->k < BPF_MEMWORDS)
			machine.memory[item->k] =
				BPF_CLASS(item->code) == BPF_ST ? machine.a : machine.x;
		break;
	case BPF_ALU:
		machine.a = compute(item, machine.a, operand(&machine, item));
		break;
	case BPF_MISC:
		if (BPF_MISCOP(item->code) == BPF_TAX)
			machine.x = machine.a;
		else
			machine.a = machine.x;
		break;
	}
	go_to(run, at + 1, &machine);
}

unsigned int seccomp_verdicts(const struct plan_seccomp *seccomp, const struct seccomp_call *call)
{
	cleanup_free struct machine *before = xzalloc(seccomp->length * sizeof(*before));
	struct run run = {
		.filter = seccomp->filter,
		.length = seccomp->length,
		.call = call,
		.before = before,
	};
	struct machine start = { .reached = true, .a = constant(0), .x = constant(0) };

	go_to(&run, 0, &start);
	for (size_t i = 0; i < run.length; i++)
		if (run.before[i].reached)
			step(&run, i);
	return run.verdicts;
}
