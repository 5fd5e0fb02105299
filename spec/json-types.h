/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the structs of decoded documents are made of. All of it lives in the arena that the document
 * was decoded into. items is NULL when the property was absent (or null) and not NULL for [] and
 * {}: that is how "not given" and "given, empty" are told apart.
 */
#ifndef SPEC_JSON_TYPES_H
#define SPEC_JSON_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A list of any type: JSON_LIST(struct oci_mount) mounts; mounts.items[i], i < mounts.count. */
#define JSON_LIST(type)                                                                            \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
	}

/** Strings; items is NULL-terminated whenever it is not NULL, so it can be an argv. */
struct json_strings {
	char **items;
	size_t count;
	bool null; /* an explicit null, where the table keeps it (image documents) */
};

struct json_numbers {
	uint32_t *items;
	size_t count;
};

struct json_pair {
	const char *key;
	const char *value;
};

/** String -> string, in document order. Also members that a table does not know: value is then
 *  the member's raw text. */
struct json_map {
	struct json_pair *items;
	size_t count;
	bool null; /* as in json_strings */
};

/** The value of key, or NULL. */
const char *json_map_get(const struct json_map *map, const char *key);
/** Has it "KEY", whatever its value, or "KEY=VALUE"? As filters of labels say it. */
bool json_map_fits(const struct json_map *map, const char *text);

struct arena;

/** Replaces the value of key or appends the pair; both texts are copied into arena. */
void json_map_set(struct json_map *map, struct arena *arena, const char *key, const char *value);
/** Removes key; true when it was there. */
bool json_map_remove(struct json_map *map, const char *key);

/** Appends a copy of text; the list itself is copied each time, so that no other that began as
 *  this one changes. */
void json_strings_add(struct json_strings *list, struct arena *arena, const char *text);
/** The same of many, at once; of none the list stays what it is. */
void json_strings_add_all(struct json_strings *list, struct arena *arena, char *const *texts,
			  size_t count);
bool json_strings_contain(const struct json_strings *list, const char *text);

struct strbuf;

/** Append "/NAME" to a JSON pointer, escaped as RFC 6901 asks. */
void json_pointer_add(struct strbuf *pointer, const char *name);

/** How documents are written. */
enum json_style {
	JSON_COMPACT,	 /* one line, no blanks */
	JSON_INDENT_2,	 /* two spaces per level, as `state` prints */
	JSON_INDENT_TAB, /* a tab per level, as `spec` writes */
};

#endif
