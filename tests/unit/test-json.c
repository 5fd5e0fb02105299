/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding by field tables: kinds, ranges, absence, duplicates, limits, and where errors point. */
#include "spec/json-table.h"

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

struct leaf {
	const char *name; /* first: the key, when it is the value in a map */
	uint32_t weight;
	bool has_weight;
};

struct sample {
	bool yes;
	const char *text;
	const char *choice;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int32_t i32;
	int64_t i64;
	bool has_i64;
	int color;
	uint64_t wide_color;
	uint64_t flags;
	bool has_flags;
	struct json_strings strings;
	struct json_strings colors;
	struct json_numbers numbers;
	struct json_strings set;
	struct json_map map;
	struct leaf inlined;
	struct leaf *object;
	JSON_LIST(struct leaf) objects;
	JSON_LIST(struct leaf) object_map;
	const char *raw;
};

struct open {
	const char *known;
	struct json_strings list;
	struct json_map map;
	bool flag;
	struct leaf inlined;
	struct json_map unknown;
};

/* clang-format off */
static const struct name_value colors[] = {
	{ "red", 1 }, { "green", 2 }, { "blue", 4 }, { NULL },
};

static const struct json_field leaf_fields[] = {
	JSON_STRING(struct leaf, "name", name),
	JSON_U32_OPT(struct leaf, "weight", weight),
};
static const struct json_object leaf_object = JSON_TABLE(struct leaf, leaf_fields);

static const struct json_field value_fields[] = {
	JSON_U32_OPT(struct leaf, "weight", weight),
};
static const struct json_object value_object = JSON_TABLE(struct leaf, value_fields);

static const struct json_field needy_fields[] = {
	JSON_STRING(struct leaf, "name", name, .flags = JSON_REQUIRED),
};
static const struct json_object needy_object = JSON_TABLE(struct leaf, needy_fields);

static const struct json_field sample_fields[] = {
	JSON_BOOL(struct sample, "yes", yes),
	JSON_STRING(struct sample, "text", text),
	JSON_STRING(struct sample, "choice", choice, .names = colors),
	JSON_U16(struct sample, "u16", u16),
	JSON_U32(struct sample, "u32", u32),
	JSON_U64(struct sample, "u64", u64),
	JSON_I32(struct sample, "i32", i32),
	JSON_I64_OPT(struct sample, "i64", i64),
	JSON_NAME(struct sample, "color", color, colors, .complaint = "no paint"),
	JSON_NAME_U64(struct sample, "wideColor", wide_color, colors),
	JSON_FLAGS_OPT(struct sample, "flags", flags, colors),
	JSON_STRINGS(struct sample, "strings", strings),
	JSON_STRINGS(struct sample, "colors", colors, .names = colors),
	JSON_NUMBERS(struct sample, "numbers", numbers),
	JSON_SET(struct sample, "set", set),
	JSON_MAP(struct sample, "map", map),
	JSON_INLINE(struct sample, "inlined", inlined, &leaf_object),
	JSON_OBJECT(struct sample, "object", object, &leaf_object),
	JSON_OBJECTS(struct sample, "objects", objects, &leaf_object),
	JSON_OBJECT_MAP(struct sample, "objectMap", object_map, &value_object),
	JSON_RAW(struct sample, "raw", raw),
};
static const struct json_object sample_object = JSON_TABLE(struct sample, sample_fields);

static const struct json_field open_fields[] = {
	JSON_STRING(struct open, "known", known),
	JSON_STRINGS(struct open, "list", list, .flags = JSON_KEEP_NULL),
	JSON_MAP(struct open, "map", map, .flags = JSON_KEEP_NULL),
	JSON_BOOL(struct open, "flag", flag),
	JSON_INLINE(struct open, "inlined", inlined, &leaf_object),
};
static const struct json_object open_object = JSON_TABLE_OPEN(struct open, open_fields);
/* clang-format on */

static struct arena arena;
static struct sample sample;
static struct open open_sample;

/* Decode text of size bytes into sample. */
static int decode_size(const char *text, size_t size, unsigned int flags, struct error *err)
{
	const struct json_source source = {
		.name = "doc", .text = text, .size = size, .flags = flags
	};

	arena_done(&arena);
	memset(&sample, 0, sizeof(sample));
	return json_decode(&source, &sample_object, &arena, &sample, err);
}

