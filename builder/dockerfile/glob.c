/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of variable expansion, called by expand.c. Pattern and value become arrays of UTF-8
 * characters, so that "the end" is the beginning of the reversed arrays. A pattern is cut at its
 * stars into segments; the first is anchored, the middle ones go as far left as they can, and the
 * last one decides between shortest and longest.
 */
#include "builder/dockerfile/glob.h"

#include <stdint.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

#define GLOB_NONE SIZE_MAX

enum { GLOB_ANY = -1, GLOB_STAR = -2 };

/* A character: its bytes in the text, or in a pattern also GLOB_ANY, GLOB_STAR as size. */
struct glob_char {
	const char *at;
	int size;
};

struct glob_text {
	struct glob_char *items;
	size_t count;
};

static int utf8_size(const char *at)
{
	unsigned char c = (unsigned char)*at;
	int size = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

	for (int i = 1; i < size; i++)
		if (((unsigned char)at[i] & 0xC0) != 0x80)
			return 1; /* not UTF-8: bytes are characters */
	return size;
}

static struct glob_text glob_load(const char *text, bool pattern)
{
	struct glob_text out = { xreallocarray(NULL, strlen(text) + 1, sizeof(*out.items)), 0 };

	while (*text) {
		struct glob_char *c = &out.items[out.count++];
		bool escaped = pattern && *text == '\\' && text[1];

		text += escaped;
		*c = (struct glob_char){ text, utf8_size(text) };
		text += c->size;
		if (pattern && !escaped && *c->at == '?')
			c->size = GLOB_ANY;
		if (pattern && !escaped && *c->at == '*')
			c->size = GLOB_STAR;
	}
	return out;
}

static void glob_reverse(struct glob_text *text)
{
	for (size_t i = 0, j = text->count; i + 1 < j; i++) {
		struct glob_char saved = text->items[i];

		text->items[i] = text->items[--j];
		text->items[j] = saved;
	}
}

/* Does the segment [from, to) of the pattern match the value at position at? */
static bool segment_matches(const struct glob_text *pattern, size_t from, size_t to,
			    const struct glob_text *value, size_t at)
{
	if (value->count - at < to - from)
		return false;
	for (size_t i = from; i < to; i++, at++) {
		const struct glob_char *p = &pattern->items[i], *v = &value->items[at];

		if (p->size != GLOB_ANY &&
		    (p->size != v->size || memcmp(p->at, v->at, (size_t)p->size) != 0))
			return false;
	}
	return true;
}

static size_t segment_end(const struct glob_text *pattern, size_t from)
{
	while (from < pattern->count && pattern->items[from].size != GLOB_STAR)
		from++;
	return from;
}

/* Where the match that starts at position start ends; GLOB_NONE. *hopeless: nor for any later one.
 */
static size_t glob_match(const struct glob_text *pattern, const struct glob_text *value,
			 size_t start, bool longest, bool *hopeless)
{
	size_t from = 0, to = segment_end(pattern, 0), at = start;

	*hopeless = false;
	if (!segment_matches(pattern, from, to, value, at))
		return GLOB_NONE;
	at += to - from;
	while (to < pattern->count) {
		bool last;

		from = to + 1;
		to = segment_end(pattern, from);
		last = to == pattern->count;
		if (last && longest) { /* as far right as it goes */
			size_t size = to - from, end = value->count;

			while (end >= at + size &&
			       !segment_matches(pattern, from, to, value, end - size))
				end--;
			*hopeless = end < at + size;
			return *hopeless ? GLOB_NONE : end;
		}
		while (at <= value->count && !segment_matches(pattern, from, to, value, at))
			at++;
		if (at > value->count) {
			*hopeless = true; /* what follows a star is nowhere behind it */
			return GLOB_NONE;
		}
		at += to - from;
	}
	return at;
}

static void add_chars(struct strbuf *out, const struct glob_text *value, size_t from, size_t to)
{
	for (; from < to; from++)
		strbuf_add(out, value->items[from].at, (size_t)value->items[from].size);
}

static void glob_trim(const char *pattern_text, const char *value_text, bool longest, bool reverse,
		      struct strbuf *out)
{
	struct glob_text pattern = glob_load(pattern_text, true);
	struct glob_text value = glob_load(value_text, false);
	bool hopeless;
	size_t end;

	if (reverse) {
		glob_reverse(&pattern);
		glob_reverse(&value);
	}
	end = glob_match(&pattern, &value, 0, longest, &hopeless);
	if (end == GLOB_NONE)
		end = 0;
	if (reverse) {
		glob_reverse(&value);
		add_chars(out, &value, 0, value.count - end);
	} else {
		add_chars(out, &value, end, value.count);
	}
	free(pattern.items);
	free(value.items);
}

void glob_trim_prefix(const char *pattern, const char *value, bool longest, struct strbuf *out)
{
	glob_trim(pattern, value, longest, false, out);
}

void glob_trim_suffix(const char *pattern, const char *value, bool longest, struct strbuf *out)
{
	glob_trim(pattern, value, longest, true, out);
}

void glob_replace(const char *pattern_text, const char *value_text, const char *replacement,
		  bool all, size_t max, struct strbuf *out)
{
	struct glob_text pattern = glob_load(pattern_text, true);
	struct glob_text value = glob_load(value_text, false);
	size_t at = 0;
	bool hopeless = pattern.count == 0, done = false;

	while (at <= value.count && !hopeless && !done && out->size <= max) {
		size_t end = glob_match(&pattern, &value, at, true, &hopeless);

		if (end != GLOB_NONE && (end > at || value.count == 0)) {
			strbuf_adds(out, replacement);
			done = !all || value.count == 0;
			at = end;
		} else if (!hopeless && at < value.count) {
			add_chars(out, &value, at, at + 1);
			at++;
		} else {
			break;
		}
	}
	add_chars(out, &value, at, value.count);
	free(pattern.items);
	free(value.items);
}
