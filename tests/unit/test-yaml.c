/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as JSON. */
#include "builder/container/yaml.h"

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

static const char *const literals[] = { "n", NULL };

#ifdef HAVE_YAML

static char *json(const char *text)
{
	struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf yaml = STRBUF_INIT, out = STRBUF_INIT;

	strbuf_adds(&yaml, text);
	return yaml_to_json(&yaml, literals, 1000, &out, &err) == 0 ? strbuf_take(&out)
								    : xstrdup(err.msg);
}

#define CHECK_JSON(text, expected)                                                                 \
	do {                                                                                       \
		cleanup_free char *got = json(text);                                               \
		CHECK_STR(got, expected);                                                          \
	} while (0)

static void test_values(void)
{
	CHECK_JSON("a: 0.6.0\nb: [x, 'y', \"z\\n\"]\nc: {d: e}\n",
		   "{\"a\":\"0.6.0\",\"b\":[\"x\",\"y\",\"z\\n\"],\"c\":{\"d\":\"e\"}}");
	CHECK_JSON("- 1\n- true\n- 1.0\n", "[\"1\",\"true\",\"1.0\"]");
	CHECK_JSON("a: ~\nb: null\nc:\nd: 'null'\n",
		   "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"null\"}");
	CHECK_JSON("--- {\"a\": \"b\"}\n--- second\n", "{\"a\":\"b\"}");
	CHECK_JSON("a: |\n  two\n  lines\n", "{\"a\":\"two\\nlines\\n\"}");
}

static void test_literals(void)
{
	CHECK_JSON("n: 12", "{\"n\":12}");
	CHECK_JSON("n: -12", "{\"n\":-12}");
	CHECK_JSON("n: 0660", "{\"n\":432}");
	CHECK_JSON("n: 0o660", "{\"n\":432}");
	CHECK_JSON("n: 0x1F", "{\"n\":31}");
	CHECK_JSON("n: 0", "{\"n\":0}");
	CHECK_JSON("n: [1, true, FALSE, 'x']", "{\"n\":[1,true,false,\"x\"]}");
	CHECK_JSON("n: '12'", "{\"n\":\"12\"}");
	CHECK_JSON("n: 12x", "{\"n\":\"12x\"}");
	CHECK_JSON("n: 0xx1", "{\"n\":\"0xx1\"}");
	CHECK_JSON("n: 99999999999999999999", "{\"n\":\"99999999999999999999\"}");
	/* of this key, not of what is inside */
	CHECK_JSON("n: {a: 1}", "{\"n\":{\"a\":\"1\"}}");
}

static void test_aliases(void)
{
	CHECK_JSON("a: &x [p, q]\nb: *x\n", "{\"a\":[\"p\",\"q\"],\"b\":[\"p\",\"q\"]}");
	CHECK_JSON("a: &x\n  b: *x\n", "line 1: the document is too large or too deep");
	CHECK_JSON("a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n"
		   "c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n",
		   "line 1: the document is too large or too deep");
}

static void test_errors(void)
{
	CHECK_JSON("", "there is no document");
	CHECK_JSON("a: b\n c: d\n", "line 2: mapping values are not allowed in this context");
	CHECK_JSON("a: 1\n<<: {b: 2}\n", "line 2: such a key is not supported");
	CHECK_JSON("? [a]\n: b\n", "line 1: such a key is not supported");
	CHECK_JSON("a: \"b\\0c\"\n", "line 1: a NUL byte");
	CHECK_JSON("\"a\\0c\": b\n", "line 1: such a key is not supported");
}

CHECK_MAIN({ "values are strings", test_values },
	   { "numbers and booleans only under their keys", test_literals },
	   { "aliases are followed as long as they end", test_aliases },
	   { "what cannot be read is told with its line", test_errors })

#else

static void test_missing(void)
{
	cleanup_strbuf struct strbuf yaml = STRBUF_INIT, out = STRBUF_INIT;

	CHECK_ERROR(yaml_to_json(&yaml, literals, 1000, &out, &err), EOPNOTSUPP, "without libyaml");
}

CHECK_MAIN({ "a program without libyaml says so", test_missing })

#endif
