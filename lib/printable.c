/* SPDX-License-Identifier: Apache-2.0 */
/* What may reach a terminal: printable characters in valid UTF-8, everything else is escaped. */
#include "lib/printable.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/cleanup.h"

/* How many bytes a character with this first byte has; 0 when it is none. */
static size_t character_size(unsigned char first)
{
	if (first < 0x80)
		return first >= 0x20 && first != 0x7f;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static size_t printable_size(const char *text, size_t size)
{
	size_t length = character_size((unsigned char)*text);

	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	/* U+0080 to U+009f are controls, too */
	if (length == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0)
		return 0;
	return length;
}

void strbuf_add_printable(struct strbuf *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t length = printable_size(text + i, size - i);

		if (length)
			strbuf_add(out, text + i, length);
		else
			strbuf_addf(out, "\\x%02x", (unsigned char)text[i]);
		i += length ? length : 1;
	}
}

/* -- columns -------------------------------------------------------------------------------------
 */

struct range {
	uint32_t first, last;
};

/* clang-format off */
/* Marks that stand on the character before them, and what has no shape: Unicode's Mn, Me and Cf, as
 * far as they occur in what programs print. */
static const struct range zero_width[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },
	{ 0x064b, 0x065f }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x202a, 0x202e }, { 0x2060, 0x2064 },
	{ 0x20d0, 0x20f0 }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
	{ 0xe0100, 0xe01ef },
};

/* East Asian Width W and F, emoji included. Gaps of unassigned characters are not left out: a
 * column too many leaves a blank, one too few breaks a line. */
static const struct range double_width[] = {
	{ 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x2329, 0x232a }, { 0x23e9, 0x23f3 },
	{ 0x25fd, 0x25fe }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 }, { 0x267f, 0x267f },
	{ 0x2693, 0x2693 }, { 0x26a1, 0x26a1 }, { 0x26aa, 0x26ab }, { 0x26bd, 0x26be },
	{ 0x26c4, 0x26c5 }, { 0x26ce, 0x26ce }, { 0x26d4, 0x26d4 }, { 0x26ea, 0x26ea },
	{ 0x26f2, 0x26fd }, { 0x2705, 0x2705 }, { 0x270a, 0x270b }, { 0x2728, 0x2728 },
	{ 0x274c, 0x274e }, { 0x2753, 0x2757 }, { 0x2795, 0x2797 }, { 0x27b0, 0x27bf },
	{ 0x2b1b, 0x2b1c }, { 0x2b50, 0x2b55 }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf },
	{ 0xa960, 0xa97f }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x16fe0, 0x1b2ff }, { 0x1f004, 0x1f004 },
	{ 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f19a }, { 0x1f200, 0x1f64f }, { 0x1f680, 0x1f6ff },
	{ 0x1f7e0, 0x1f7eb }, { 0x1f900, 0x1faff }, { 0x20000, 0x3fffd },
};
/* clang-format on */

static bool is_in(const struct range *ranges, size_t count, uint32_t character)
{
	for (size_t i = 0; i < count && character >= ranges[i].first; i++)
		if (character <= ranges[i].last)
			return true;
	return false;
}

static size_t character_width(uint32_t character)
{
	if (character < 0x300)
		return 1;
	if (is_in(zero_width, ARRAY_SIZE(zero_width), character))
		return 0;
	return is_in(double_width, ARRAY_SIZE(double_width), character) ? 2 : 1;
}

/* The character at text; *size gets its bytes. */
static uint32_t decode(const char *text, size_t *size)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t length = character_size((unsigned char)*text);
	uint32_t character = (unsigned char)*text & first_bits[length];

	for (*size = 1; *size < length && text[*size]; ++*size)
		character = character << 6 | ((unsigned char)text[*size] & 0x3f);
	return character;
}

size_t printable_fit(const char *text, size_t columns, size_t *out_used)
{
	size_t used = 0, at = 0, size;

	while (text[at]) {
		size_t width = character_width(decode(text + at, &size));

		if (used + width > columns)
			break;
		used += width;
		at += size;
	}
	if (out_used)
		*out_used = used;
	return at;
}

size_t printable_width(const char *text)
{
	size_t used;

	(void)printable_fit(text, SIZE_MAX, &used);
	return used;
}
