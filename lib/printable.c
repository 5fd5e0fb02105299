/* SPDX-License-Identifier: Apache-2.0 */
/* What may reach a terminal: printable characters in valid UTF-8, everything else is escaped. */
#include "lib/printable.h"

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

size_t printable_width(const char *text)
{
	size_t columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}
