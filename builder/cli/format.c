/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people. Pure but for printing; used by the verbs that list things. */
#include "builder/cli/format.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/printable.h"

#define COLUMN_GAP 3

/* -- tables -------------------------------------------------------------------------------------
 */

void text_table_add(struct text_table *table, const char *cell)
{
	strv_add(&table->cells, cell);
}

void text_table_done(struct text_table *table)
{
	strv_done(&table->cells);
}

void text_table_print(const struct text_table *table, FILE *out)
{
	cleanup_free size_t *widths = xzalloc((table->columns + 1) * sizeof(*widths));

	for (size_t i = 0; i < table->cells.count; i++) {
		size_t width = printable_width(table->cells.items[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (size_t i = 0; i < table->cells.count; i++) {
		bool is_last = (i + 1) % table->columns == 0;

		if (is_last)
			fprintf(out, "%s\n", table->cells.items[i]);
		else
			fprintf(out, "%s%*s", table->cells.items[i],
				(int)(widths[i % table->columns] -
				      printable_width(table->cells.items[i])) +
					COLUMN_GAP,
				"");
	}
}

/* -- sizes and times ----------------------------------------------------------------------------
 */

void format_size(uint64_t bytes, struct strbuf *out)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t unit = 0;

	/* 999.5 would be shown as "1e+03" with three digits */
	while (value >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	strbuf_addf(out, "%.3g%s", value, units[unit]);
}

void format_duration(double seconds, struct strbuf *out)
{
	uint64_t whole = (uint64_t)(seconds + 0.05); /* 59.96 would be shown as "60.0s" */

	if (whole < 60)
		strbuf_addf(out, "%.1fs", seconds);
	else if (whole < 3600)
		strbuf_addf(out, "%um%02us", (unsigned int)(whole / 60),
			    (unsigned int)(whole % 60));
	else
		strbuf_addf(out, "%lluh%02um", (unsigned long long)(whole / 3600),
			    (unsigned int)(whole / 60 % 60));
}

void format_time(time_t when, struct strbuf *out)
{
	char text[CLOCK_TEXT_SIZE];

	strbuf_adds(out, clock_format_seconds(when, text));
}

/* Behind the seconds: a fraction, then Z or an offset from UTC. */
static bool parse_zone(const char *text, long *out_offset)
{
	int hours, minutes, used = 0;

	if (*text == '.')
		for (text++; isdigit((unsigned char)*text); text++)
			continue;
	*out_offset = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if ((*text != '+' && *text != '-') ||
	    sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || text[1 + used])
		return false;
	*out_offset = (*text == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
	return true;
}

bool parse_time(const char *text, time_t *out)
{
	struct tm tm = { 0 };
	int used = 0;
	long offset;

	if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			    &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6)
		return false;
	if (!parse_zone(text + used, &offset))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out = timegm(&tm) - offset;
	return true;
}

void format_age(const char *created, time_t now, struct strbuf *out)
{
	static const struct {
		long seconds;
		const char *name;
	} units[] = {
		{ 365 * 86400L, "year" }, { 30 * 86400L, "month" }, { 7 * 86400L, "week" },
		{ 86400, "day" },	  { 3600, "hour" },	    { 60, "minute" },
		{ 1, "second" },
	};
	time_t when;
	long age;

	if (!parse_time(created, &when)) {
		strbuf_adds(out, "N/A");
		return;
	}
	age = now > when ? (long)(now - when) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		long count = age / units[i].seconds;

		/* "14 days" says more than "2 weeks": a unit starts at two of it */
		if (count >= 2 || (count == 1 && units[i].seconds <= 60)) {
			strbuf_addf(out, "%ld %s%s ago", count, units[i].name,
				    count == 1 ? "" : "s");
			return;
		}
	}
	strbuf_adds(out, "just now");
}
