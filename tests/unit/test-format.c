/* SPDX-License-Identifier: Apache-2.0 */
/* builder/cli/format.c: sizes, ages, times, tables. */
#include "builder/cli/format.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void test_sizes(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" },	       { 999, "999B" },	       { 1000, "1kB" },
		{ 1024, "1.02kB" },    { 999499, "999kB" },    { 999500, "1MB" },
		{ 1236000, "1.24MB" }, { 123456789, "123MB" }, { 2500000000, "2.5GB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		format_size(cases[i].bytes, &out);
		CHECK_STR(strbuf_text(&out), cases[i].text);
	}
}

static void test_times(void)
{
	static const char *const bad[] = { "",
					   "2020",
					   "2020-01-01T00:00:00",
					   "2020-01-01T00:00:00+1",
					   "2020-01-01T00:00:00Zx",
					   "yesterday" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	time_t when = 0;

	format_time(1577934245, &out);
	CHECK_STR(strbuf_text(&out), "2020-01-02T03:04:05Z");
	CHECK(parse_time("2020-01-02T03:04:05Z", &when));
	CHECK_INT(when, 1577934245);
	CHECK(parse_time("2020-01-02T05:34:05.123456789+02:30", &when));
	CHECK_INT(when, 1577934245);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!parse_time(bad[i], &when));
	CHECK(!parse_time(NULL, &when));
	CHECK_INT(when, 1577934245);
}

static void test_ages(void)
{
	static const struct {
		long age;
		const char *text;
	} cases[] = {
		{ -5, "just now" },
		{ 0, "just now" },
		{ 1, "1 second ago" },
		{ 59, "59 seconds ago" },
		{ 119, "1 minute ago" },
		{ 3600, "60 minutes ago" },
		{ 7200, "2 hours ago" },
		{ 86400, "24 hours ago" },
		{ 10 * 86400L, "10 days ago" },
		{ 30 * 86400L, "4 weeks ago" },
		{ 800 * 86400L, "2 years ago" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_strbuf struct strbuf created = STRBUF_INIT, out = STRBUF_INIT;

		format_time(2000000000 - cases[i].age, &created);
		format_age(created.data, 2000000000, &out);
		CHECK_STR(strbuf_text(&out), cases[i].text);
	}
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	format_age("", 0, &out);
	CHECK_STR(strbuf_text(&out), "N/A");
}

static void test_table(void)
{
	cleanup_text_table struct text_table table = { .columns = 2 };
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	text_table_add(&table, "NAME");
	text_table_add(&table, "X");
	text_table_add(&table, "longer");
	text_table_add(&table, "y");
	text_table_print(&table, out);
	fclose(out);
	CHECK_STR(text, "NAME     X\nlonger   y\n");
}

CHECK_MAIN({ "sizes have three digits", test_sizes }, { "times of documents", test_times },
	   { "ages in one unit", test_ages }, { "columns line up", test_table })
