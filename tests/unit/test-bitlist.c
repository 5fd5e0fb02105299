/* SPDX-License-Identifier: Apache-2.0 */
/* lib/bitlist: lists of CPUs and memory nodes. */
#include "lib/bitlist.h"

#include <errno.h>
#include <stdbool.h>

#include "tests/unit/check.h"

static bool has(const struct bitlist *list, size_t number)
{
	size_t bits = sizeof(*list->words) * 8;

	return list->words[number / bits] >> number % bits & 1;
}

static void test_lists(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct bitlist list = { 0 };

	CHECK_INT(bitlist_parse("0-3,7", 1024, &arena, &list), 0);
	CHECK_INT(list.size, 128);
	CHECK_INT(list.count, 5);
	CHECK_INT(list.words[0], 0x8f);
	CHECK_INT(bitlist_parse(" 63 - 65 ,, 64, \t128\n,", 129, &arena, &list), 0);
	CHECK_INT(list.count, 4);
	CHECK(!has(&list, 62) && has(&list, 63) && has(&list, 64) && has(&list, 65));
	CHECK(!has(&list, 66) && !has(&list, 127) && has(&list, 128));
	CHECK_INT(bitlist_parse("0-8191", 8192, &arena, &list), 0);
	CHECK_INT(list.count, 8192);
	CHECK_INT(bitlist_parse("", 8, &arena, &list), 0);
	CHECK_INT(list.count, 0);
}

static void test_no_lists(void)
{
	static const char *const bad[] = { "a",	  "1-",	   "-1",  "1--2", "3-1", "0x1",
					   "1:2", "1-2-3", "1 2", "+1",	  "1-a", "all" };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct bitlist list = { .count = 77 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(bitlist_parse(bad[i], 64, &arena, &list), -EINVAL);
	CHECK_INT(bitlist_parse("64", 64, &arena, &list), -ERANGE);
	CHECK_INT(bitlist_parse("0-4294967295", 64, &arena, &list), -ERANGE);
	CHECK_INT(bitlist_parse("99999999999999999999", 64, &arena, &list), -ERANGE);
	CHECK_INT(list.count, 77);
}

CHECK_MAIN({ "numbers, ranges, blanks", test_lists }, { "what is no list", test_no_lists })
