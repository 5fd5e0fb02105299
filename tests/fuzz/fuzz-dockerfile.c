/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dockerfiles: whatever parses prints a canonical text that parses to itself; stages and expansion
 * never misbehave. The first line of the input, if it begins with "#!", is a word to be expanded.
 */
#include "builder/dockerfile/ast.h"
#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/lint.h"
#include "builder/dockerfile/parse.h"
#include "builder/dockerfile/stages.h"
#include "lib/cleanup.h"
#include "lib/strv.h"
#include "tests/fuzz/fuzz.h"

static char *print(const struct dockerfile *dockerfile)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	FUZZ_ASSERT(out != NULL);
	dockerfile_print(dockerfile, out);
	fclose(out);
	return text;
}

static char *print_ast(const struct dockerfile *dockerfile, bool places)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	FUZZ_ASSERT(out != NULL);
	dockerfile_print_ast(dockerfile, places, out);
	fclose(out);
	return text;
}

static void check_round_trip(const struct dockerfile *dockerfile)
{
	cleanup_dockerfile struct dockerfile again = { 0 };
	cleanup_free char *first = print(dockerfile), *second = NULL;
	cleanup_free char *ast = print_ast(dockerfile, false), *same = NULL;
	cleanup_free char *placed = print_ast(dockerfile, true);

	FUZZ_ASSERT(dockerfile_parse("again", first, strlen(first), &again, NULL) == 0);
	second = print(&again);
	FUZZ_ASSERT(again.count == dockerfile->count);
	FUZZ_ASSERT(strcmp(first, second) == 0);
	same = print_ast(&again, false);
	FUZZ_ASSERT(strcmp(ast, same) == 0);
	FUZZ_ASSERT(placed != NULL);
}

/* Every rule, and no warning without a place. */
static void check_lint(struct dockerfile *dockerfile, const struct stages *stages,
		       const struct strv *args)
{
	cleanup_lint struct lint_report report = { .count = 0 };
	struct lint_options options = { .walk = { .build_args = args, .all = true },
					.platform = "linux/amd64",
					.enable = "orlop,all" };

	(void)lint_run(dockerfile, stages, &options, &report, NULL);
	for (size_t i = 0; i < report.count; i++)
		FUZZ_ASSERT(report.items[i].range.first >= 1);
}

static void check_stages(struct dockerfile *dockerfile)
{
	cleanup_stages struct stages stages = { 0 };
	cleanup_strv struct strv args = STRV_INIT;
	struct stages_options options = { &args, NULL, "linux/amd64" };

	strv_add(&args, "A=1");
	if (stages_resolve(dockerfile, &options, &stages, NULL) < 0)
		return;
	FUZZ_ASSERT(stages.order_count >= 1);
	FUZZ_ASSERT(stages.order[stages.order_count - 1] == stages.target);
	check_lint(dockerfile, &stages, &args);
}

static void check_expansion(const uint8_t *data, size_t size)
{
	cleanup_strv struct strv env = STRV_INIT, words = STRV_INIT;
	struct expand expand = { '\\', false, expand_lookup_strv, &env };
	cleanup_free char *text = xstrndup((const char *)data, size), *out = NULL;

	strv_add(&env, "a=value of a");
	strv_add(&env, "b=");
	if (expand_word(&expand, text, &out, NULL) == 0)
		FUZZ_ASSERT(out != NULL);
	(void)expand_words(&expand, text, &words, NULL); /* must only come back */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_dockerfile struct dockerfile dockerfile = { 0 };

	if (size > 2 && data[0] == '#' && data[1] == '!')
		check_expansion(data + 2, size - 2);
	if (dockerfile_parse("fuzz", (const char *)data, size, &dockerfile, NULL) == 0) {
		check_round_trip(&dockerfile);
		check_stages(&dockerfile);
	}
	return 0;
}
