/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers, signals' names. */
#include "lib/number.h"

#include <errno.h>
#include <signal.h>

#include "lib/signals.h"
#include "tests/unit/check.h"

static void test_u64(void)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1a", "1.0", "1e3" };
	uint64_t value = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(number_parse_u64(bad[i], &value), -EINVAL);
	CHECK_INT(value, 7);
	CHECK_INT(number_parse_u64("18446744073709551615", &value), 0);
	CHECK(value == UINT64_MAX);
	CHECK_INT(number_parse_u64("18446744073709551616", &value), -ERANGE);
}

static void test_signed(void)
{
	int64_t value;
	int small;

	CHECK_INT(number_parse_i64("-9223372036854775808", &value), 0);
	CHECK(value == INT64_MIN);
	CHECK_INT(number_parse_i64("9223372036854775808", &value), -ERANGE);
	CHECK_INT(number_parse_i64("--1", &value), -EINVAL);
	CHECK_INT(number_parse_int("-2147483649", &small), -ERANGE);
	CHECK_INT(number_parse_int("-1", &small), 0);
	CHECK_INT(small, -1);
}

static void test_ids_and_modes(void)
{
	uint32_t value;

	CHECK_INT(number_parse_id("4294967295", &value), -ERANGE);
	CHECK_INT(number_parse_id("4294967294", &value), 0);
	CHECK_INT(number_parse_octal("7777", 07777, &value), 0);
	CHECK_INT(value, 07777);
	CHECK_INT(number_parse_octal("10000", 07777, &value), -ERANGE);
	CHECK_INT(number_parse_octal("8", 07777, &value), -EINVAL);
}

static void test_sizes(void)
{
	uint64_t value;

	CHECK_INT(number_parse_size("512k", &value), 0);
	CHECK_INT(value, 512 * 1024);
	CHECK_INT(number_parse_size("1GiB", &value), 0);
	CHECK_INT(value, 1 << 30);
	CHECK_INT(number_parse_size("5b", &value), 0);
	CHECK_INT(value, 5);
	CHECK_INT(number_parse_size("1kk", &value), -EINVAL);
	CHECK_INT(number_parse_size("k", &value), -EINVAL);
	CHECK_INT(number_parse_size("99999999999p", &value), -ERANGE);
}

static void test_durations(void)
{
	uint64_t value;

	CHECK_INT(number_parse_duration("1h2m3.5s", &value), 0);
	CHECK(value == 3723500000000ULL);
	CHECK_INT(number_parse_duration("+300ms", &value), 0);
	CHECK_INT(value, 300000000);
	CHECK_INT(number_parse_duration("0", &value), 0);
	CHECK_INT(value, 0);
	CHECK_INT(number_parse_duration(".5s", &value), 0);
	CHECK_INT(value, 500000000);
	CHECK_INT(number_parse_duration("5", &value), -EINVAL);
	CHECK_INT(number_parse_duration("", &value), -EINVAL);
	CHECK_INT(number_parse_duration("-1s", &value), -EINVAL);
	CHECK_INT(number_parse_duration("1.s", &value), -EINVAL);
	CHECK_INT(number_parse_duration("99999999999h", &value), -ERANGE);
}

static void test_signals(void)
{
	CHECK_INT(signal_parse("TERM"), SIGTERM);
	CHECK_INT(signal_parse("sigkill"), SIGKILL);
	CHECK_INT(signal_parse("9"), 9);
	CHECK_INT(signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	CHECK_INT(signal_parse("RTMAX-1"), SIGRTMAX - 1);
	CHECK_INT(signal_parse("0"), -EINVAL);
	CHECK_INT(signal_parse("65"), -EINVAL);
	CHECK_INT(signal_parse("NOPE"), -EINVAL);
	CHECK_INT(signal_parse("RTMIN+99"), -EINVAL);
	for (int i = 1; i < 32; i++)
		CHECK_INT(signal_parse(signal_name(i)), i);
}

CHECK_MAIN({ "unsigned numbers take digits only", test_u64 },
	   { "signed numbers keep their range", test_signed },
	   { "ids and modes are bounded", test_ids_and_modes }, { "sizes with units", test_sizes },
	   { "Go's durations", test_durations }, { "signals by name and number", test_signals })
