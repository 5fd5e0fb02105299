/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/toml.h"

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

/* "table#index key=item|item;" of each value */
static int note(void *context, const struct toml_value *value, struct error *err)
{
	struct strbuf *out = context;

	(void)err;
	strbuf_addf(out, "%s#%zu %s%s=", value->table, value->table_index, value->key,
		    value->is_array ? "[]" : "");
	for (size_t i = 0; i < value->items.count; i++)
		strbuf_addf(out, "%s%s", i ? "|" : "", value->items.items[i]);
	strbuf_addc(out, ';');
	return 0;
}

static void check_read(const char *text, const char *expected)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	CHECK_INT(toml_read("f", text, note, &out, &err), 0);
	CHECK_STR(strbuf_text(&out), expected);
}

static void check_fails(const char *text, const char *message)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	CHECK_INT(toml_read("f", text, note, &out, &err), -EINVAL);
	CHECK_STR(err.msg, message);
}

static void test_values(void)
{
	check_read("", "");
	check_read("# nothing\n\n", "");
	check_read("a = 1\nb=true # c\n", "#0 a=1;#0 b=true;");
	check_read("a = \"x # y\"\nb = 'c:\\d'", "#0 a=x # y;#0 b=c:\\d;");
	check_read("a = \"\\t\\u00e9\\\"\\U0001F600\"", "#0 a=\t\xc3\xa9\"\xf0\x9f\x98\x80;");
	check_read("\"quoted key\".b = 2", "#0 quoted key.b=2;");
	check_read("a = \"\"", "#0 a=;");
}

static void test_strings_of_lines(void)
{
	check_read("a = \"\"\"\none\ntwo\\\n   three\"\"\"\nb = 1", "#0 a=one\ntwothree;#0 b=1;");
	check_read("a = '''\none \\n'''", "#0 a=one \\n;");
	check_read("a = \"\"\"say \"x\"\"\"\"", "#0 a=say \"x\";");
}

static void test_arrays(void)
{
	check_read("a = []", "#0 a[]=;");
	check_read("a = [\"x\", 'y',]", "#0 a[]=x|y;");
	check_read("a = [ # one\n \"x\", # two\n\n 3\n]\nb = 1", "#0 a[]=x|3;#0 b=1;");
	check_read("a = [[1, 2], [3]]", "#0 a[]=1|2|3;");
}

static void test_tables(void)
{
	check_read("a=1\n[t]\na=2\n[ t . \"u v\" ]\na=3", "#0 a=1;t#0 a=2;t.u v#0 a=3;");
	check_read("[[r]]\na=1\n[[s]]\na=2\n[[r]]\na=3\n[t]\na=4",
		   "r#0 a=1;s#0 a=2;r#1 a=3;t#0 a=4;");
}

static void test_mistakes(void)
{
	check_fails("a", "f:1: expected a name");
	check_fails("a = ", "f:1: expected a value");
	check_fails("\n\na = 1 2", "f:3: something follows on the line");
	check_fails("a = \"x", "f:1: a string does not end");
	check_fails("a = \"x\ny\"", "f:1: a string does not end");
	check_fails("a = \"\\q\"", "f:1: unknown escape");
	check_fails("a = \"\\ud800\"", "f:1: not a code point");
	check_fails("a = [1 2]", "f:1: expected \",\" or \"]\"");
	check_fails("a = [1,\n\n", "f:3: expected a value");
	check_fails("a = { b = 1 }", "f:1: tables in braces are not read");
	check_fails("[t", "f:1: expected a name");
	check_fails("[[t]", "f:1: expected \"]]\"");
	check_fails("= 1", "f:1: expected a name");
	check_fails("a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "f:1: arrays are nested too deeply");
}

static int refuse(void *context, const struct toml_value *value, struct error *err)
{
	(void)context;
	return error_invalid(err, "no %s", value->key);
}

static void test_refusal(void)
{
	struct error err = ERROR_INIT;

	CHECK_INT(toml_read("f", "\nk = 1\nl = 2", refuse, NULL, &err), -EINVAL);
	CHECK_STR(err.msg, "f:2: no k");
}

CHECK_MAIN({ "strings and words", test_values },
	   { "strings of several lines", test_strings_of_lines }, { "arrays", test_arrays },
	   { "tables and arrays of tables", test_tables },
	   { "mistakes have their line", test_mistakes },
	   { "the caller may refuse a value", test_refusal })