static int decode(const char *text, struct error *err)
{
	return decode_size(text, strlen(text), 0, err);
}

static int decode_open(const char *text, unsigned int flags, struct error *err)
{
	const struct json_source source = {
		.name = "doc", .text = text, .size = strlen(text), .flags = flags
	};

	arena_done(&arena);
	memset(&open_sample, 0, sizeof(open_sample));
	return json_decode(&source, &open_object, &arena, &open_sample, err);
}

static void test_kinds(void)
{
	CHECK_INT(
		decode("{\"yes\":true,\"text\":\"a\\\"\\u00e4/\\/\",\"choice\":\"red\","
		       "\"color\":\"green\",\"wideColor\":\"blue\",\"flags\":[\"blue\",\"red\"],"
		       "\"strings\":[\"x\",\"\"],\"colors\":[\"red\"],\"numbers\":[0,4294967295]}",
		       NULL),
		0);
	CHECK(sample.yes);
	CHECK_STR(sample.text, "a\"\303\244//");
	CHECK_STR(sample.choice, "red");
	CHECK_INT(sample.color, 2);
	CHECK_INT(sample.wide_color, 4);
	CHECK(sample.has_flags);
	CHECK_INT(sample.flags, 5);
	CHECK_INT(sample.strings.count, 2);
	CHECK_STR(sample.strings.items[0], "x");
	CHECK_STR(sample.strings.items[1], "");
	CHECK(!sample.strings.items[2]);
	CHECK_STR(sample.colors.items[0], "red");
	CHECK_INT(sample.numbers.count, 2);
	CHECK_INT(sample.numbers.items[1], UINT32_MAX);
}

static void test_structures(void)
{
	CHECK_INT(decode("{\"set\":{\"80/tcp\":{},\"y\":{\"ignored\":[1]}},\"map\":{\"k\":\"v\"},"
			 "\"inlined\":{\"name\":\"in\"},\"object\":{\"weight\":0},"
			 "\"objects\":[{\"name\":\"a\"},{},{\"name\":\"c\"}],"
			 "\"objectMap\":{\"eth0\":{\"weight\":3},\"eth1\":null},"
			 "\"raw\": [1, {\"a\": \"}\"}] }",
			 NULL),
		  0);
	CHECK_INT(sample.set.count, 2);
	CHECK_STR(sample.set.items[0], "80/tcp");
	CHECK_STR(sample.set.items[1], "y");
	CHECK(!sample.set.items[2]);
	CHECK_STR(json_map_get(&sample.map, "k"), "v");
	CHECK(!json_map_get(&sample.map, "v"));
	CHECK_STR(sample.inlined.name, "in");
	CHECK(sample.object && sample.object->has_weight && !sample.object->weight);
	CHECK_INT(sample.objects.count, 3);
	CHECK_STR(sample.objects.items[2].name, "c");
	CHECK(!sample.objects.items[1].name);
	CHECK_INT(sample.object_map.count, 2);
	CHECK_STR(sample.object_map.items[0].name, "eth0");
	CHECK_INT(sample.object_map.items[0].weight, 3);
	CHECK_STR(sample.object_map.items[1].name, "eth1");
	CHECK_STR(sample.raw, "[1, {\"a\": \"}\"}]");
}

static void test_number_limits(void)
{
	CHECK_INT(decode("{\"u16\":65535,\"u32\":4294967295,\"u64\":18446744073709551615,"
			 "\"i32\":-2147483648,\"i64\":-9223372036854775808}",
			 NULL),
		  0);
	CHECK_INT(sample.u16, UINT16_MAX);
	CHECK_INT(sample.u32, UINT32_MAX);
	CHECK(sample.u64 == UINT64_MAX);
	CHECK_INT(sample.i32, INT32_MIN);
	CHECK(sample.i64 == INT64_MIN && sample.has_i64);
	CHECK_INT(decode("{\"i64\":-0,\"u64\":-0}", NULL), 0);
	CHECK(sample.has_i64 && sample.i64 == 0);
}

