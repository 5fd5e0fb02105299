/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests: each test is a function named in a table, each failed check prints file:line and
 * both values, the program speaks TAP.
 *
 *	static void test_x(void) { CHECK_INT(f(1), 2); }
 *	CHECK_MAIN({ "x does y", test_x }, ...)
 */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

struct check_test {
	const char *name;
	void (*run)(void);
};

static int check_failures;
static const char *check_skipped;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("# %s:%d: false: %s\n", __FILE__, __LINE__, #condition);            \
			check_failures++;                                                          \
		}                                                                                  \
	} while (0)

#define CHECK_INT(actual, expected)                                                                \
	do {                                                                                       \
		long long check_a = (long long)(actual), check_e = (long long)(expected);          \
		if (check_a != check_e) {                                                          \
			printf("# %s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__,         \
			       #actual, check_a, check_e);                                         \
			check_failures++;                                                          \
		}                                                                                  \
	} while (0)

#define CHECK_STR(actual, expected)                                                                \
	do {                                                                                       \
		const char *check_a = (actual), *check_e = (expected);                             \
		if (!check_a || !check_e ? check_a != check_e : strcmp(check_a, check_e) != 0) {   \
			printf("# %s:%d: %s is \"%s\", expected \"%s\"\n", __FILE__, __LINE__,     \
			       #actual, check_a ? check_a : "(null)",                              \
			       check_e ? check_e : "(null)");                                      \
			check_failures++;                                                          \
		}                                                                                  \
	} while (0)

/** The call (which uses &err) fails with -errnum and a text that contains part. */
#define CHECK_ERROR(call, errnum_, part)                                                           \
	do {                                                                                       \
		struct error err = ERROR_INIT;                                                     \
		char check_text[2048];                                                             \
		long long check_r = (long long)(call);                                             \
		error_text(&err, check_text, sizeof(check_text));                                  \
		if (check_r != -(errnum_) || !strstr(check_text, part)) {                          \
			printf("# %s:%d: %s returned %lld \"%s\", expected %d \"...%s...\"\n",     \
			       __FILE__, __LINE__, #call, check_r, check_text, -(errnum_), part);  \
			check_failures++;                                                          \
		}                                                                                  \
	} while (0)

/** Leave the running test as skipped: say what is missing. */
#define CHECK_SKIP(reason)                                                                         \
	do {                                                                                       \
		check_skipped = (reason);                                                          \
		return;                                                                            \
	} while (0)

static inline int check_run(const struct check_test *tests, size_t count)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		check_failures = 0;
		check_skipped = NULL;
		tests[i].run();
		printf("%s %zu - %s%s%s\n", check_failures ? "not ok" : "ok", i + 1, tests[i].name,
		       check_skipped ? " # SKIP " : "", check_skipped ? check_skipped : "");
		failed |= check_failures != 0;
	}
	return failed;
}

#define CHECK_MAIN(...)                                                                            \
	int main(void)                                                                             \
	{                                                                                          \
		const struct check_test check_tests[] = { __VA_ARGS__ };                           \
		return check_run(check_tests, sizeof(check_tests) / sizeof(check_tests[0]));       \
	}

#endif
