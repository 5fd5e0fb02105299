/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks: golden cases (tests/golden/lint), and docs/lint.md, whose examples of our own rules
 * must be what it says they are.
 */
#include <limits.h>

#include "builder/dockerfile/lint.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "tests/unit/golden.h"

static bool is_ignored(void *context, const char *path)
{
	(void)context;
	path += strspn(path, "./");
	return strcmp(path, "ignored") == 0;
}

/* Lint text, as far as it goes. */
static int lint(const char *text, size_t size, const char *enable, struct dockerfile *dockerfile,
		struct lint_report *report, struct error *err)
{
	cleanup_strv struct strv args = STRV_INIT;
	cleanup_stages struct stages stages = { 0 };
	struct stages_options resolve = { &args, NULL, "linux/amd64" };
	struct lint_options options = { .walk = { .build_args = &args, .all = true },
					.platform = "linux/amd64",
					.enable = enable,
					.is_ignored = is_ignored };
	int ret = dockerfile_parse("Dockerfile", text, size, dockerfile, err);

	struct error second = ERROR_INIT;
	int checked;

	if (ret == 0)
		ret = stages_resolve(dockerfile, &resolve, &stages, err);
	checked = lint_run(dockerfile, &stages, &options, report, ret < 0 ? &second : err);
	return ret < 0 ? ret : checked;
}

static void transform(const char *name, const char *text, size_t size, struct strbuf *out)
{
	cleanup_dockerfile struct dockerfile dockerfile = { 0 };
	cleanup_lint struct lint_report report = { .count = 0 };
	cleanup_free char *printed = NULL;
	struct error err = ERROR_INIT;
	size_t printed_size;
	FILE *file = open_memstream(&printed, &printed_size);
	int ret = lint(text, size, NULL, &dockerfile, &report, &err);

	(void)name;
	lint_print(&report, &dockerfile.source, file);
	if (ret < 0)
		fprintf(file, "error: line %u: %s\n", report.where.first, err.msg);
	else if (lint_error(&report, &err) < 0)
		fprintf(file, "error: %s\n", err.msg);
	fclose(file);
	strbuf_adds(out, printed);
}

static void test_golden(void)
{
	static const struct golden_input inputs[] = { { "Dockerfile", transform }, { NULL, NULL } };

	golden_walk("lint", inputs, 30);
}

static int count_of(const struct lint_report *report, const char *rule)
{
	int count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += strcmp(report->items[i].rule->name, rule) == 0;
	return count;
}

/* The next ```dockerfile block behind *at, owned; NULL when there is none before the next section.
 */
static char *next_example(const char **at)
{
	const char *start = strstr(*at, "```dockerfile\n"), *section = strstr(*at, "\n### "), *end;

	if (!start || (section && section < start))
		return NULL;
	start += strlen("```dockerfile\n");
	end = strstr(start, "```");
	*at = end + 3;
	return xstrndup(start, (size_t)(end - start));
}

static void check_example(const char *rule, const char *text, bool bad)
{
	cleanup_dockerfile struct dockerfile dockerfile = { 0 };
	cleanup_lint struct lint_report report = { .count = 0 };
	int ret, count;

	CHECK(text != NULL);
	if (!text)
		return;
	ret = lint(text, strlen(text), rule, &dockerfile, &report, NULL);
	count = count_of(&report, rule);
	if (ret < 0 || (count > 0) != bad)
		printf("# %s: the %s example gives %d warnings\n", rule, bad ? "bad" : "good",
		       count);
	CHECK_INT(ret, 0);
	CHECK_INT(count > 0, bad);
}

