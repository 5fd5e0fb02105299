/* SPDX-License-Identifier: Apache-2.0 */
/* Six bits a letter. */
#include "lib/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t size, struct strbuf *out)
{
	const unsigned char *from = data;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t word = (uint32_t)from[i] << 16 |
				(left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
				(left > 2 ? (uint32_t)from[i + 2] : 0);

		strbuf_addc(out, letters[word >> 18]);
		strbuf_addc(out, letters[word >> 12 & 63]);
		strbuf_addc(out, left > 1 ? letters[word >> 6 & 63] : '=');
		strbuf_addc(out, left > 2 ? letters[word & 63] : '=');
	}
}

int base64_decode(const char *text, struct strbuf *out)
{
	size_t size = strcspn(text, "=");
	size_t start = out->size;
	uint32_t word = 0;

	if (strspn(text + size, "=") != strlen(text + size) || strlen(text + size) > 2 ||
	    size % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		const char *at = strchr(letters, text[i]);

		if (!at) {
			strbuf_truncate(out, start);
			return -EINVAL;
		}
		word = word << 6 | (uint32_t)(at - letters);
		if (i % 4) /* a byte is complete */
			strbuf_addc(out, (char)(word >> (6 - 2 * (i % 4))));
	}
	return 0;
}
