/* SPDX-License-Identifier: Apache-2.0 */
/* Views: what is aligned, left out, wrapped and escaped, and that JSON has it all. */
#include "runtime/plan/view.h"

#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void fill(struct view *view)
{
	view_section(view, "empty", "Empty", VIEW_TABLE);
	view_section(view, "nothing", "Nothing", VIEW_RECORD);
	view_flag(view, "off", false);
	view_string(view, "none", NULL);
	view_section(view, "ships", "Ships", VIEW_TABLE);
	view_row(view);
	view_string(view, "name", "Erebus");
	view_string(view, "port", NULL);
	view_number(view, "guns", 12);
	view_flag(view, "lost", true);
	view_list(view, "sails", VIEW_COMMAS);
	view_item(view, "%s", "fore");
	view_item(view, "%s", "main, top");
	view_row(view);
	view_string(view, "name", "T\303\244rror\033[2J");
	view_number_or(view, "guns", -1, "any");
	view_flag(view, "lost", false);
	view_section(view, "crew", "Crew", VIEW_RECORD);
	view_text(view, "firstName", "%s", "John");
	view_list(view, "words", VIEW_WORDS);
	view_item(view, "%s", "a b\"c");
	view_item(view, "%s", "");
	view_item(view, "%s", "plain");
	view_flag(view, "present", true);
	view_list(view, "lines", VIEW_LINES);
	view_item(view, "%d", 1);
	view_item(view, "%d", 2);
}

static void test_text(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_view struct view view = { .count = 0 };

	fill(&view);
	view_write_text(&view, false, &text);
	CHECK_STR(strbuf_text(&text), "Ships\n"
				      "  NAME           GUNS        SAILS\n"
				      "  Erebus           12  lost  fore,\"main, top\"\n"
				      "  T\303\244rror\\x1b[2J   any\n"
				      "\n"
				      "Crew\n"
				      "  first name  John\n"
				      "  words       \"a b\\\"c\" \"\" plain\n"
				      "  present     yes\n"
				      "  lines       1\n"
				      "              2\n");
}

static void test_json(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_view struct view view = { .count = 0 };

	fill(&view);
	view_write_json(&view, &text);
	CHECK_STR(strbuf_text(&text),
		  "{\n  \"empty\": [],\n  \"nothing\": {\n    \"off\": false\n  },\n"
		  "  \"ships\": [\n    {\n      \"name\": \"Erebus\",\n      \"guns\": 12,\n"
		  "      \"lost\": true,\n      \"sails\": [\n        \"fore\",\n"
		  "        \"main, top\"\n      ]\n    },\n    {\n"
		  "      \"name\": \"T\303\244rror\\u001b[2J\",\n      \"guns\": null,\n"
		  "      \"lost\": false\n    }\n  ],\n"
		  "  \"crew\": {\n    \"firstName\": \"John\",\n    \"words\": [\n"
		  "      \"a b\\\"c\",\n      \"\",\n      \"plain\"\n    ],\n"
		  "    \"present\": true,\n    \"lines\": [\n      \"1\",\n      \"2\"\n    ]\n  "
		  "}\n}\n");
}

static void test_wrap(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_view struct view view = { .count = 0 };
	size_t longest = 0, size = 0;

	view_section(&view, "s", "S", VIEW_RECORD);
	view_list(&view, "words", VIEW_WORDS);
	for (int i = 0; i < 40; i++)
		view_item(&view, "CAP_%d", 1000 + i);
	view_write_text(&view, false, &text);
	for (const char *c = strbuf_text(&text); *c; c++) {
		size = *c == '\n' ? 0 : size + 1;
		if (size > longest)
			longest = size;
	}
	CHECK(longest <= 100 && longest > 80);
	CHECK(strstr(strbuf_text(&text), "\n         CAP_10") != NULL);
}

static void test_color(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_view struct view view = { .count = 0 };

	fill(&view);
	view_write_text(&view, true, &text);
	CHECK(strstr(strbuf_text(&text), "\033[1mShips\033[0m\n") != NULL);
	CHECK(strstr(strbuf_text(&text), "\033[2J") == NULL);
}

CHECK_MAIN({ "text", test_text }, { "JSON", test_json }, { "long lists are wrapped", test_wrap },
	   { "colors on request", test_color })
