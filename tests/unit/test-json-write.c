/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: the piecewise writer and structs by field tables. */
#include "spec/json-write.h"

#include "spec/json-table.h"
#include "tests/unit/check.h"

static void write_sample(struct json_writer *w)
{
	json_begin_object(w);
	json_key(w, "a");
	json_begin_array(w);
	json_u64(w, UINT64_MAX);
	json_i64(w, INT64_MIN);
	json_bool(w, true);
	json_null(w);
	json_end_array(w);
	json_key(w, "empty");
	json_begin_object(w);
	json_end_object(w);
	json_key(w, "none");
	json_begin_array(w);
	json_end_array(w);
	json_key(w, "s");
	json_string(w, "x");
	json_end_object(w);
}

static void test_compact(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out };

	write_sample(&writer);
	CHECK_STR(strbuf_text(&out), "{\"a\":[18446744073709551615,-9223372036854775808,true,null],"
				     "\"empty\":{},\"none\":[],\"s\":\"x\"}");
}

static void test_indent(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	write_sample(&writer);
	CHECK_STR(strbuf_text(&out), "{\n  \"a\": [\n    18446744073709551615,\n"
				     "    -9223372036854775808,\n    true,\n    null\n  ],\n"
				     "  \"empty\": {},\n  \"none\": [],\n  \"s\": \"x\"\n}");
}

static void test_escapes(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out };

	json_string(&writer, "/a\"b\\c\b\f\n\r\t\001\037\177\303\244<&>");
	CHECK_STR(strbuf_text(&out),
		  "\"/a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u001f\177\303\244<&>\"");
}

/* Bytes that are no UTF-8 would make a document that nobody reads. */
static void test_invalid_utf8(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out };

	json_string(&writer, "\377a\303(\355\240\200\360\237\230\200\342\202");
	CHECK_STR(strbuf_text(&out), "\"\357\277\275a\357\277\275(\357\277\275\357\277\275"
				     "\357\277\275\360\237\230\200\357\277\275\357\277\275\"");
}

static void test_raw(void)
{
	static const char text[] = " { \"a\" : [ 1 , -2.5e3,\t\"x, \\\" : { \" ] ,\r\n"
				   " \"b\" : {\v}\f, \"c\" : null , \"d\":[ ] } ";
	cleanup_strbuf struct strbuf compact = STRBUF_INIT, indented = STRBUF_INIT;
	struct json_writer writer = { .out = &compact };
	struct json_writer pretty = { .out = &indented, .style = JSON_INDENT_TAB };

	json_begin_array(&writer);
	json_raw(&writer, text);
	json_raw(&writer, "true");
	json_end_array(&writer);
	CHECK_STR(strbuf_text(&compact), "[{\"a\":[1,-2.5e3,\"x, \\\" : { \"],\"b\":{},\"c\":null,"
					 "\"d\":[]},true]");
	json_raw(&pretty, text);
	CHECK_STR(strbuf_text(&indented), "{\n\t\"a\": [\n\t\t1,\n\t\t-2.5e3,\n\t\t\"x, \\\" : { \""
					  "\n\t],\n\t\"b\": {},\n\t\"c\": null,\n\t\"d\": []\n}");
}

static void test_members(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out };

	json_begin_object(&writer);
	json_put_string(&writer, "a\"b", "c");
	json_put_string(&writer, "none", NULL);
	json_put_u64(&writer, "most", UINT64_MAX);
	json_end_object(&writer);
	CHECK_STR(strbuf_text(&out),
		  "{\"a\\\"b\":\"c\",\"none\":null,\"most\":18446744073709551615}");
}

struct part {
	const char *key;
	bool flag;
};

struct whole {
	bool yes;
	bool always;
	const char *text;
	const char *omitted;
	uint16_t u16;
	int32_t i32;
	bool has_i32;
	int color;
	uint64_t colors;
	bool has_colors;
	struct json_strings strings;
	struct json_strings kept;
	struct json_strings sometimes;
	struct json_strings set;
	struct json_numbers numbers;
	struct json_map map;
	struct part inlined;
	struct part *object;
	JSON_LIST(struct part) objects;
	JSON_LIST(struct part) object_map;
	const char *raw;
	struct json_map unknown;
};