static void test_number_refused(void)
{
	CHECK_ERROR(decode("{\"u16\":65536}", &err), EINVAL,
		    "doc:1:8: /u16: expected a whole number from 0 to 65535, not 65536");
	CHECK_ERROR(decode("{\"u32\":4294967296}", &err), EINVAL, "not 4294967296");
	CHECK_ERROR(decode("{\"u32\":-1}", &err), EINVAL, "not -1");
	CHECK_ERROR(decode("{\"u64\":18446744073709551616}", &err), EINVAL, "not 1844674407370955");
	CHECK_ERROR(decode("{\"i32\":2147483648}", &err), EINVAL, "not 2147483648");
	CHECK_ERROR(decode("{\"i64\":9223372036854775808}", &err), EINVAL, "not 9223372036854775");
	CHECK_ERROR(decode("{\"u64\":1e3}", &err), EINVAL, "without a fraction or exponent");
	CHECK_ERROR(decode("{\"u64\":1.0}", &err), EINVAL, "without a fraction or exponent");
	CHECK_ERROR(decode("{\"u64\":11111111111111111111111111111111111111111111111111}", &err),
		    EINVAL, "not one of 50 digits");
	CHECK_ERROR(decode("{\"numbers\":[1,2,-3]}", &err), EINVAL, "/numbers/2: ");
	CHECK_ERROR(decode("{\"u64\":012}", &err), EINVAL, "doc:1:");
}

