/* SPDX-License-Identifier: Apache-2.0 */
/* builder/dockerfile/words: the exec form must be told from the shell form as Go's JSON does it. */
#include "builder/dockerfile/words.h"

#include <errno.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

/* The words joined by "|". */
static const char *joined(const struct strv *words)
{
	static char text[512];

	text[0] = '\0';
	for (size_t i = 0; i < words->count; i++) {
		strcat(text, i ? "|" : "");
		strcat(text, words->items[i]);
	}
	return text;
}

static const char *json(const char *text)
{
	cleanup_strv struct strv words = STRV_INIT;
	int ret = words_split_json(text, &words, NULL, NULL);

	return ret < 0 ? "error" : ret == 0 ? "shell" : joined(&words);
}

static void test_json_valid(void)
{
	CHECK_STR(json("[]"), "");
	CHECK_STR(json(" [ \"a\" , \"b c\" ] "), "a|b c");
	CHECK_STR(json("[\"\\\"\\\\\\/\\n\\t\"]"), "\"\\/\n\t");
	CHECK_STR(json("[\"\\u0041\\u00e4\\u20ac\\ud83d\\ude00\"]"),
		  "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
	CHECK_STR(json("[\"\\ud83d!\"]"), "\xEF\xBF\xBD!");
}

static void test_json_is_shell(void)
{
	static const char *const texts[] = {
		"a",
		"",
		"['a']",
		"[\"a\",]",
		"[\"a\"",
		"[\"a\"] b",
		"[\"a\" \"b\"]",
		"[\"\\x\"]",
		"[\"\\u12\"]",
		"[\"a\", 01]",
		"[\"a\tb\"]",
		"{\"a\": 1}",
		"[,]",
		"[\"a\"]]",
		"[\"\\",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		CHECK_STR(json(texts[i]), "shell");
}

static void test_json_foreign(void)
{
	cleanup_strv struct strv words = STRV_INIT;

	CHECK_ERROR(words_split_json("[\"a\", 1]", &words, NULL, &err), EINVAL, "strings only");
	CHECK_ERROR(words_split_json("[[\"a\"]]", &words, NULL, &err), EINVAL, "strings only");
	CHECK_ERROR(words_split_json("[null, {\"a\": -1.5e3}]", &words, NULL, &err), EINVAL,
		    "strings");
	CHECK_ERROR(words_split_json("[\"\\u0000\"]", &words, NULL, &err), EINVAL, "strings");
	CHECK_INT(words.count, 0);
}

static void test_json_depth(void)
{
	char deep[4096];

	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	CHECK_STR(json(deep), "shell");
}

static const char *quoted(const char *text)
{
	cleanup_strv struct strv words = STRV_INIT;

	words_split_quoted(text, '\\', &words, NULL);
	return joined(&words);
}

static void test_quoted(void)
{
	CHECK_STR(quoted(" a=b  c=d "), "a=b|c=d");
	CHECK_STR(quoted("a=\"b c\" d='e f'"), "a=\"b c\"|d='e f'");
	CHECK_STR(quoted("a=b\\ c d"), "a=b\\ c|d");
	CHECK_STR(quoted("a=\"b\\\" c\" d"), "a=\"b\\\" c\"|d");
	CHECK_STR(quoted("a='b\\' c"), "a='b\\'|c");
	CHECK_STR(quoted("a=\"\""), "a=\"\"");
	CHECK_STR(quoted("a=\"open b"), "a=\"open b");
}

static void test_flags(void)
{
	cleanup_strv struct strv flags = STRV_INIT;

	CHECK_STR(words_take_flags("--a --b=\"c d\" --e=f\\ g rest --x", '\\', &flags, NULL),
		  "rest --x");
	CHECK_STR(joined(&flags), "--a|--b=c d|--e=f g");
	strv_done(&flags);
	CHECK_STR(words_take_flags("--a -- --b", '\\', &flags, NULL), "--b");
	CHECK_STR(joined(&flags), "--a");
	strv_done(&flags);
	CHECK_STR(words_take_flags("-a", '\\', &flags, NULL), "-a");
	CHECK_INT(flags.count, 0);
}

static void test_go_quote(void)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	words_quote(&buf, "a\"b\\c\n\x01\xC3\xA4");
	CHECK_STR(strbuf_text(&buf), "\"a\\\"b\\\\c\\n\\x01\xC3\xA4\"");
}

CHECK_MAIN({ "JSON arrays of strings are the exec form", test_json_valid },
	   { "what is not JSON is the shell form", test_json_is_shell },
	   { "arrays of other things are errors", test_json_foreign },
	   { "deep nesting does not recurse without end", test_json_depth },
	   { "words keep their quotes", test_quoted },
	   { "flags are taken off the front", test_flags },
	   { "texts are quoted as Go does", test_go_quote })
