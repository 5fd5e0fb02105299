/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of history entries, called by plan-meta.c and plan-files.c. */
#include "builder/build/plan-history.h"

#include <inttypes.h>

#include "builder/dockerfile/words.h"
#include "lib/cleanup.h"
#include "spec/image-config.h"

void history_add_list(struct strbuf *out, const char *const *items, size_t count)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < count; i++)
		strbuf_addf(out, "%s%s", i ? " " : "", items[i]);
	strbuf_addc(out, ']');
}

void history_add_quoted(struct strbuf *out, const char *const *items, size_t count)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < count; i++) {
		strbuf_adds(out, i ? " " : "");
		words_quote(out, items[i]);
	}
	strbuf_addc(out, ']');
}

/* value/unit with up to nine decimals, trailing zeros dropped. */
static void add_fraction(struct strbuf *out, int64_t value, int64_t unit, const char *suffix)
{
	int64_t rest = value % unit;

	strbuf_addf(out, "%" PRId64, value / unit);
	if (rest)
		strbuf_addc(out, '.');
	while (rest) {
		unit /= 10;
		strbuf_addc(out, (char)('0' + rest / unit));
		rest %= unit;
	}
	strbuf_adds(out, suffix);
}

void history_add_duration(struct strbuf *out, int64_t ns)
{
	const int64_t second = 1000000000, minute = 60 * second, hour = 60 * minute;

	if (ns == 0) {
		strbuf_adds(out, "0s");
	} else if (ns < 1000) {
		strbuf_addf(out, "%" PRId64 "ns", ns);
	} else if (ns < 1000000) {
		add_fraction(out, ns, 1000, "\xC2\xB5s");
	} else if (ns < second) {
		add_fraction(out, ns, 1000000, "ms");
	} else {
		if (ns >= hour)
			strbuf_addf(out, "%" PRId64 "h", ns / hour);
		if (ns >= minute)
			strbuf_addf(out, "%" PRId64 "m", ns % hour / minute);
		add_fraction(out, ns % minute, second, "s");
	}
}

/* A number as Go's %q shows it: the character of this code in single quotes. BuildKit's history has
 * the number of retries like that. */
static void add_character(struct strbuf *out, int64_t code)
{
	static const char letters[] = "abtnvfr"; /* 7 to 13 */

	if (code >= 7 && code <= 13)
		strbuf_addf(out, "'\\%c'", letters[code - 7]);
	else if (code == '\'' || code == '\\')
		strbuf_addf(out, "'\\%c'", (int)code);
	else if (code < ' ' || code == 0x7f)
		strbuf_addf(out, "'\\x%02x'", (unsigned int)code);
	else if (code < 0x7f)
		strbuf_addf(out, "'%c'", (int)code);
	else if (code > 0xa0 && code < 0x800)
		strbuf_addf(out, "'%c%c'", (int)(0xc0 | code >> 6), (int)(0x80 | (code & 0x3f)));
	else
		strbuf_addf(out, "'\\u%04x'", code < 0xd800 ? (unsigned int)code : 0xfffdU);
}

void history_add_health(struct strbuf *out, const struct image_healthcheck *health)
{
	const int64_t durations[] = { health->interval, health->timeout, health->start_period,
				      health->start_interval };

	strbuf_adds(out, "&{");
	history_add_quoted(out, (const char *const *)health->test.items, health->test.count);
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		strbuf_adds(out, " \"");
		history_add_duration(out, durations[i]);
		strbuf_adds(out, "\"");
	}
	strbuf_addc(out, ' ');
	add_character(out, health->retries);
	strbuf_addc(out, '}');
}
