/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field tables: one row per JSON property says its name, its type and where in the struct it goes.
 * The same table decodes and writes.
 *
 *	struct mount { const char *target; struct json_strings options; uint32_t mode; bool
 *has_mode; };
 *
 *	static const struct json_field mount_fields[] = {
 *		JSON_STRING(struct mount, "target", target, .flags = JSON_REQUIRED),
 *		JSON_STRINGS(struct mount, "options", options),
 *		JSON_U32_OPT(struct mount, "mode", mode),       (uses has_mode)
 *	};
 *	static const struct json_object mount_object = JSON_TABLE(struct mount, mount_fields);
 *
 * The macros check the C type of the member at compile time. Rows are best in the order in which
 * documents usually have them: the search for a name starts behind the last one found.
 */
#ifndef SPEC_JSON_TABLE_H
#define SPEC_JSON_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/table.h"
#include "spec/json-types.h"

enum json_kind {		   /* the C type of the member: */
		 JSON_KIND_BOOL,   /* bool */
		 JSON_KIND_STRING, /* const char *; names, if any, are the values allowed */
		 JSON_KIND_U16,	   /* uint16_t ... */
		 JSON_KIND_U32,
		 JSON_KIND_U64,
		 JSON_KIND_I32,
		 JSON_KIND_I64,
		 JSON_KIND_NAME,       /* int: a string that stands for a number of a table */
		 JSON_KIND_NAME_U64,   /* uint64_t: the same */
		 JSON_KIND_FLAGS,      /* uint64_t: an array of such strings, or-ed */
		 JSON_KIND_STRINGS,    /* struct json_strings; names as for STRING */
		 JSON_KIND_NUMBERS,    /* struct json_numbers */
		 JSON_KIND_SET,	       /* struct json_strings: the keys of {"a": {}, "b": {}} */
		 JSON_KIND_MAP,	       /* struct json_map: an object of strings */
		 JSON_KIND_INLINE,     /* struct: an object */
		 JSON_KIND_OBJECT,     /* struct *: an object */
		 JSON_KIND_OBJECTS,    /* JSON_LIST(struct): an array of objects */
		 JSON_KIND_OBJECT_MAP, /* JSON_LIST(struct): an object of objects; the first member
					  of the struct is `const char *`, the key */
		 JSON_KIND_RAW,	       /* const char *: the text of any value */
};

enum json_field_flag {
	JSON_REQUIRED = 1,   /* decoding: absent or null is an error. Writing: always written */
	JSON_ALWAYS = 2,     /* writing: also when it is false, 0 or an absent list */
	JSON_KEEP_NULL = 4,  /* lists and maps: null is remembered and written */
	JSON_OMIT_EMPTY = 8, /* writing: lists, maps and strings that are empty are left out */
};

struct json_object;

struct json_field {
	const char *name;
	uint8_t length; /* of name */
	uint8_t kind;
	uint8_t flags;
	uint16_t offset;
	uint16_t has;  /* offset of the bool that says "was there"; 0 = none */
	uint16_t size; /* of the struct that object describes */
	union {
		const struct json_object *object;
		const struct name_value *names;
	};
	const char *complaint; /* what stands before "unknown value ..."; NULL = nothing */
};

struct json_object {
	const struct json_field *fields;
	uint16_t count;
	uint16_t size;
	uint16_t unknown; /* offset of the struct json_map for members not in the table; 0 = none */
};

/* clang-format off */
#define JSON_OFFSET(type, member, ctype)                                                           \
	(offsetof(type, member) + 0 * sizeof(char[__builtin_types_compatible_p(                    \
		__typeof__(((type *)NULL)->member), ctype) ? 1 : -1]))

