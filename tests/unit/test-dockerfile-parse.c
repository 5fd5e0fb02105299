/* SPDX-License-Identifier: Apache-2.0 */
/* builder/dockerfile: the tables, source ranges, scoping, excerpts. Texts are golden cases. */
#include <errno.h>
#include <strings.h>

#include "builder/dockerfile/parse.h"
#include "builder/dockerfile/scope.h"
#include "builder/dockerfile/stages.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

static int parse(const char *text, struct dockerfile *out, struct error *err)
{
	return dockerfile_parse("Dockerfile", text, strlen(text), out, err);
}

static void test_table(void)
{
	for (int i = 0; i < INST_COUNT; i++) {
		const struct instruction_spec *spec = &instruction_table[i];

		CHECK(spec->name && spec->flags);
		CHECK_INT(instruction_find(spec->name, strlen(spec->name)), i);
		for (const struct flag_spec *a = spec->flags; a->name; a++)
			for (const struct flag_spec *b = a + 1; b->name; b++)
				CHECK(strcmp(a->name, b->name) != 0);
	}
	CHECK_INT(instruction_find("run", 3), INST_RUN);
	CHECK_INT(instruction_find("RU", 2), INST_COUNT);
}

static void test_ranges(void)
{
	cleanup_dockerfile struct dockerfile df = { 0 };

	CHECK_INT(parse("# c\n\nFROM a\nRUN b \\\n# c\n\n  d\nCOPY <<X /\nx\nX\n", &df, NULL), 0);
	CHECK_INT(df.count, 3);
	CHECK_INT(df.instructions[0].range.first, 3);
	CHECK_INT(df.instructions[1].range.first, 4);
	CHECK_INT(df.instructions[1].range.last, 7);
	CHECK_INT(df.instructions[2].range.first, 8);
	CHECK_INT(df.instructions[2].range.last, 10);
}

static void test_nul(void)
{
	struct dockerfile df = { 0 };

	CHECK_ERROR(dockerfile_parse("D", "FROM a\nRUN \0x\n", 14, &df, &err), EINVAL,
		    "D:2: a NUL byte");
	dockerfile_done(&df);
	CHECK_ERROR(dockerfile_parse("D", "", 0, &df, &err), EINVAL, "no instructions");
	dockerfile_done(&df);
}

static void test_long_line(void)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_free char *text = xmalloc((1 << 20) + 32);

	memcpy(text, "FROM a\nRUN ", 11);
	memset(text + 11, 'x', 1 << 20);
	text[11 + (1 << 20)] = '\0';
	CHECK_INT(parse(text, &df, NULL), 0);
	CHECK_INT(strlen(df.instructions[1].args[0]), 1 << 20);
}

static void test_excerpt(void)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_free char *text = NULL;
	size_t size;
	cleanup_file FILE *out = open_memstream(&text, &size);

	CHECK_INT(parse("FROM a\nRUN 1\nRUN 2 \\\n  3\nRUN 4\nRUN 5\nRUN 6\n", &df, NULL), 0);
	dockerfile_print_excerpt(&df.source, &df.instructions[2].range, out);
	fflush(out);
	CHECK_STR(text, "Dockerfile:3\n--------------------\n"
			"   2 |     RUN 1\n   3 | >>> RUN 2 \\\n   4 | >>>   3\n"
			"   5 |     RUN 4\n--------------------\n");
}

/* The token of a failure: line and column, also behind a continuation and under ONBUILD. */
static void test_columns(void)
{
	static const struct {
		const char *text, *message;
		unsigned int line, column, width;
	} cases[] = {
		{ "FROM a\n  COPPY a b\n", "Dockerfile:2:3: unknown instruction", 2, 3, 5 },
		{ "FROM a\nCOPY --link \\\n# x\n\n\t--form=b \\\n c /d\n",
		  "Dockerfile:5:2: unknown flag: --form", 5, 2, 8 },
		{ "FROM a\nENV a=b \\\n  c\n", "Dockerfile:3:3: can't find =", 3, 3, 1 },
		{ "FROM a\nONBUILD \\\n COPY --x a b\n", "Dockerfile:3:7: unknown flag", 3, 7, 3 },
		{ "FROM a\nRUN --network=x y\n", "Dockerfile:2:5: --network", 2, 5, 11 },
		{ "FROM a\nRUN cat <<A - <<B\nA\n", "Dockerfile:2:15: unterminated", 2, 15, 3 },
		{ "FROM a\n\\\n\\\n RUN\n", "Dockerfile:4:2: RUN requires", 4, 2, 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_dockerfile struct dockerfile df = { 0 };

		CHECK_ERROR(parse(cases[i].text, &df, &err), EINVAL, cases[i].message);
		CHECK_INT(df.where.line, cases[i].line);
		CHECK_INT(df.where.column, cases[i].column);
		CHECK_INT(df.where.width, cases[i].width);
	}
}

static void test_caret(void)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CHECK_INT(parse("FROM a\n\tRUN --x \xC3\xA4\n", &df, NULL), -EINVAL);
	dockerfile_print_excerpt(&df.source, &df.where, out);
	fclose(out);
	CHECK_STR(text, "Dockerfile:2\n--------------------\n"
			"   1 |     FROM a\n   2 | >>> \tRUN --x \xC3\xA4\n"
			"     |     \t    ^^^\n   3 |     \n--------------------\n");
	free(text);
}

