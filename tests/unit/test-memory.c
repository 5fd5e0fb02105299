/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas, string buffers, string lists, tables. */
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/table.h"
#include "tests/unit/check.h"

static void test_arena(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	char *first = arena_strdup(&arena, "first");
	char *big = arena_alloc(&arena, 100000);
	char *printed;

	for (size_t i = 0; i < 100000; i++)
		if (big[i]) {
			CHECK(!"zeroed");
			break;
		}
	memset(big, 'x', 100000);
	printed = arena_printf(&arena, "%s-%d", "a", 7);
	for (int i = 0; i < 5000; i++)
		CHECK(((uintptr_t)arena_alloc(&arena, (size_t)(i % 50)) & 15) == 0);
	CHECK_STR(first, "first");
	CHECK_STR(printed, "a-7");
}

static void test_strbuf(void)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	cleanup_free char *taken = NULL;

	CHECK_STR(strbuf_text(&buf), "");
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&buf, "%04d,", i);
	CHECK_INT(buf.size, 5000);
	CHECK(strncmp(buf.data + 4990, "0998,0999,", 10) == 0);
	strbuf_truncate(&buf, 4);
	CHECK_STR(buf.data, "0000");
	taken = strbuf_take(&buf);
	CHECK_STR(taken, "0000");
	CHECK_STR(strbuf_text(&buf), "");
}

static void test_strv(void)
{
	cleanup_strv struct strv list = STRV_INIT;

	CHECK(strv_items(&list)[0] == NULL);
	strv_split(&list, "a::b", ':');
	CHECK_INT(list.count, 3);
	CHECK_STR(list.items[1], "");
	strv_remove(&list, 1);
	CHECK_INT(list.count, 2);
	CHECK_STR(list.items[1], "b");
	CHECK(strv_items(&list)[2] == NULL);
	CHECK(strv_contains(&list, "b") && !strv_contains(&list, "c"));
	strv_add(&list, "a");
	CHECK(strv_drop(&list, "a") && !strv_drop(&list, "c"));
	CHECK_INT(list.count, 2);
	CHECK_STR(list.items[0], "b");
}

static void test_env(void)
{
	cleanup_strv struct strv env = STRV_INIT;

	strv_add(&env, "PATH=/bin");
	strv_env_set(&env, "HOME", "/root");
	strv_env_set(&env, "PATH", "/usr/bin");
	CHECK_INT(env.count, 2);
	CHECK_STR(env.items[0], "PATH=/usr/bin");
	CHECK_STR(strv_env_get(&env, "HOME"), "/root");
	CHECK_STR(strv_env_get(&env, "HOM"), NULL);
}

static void test_sort(void)
{
	cleanup_strv struct strv list = STRV_INIT;

	strv_sort(&list);
	strv_split(&list, "b,a/b,a,B", ',');
	strv_sort(&list);
	CHECK_STR(list.items[0], "B");
	CHECK_STR(list.items[1], "a");
	CHECK_STR(list.items[3], "b");
	CHECK(list.items[4] == NULL);
}

static const char *suggest(const char *word)
{
	static const char *const names[] = { "create", "start", "state", "kill", "delete" };
	struct suggestion suggestion = { .word = word };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		suggestion_consider(&suggestion, names[i]);
	return suggestion.best;
}

static void test_tables(void)
{
	static const struct name_value table[] = { { "one", 1 }, { "two", 2 }, { NULL, 0 } };

	CHECK_INT(table_find(table, "two")->value, 2);
	CHECK(!table_find(table, "three"));
	CHECK_STR(table_name(table, 1), "one");
	CHECK_STR(suggest("craete"), "create");
	CHECK_STR(suggest("DELET"), "delete");
	CHECK_STR(suggest("zzzz"), NULL);
	CHECK_STR(suggest(""), NULL);
}

CHECK_MAIN({ "an arena gives zeroed, aligned memory that stays", test_arena },
	   { "a string buffer grows, cuts and hands over", test_strbuf },
	   { "a string list splits and removes", test_strv },
	   { "a string list sorts by bytes", test_sort },
	   { "an environment replaces by name", test_env },
	   { "tables find; typing mistakes are guessed", test_tables })
