/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text, piece by piece, for output that no struct stands behind (logs, statistics). Commas,
 * colons and indentation come by themselves; '/' is not escaped.
 *
 *	struct json_writer w = { .out = &buf };
 *	json_begin_object(&w);
 *	json_key(&w, "pids");
 *	json_begin_array(&w); json_u64(&w, 42); json_end_array(&w);
 *	json_end_object(&w);
 */
#ifndef SPEC_JSON_WRITE_H
#define SPEC_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"
#include "spec/json-types.h"

struct json_writer {
	struct strbuf *out;
	enum json_style style;
	unsigned int depth;
	bool filled; /* something stands before us on this level */
	bool after_key;
};

void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *name);

/** NULL is written as null. */
void json_string(struct json_writer *writer, const char *text);
/** Bytes, as a string of base64. */
void json_base64(struct json_writer *writer, const void *data, size_t size);
void json_u64(struct json_writer *writer, uint64_t value);
void json_i64(struct json_writer *writer, int64_t value);
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);

/** A member of an object: its key and its value. */
void json_put_string(struct json_writer *writer, const char *name, const char *text);
/** The same where NULL means that there is none: an empty string. */
void json_put_text(struct json_writer *writer, const char *name, const char *text);
void json_put_bool(struct json_writer *writer, const char *name, bool value);
void json_put_i64(struct json_writer *writer, const char *name, int64_t value);
void json_put_u64(struct json_writer *writer, const char *name, uint64_t value);

/** A value that is JSON text already; its blanks are replaced by those of the style. */
void json_raw(struct json_writer *writer, const char *text);

#endif
