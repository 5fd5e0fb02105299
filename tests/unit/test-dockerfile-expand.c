/* SPDX-License-Identifier: Apache-2.0 */
/* builder/dockerfile/expand and glob: every form, and time that stays linear. */
#include "builder/dockerfile/expand.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "builder/dockerfile/glob.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "tests/unit/check.h"

static const char *const variables[] = { "v=value",
					 "empty=",
					 "path=/usr/local/bin:/bin",
					 "file=a.tar.gz",
					 "two=b c",
					 "uni=\xC3\xA4\xC3\xB6",
					 NULL };

static struct expand expand_new(struct strv *env)
{
	for (size_t i = 0; variables[i]; i++)
		strv_add(env, variables[i]);
	return (struct expand){ .escape = '\\', .lookup = expand_lookup_strv, .context = env };
}

/* The expanded word, or the error's text. */
static const char *word(const char *text)
{
	static char out[2048];
	cleanup_strv struct strv env = STRV_INIT;
	struct expand expand = expand_new(&env);
	cleanup_free char *result = NULL;
	struct error err = ERROR_INIT;

	if (expand_word(&expand, text, &result, &err) < 0)
		return error_text(&err, out, sizeof(out));
	snprintf(out, sizeof(out), "%s", result);
	return out;
}

static const char *words(const char *text)
{
	static char out[512];
	cleanup_strv struct strv env = STRV_INIT, list = STRV_INIT;
	struct expand expand = expand_new(&env);

	out[0] = '\0';
	if (expand_words(&expand, text, &list, NULL) < 0)
		return "error";
	for (size_t i = 0; i < list.count; i++) {
		strcat(out, i ? "|" : "");
		strcat(out, list.items[i]);
	}
	return out;
}

static void test_plain(void)
{
	CHECK_STR(word("text"), "text");
	CHECK_STR(word("$v-${v}x$unset."), "value-valuex.");
	CHECK_STR(word("a$"), "a$");
	CHECK_STR(word("$1$@$?x"), "x");
	CHECK_STR(word("$12a"), "a");
	CHECK_STR(word("\\$v"), "$v");
	CHECK_STR(word("a\\"), "a");
}

static void test_quotes(void)
{
	CHECK_STR(word("'$v' \"$v\""), "$v value");
	CHECK_STR(word("\"a\\\"b\\$v\\\\c\\d\""), "a\"b$v\\c\\d");
	CHECK_STR(word("'a\\b'"), "a\\b");
	CHECK_STR(word("\"'\"'\"'"), "'\"");
	CHECK(strstr(word("'a"), "single-quote") != NULL);
	CHECK(strstr(word("\"a"), "double-quote") != NULL);
}

static void test_defaults(void)
{
	CHECK_STR(word("${unset:-w}${empty:-w}${v:-w}"), "wwvalue");
	CHECK_STR(word("${unset-w}${empty-w}${v-w}"), "wvalue");
	CHECK_STR(word("${unset:+w}${empty:+w}${v:+w}"), "w");
	CHECK_STR(word("${unset+w}${empty+w}${v+w}"), "ww");
	CHECK_STR(word("${unset:-${empty:-${v}}}"), "value");
	CHECK_STR(word("${unset:-\"a b\"}"), "a b");
	CHECK_STR(word("${v:?m}${v?m}"), "valuevalue");
	CHECK(strstr(word("${unset:?say it}"), "unset: say it") != NULL);
	CHECK(strstr(word("${empty:?}"), "empty: is not allowed to be empty") != NULL);
	CHECK(strstr(word("${unset?}"), "unset: is not allowed to be unset") != NULL);
	CHECK_STR(word("${empty?m}"), "");
}

static void test_trim(void)
{
	CHECK_STR(word("${path#*/}"), "usr/local/bin:/bin");
	CHECK_STR(word("${path##*/}"), "bin");
	CHECK_STR(word("${path%/*}"), "/usr/local/bin:");
	CHECK_STR(word("${path%%/*}"), "");
	CHECK_STR(word("${file%.*}${file%%.*}"), "a.tara");
	CHECK_STR(word("${file#?}"), ".tar.gz");
	CHECK_STR(word("${file#x}"), "a.tar.gz");
	CHECK_STR(word("${uni#?}"), "\xC3\xB6");
	CHECK_STR(word("${uni%?}"), "\xC3\xA4");
	CHECK_STR(word("${file%\\*}"), "a.tar.gz");
	CHECK_STR(word("${unset#x}"), "");
}

static void test_replace(void)
{
	CHECK_STR(word("${path/bin/sbin}"), "/usr/local/sbin:/bin");
	CHECK_STR(word("${path//bin/sbin}"), "/usr/local/sbin:/sbin");
	CHECK_STR(word("${path/l*l/X}"), "/usr/X/bin:/bin");
	CHECK_STR(word("${file//[.]/-}"), "a.tar.gz");
	CHECK_STR(word("${file//./}"), "atargz");
	CHECK_STR(word("${file/?t/$v}"), "avaluear.gz");
	CHECK_STR(word("${file//x/y}"), "a.tar.gz");
	CHECK_STR(word("${v/*/$1}"), "");
	CHECK_STR(word("${empty/*/x}"), "x");
	CHECK_STR(word("${v//}"), "failed to process \"${v//}\": syntax error: missing '}'");
}