/* What each kind says to a value of another type. */
static void test_mismatches(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{\"yes\":1}", "/yes: expected true or false, not a number" },
		{ "{\"yes\":\"true\"}", "/yes: expected true or false, not a string" },
		{ "{\"text\":5}", "/text: expected a string, not a number" },
		{ "{\"text\":true}", "/text: expected a string, not true" },
		{ "{\"text\":[]}", "/text: expected a string, not an array" },
		{ "{\"text\":{}}", "/text: expected a string, not an object" },
		{ "{\"u32\":\"5\"}",
		  "/u32: expected a whole number from 0 to 4294967295, not a str" },
		{ "{\"strings\":\"x\"}", "/strings: expected an array of strings, not a string" },
		{ "{\"strings\":{}}", "/strings: expected an array of strings, not an object" },
		{ "{\"strings\":[\"a\",7]}", "/strings/1: expected a string, not a number" },
		{ "{\"strings\":[null]}", "/strings/0: expected a string, not null" },
		{ "{\"strings\":[[]]}", "/strings/0: expected a string, not an array" },
		{ "{\"numbers\":[{}]}", "/numbers/0: expected a whole number" },
		{ "{\"map\":[]}", "/map: expected an object of strings, not an array" },
		{ "{\"map\":{\"a\":1}}", "/map/a: expected a string, not a number" },
		{ "{\"map\":{\"a\":{}}}", "/map/a: expected a string, not an object" },
		{ "{\"set\":{\"a\":1}}", "/set/a: expected an object, not a number" },
		{ "{\"set\":[]}", "/set: expected an object of objects, not an array" },
		{ "{\"inlined\":[]}", "/inlined: expected an object, not an array" },
		{ "{\"object\":\"\"}", "/object: expected an object, not a string" },
		{ "{\"objects\":{}}", "/objects: expected an array of objects, not an object" },
		{ "{\"objects\":[{},5]}", "/objects/1: expected an object, not a number" },
		{ "{\"objects\":[null]}", "/objects/0: expected an object, not null" },
		{ "{\"objectMap\":{\"a\":[]}}", "/objectMap/a: expected an object, not an array" },
		{ "[]", "doc:1:1: expected an object, not an array" },
		{ "null", "doc:1:1: expected an object, not null" },
		{ "\"\"", "doc:1:1: expected an object, not a string" },
		{ "7", "doc:1:1: expected an object, not a number" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_ERROR(decode(cases[i].text, &err), EINVAL, cases[i].message);
}

static void test_names(void)
{
	CHECK_ERROR(decode("{\"color\":\"gren\"}", &err), EINVAL,
		    "/color: no paint: unknown value \"gren\", did you mean \"green\"?");
	CHECK_ERROR(decode("{\"choice\":\"re\"}", &err), EINVAL, "/choice: unknown value \"re\"");
	CHECK_ERROR(decode("{\"choice\":\"redd\"}", &err), EINVAL, "unknown value \"redd\"");
	CHECK_ERROR(decode("{\"flags\":[\"red\",\"black\"]}", &err), EINVAL,
		    "/flags/1: unknown value \"black\"");
	CHECK_ERROR(decode("{\"colors\":[\"\"]}", &err), EINVAL, "/colors/0: unknown value \"\"");
	CHECK_ERROR(decode("{\"wideColor\":7}", &err), EINVAL, "/wideColor: expected a string");
}

static void test_null_is_absent(void)
{
	CHECK_INT(decode("{\"yes\":null,\"text\":null,\"u64\":null,\"i64\":null,\"color\":null,"
			 "\"flags\":null,\"strings\":null,\"set\":null,\"map\":null,"
			 "\"inlined\":null,\"object\":null,\"objects\":null,\"objectMap\":null}",
			 NULL),
		  0);
	CHECK(!sample.text && !sample.has_i64 && !sample.has_flags && !sample.object);
	CHECK(!sample.strings.items && !sample.set.items && !sample.map.items);
	CHECK(!sample.objects.items && !sample.object_map.items && !sample.strings.null);
	CHECK_INT(decode("{\"map\":{\"a\":null,\"b\":\"c\"}}", NULL), 0);
	CHECK_INT(sample.map.count, 1);
	CHECK_STR(sample.map.items[0].key, "b");
	/* but {} and [] are there */
	CHECK_INT(decode("{\"strings\":[],\"set\":{},\"map\":{},\"object\":{},\"objects\":[],"
			 "\"objectMap\":{},\"flags\":[]}",
			 NULL),
		  0);
	CHECK(sample.strings.items && !sample.strings.count && !sample.strings.items[0]);
	CHECK(sample.set.items && sample.map.items && sample.object && sample.objects.items);
	CHECK(sample.object_map.items && sample.has_flags && !sample.flags);
}

static void test_required(void)
{
	const char *missing = "{\n  \"weight\": 1\n}", *null = "{\"name\":null}";
	const struct json_source source = { .name = "doc",
					    .text = missing,
					    .size = strlen(missing) };
	const struct json_source other = { .name = "doc", .text = null, .size = strlen(null) };
	struct leaf leaf = { 0 };

	CHECK_ERROR(json_decode(&source, &needy_object, &arena, &leaf, &err), EINVAL,
		    "doc:1:1: property \"name\" is missing");
	CHECK_ERROR(json_decode(&other, &needy_object, &arena, &leaf, &err), EINVAL,
		    "property \"name\" is missing");
}

static void test_duplicates_refused(void)
{
	CHECK_ERROR(decode("{\"text\":\"a\",\n \"u32\":1, \"text\":\"b\"}", &err), EINVAL,
		    "doc:2:11: /text: property is given twice");
	CHECK_ERROR(decode("{\"map\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}}", &err), EINVAL,
		    "/map/a: key is given twice");
	CHECK_ERROR(decode("{\"set\":{\"a\":{},\"a\":{}}}", &err), EINVAL,
		    "/set/a: key is given twice");
	CHECK_ERROR(decode("{\"objectMap\":{\"a\":{},\"b\":{},\"a\":{}}}", &err), EINVAL,
		    "/objectMap/a: key is given twice");
	CHECK_INT(decode("{\"objects\":[{\"name\":\"x\"},{\"name\":\"x\"}]}", NULL), 0);
}

static void test_duplicates_last_wins(void)
{
	const char *text = "{\"text\":\"a\",\"strings\":[\"1\",\"2\"],\"object\":{\"name\":\"x\"},"
			   "\"i64\":5,\"map\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"},"
			   "\"text\":\"b\",\"strings\":[\"3\"],\"object\":{\"weight\":1},"
			   "\"i64\":null,\"set\":{\"q\":{},\"p\":{},\"q\":{}}}";

	CHECK_INT(decode_size(text, strlen(text), JSON_LAST_WINS, NULL), 0);
	CHECK_STR(sample.text, "b");
	CHECK_INT(sample.strings.count, 1);
	CHECK_STR(sample.strings.items[0], "3");
	CHECK(!sample.object->name && sample.object->has_weight);
	CHECK(!sample.has_i64 && !sample.i64);
	CHECK_INT(sample.map.count, 2);
	CHECK_STR(sample.map.items[0].key, "b");
	CHECK_STR(sample.map.items[1].value, "3");
	CHECK_INT(sample.set.count, 2);
	CHECK_STR(sample.set.items[0], "p");
	CHECK(!sample.set.items[2]);
}

