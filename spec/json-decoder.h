/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the decoder (json.c, json-frames.c, json-values.c, json-store.c, json-report.c)
 * share. Nobody else includes this. A function that takes an event returns what yajl's callbacks
 * do: 0 ends the decoding.
 */
#ifndef SPEC_JSON_DECODER_H
#define SPEC_JSON_DECODER_H

#include "spec/findings.h"
#include "spec/json-table.h"

/* The names of these rules in docs/validation.md; the first two end the decoding. */
#define RULE_SYNTAX "json-syntax"
#define RULE_LIMIT "json-limit"
#define RULE_TYPE "json-type"
#define RULE_VALUE "json-value"
#define RULE_TEXT "json-text"
#define RULE_TWICE "json-twice"
#define RULE_MISSING "json-missing"

/* One open object or array. `kind` tells what it fills: a struct (INLINE) or one of the lists. */
struct json_frame {
	enum json_kind kind;
	const struct json_field *field; /* the row that this is the value of */
	char *target;			/* where the finished list goes */

	const struct json_object *object; /* a struct: its table ... */
	char *base;			  /* ... and the struct */
	const struct json_field *current; /* row of the property being read; NULL = unknown one */
	uint64_t seen;			  /* bit per row */
	size_t start;			  /* offset of its bracket */
	unsigned int next;		  /* row to try first */

	char *items; /* a list, a map, or the unknown members of a struct */
	size_t count;
	size_t capacity;
	uint64_t mask;	 /* of a FLAGS array */
	const char *key; /* of the member being read, where it is kept */
};

struct json_decoder {
	const struct json_source *source;
	struct arena *arena;
	struct error *err;
	struct findings *findings; /* NULL: end at the first */
	struct yajl_handle_t *yajl;
	int ret;     /* what was found wrong */
	bool at_end; /* yajl_complete_parse() counts its bytes from 0 again */

	size_t token_end;  /* offset behind the token before this one */
	unsigned int skip; /* open brackets of a value that no table asks for ... */
	bool skip_lost;	   /* ... or that is not what the table asks for */
	size_t raw_start;  /* where that value began */
	size_t elements;
	unsigned int depth; /* frames in use */
	struct json_frame frames[JSON_DEPTH_MAX];
};

static inline struct json_frame *json_top(struct json_decoder *decoder)
{
	return &decoder->frames[decoder->depth - 1];
}

static inline bool json_frame_is_struct(const struct json_frame *frame)
{
	return frame->kind == JSON_KIND_INLINE;
}

static inline bool json_frame_is_map(const struct json_frame *frame)
{
	return frame->kind == JSON_KIND_MAP || frame->kind == JSON_KIND_SET ||
	       frame->kind == JSON_KIND_OBJECT_MAP;
}

/* -- json-report.c ----------------------------------------------------------------------------- */

/** The offset behind the token that was read last, and that of its first character. */
size_t json_consumed(const struct json_decoder *decoder);
size_t json_token_start(const struct json_decoder *decoder);
/**
 * What is wrong: into the list, if the caller wants one, and the first into the error. Returns the
 * entry of the list or NULL.
 */
struct finding *json_report_at(struct json_decoder *decoder, const char *rule, size_t offset,
			       const char *format, ...) __attribute__((format(printf, 4, 5)));
#define json_report(decoder, rule, ...)                                                            \
	(void)json_report_at(decoder, rule, json_token_start(decoder), __VA_ARGS__)
/** For what ends the decoding, with and without a list: 0. */
#define json_stop(decoder, ...)                                                                    \
	(json_report_at(decoder, RULE_LIMIT, json_token_start(decoder), __VA_ARGS__), 0)
/** For a value that cannot be stored: reports it, and json_value_lost. */
#define json_fail(decoder, rule, ...)                                                              \
	(json_report_at(decoder, rule, json_token_start(decoder), __VA_ARGS__),                    \
	 json_value_lost(decoder))
/** Whether decoding goes on: with a list, each value that is wrong counts as one that is absent. */
bool json_goes_on(const struct json_decoder *decoder);

/* -- json-store.c ------------------------------------------------------------------------------ */

/** What a kind is called in messages. */
extern const char *const json_kind_text[];
/** The kind that the next value in the frame must have. */
enum json_kind json_wanted_kind(const struct json_frame *frame);
/** The size of an element of a list. */
size_t json_element_size(const struct json_frame *frame);
/** Members are of many pointer types: memcpy is the store that is right for all. */
void json_store_pointer(char *target, const void *pointer);
void json_store_list(char *target, const void *items, size_t count);
/** The address of a new, zeroed element behind the last; one more is kept for a final NULL. */
char *json_frame_grow(struct json_decoder *decoder, struct json_frame *frame, size_t size);
/** One more element in the document: false when it is one too many. */
bool json_element_allowed(struct json_decoder *decoder);
void json_mark_present(const struct json_frame *frame);
/** Who reads the struct may rely on required strings; the other kinds have a harmless zero. */
void json_fill_required(const struct json_object *object, char *base);
/**
 * A value was reported that cannot be stored. Elements of lists keep their places, so that what is
 * said about those behind has the right index.
 */
int json_value_lost(struct json_decoder *decoder);
/** The value is of another type than what is wanted; the second: all of an object or array. */
int json_mismatch(struct json_decoder *decoder, const char *found);
int json_mismatch_open(struct json_decoder *decoder, const char *found);
/** Values that are not looked into: is the next one of them? */
bool json_is_raw(const struct json_frame *frame);
/** A scalar while skipping or of no interest: true when it is dealt with. */
bool json_skip_scalar(struct json_decoder *decoder);
int json_skip_open(struct json_decoder *decoder);
int json_skip_close(struct json_decoder *decoder);

/* -- json-values.c ----------------------------------------------------------------------------- */

int json_take_null(struct json_decoder *decoder);
int json_take_bool(struct json_decoder *decoder, bool value);
int json_take_number(struct json_decoder *decoder, const char *text, size_t size);
int json_take_string(struct json_decoder *decoder, const char *text, size_t size);
/** Strings and names: what C and the kernel could not take as it was meant is reported. */
bool json_text_allowed(struct json_decoder *decoder, const char *text, size_t size);

/* -- json-frames.c ----------------------------------------------------------------------------- */

/** A new frame on the stack, empty; NULL when there are too many (reported). */
struct json_frame *json_push(struct json_decoder *decoder);
int json_take_map(struct json_decoder *decoder);
int json_take_array(struct json_decoder *decoder);
int json_take_key(struct json_decoder *decoder, const char *name, size_t size);
int json_take_end(struct json_decoder *decoder);

#endif
