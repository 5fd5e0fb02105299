/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: lists, texts, and that nothing gets into a page as anything but text. */
#include "builder/cli/template.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void check_page(const struct template_scope *page, const char *template,
		       const char *expected)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	template_render(template, strlen(template), page, &out);
	CHECK_STR(strbuf_text(&out), expected);
}

static void test_escaping(void)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "<script>a && b</script>", "&lt;script&gt;a &amp;&amp; b&lt;/script&gt;" },
		{ "\" onmouseover='x'", "&quot; onmouseover=&#39;x&#39;" },
		{ "two\nlines\tand a tab", "two\nlines\tand a tab" },
		{ "\033[1mbold\r", "\\x1b[1mbold\\x0d" },
		{ "caf\xc3\xa9 \xff", "caf\xc3\xa9 \\xff" },
		{ "{{name}}", "{{name}}" },
		{ "a\xe2\x80\xaetxt.exe", "a\\u202etxt.exe" },
		{ "\xe2\x81\xa6x\xe2\x81\xa9\xe2\x80\x8f", "\\u2066x\\u2069\\u200f" },
		{ "\xe2\x80\x93", "\xe2\x80\x93" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_arena struct arena arena = ARENA_INIT;
		cleanup_strbuf struct strbuf expected = STRBUF_INIT;
		struct template_scope *page = template_new(&arena);

		template_set(page, "name", cases[i].text);
		strbuf_addf(&expected, "[%s]", cases[i].expected);
		check_page(page, "[{{name}}]", strbuf_text(&expected));
	}
}

static void test_lists(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct template_scope *page = template_new(&arena), *row;

	template_set(page, "title", "T");
	row = template_add(page, "rows");
	template_set(row, "cell", "1");
	row = template_add(page, "rows");
	template_setf(row, "cell", "%d", 2);
	template_set(row, "title", "own");
	template_set(template_add(row, "marks"), "mark", "m");
	check_page(page, "{{#rows}}<{{cell}} of {{title}}{{#marks}} {{mark}}{{/marks}}>{{/rows}}",
		   "<1 of T><2 of own m>");
}

static void test_absent(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct template_scope *page = template_new(&arena);

	template_set(page, "empty", "");
	template_set(page, "null", NULL);
	template_set(page, "text", "x");
	check_page(page, "a{{empty}}{{null}}{{none}}b", "ab");
	check_page(
		page,
		"{{#empty}}1{{/empty}}{{^empty}}2{{/empty}}{{#text}}3{{/text}}{{^text}}4{{/text}}",
		"23");
	check_page(page,
		   "{{^none}}{{#text}}{{text}}{{/text}}{{/none}}{{#none}}{{#text}}no{{/text}}{{/"
		   "none}}",
		   "x");
}

CHECK_MAIN({ "texts are escaped", test_escaping }, { "lists", test_lists },
	   { "what is not there", test_absent })