static void test_unknown_ignored(void)
{
	CHECK_INT(decode("{\"what\":{\"text\":[{\"a\":{}},[[]],null,1.5e300,true]},\"text\":\"t\","
			 "\"Text\":5,\"what\":1}",
			 NULL),
		  0);
	CHECK_STR(sample.text, "t");
}

static void test_unknown_kept(void)
{
	CHECK_INT(
		decode_open("{ \"z\" : [ 1, 2 ] , \"known\":\"k\", \"a\":\"\\u0041\", \"n\": null,"
			    " \"o\" : { \"x\" : -1.50 } }",
			    0, NULL),
		0);
	CHECK_STR(open_sample.known, "k");
	CHECK_INT(open_sample.unknown.count, 4);
	CHECK_STR(open_sample.unknown.items[0].key, "z");
	CHECK_STR(open_sample.unknown.items[0].value, "[ 1, 2 ]");
	CHECK_STR(open_sample.unknown.items[1].value, "\"\\u0041\"");
	CHECK_STR(open_sample.unknown.items[2].value, "null");
	CHECK_STR(open_sample.unknown.items[3].value, "{ \"x\" : -1.50 }");
	CHECK_INT(decode_open("{\"z\"\v\f:\v\f1.50\v\f,\"y\":[\f]}", 0, NULL), 0);
	CHECK_STR(open_sample.unknown.items[0].value, "1.50");
	CHECK_ERROR(decode_open("{\"z\":1,\"y\":2,\"z\":3}", 0, &err), EINVAL,
		    "/z: key is given twice");
	CHECK_INT(decode_open("{\"z\":1,\"y\":2,\"z\":3}", JSON_LAST_WINS, NULL), 0);
	CHECK_INT(open_sample.unknown.count, 2);
	CHECK_STR(open_sample.unknown.items[1].value, "3");
}

/* The last number of a document that is cut off reaches us only at its end. */
static void test_unknown_cut(void)
{
	CHECK_ERROR(decode_open("{\"known\":\"k\",\"z\":12", 0, &err), EINVAL,
		    "doc:1:20: /z: the document ends too early");
	CHECK_ERROR(decode_open("{\"z\":[1,2", 0, &err), EINVAL, "the document ends too early");
}

static void test_null_kept(void)
{
	CHECK_INT(decode_open("{\"list\":null,\"map\":null}", 0, NULL), 0);
	CHECK(open_sample.list.null && !open_sample.list.items);
	CHECK(open_sample.map.null && !open_sample.map.items);
	CHECK_INT(decode_open("{\"list\":[]}", 0, NULL), 0);
	CHECK(!open_sample.list.null && open_sample.list.items && !open_sample.map.null);
	CHECK_INT(decode_open("{\"list\":null,\"list\":[\"a\"]}", JSON_LAST_WINS, NULL), 0);
	CHECK(!open_sample.list.null && open_sample.list.count == 1);
}

static void test_strings_refused(void)
{
	static const char raw_nul[] = "{\"text\":\"a\0b\"}";

	CHECK_ERROR(decode("{\"text\":\"a\\u0000b\"}", &err), EINVAL, "/text: a string may not");
	CHECK_ERROR(decode("{\"te\\u0000xt\":1}", &err), EINVAL, "may not contain NUL");
	CHECK_ERROR(decode("{\"strings\":[\"a\",\"\\u0000\"]}", &err), EINVAL, "/strings/1: ");
	CHECK_ERROR(decode_size(raw_nul, sizeof(raw_nul) - 1, 0, &err), EINVAL, "doc:1:");
	CHECK_ERROR(decode("{\"text\":\"a\377b\"}", &err), EINVAL, "UTF8");
	CHECK_ERROR(decode("{\"text\":\"a\nb\"}", &err), EINVAL, "doc:");
	CHECK_ERROR(decode("{\"text\":\"\\ud800\"}", &err), EINVAL, "half of a surrogate pair");
	CHECK_ERROR(decode("{\"text\":\"\\udc00x\"}", &err), EINVAL, "half of a surrogate pair");
	CHECK_ERROR(decode("{\"text\":\"\\ud800\\u0041\"}", &err), EINVAL, "half of a surrogate");
	CHECK_ERROR(decode("{\"map\":{\"\\ud800\":\"\"}}", &err), EINVAL, "half of a surrogate");
	CHECK_INT(decode("{\"text\":\"\\\\ud800 \\ud83d\\ude00\"}", NULL), 0);
	CHECK_STR(sample.text, "\\ud800 \360\237\230\200");
}