#define JSON_FIELD(name_, kind_, offset_, ...)                                                     \
	{ .name = (name_), .length = sizeof(name_) - 1, .kind = (kind_), .offset = (offset_), ##__VA_ARGS__ }

#define JSON_HAS(type, member) .has = JSON_OFFSET(type, member, bool)

#define JSON_BOOL(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_BOOL, JSON_OFFSET(type, member, bool), ##__VA_ARGS__)
#define JSON_STRING(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_STRING, JSON_OFFSET(type, member, const char *), ##__VA_ARGS__)
#define JSON_U16(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_U16, JSON_OFFSET(type, member, uint16_t), ##__VA_ARGS__)
#define JSON_U32(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_U32, JSON_OFFSET(type, member, uint32_t), ##__VA_ARGS__)
#define JSON_U64(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_U64, JSON_OFFSET(type, member, uint64_t), ##__VA_ARGS__)
#define JSON_I32(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_I32, JSON_OFFSET(type, member, int32_t), ##__VA_ARGS__)
#define JSON_I64(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_I64, JSON_OFFSET(type, member, int64_t), ##__VA_ARGS__)
#define JSON_NAME(type, name, member, names_, ...) \
	JSON_FIELD(name, JSON_KIND_NAME, JSON_OFFSET(type, member, int), .names = (names_), ##__VA_ARGS__)
#define JSON_NAME_U64(type, name, member, names_, ...) \
	JSON_FIELD(name, JSON_KIND_NAME_U64, JSON_OFFSET(type, member, uint64_t), .names = (names_), ##__VA_ARGS__)
#define JSON_FLAGS(type, name, member, names_, ...) \
	JSON_FIELD(name, JSON_KIND_FLAGS, JSON_OFFSET(type, member, uint64_t), .names = (names_), ##__VA_ARGS__)
#define JSON_STRINGS(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_STRINGS, JSON_OFFSET(type, member, struct json_strings), ##__VA_ARGS__)
#define JSON_NUMBERS(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_NUMBERS, JSON_OFFSET(type, member, struct json_numbers), ##__VA_ARGS__)
#define JSON_SET(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_SET, JSON_OFFSET(type, member, struct json_strings), ##__VA_ARGS__)
#define JSON_MAP(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_MAP, JSON_OFFSET(type, member, struct json_map), ##__VA_ARGS__)
#define JSON_RAW(type, name, member, ...) \
	JSON_FIELD(name, JSON_KIND_RAW, JSON_OFFSET(type, member, const char *), ##__VA_ARGS__)
#define JSON_INLINE(type, name, member, table, ...) \
	JSON_FIELD(name, JSON_KIND_INLINE, offsetof(type, member), .object = (table), \
		   .size = sizeof(((type *)NULL)->member), ##__VA_ARGS__)
#define JSON_OBJECT(type, name, member, table, ...) \
	JSON_FIELD(name, JSON_KIND_OBJECT, offsetof(type, member), .object = (table), \
		   .size = sizeof(*((type *)NULL)->member), ##__VA_ARGS__)
#define JSON_OBJECTS(type, name, member, table, ...) \
	JSON_FIELD(name, JSON_KIND_OBJECTS, offsetof(type, member.items), .object = (table), \
		   .size = sizeof(*((type *)NULL)->member.items), ##__VA_ARGS__)
#define JSON_OBJECT_MAP(type, name, member, table, ...) \
	JSON_FIELD(name, JSON_KIND_OBJECT_MAP, offsetof(type, member.items), .object = (table), \
		   .size = sizeof(*((type *)NULL)->member.items), ##__VA_ARGS__)

/* the same with has_MEMBER beside it */
#define JSON_BOOL_OPT(type, name, member) JSON_BOOL(type, name, member, JSON_HAS(type, has_##member))
#define JSON_U16_OPT(type, name, member)  JSON_U16(type, name, member, JSON_HAS(type, has_##member))
#define JSON_U32_OPT(type, name, member)  JSON_U32(type, name, member, JSON_HAS(type, has_##member))
#define JSON_U64_OPT(type, name, member)  JSON_U64(type, name, member, JSON_HAS(type, has_##member))
#define JSON_I32_OPT(type, name, member)  JSON_I32(type, name, member, JSON_HAS(type, has_##member))
#define JSON_I64_OPT(type, name, member)  JSON_I64(type, name, member, JSON_HAS(type, has_##member))
#define JSON_NAME_OPT(type, name, member, names_) \
	JSON_NAME(type, name, member, names_, JSON_HAS(type, has_##member))
#define JSON_FLAGS_OPT(type, name, member, names_) \
	JSON_FLAGS(type, name, member, names_, JSON_HAS(type, has_##member))

/* A table has at most 64 rows: "seen" is a word of bits. */
#define JSON_TABLE(type, fields_)                                                                  \
	{ .fields = (fields_), .size = sizeof(type),                                               \
	  .count = sizeof(fields_) / sizeof((fields_)[0]) +                                        \
		   0 * sizeof(char[sizeof(fields_) / sizeof((fields_)[0]) <= 64 ? 1 : -1]) }
/* ... that keeps the members it does not know in the struct's `unknown`. */
#define JSON_TABLE_OPEN(type, fields_)                                                             \
	{ .fields = (fields_), .size = sizeof(type),                                               \
	  .count = sizeof(fields_) / sizeof((fields_)[0]) +                                        \
		   0 * sizeof(char[sizeof(fields_) / sizeof((fields_)[0]) <= 64 ? 1 : -1]),        \
	  .unknown = JSON_OFFSET(type, unknown, struct json_map) }
/* clang-format on */

/** "2.1.0": the parser's. */
const char *json_library_version(struct arena *arena);

enum json_source_flag {
	JSON_LAST_WINS = 1,	  /* a property given twice: the last one counts; else an error */
	JSON_IGNORE_TRAILING = 2, /* bytes behind the first value are not looked at */
};

struct findings;

/** A document to decode. */
struct json_source {
	const char *name; /* for messages: "config.json" */
	const char *text;
	size_t size;
	size_t max_size; /* refuse more; 0 = 16 MiB */
	unsigned int flags;
	/* NULL: the first thing that is wrong ends the decoding. Else all is put there, values that
	 * are wrong count as absent (required strings as ""), and decoding fails only when it could
	 * not get to the end of the document. */
	struct findings *findings;
};

/** Deeper nesting than this, and more list elements in one document, are refused. */
#define JSON_DEPTH_MAX 64
#define JSON_ELEMENTS_MAX ((size_t)1 << 18)

/**
 * Decode an object into out, which the caller has zeroed; everything it points to goes to arena.
 * A message reads "config.json:12:7: /process/args: expected an array of strings, not a number";
 * err->pointer has the pointer alone. On failure out is half filled and not to be used.
 *
 * Rules: null = absent; unknown properties are ignored (or kept: JSON_TABLE_OPEN); integers must be
 * written as integers and be in range; NUL in a string, invalid UTF-8 and half a surrogate pair
 * are refused (Go's decoder puts U+FFFD there: a path that silently differs).
 */
int json_decode(const struct json_source *source, const struct json_object *table,
		struct arena *arena, void *out, struct error *err);

/**
 * The same for a text (to its NUL) as json_encode() makes it in compact form, in a third of the
 * time. false: it may be good or not, but json_decode() has to tell; out is half filled then.
 */
bool json_decode_plain(const char *text, const struct json_object *table, struct arena *arena,
		       void *out);

/** json_decode() of an array of objects; out is a JSON_LIST. */
int json_decode_list(const struct json_source *source, const struct json_object *table,
		     struct arena *arena, void *out, struct error *err);

/** Append the object in, as text, to out. What decoding would give back equally is left out:
 *  absent lists and pointers, NULL strings, false and 0 without a has_ member. */
void json_encode(const struct json_object *table, const void *in, enum json_style style,
		 struct strbuf *out);
void json_encode_list(const struct json_object *table, const void *in, enum json_style style,
		      struct strbuf *out);

#endif
