/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pattern matcher: tokens and a set of states that moves along the path one character at a
 * time (no backtracking). Used by ignore.c and select.c. "**" in the middle means "(.*\/)?" as in
 * moby's patternmatcher, so "a**b" does not match "axb"; only "**text" at the very start is a
 * plain suffix.
 */
#include "builder/context/patterns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

#define SMALL 64	  /* patterns of fewer tokens need no memory to be matched */
#define PATTERN_MAX 65000 /* bytes */

enum token_kind {
	TOKEN_CHAR,
	TOKEN_ANY,   /* ?: one, not a slash */
	TOKEN_CLASS, /* [...]: one, not a slash */
	TOKEN_STAR,  /* *: any number, no slash */
	TOKEN_ALL,   /* any number, also slashes */
	TOKEN_DIRS,  /* nothing, or anything that ends with a slash */
};

struct class_range {
	uint32_t first, last;
};

struct token {
	enum token_kind kind;
	uint32_t c;
	size_t at, size; /* of a character in the pattern's text */
	bool negated;
	struct class_range *ranges;
	size_t range_count;
};

struct pattern {
	struct token *tokens;
	size_t count;
	char *text;
	/* What every match begins and ends with: most patterns are ruled out by these. */
	char *prefix, *suffix;
	size_t prefix_size, suffix_size; /* bytes */
	size_t prefix_tokens;		 /* that prefix stands for */
};

/* One character; a byte that is not UTF-8 is a character of its own. */
static uint32_t next_char(const char **at)
{
	const unsigned char *p = (const unsigned char *)*at;
	int extra = p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 1 : p[0] < 0xF0 ? 2 : p[0] < 0xF8 ? 3 : 0;
	uint32_t c = extra ? p[0] & (0x3Fu >> extra) : p[0] < 0x80 ? p[0] : 0x110000u + p[0];

	for (int i = 1; i <= extra; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			(*at)++;
			return 0x110000u + p[0];
		}
		c = c << 6 | (p[i] & 0x3F);
	}
	*at += 1 + extra;
	return c;
}

static int bad_pattern(const char *text, struct error *err)
{
	return error_invalid(err, "syntax error in pattern \"%s\"", text);
}

/* One bound of a range, an escape resolved. */
static bool class_char(const char **at, uint32_t *out)
{
	if (**at == '\\')
		(*at)++;
	else if (**at == '-' || **at == ']')
		return false;
	if (!**at)
		return false;
	*out = next_char(at);
	return true;
}

/* Behind "[": ranges up to "]". */
static bool compile_class(const char **at, struct token *token)
{
	size_t capacity = 0;

	token->kind = TOKEN_CLASS;
	token->negated = **at == '^';
	*at += token->negated;
	do {
		struct class_range range;

		if (!class_char(at, &range.first))
			return false;
		range.last = range.first;
		if (**at == '-') {
			(*at)++;
			if (!class_char(at, &range.last) || range.last < range.first)
				return false;
		}
		ARRAY_GROW(token->ranges, token->range_count, capacity);
		token->ranges[token->range_count++] = range;
	} while (**at != ']');
	(*at)++;
	return true;
}

/* At a star. */
static void compile_star(const char **at, bool first, enum pattern_dialect dialect,
			 struct token *token)
{
	(*at)++;
	token->kind = TOKEN_STAR;
	if (dialect == PATTERN_WILDCARD || **at != '*')
		return;
	(*at)++;
	token->kind = TOKEN_DIRS;
	if (first && **at && !strpbrk(*at, "*?[\\/"))
		token->kind = TOKEN_ALL; /* "**text" */
	if (**at == '/')
		(*at)++;
	if (!**at)
		token->kind = TOKEN_ALL;
}

/* What tokens of single characters stand for, escapes resolved. */
static char *literal_text(const struct pattern *pattern, size_t first, size_t end, size_t *out_size)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = first; i < end; i++)
		strbuf_add(&text, pattern->text + pattern->tokens[i].at, pattern->tokens[i].size);
	*out_size = text.size;
	return strbuf_take(&text);
}

static void find_literals(struct pattern *pattern)
{
	size_t first = 0, last = pattern->count;

	while (first < pattern->count && pattern->tokens[first].kind == TOKEN_CHAR)
		first++;
	while (last > first && pattern->tokens[last - 1].kind == TOKEN_CHAR)
		last--;
	pattern->prefix_tokens = first;
	pattern->prefix = literal_text(pattern, 0, first, &pattern->prefix_size);
	pattern->suffix = literal_text(pattern, last, pattern->count, &pattern->suffix_size);
}

int pattern_compile(const char *text, enum pattern_dialect dialect, struct pattern **out,
		    struct error *err)
{
	struct pattern *pattern = xzalloc(sizeof(*pattern));
	const char *at = text;