static void test_syntax(void)
{
	CHECK_ERROR(decode("", &err), EINVAL, "doc:1:1: the document is empty");
	CHECK_ERROR(decode("  \n", &err), EINVAL, "the document ends too early");
	CHECK_ERROR(decode("{\"text\":\"a\"", &err), EINVAL, "doc:1:12: /text: the document ends ");
	CHECK_ERROR(decode("{\"a\":1,}", &err), EINVAL, "doc:1:8: ");
	CHECK_ERROR(decode("{\"a\":1,,}", &err), EINVAL, "doc:1:8: ");
	CHECK_ERROR(decode("{\n\n  \"a\" 1}", &err), EINVAL, "doc:3:7: ");
	CHECK_ERROR(decode("{/* */}", &err), EINVAL, "doc:1:");
	CHECK_ERROR(decode("{'a':1}", &err), EINVAL, "doc:1:2: ");
}

static void test_trailing(void)
{
	const char *text = "{\"u32\":7} trailing {";

	CHECK_ERROR(decode(text, &err), EINVAL, "doc:1:1");
	CHECK_INT(decode_size(text, strlen(text), JSON_IGNORE_TRAILING, NULL), 0);
	CHECK_INT(sample.u32, 7);
	CHECK_INT(decode("{\"u32\":7} \n\t ", NULL), 0);
}

/* The position is that of the value's first character, counted in characters. */
static void test_positions(void)
{
	struct error error = ERROR_INIT;

	CHECK_ERROR(decode("{\n\t\"objects\": [\n\t\t{},\n\t\t{\"name\" : 5}\n]}", &err), EINVAL,
		    "doc:4:13: /objects/1/name: expected a string");
	CHECK_ERROR(decode("{\"text\":\"\303\244\303\266\",\"u32\":\"\"}", &err), EINVAL,
		    "doc:1:20: /u32: ");
	CHECK_INT(decode("{\"map\":{\"a/b~c\":1}}", &error), -EINVAL);
	CHECK_STR(error.pointer, "/map/a~1b~0c");
	CHECK_INT(error.code, ERROR_INVALID);
}

static void test_depth(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "{\"unknown\":");
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&text, '[');
	CHECK_ERROR(decode(strbuf_text(&text), &err), EINVAL, "nested more than 63 levels deep");
	strbuf_truncate(&text, 0);
	strbuf_adds(&text, "{\"unknown\":");
	for (int i = 0; i < 62; i++)
		strbuf_addc(&text, '[');
	for (int i = 0; i < 62; i++)
		strbuf_addc(&text, ']');
	strbuf_adds(&text, "}");
	CHECK_INT(decode(strbuf_text(&text), NULL), 0);
}

static void test_size(void)
{
	const struct json_source source = {
		.name = "doc", .text = "{\"u32\":1}", .size = 9, .max_size = 8
	};
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	CHECK_ERROR(json_decode(&source, &sample_object, &arena, &sample, &err), EINVAL,
		    "doc: larger than 8 bytes");
	strbuf_adds(&text, "{\"objects\":[{}");
	for (size_t i = 0; i < JSON_ELEMENTS_MAX; i++)
		strbuf_adds(&text, ",{}");
	strbuf_adds(&text, "]}");
	CHECK_ERROR(decode(strbuf_text(&text), &err), EINVAL, "more than 262144 elements");
}