static void test_errors(void)
{
	CHECK(strstr(word("${}"), "bad substitution") != NULL);
	CHECK(strstr(word("${:x}"), "bad substitution") != NULL);
	CHECK(strstr(word("${{v}}"), "bad substitution") != NULL);
	CHECK(strstr(word("${v"), "missing '}'") != NULL);
	CHECK(strstr(word("${v:-x"), "missing '}'") != NULL);
	CHECK(strstr(word("${v:#x}"), "unsupported modifier (:#)") != NULL);
	CHECK(strstr(word("${v:1}"), "unsupported modifier (:1)") != NULL);
	CHECK(strstr(word("${v@Q}"), "unsupported modifier (@)") != NULL);
}

static void test_words(void)
{
	CHECK_STR(words("a $two d"), "a|b|c|d");
	CHECK_STR(words("x$two\"$two\"y"), "xb|cb cy");
	CHECK_STR(words("$unset"), "");
	CHECK_STR(words("\"\""), "");
	CHECK_STR(words("a\\ b"), "a b");
}

static void test_heredoc_body(void)
{
	cleanup_strv struct strv env = STRV_INIT;
	struct expand expand = expand_new(&env);
	cleanup_free char *out = NULL;

	expand.keep_quotes = true;
	CHECK_INT(expand_word(&expand, "it's \"$v\" \\$v\n", &out, NULL), 0);
	CHECK_STR(out, "it's \"value\" $v\n");
}

static void test_escape_directive(void)
{
	cleanup_strv struct strv env = STRV_INIT;
	struct expand expand = expand_new(&env);
	cleanup_free char *out = NULL;

	expand.escape = '`';
	CHECK_INT(expand_word(&expand, "c:\\x\\`$v$v", &out, NULL), 0);
	CHECK_STR(out, "c:\\x\\$vvalue");
}

/* A backtracking matcher would need hours here. */
static void test_linear(void)
{
	cleanup_free char *value = xmalloc(200001);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	clock_t start = clock();

	memset(value, 'a', 200000);
	value[200000] = '\0';
	glob_replace("*a*a*a*a*a*b", value, "x", true, SIZE_MAX, &out);
	CHECK_INT(out.size, 200000);
	strbuf_truncate(&out, 0);
	glob_trim_suffix("b*a*a*a*a", value, true, &out);
	CHECK_INT(out.size, 200000);
	CHECK(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void test_depth(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (int i = 0; i < 10000; i++)
		strbuf_adds(&text, "${u-");
	CHECK(strstr(word(strbuf_text(&text)), "nest too deeply") != NULL ||
	      strstr(word(strbuf_text(&text)), "missing") != NULL);
}

/* PREFIX and size times "a"; owned. */
static char *long_text(const char *prefix, size_t size)
{
	size_t from = strlen(prefix);
	char *text = xmalloc(from + size + 1);

	memcpy(text, prefix, from);
	memset(text + from, 'a', size);
	text[from + size] = '\0';
	return text;
}

/* With size times "a" in v: as a word, and as words, which have the same limit all together. */
static int expand_long(const char *text, size_t size, struct error *err)
{
	cleanup_free char *value = long_text("v=", size);
	char *items[] = { value, NULL };
	struct strv env = { .items = items, .count = 1 };
	struct expand expand = { .escape = '\\', .lookup = expand_lookup_strv, .context = &env };
	cleanup_strv struct strv list = STRV_INIT;
	cleanup_free char *out = NULL;
	int ret = expand_word(&expand, text, &out, err);

	CHECK_INT(expand_words(&expand, text, &list, NULL), ret);
	return ret;
}

static void test_growth(void)
{
	static const char *const forms[] = { "$v$v",	   "${v}${v}",	"\"$v$v\"",  "x $v $v",
					     "${v//a/aa}", "${u-$v$v}", "${v/a/$v}", "${v//?/$v}" };
	cleanup_free char *text = long_text("$v", 3000000);
	cleanup_free char *pattern = long_text("${v#", 5000);

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		CHECK_ERROR(expand_long(forms[i], 600000, &err), EINVAL,
			    "it grows by more than 1 MiB");
	CHECK_INT(expand_long("$v$v", 500000, NULL), 0);
	/* what is long in the file is no growth */
	CHECK_INT(expand_long(text, 500000, NULL), 0);
	pattern[sizeof("${v#") - 1 + 4999] = '}';
	CHECK_ERROR(expand_long(pattern, 1, &err), EINVAL, "a pattern is longer than 4096 bytes");
}

CHECK_MAIN({ "names are replaced", test_plain }, { "quotes and escapes", test_quotes },
	   { "defaults, alternatives and errors", test_defaults },
	   { "prefixes and suffixes are cut", test_trim }, { "parts are replaced", test_replace },
	   { "bad substitutions are errors", test_errors },
	   { "values are split into words only outside of quotes", test_words },
	   { "bodies of here-documents keep quotes", test_heredoc_body },
	   { "the escape character can be another", test_escape_directive },
	   { "patterns take linear time", test_linear }, { "nesting is bounded", test_depth },
	   { "growth is bounded", test_growth })
