/* SPDX-License-Identifier: Apache-2.0 */
/* See csv.h. Called by RUN --mount and by options with fields. */
#include "lib/csv.h"

#include <errno.h>
#include <string.h>

#include "lib/strbuf.h"

/* One quoted field; *text is behind its opening quote, and behind the closing one afterwards. */
static bool split_quoted(const char **text, struct strbuf *field)
{
	const char *p = *text;

	for (;; p++) {
		if (!*p)
			return false;
		if (*p == '"' && *++p != '"')
			break;
		strbuf_addc(field, *p);
	}
	*text = p;
	return *p == ',' || !*p;
}

int csv_split(const char *text, struct strv *out, const char **out_why)
{
	for (;;) {
		cleanup_strbuf struct strbuf field = STRBUF_INIT;
		size_t size = 0;

		if (*text == '"') {
			text++;
			*out_why = "a stray or missing quote";
			if (!split_quoted(&text, &field))
				return -EINVAL;
		} else {
			size = strcspn(text, ",\"");
			*out_why = "a bare quote";
			if (text[size] == '"')
				return -EINVAL;
			strbuf_add(&field, text, size);
			text += size;
		}
		strv_add(out, strbuf_text(&field));
		if (!*text)
			return 0;
		text++;
	}
}