static void test_docs(void)
{
	const char *source = getenv("ORLOP_SOURCE");
	cleanup_strbuf struct strbuf page = STRBUF_INIT;
	cleanup_free char *path = xasprintf("%s/docs/lint.md", source ? source : ".");
	const struct lint_rule *const tables[] = { lint_file_rules, lint_value_rules,
						   lint_orlop_rules };

	CHECK_INT(io_read_file(AT_FDCWD, path, 1 << 20, &page, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		for (const struct lint_rule *rule = tables[i]; rule->name; rule++) {
			cleanup_free char *heading = xasprintf("\n### %s\n", rule->name);
			cleanup_free char *bad = NULL, *good = NULL;
			const char *at = strbuf_text(&page);

			CHECK(strstr(at, rule->name) != NULL);
			CHECK(rule->fix && rule->description);
			CHECK_INT(!!rule->line + !!rule->reading + !!rule->file + !!rule->from +
					  !!rule->variables + !!rule->instruction + !!rule->stage,
				  1);
			if (rule->group != LINT_ORLOP)
				continue;
			at = strstr(at, heading);
			CHECK(at != NULL);
			if (!at)
				continue;
			at += strlen(heading);
			bad = next_example(&at);
			good = next_example(&at);
			check_example(rule->name, bad, true);
			check_example(rule->name, good, false);
		}
	}
}

static void test_false_alarms(void)
{
	static const struct {
		const char *rule, *text;
		int count;
	} cases[] = {
		{ "PackageCacheLeft", "FROM a\nRUN echo apt-get install\n", 0 },
		{ "PackageCacheLeft", "FROM a\nRUN apt-get install -y x\n", 0 },
		{ "PackageCacheLeft", "FROM a\nRUN apt-get update && apt-get install -y x\n", 1 },
		{ "PackageCacheLeft", "FROM a AS b\nRUN apk add x\nFROM c\nCOPY --from=b /x /\n",
		  0 },
		{ "PackageCacheLeft", "FROM a AS b\nRUN apk add x\nFROM b\n", 1 },
		{ "PackageCacheLeft", "FROM a AS b\nRUN apk add x\nFROM c\n", 1 },
		{ "PackageCacheLeft",
		  "FROM a\nRUN <<E\n# apk add x\n  # rm -rf y\ntrue # apk add z\nE\n", 0 },
		{ "PackageCacheLeft", "FROM a\nRUN [\"sh\", \"-c\", \"apk add x\"]\n", 1 },
		{ "PackageCacheLeft", "FROM a\nRUN <<E\napt-get update\napt-get install -y x\nE\n",
		  1 },
		{ "PackageCacheLeft", "FROM a\nRUN set -e; if true; then sudo apk -q add x; fi\n",
		  1 },
		{ "PackageCacheLeft", "FROM a\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x\n", 0 },
		{ "PackageCacheLeft", "FROM a\nRUN yum install x && yum clean all\n", 0 },
		{ "PackageCacheLeft",
		  "FROM a\nRUN --mount=type=cache,target=/var/cache/apk apk add x\n", 0 },
		{ "AddInsteadOfCopy", "FROM a\nADD a.tgz https://x/y git@x:y b* /\n", 0 },
		{ "AddInsteadOfCopy", "FROM a\nADD --unpack=true a /\n", 0 },
		{ "AddInsteadOfCopy", "FROM a\nARG F\nADD $F /x\n", 0 },
		{ "SecretInImage", "FROM a\nADD https://x/a.key nodesource.gpg.key /etc/apt/\n",
		  0 },
		{ "SecretInImage", "FROM a\nCOPY server.key /etc/\n", 1 },
		{ "SecretInImage", "FROM a AS b\nCOPY .npmrc /\nFROM c\nCOPY --from=b /x /\n", 0 },
		{ "MissingUser", "FROM gcr.io/distroless/static:nonroot\n", 0 },
		{ "LatestTag", "FROM a:1 AS b\nFROM b\nFROM scratch\n", 0 },
		{ "LatestTag", "FROM a:latest\nFROM a\n", 2 },
		{ "SecretInImage", "FROM a\nENV u=https://host/a@b u2=http://h:80/@\n", 0 },
		{ "SecretInImage", "FROM a\nENV u=https://me:pw@host/\n", 1 },
		{ "FileDeletedLater", "FROM a\nCOPY a /b\nRUN rm /c /bb && rm -rf /\n", 0 },
		{ "FileDeletedLater", "FROM a\nWORKDIR /w\nCOPY x/a b c/\nRUN rm -rf c\n", 2 },
		{ "FileDeletedLater", "FROM a\nRUN curl -sSLo /t/x http://y && rm /t/x\n", 0 },
		{ "FileDeletedLater", "FROM a\nRUN curl -sSLo /t/x http://y\nRUN rm /t/*\n", 1 },
		{ "ShellFormEntrypoint", "FROM a\nENTRYPOINT exec x\n", 0 },
		{ "MissingUser", "FROM a\nUSER rooty\n", 0 },
		{ "MissingUser", "FROM a\nUSER root:x\n", 1 },
		{ "MissingUser", "FROM a AS b\nUSER 0\nFROM a\nUSER 10:0\n", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_dockerfile struct dockerfile dockerfile = { 0 };
		cleanup_lint struct lint_report report = { .count = 0 };
		const char *text = cases[i].text;

		CHECK_INT(lint(text, strlen(text), cases[i].rule, &dockerfile, &report, NULL), 0);
		if (count_of(&report, cases[i].rule) != cases[i].count)
			printf("# %s: %s\n", cases[i].rule, text);
		CHECK_INT(count_of(&report, cases[i].rule), cases[i].count);
	}
}

CHECK_MAIN({ "every golden case gives its warnings", test_golden },
	   { "the page has all rules, and its examples are true", test_docs },
	   { "our rules know their exceptions", test_false_alarms })