static void test_scope(void)
{
	cleanup_strv struct strv build_args = STRV_INIT, globals = STRV_INIT;
	cleanup_scope struct scope scope = { .escape = '\\',
					     .build_args = &build_args,
					     .globals = &globals };
	const char *value;

	strv_add(&build_args, "given=cli");
	strv_add(&globals, "global=g");
	CHECK_INT(scope_declare(&scope, "given", "default", &value, NULL), 0);
	CHECK_STR(value, "cli");
	CHECK_INT(scope_declare(&scope, "derived", "x$given", &value, NULL), 0);
	CHECK_STR(value, "xcli");
	CHECK_INT(scope_declare(&scope, "global", NULL, &value, NULL), 0);
	CHECK_STR(value, "g");
	CHECK_INT(scope_declare(&scope, "none", NULL, &value, NULL), 0);
	CHECK(value == NULL);
	CHECK(scope_lookup(&scope, "none") == NULL);
	scope_set_env(&scope, "given", "env");
	CHECK_STR(scope_lookup(&scope, "given"), "env");
	CHECK_INT(scope_declare(&scope, "none", NULL, &value, NULL), 0); /* changes nothing */
	CHECK_INT(scope_declare(&scope, "given", "x", &value, NULL), 0); /* the later one wins */
	CHECK_STR(scope_lookup(&scope, "given"), "cli");
	CHECK_INT(scope.declared.count, 4);
}

static void test_stages(void)
{
	static const char text[] =
		"ARG V=1\nFROM a:$V AS Base\nFROM b AS unused\nFROM base AS two\n"
		"ARG S=unused\nCOPY --from=$S /x /\nFROM scratch\n";
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_stages struct stages stages = { 0 };
	cleanup_strv struct strv args = STRV_INIT;
	struct stages_options options = { &args, "TWO", "linux/amd64" };

	strv_add(&args, "V=2");
	strv_add(&args, "typo=1");
	strv_add(&args, "http_proxy=x");
	CHECK_INT(parse(text, &df, NULL), 0);
	CHECK_INT(stages_resolve(&df, &options, &stages, NULL), 0);
	CHECK_INT(stages.count, 4);
	CHECK_STR(stages.items[0].base, "a:2");
	CHECK_STR(stages.items[0].name, "base");
	CHECK(stages.items[2].parent == &stages.items[0]);
	CHECK_INT(stages.order_count, 3);
	CHECK(stages.order[2] == stages.target);
	CHECK_INT(stages.unused.count, 1);
	CHECK_STR(stages.unused.items[0], "typo");
	CHECK_STR(strv_env_get(&stages.globals, "TARGETARCH"), "amd64");
}

static void test_target_suggestion(void)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_stages struct stages stages = { 0 };
	cleanup_strv struct strv args = STRV_INIT;
	struct stages_options options = { &args, "biuld", "linux/amd64" };

	CHECK_INT(parse("FROM a AS build\nFROM b\n", &df, NULL), 0);
	CHECK_ERROR(stages_resolve(&df, &options, &stages, &err), ENOENT, "did you mean build?");
	stages_done(&stages);
	options.target = "7";
	CHECK_ERROR(stages_resolve(&df, &options, &stages, &err), EINVAL, "out of range");
}

static void test_platforms(void)
{
	static const struct {
		const char *text, *normal; /* NULL = an error */
	} cases[] = {
		{ "amd64", "linux/amd64" },
		{ "linux", "linux/riscv64" },
		{ "linux/x86_64", "linux/amd64" },
		{ "Linux/AArch64", "linux/arm64" },
		{ "linux/arm", "linux/arm/v7" },
		{ "linux/arm/6", "linux/arm/v6" },
		{ "armhf", "linux/arm/v7" },
		{ "linux/arm64/v8", "linux/arm64" },
		{ "linux/amd64/v3", "linux/amd64/v3" },
		{ "windows/amd64", "windows/amd64" },
		{ "linux/unheard-of", "linux/unheard-of" },
		{ "foo", NULL },
		{ "a/b/c/d", NULL },
		{ "linux/", NULL },
		{ "linux/amd 64", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *normal = NULL;
		int ret = platform_normalize(cases[i].text, "linux/riscv64", &normal, NULL);

		CHECK_INT(ret, cases[i].normal ? 0 : -EINVAL);
		if (normal && cases[i].normal)
			CHECK_STR(normal, cases[i].normal);
	}
}

CHECK_MAIN({ "the instruction table is consistent", test_table },
	   { "instructions know their lines", test_ranges },
	   { "NUL bytes and empty files are errors", test_nul },
	   { "a line may be a megabyte long", test_long_line },
	   { "a failure has line and column", test_columns },
	   { "the excerpt has marks under the token", test_caret },
	   { "the excerpt marks the failing lines", test_excerpt },
	   { "the later of ENV and ARG wins, build args over defaults and globals", test_scope },
	   { "platforms have one form", test_platforms },
	   { "only what the target needs is in order", test_stages },
	   { "an unknown target gets a suggestion", test_target_suggestion })
