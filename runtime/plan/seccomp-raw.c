/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter that is a program already. The kernel refuses a broken one only when it is installed,
 * with the container nearly made; so it is checked here by the same rules.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "lib/cleanup.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/seccomp.h"

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Bytes written to out (which has room for 3/4 of the text), or -EINVAL. */
static ssize_t base64_decode(const char *text, unsigned char *out)
{
	size_t length = strlen(text), size = 0;
	uint32_t bits = 0;

	if (length % 4)
		return -EINVAL;
	while (length && text[length - 1] == '=' && length % 4 != 2)
		length--;
	for (size_t i = 0; i < length; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4)
			out[size++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return (ssize_t)size;
}

/* Of what a number or the index register may be the operand; everything but the remainder. */
static bool is_arithmetic(uint16_t operation)
{
	return operation <= (BPF_ALU | BPF_XOR | BPF_X) && BPF_CLASS(operation) == BPF_ALU &&
	       BPF_OP(operation) != BPF_MOD && operation != (BPF_ALU | BPF_NEG | BPF_X);
}

/* The operations that seccomp(2) takes, besides jumps and loads of the call's data. */
static bool is_plain_operation(const struct sock_filter *item)
{
	switch (item->code) {
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return item->k < BPF_MEMWORDS;
	case BPF_ALU | BPF_DIV | BPF_K:
		return item->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return item->k < 32;
	default:
		return is_arithmetic(item->code);
	}
}

static bool is_valid_at(const struct sock_filter *item, size_t left)
{
	switch (item->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return item->k % 4 == 0 && item->k < sizeof(struct seccomp_data);
	case BPF_JMP | BPF_JA:
		return item->k < left;
	default:
		if (BPF_CLASS(item->code) != BPF_JMP)
			return is_plain_operation(item);
		return item->code <= (BPF_JMP | BPF_JSET | BPF_X) && BPF_OP(item->code) != BPF_JA &&
		       item->jt < left && item->jf < left;
	}
}

static int check_program(const struct sock_filter *filter, size_t length, struct error *err)
{
	for (size_t i = 0; i < length; i++)
		if (!is_valid_at(&filter[i], length - i - 1))
			return error_invalid(err, "instruction %zu is not valid in a filter", i);
	if (BPF_CLASS(filter[length - 1].code) != BPF_RET)
		return error_invalid(err, "the program does not end with a return");
	return 0;
}

int seccomp_raw_program(const char *base64, struct arena *arena, struct plan_seccomp *out,
			struct error *err)
{
	static const char pointer[] = "/annotations/" ANNOTATION_SECCOMP_BPF_DATA;
	struct sock_filter *filter = arena_alloc(arena, strlen(base64) + 3);
	ssize_t size = base64_decode(base64, (unsigned char *)filter);
	int ret;

	if (size < 0)
		return error_pointer(err, error_invalid(err, "this is not base64"), pointer);
	if (!size || (size_t)size % sizeof(*filter) ||
	    (size_t)size / sizeof(*filter) > BPF_MAXINSNS)
		return error_pointer(err,
				     error_invalid(err,
						   "%zd bytes are not 1 to %d instructions of %zu",
						   size, BPF_MAXINSNS, sizeof(*filter)),
				     pointer);
	ret = check_program(filter, (size_t)size / sizeof(*filter), err);
	if (ret < 0)
		return error_pointer(err, ret, pointer);
	out->filter = filter;
	out->is_raw = true;
	out->length = (unsigned short)((size_t)size / sizeof(*filter));
	return 0;
}