	if (strlen(text) > PATTERN_MAX) {
		free(pattern);
		return error_invalid(err, "a pattern of more than %d bytes", PATTERN_MAX);
	}
	pattern->text = xstrdup(text);
	pattern->tokens = xreallocarray(NULL, strlen(text) + 1, sizeof(*pattern->tokens));
	while (*at) {
		struct token *token = &pattern->tokens[pattern->count++];
		bool ok = true;

		*token = (struct token){ .kind = TOKEN_CHAR };
		if (*at == '*') {
			compile_star(&at, at == text, dialect, token);
		} else if (*at == '[') {
			at++;
			ok = compile_class(&at, token);
		} else if (*at == '?') {
			at++;
			token->kind = TOKEN_ANY;
		} else {
			at += *at == '\\';
			ok = *at != '\0';
			token->at = (size_t)(at - text);
			if (ok)
				token->c = next_char(&at);
			token->size = (size_t)(at - text) - token->at;
		}
		if (!ok) {
			pattern_free(pattern);
			return bad_pattern(text, err);
		}
	}
	find_literals(pattern);
	*out = pattern;
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	for (size_t i = 0; i < pattern->count; i++)
		free(pattern->tokens[i].ranges);
	free(pattern->tokens);
	free(pattern->prefix);
	free(pattern->suffix);
	free(pattern->text);
	free(pattern);
}

static bool class_matches(const struct token *token, uint32_t c)
{
	for (size_t i = 0; i < token->range_count; i++)
		if (c >= token->ranges[i].first && c <= token->ranges[i].last)
			return !token->negated;
	return token->negated;
}

/* States, bits: before a token, inside a TOKEN_DIRS. They move alike, but only before may be empty.
 */
enum { STATE_BEFORE = 1, STATE_INSIDE = 2 };

/* The tokens that have states, and which: a list, because mostly there are two or three. */
struct states {
	unsigned char *bits; /* by token; all 0 but for the listed ones */
	unsigned short *items;
	size_t count;
};

static void set_state(struct states *states, size_t i, unsigned char bit)
{
	if (!states->bits[i])
		states->items[states->count++] = (unsigned short)i;
	states->bits[i] |= bit;
}

/* Enter the state before token i, and those behind tokens that may be empty. */
static void enter(const struct pattern *pattern, struct states *states, size_t i)
{
	while (!(states->bits[i] & STATE_BEFORE)) {
		set_state(states, i, STATE_BEFORE);
		if (i == pattern->count)
			return;
		switch (pattern->tokens[i].kind) {
		case TOKEN_STAR:
		case TOKEN_ALL:
		case TOKEN_DIRS:
			i++;
			break;
		default:
			return;
		}
	}
}

/* Move token i's states over one character. */
static void step(const struct pattern *pattern, size_t i, uint32_t c, struct states *next)
{
	const struct token *token = &pattern->tokens[i];

	switch (token->kind) {
	case TOKEN_CHAR:
		if (c == token->c)
			enter(pattern, next, i + 1);
		break;
	case TOKEN_ANY:
		if (c != '/')
			enter(pattern, next, i + 1);
		break;
	case TOKEN_CLASS:
		if (c != '/' && class_matches(token, c))
			enter(pattern, next, i + 1);
		break;
	case TOKEN_STAR:
		if (c != '/')
			enter(pattern, next, i);
		break;
	case TOKEN_ALL:
		enter(pattern, next, i);
		break;
	case TOKEN_DIRS:
		set_state(next, i, STATE_INSIDE);
		if (c == '/')
			enter(pattern, next, i + 1);
		break;
	}
}

/* Do the tokens from first on match this rest of a path? */
static bool matches_behind(const struct pattern *pattern, size_t first, const char *path)
{
	size_t size = pattern->count + 1;
	unsigned char bits[2 * SMALL] = { 0 };
	unsigned short items[2 * SMALL];
	cleanup_free unsigned char *many_bits = NULL;
	cleanup_free unsigned short *many_items = NULL;
	struct states states = { bits, items, 0 }, next = { bits + SMALL, items + SMALL, 0 };

	if (size > SMALL) {
		states.bits = many_bits = xzalloc(2 * size);
		states.items = many_items = xreallocarray(NULL, 2 * size, sizeof(*many_items));
		next = (struct states){ many_bits + size, many_items + size, 0 };
	}
	enter(pattern, &states, first);
	while (*path && states.count) {
		uint32_t c = next_char(&path);
		struct states swap = states;

		for (size_t i = 0; i < states.count; i++) {
			if (states.items[i] < pattern->count)
				step(pattern, states.items[i], c, &next);
			states.bits[states.items[i]] = 0;
		}
		states = next;
		next = (struct states){ swap.bits, swap.items, 0 };
	}
	return states.bits[pattern->count] != 0;
}

bool pattern_matches(const struct pattern *pattern, const char *path)
{
	size_t size;

	if (strncmp(path, pattern->prefix, pattern->prefix_size) != 0)
		return false;
	if (pattern->prefix_tokens == pattern->count)
		return !path[pattern->prefix_size];
	path += pattern->prefix_size;
	size = strlen(path);
	if (size < pattern->suffix_size ||
	    memcmp(path + size - pattern->suffix_size, pattern->suffix, pattern->suffix_size) != 0)
		return false;
	return matches_behind(pattern, pattern->prefix_tokens, path);
}

bool pattern_has_wildcards(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == '*' || *text == '?' || *text == '[')
			return true;
	}
	return false;
}
