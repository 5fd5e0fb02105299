/* SPDX-License-Identifier: Apache-2.0 */
/* Modes of COPY and ADD. Without a "who" all three are meant: the umask plays no part. */
#include "builder/build/chmod.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/number.h"

static mode_t who_mask(char who)
{
	switch (who) {
	case 'u':
		return S_ISUID | S_IRWXU;
	case 'g':
		return S_ISGID | S_IRWXG;
	case 'o':
		return S_ISVTX | S_IRWXO;
	case 'a':
		return 07777;
	default:
		return 0;
	}
}

/* The bits of a permission letter for everyone; the clause's who narrows them. */
static mode_t permission_bits(char letter)
{
	switch (letter) {
	case 'r':
		return 0444;
	case 'w':
		return 0222;
	case 'x':
		return 0111;
	case 's':
		return S_ISUID | S_ISGID;
	case 't':
		return S_ISVTX;
	default:
		return 0;
	}
}

/* One "operator permissions" behind its who. */
static int parse_action(const char **at, mode_t who, struct chmod *out)
{
	struct chmod_clause clause = { .who = who, .operator= ** at };

	if (!**at || !strchr("=+-", **at) || out->count == CHMOD_CLAUSES_MAX)
		return -1;
	(*at)++;
	if (**at && strchr("ugo", **at)) {
		clause.copied = who_mask(*(*at)++) & 0777;
		if (**at && !strchr(",=+-", **at))
			return -1;
	}
	for (; **at && !strchr(",=+-", **at); (*at)++) {
		mode_t bits = permission_bits(**at);

		if (**at == 'X')
			clause.search_if_any = true;
		else if (!bits)
			return -1;
		clause.bits |= bits;
	}
	clause.bits &= who | (who & 0777 ? S_ISVTX : 0);
	out->clauses[out->count++] = clause;
	return 0;
}

static int parse_symbolic(const char *at, struct chmod *out)
{
	for (;;) {
		mode_t who = 0;

		for (; *at && who_mask(*at); at++)
			who |= who_mask(*at);
		if (!who)
			who = 07777;
		do {
			if (parse_action(&at, who, out) < 0)
				return -1;
		} while (*at && *at != ',');
		if (!*at)
			return 0;
		at++;
	}
}

int chmod_parse(const char *text, struct chmod *out, struct error *err)
{
	uint32_t mode;

	*out = (struct chmod){ .octal = false };
	if (*text >= '0' && *text <= '9') {
		if (number_parse_octal(text, 07777, &mode) < 0)
			return error_invalid(err, "--chmod: \"%s\" is not an octal mode up to 7777",
					     text);
		out->octal = true;
		out->mode = mode;
		return 0;
	}
	if (parse_symbolic(text, out) < 0)
		return error_invalid(err, "--chmod: \"%s\" is neither an octal mode nor like u=rwX",
				     text);
	return 0;
}

/* The rwx that the class of mask has, for all three classes. */
static mode_t copied_bits(mode_t bits, mode_t mask)
{
	mode_t one = bits & mask;

	return ((one | one >> 3 | one >> 6) & 07) * 0111;
}

mode_t chmod_apply(const struct chmod *chmod, mode_t mode)
{
	mode_t bits = mode & 07777;

	if (chmod->octal)
		return chmod->mode;
	for (size_t i = 0; i < chmod->count; i++) {
		const struct chmod_clause *clause = &chmod->clauses[i];
		mode_t change = clause->bits;

		if (clause->copied)
			change |= copied_bits(bits, clause->copied) & clause->who;
		if (clause->search_if_any && (S_ISDIR(mode) || (bits & 0111)))
			change |= 0111 & clause->who;
		if (clause->operator== '=')
			bits = (bits & ~clause->who) | change;
		else if (clause->operator== '+')
			bits |= change;
		else
			bits &= ~change;
	}
	return bits;
}
