/* SPDX-License-Identifier: Apache-2.0 */
/* lib/clock: our calendar against the C library's. */
#include "lib/clock.h"

#include <time.h>

#include "tests/unit/check.h"

static void check_second(int64_t second)
{
	char ours[CLOCK_TEXT_SIZE], theirs[32];
	time_t given = (time_t)second;
	struct tm tm;

	CHECK(gmtime_r(&given, &tm) != NULL);
	CHECK(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000000007Z", &tm) > 0);
	CHECK_STR(clock_format(second, 7, ours), theirs);
}

static void test_every_day(void)
{
	for (int64_t day = 0; day < 366 * 200; day++)
		check_second(day * 86400 + day % 86400);
}

static void test_edges(void)
{
	static const int64_t seconds[] = { 0,	       86399,	   86400,
					   951782399,  951782400,  951868800,
					   1709164800, 4102444799, 253402300799 };

	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++)
		check_second(seconds[i]);
}

static void test_seconds(void)
{
	char text[CLOCK_TEXT_SIZE];

	CHECK_STR(clock_format_seconds(1300000000, text), "2011-03-13T07:06:40Z");
	CHECK_STR(clock_format_seconds(CLOCK_SECONDS_MAX, text), "9999-12-31T23:59:59Z");
	CHECK_STR(clock_format_seconds(INT64_MAX, text), "9999-12-31T23:59:59Z");
	CHECK_STR(clock_format_seconds(INT64_MIN, text), "1970-01-01T00:00:00Z");
}

static void test_now(void)
{
	int64_t before = clock_ms();
	char text[CLOCK_TEXT_SIZE];

	CHECK_INT(strlen(clock_text(text)), 30);
	CHECK(clock_us() / 1000 >= before);
}

CHECK_MAIN({ "every day of 200 years is as gmtime_r has it", test_every_day },
	   { "midnights, leap days and the last second of 9999", test_edges },
	   { "whole seconds, and what no text can say", test_seconds },
	   { "now has nine digits of nanoseconds, and time goes forward", test_now })