/* clang-format off */
static const struct name_value colors[] = {
	{ "red", 1 }, { "green", 2 }, { "blue", 4 }, { NULL },
};

static const struct json_field part_fields[] = {
	JSON_BOOL(struct part, "flag", flag),
};
static const struct json_object part_object = JSON_TABLE(struct part, part_fields);

static const struct json_field whole_fields[] = {
	JSON_BOOL(struct whole, "yes", yes),
	JSON_BOOL(struct whole, "always", always, .flags = JSON_ALWAYS),
	JSON_STRING(struct whole, "text", text),
	JSON_STRING(struct whole, "omitted", omitted, .flags = JSON_OMIT_EMPTY),
	JSON_U16(struct whole, "u16", u16),
	JSON_I32_OPT(struct whole, "i32", i32),
	JSON_NAME(struct whole, "color", color, colors),
	JSON_FLAGS_OPT(struct whole, "colors", colors, colors),
	JSON_STRINGS(struct whole, "strings", strings),
	JSON_STRINGS(struct whole, "kept", kept, .flags = JSON_KEEP_NULL),
	JSON_STRINGS(struct whole, "sometimes", sometimes, .flags = JSON_OMIT_EMPTY),
	JSON_SET(struct whole, "set", set),
	JSON_NUMBERS(struct whole, "numbers", numbers),
	JSON_MAP(struct whole, "map", map),
	JSON_INLINE(struct whole, "inlined", inlined, &part_object),
	JSON_OBJECT(struct whole, "object", object, &part_object),
	JSON_OBJECTS(struct whole, "objects", objects, &part_object),
	JSON_OBJECT_MAP(struct whole, "objectMap", object_map, &part_object),
	JSON_RAW(struct whole, "raw", raw),
};
static const struct json_object whole_object = JSON_TABLE_OPEN(struct whole, whole_fields);
/* clang-format on */

static void test_struct_absent(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct whole whole = { .omitted = "" };

	json_encode(&whole_object, &whole, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), "{\"always\":false,\"inlined\":{}}");
}

/* Everything filled, written, decoded and written again. */
static void test_struct_round_trip(void)
{
	static const char text[] =
		"{\"yes\":true,\"always\":true,\"text\":\"\",\"omitted\":\"x\",\"u16\":65535,"
		"\"i32\":0,\"color\":\"green\",\"colors\":[\"red\",\"blue\"],"
		"\"strings\":[],\"kept\":null,\"sometimes\":[\"a\"],\"set\":{\"80/"
		"tcp\":{},\"b\":{}},"
		"\"numbers\":[0,4294967295],\"map\":{\"k\":\"v\"},\"inlined\":{\"flag\":true},"
		"\"object\":{},\"objects\":[{},{\"flag\":true}],"
		"\"objectMap\":{\"eth0\":{\"flag\":true},\"eth1\":{}},\"raw\":{\"x\":[1,2]},"
		"\"other\":{\"deep\":[\"\\u0041\",null]},\"last\":1.5}";
	const struct json_source source = { .name = "doc", .text = text, .size = sizeof(text) - 1 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT, again = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct whole whole = { 0 };

	CHECK_INT(json_decode(&source, &whole_object, &arena, &whole, NULL), 0);
	json_encode(&whole_object, &whole, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), text);
	json_encode(&whole_object, &whole, JSON_INDENT_2, &again);
	CHECK(strstr(strbuf_text(&again), "\n  \"other\": {\n    \"deep\": [\n      \"\\u0041\""));
}

static void test_list(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct part parts[] = { { .flag = true }, { .flag = false } };
	const struct {
		struct part *items;
		size_t count;
	} list = { parts, 2 };

	json_encode_list(&part_object, &list, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), "[{\"flag\":true},{}]");
}

CHECK_MAIN({ "compact output", test_compact }, { "indented output", test_indent },
	   { "only what must be escaped is", test_escapes },
	   { "bytes that are no UTF-8 are replaced", test_invalid_utf8 },
	   { "raw text takes the style's blanks", test_raw },
	   { "members with their keys", test_members },
	   { "what is absent is not written", test_struct_absent },
	   { "decoding and writing give the text back", test_struct_round_trip },
	   { "a list as the document", test_list })
