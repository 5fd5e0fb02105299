/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is wrong with a document: golden cases of what people see, and what programs get.
 */
#include "spec/report.h"

#include "spec/config.h"
#include "tests/unit/golden.h"

static void transform(const char *name, const char *text, size_t size, struct strbuf *out)
{
	const struct report_source source = { .name = name, .text = text, .size = size };
	cleanup_findings struct findings findings = { .limit = 0 };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL;
	char *shown = NULL;
	size_t shown_size;
	FILE *file = open_memstream(&shown, &shown_size);

	(void)config_examine(text, size, &arena, &findings, &config);
	findings_locate(&findings, text, size);
	report_text(file, &source, &findings, false);
	fclose(file);
	strbuf_add(out, shown, shown_size);
	free(shown);
}

static void test_golden(void)
{
	static const struct golden_input inputs[] = { { "config.json", transform },
						      { NULL, NULL } };

	golden_walk("findings", inputs, 11);
}

static void examine(const char *text, struct findings *findings)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL;

	(void)config_examine(text, strlen(text), &arena, findings, &config);
	findings_locate(findings, text, strlen(text));
}

static void test_json(void)
{
	static const char text[] = "{\"ociVersion\":\"1.0.0\",\n \"root\":{\"path\":\"\"},"
				   "\"process\":{\"args\":[\"\\u001b\"],\"cwd\":\"/\"}}";
	const struct report_source source = { .name = "c", .text = text, .size = strlen(text) };
	cleanup_findings struct findings findings = { .limit = 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	report_json(&out, &source, &findings);
	CHECK_STR(strbuf_text(&out), "[]\n");
	strbuf_truncate(&out, 0);
	examine(text, &findings);
	report_json(&out, &source, &findings);
	CHECK_STR(strbuf_text(&out),
		  "[\n  {\n    \"file\": \"c\",\n    \"line\": 2,\n    \"column\": 17,\n"
		  "    \"severity\": \"error\",\n    \"rule\": \"root\",\n"
		  "    \"pointer\": \"/root/path\",\n"
		  "    \"message\": \"root path must not be empty\"\n  }\n]\n");
}

/* A document with 200,000 times the same mistake in process.env, one a line. */
static void examine_many(const char *element, struct findings *findings)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":"
			   "{\"args\":[\"x\"],\"cwd\":\"/\",\"env\":[");
	for (int i = 0; i < 200000; i++)
		strbuf_addf(&text, "%s%s", i ? ",\n" : "", element);
	strbuf_adds(&text, "]}}");
	examine(strbuf_text(&text), findings);
}

/* Bounded in what is kept, and not quadratic in what is looked at. */
static void test_many(void)
{
	cleanup_findings struct findings findings = { .limit = 0 };

	examine_many("\"A\"", &findings);
	CHECK_INT(findings.count, FINDINGS_MAX);
	CHECK_INT(findings.dropped, 200000 - FINDINGS_MAX);
	CHECK_STR(findings.items[999].pointer, "/process/env/999");
	CHECK_INT(findings.items[999].line, 1000);
	findings_done(&findings);
	/* with that many wrong types even the reading ends */
	examine_many("5", &findings);
	CHECK_INT(findings.count, FINDINGS_MAX);
	CHECK_INT(findings.dropped, 1);
	CHECK_STR(findings.items[999].rule, "json-type");
	CHECK_INT(findings.items[999].line, 1000);
}

static void test_color(void)
{
	static const char text[] = "{}";
	const struct report_source source = { .name = "c", .text = text, .size = strlen(text) };
	cleanup_findings struct findings findings = { .limit = 0 };
	cleanup_free char *shown = NULL;
	size_t size;
	FILE *file = open_memstream(&shown, &size);

	examine(text, &findings);
	report_text(file, &source, &findings, true);
	fclose(file);
	CHECK(strstr(shown, "\033[1;31merror:\033[0m") != NULL);
}

CHECK_MAIN({ "golden", test_golden }, { "JSON", test_json }, { "hostile numbers", test_many },
	   { "colors on request", test_color })