/* Lists grow: what was stored before the growth is still there. */
static void test_long_lists(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char expected[16];

	strbuf_adds(&text, "{\"objects\":[");
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, "%s{\"name\":\"n%d\",\"weight\":%d}", i ? "," : "", i, i);
	strbuf_adds(&text, "],\"map\":{");
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, "%s\"k%d\":\"v%d\"", i ? "," : "", i, i);
	strbuf_adds(&text, "}}");
	CHECK_INT(decode(strbuf_text(&text), NULL), 0);
	CHECK_INT(sample.objects.count, 1000);
	CHECK_INT(sample.map.count, 1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(expected, sizeof(expected), "n%d", i);
		CHECK_STR(sample.objects.items[i].name, expected);
		CHECK_INT(sample.objects.items[i].weight, i);
		expected[0] = 'v';
		CHECK_STR(sample.map.items[i].value, expected);
	}
}

static void test_root_list(void)
{
	JSON_LIST(struct leaf) list = { NULL, 0 };
	const char *text = "[{\"name\":\"a\"},{\"name\":\"b\"}]", *bad = "[{},{\"name\":3}]";
	const struct json_source source = { .name = "doc", .text = text, .size = strlen(text) };
	const struct json_source broken = { .name = "doc", .text = bad, .size = strlen(bad) };

	CHECK_INT(json_decode_list(&source, &leaf_object, &arena, &list, NULL), 0);
	CHECK_INT(list.count, 2);
	CHECK_STR(list.items[1].name, "b");
	CHECK_ERROR(json_decode_list(&broken, &leaf_object, &arena, &list, &err), EINVAL,
		    "/1/name: expected a string");
}

static void test_map_edit(void)
{
	struct json_map map = { 0 };
	struct json_strings list = { .null = true }, other;
	char *const more[] = { "a", "b" };

	json_map_set(&map, &arena, "a", "1");
	json_map_set(&map, &arena, "b", "2");
	json_map_set(&map, &arena, "a", "3");
	CHECK_INT(map.count, 2);
	CHECK_STR(json_map_get(&map, "a"), "3");
	CHECK(json_map_remove(&map, "a"));
	CHECK(!json_map_remove(&map, "a"));
	CHECK_STR(map.items[0].key, "b");
	json_strings_add(&list, &arena, "x");
	json_strings_add(&list, &arena, "y");
	CHECK(!list.null && list.count == 2 && !list.items[2]);
	CHECK(json_strings_contain(&list, "y") && !json_strings_contain(&list, "z"));
	list = (struct json_strings){ .null = true };
	json_strings_add_all(&list, &arena, more, 0);
	CHECK(list.null && !list.items);
	json_strings_add_all(&list, &arena, more, 2);
	other = list;
	json_strings_add_all(&list, &arena, more, 1);
	CHECK(!list.null && list.count == 3 && !list.items[3]);
	CHECK_STR(list.items[2], "a");
	CHECK(other.count == 2 && !other.items[2]); /* it has its own end */
}

CHECK_MAIN({ "every kind of scalar and list", test_kinds },
	   { "objects, maps, sets, raw values", test_structures },
	   { "numbers keep all 64 bits", test_number_limits },
	   { "numbers out of range, with fraction or exponent are refused", test_number_refused },
	   { "a value of the wrong type is named", test_mismatches },
	   { "unknown names are refused with a suggestion", test_names },
	   { "null is absent, [] and {} are not", test_null_is_absent },
	   { "required properties", test_required },
	   { "duplicates are refused", test_duplicates_refused },
	   { "or the last one wins", test_duplicates_last_wins },
	   { "unknown properties are ignored", test_unknown_ignored },
	   { "or kept as raw text", test_unknown_kept },
	   { "and a cut off one is not", test_unknown_cut },
	   { "null is kept where the table says so", test_null_kept },
	   { "NUL, bad UTF-8 and half surrogates are refused", test_strings_refused },
	   { "broken syntax", test_syntax }, { "what follows the document", test_trailing },
	   { "line, column and pointer", test_positions }, { "depth is bounded", test_depth },
	   { "size and elements are bounded", test_size }, { "long lists", test_long_lists },
	   { "an array as the document", test_root_list },
	   { "maps and lists can be edited", test_map_edit })
