/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of history entries, called by plan-meta.c and plan-files.c. */
#include "builder/build/plan-history.h"

#include <inttypes.h>

#include "builder/dockerfile/words.h"
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

void history_add_health(struct strbuf *out, const struct image_healthcheck *health)
{
	const struct {
		const char *name;
		int64_t value;
	} durations[] = {
		{ "Interval", health->interval },
		{ "Timeout", health->timeout },
		{ "StartPeriod", health->start_period },
		{ "StartInterval", health->start_interval },
	};

	strbuf_adds(out, "{Test:");
	history_add_list(out, (const char *const *)health->test.items, health->test.count);
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		strbuf_addf(out, " %s:", durations[i].name);
		history_add_duration(out, durations[i].value);
	}
	strbuf_addf(out, " Retries:%" PRId64 "}", health->retries);
}
