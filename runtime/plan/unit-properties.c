/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations "org.systemd.property.NAME" as properties of the container's unit. The value is in
 * GVariant's text format: numbers, strings, booleans and arrays of these, with or without a type
 * ("uint64 5", "@as []"). NAMESec with a number of seconds is NAMEUSec, as systemd's own files have
 * it. What a name means is known to systemd alone.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"

#define USEC_PER_SEC 1000000

/* A text on its way into a value: words as plan_unit_property has them. */
struct parser {
	const char *p;
	char type[4]; /* the D-Bus signature: "t", "as" */
	struct strbuf words;
};

struct simple_type {
	const char *keyword;
	char type;
	int64_t min;
	uint64_t max;
};

static const struct simple_type simple_types[] = {
	{ "byte", 'y', 0, UINT8_MAX },	  { "int16", 'n', INT16_MIN, INT16_MAX },
	{ "uint16", 'q', 0, UINT16_MAX }, { "int32", 'i', INT32_MIN, INT32_MAX },
	{ "uint32", 'u', 0, UINT32_MAX }, { "int64", 'x', INT64_MIN, INT64_MAX },
	{ "uint64", 't', 0, UINT64_MAX }, { "double", 'd', 0, 0 },
	{ "boolean", 'b', 0, 0 },	  { "string", 's', 0, 0 },
	{ "objectpath", 'o', 0, 0 },	  { "signature", 'g', 0, 0 },
};

static const struct simple_type *type_of(char type)
{
	for (size_t i = 0; i < ARRAY_SIZE(simple_types); i++)
		if (simple_types[i].type == type)
			return &simple_types[i];
	return NULL;
}

static void add_word(struct strbuf *words, const char *text)
{
	strbuf_add(words, text, strlen(text) + 1);
}

static void skip_blanks(struct parser *parser)
{
	parser->p += strspn(parser->p, " \t\n");
}

/* -- the simple types: each leaves one word and returns its type, 0 = not understood -- */

static char parse_string(struct parser *parser, char wanted)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char quote = *parser->p++;

	if (wanted && !strchr("sog", wanted))
		return 0;
	for (; *parser->p && *parser->p != quote; parser->p++) {
		/* an escaped letter is a control character, which has no place in a unit */
		if (*parser->p == '\\' && (!*++parser->p || isalnum((unsigned char)*parser->p)))
			return 0;
		strbuf_addc(&text, *parser->p);
	}
	if (!*parser->p)
		return 0;
	parser->p++;
	add_word(&parser->words, strbuf_text(&text));
	return wanted ? wanted : 's';
}

static bool in_range(const struct simple_type *type, const char *text)
{
	uint64_t number;
	int64_t negative;

	if (*text == '-')
		return number_parse_i64(text, &negative) == 0 && negative >= type->min;
	return number_parse_u64(text, &number) == 0 && number <= type->max;
}

static char parse_number(struct parser *parser, char wanted)
{
	size_t size = strspn(parser->p, "+-.0123456789eE");
	cleanup_free char *text =
		xstrndup(parser->p + (*parser->p == '+'), size - (*parser->p == '+'));
	bool fraction = strpbrk(text, ".eE") != NULL;
	char type = wanted ? wanted : fraction ? 'd' : 'i', *end;

	if (*parser->p == '+' && (*text == '+' || *text == '-'))
		return 0;
	parser->p += size;
	if (type == 'd') {
		(void)strtod(text, &end);
		if (!*text || *end)
			return 0;
	} else if (!strchr("ynqiuxt", type) || !in_range(type_of(type), text)) {
		return 0;
	}
	add_word(&parser->words, text);
	return type;
}

static char parse_simple(struct parser *parser, char wanted)
{
	size_t size;
	char type = wanted;

	skip_blanks(parser);
	size = strspn(parser->p, "abcdefghijklmnopqrstuvwxyz0123456789");
	for (size_t i = 0; i < ARRAY_SIZE(simple_types) && size; i++) {
		if (strlen(simple_types[i].keyword) != size ||
		    strncmp(parser->p, simple_types[i].keyword, size) != 0)
			continue;
		if (wanted && wanted != simple_types[i].type)
			return 0;
		type = simple_types[i].type;
		parser->p += size;
		skip_blanks(parser);
		size = strspn(parser->p, "abcdefghijklmnopqrstuvwxyz");
		break;
	}
	if ((size == 4 && strncmp(parser->p, "true", 4) == 0) ||
	    (size == 5 && strncmp(parser->p, "false", 5) == 0)) {
		parser->p += size;
		add_word(&parser->words, size == 4 ? "1" : "0");
		return !type || type == 'b' ? 'b' : 0;
	}
	if (*parser->p == '\'' || *parser->p == '"')
		return parse_string(parser, type);
	return *parser->p && strchr("+-.0123456789", *parser->p) ? parse_number(parser, type) : 0;
}

/* -- arrays of them -- */

static bool parse_array(struct parser *parser, char wanted)
{
	struct parser items = { .p = parser->p + 1 };
	char count_text[24], type = wanted;
	size_t count = 0;

	for (skip_blanks(&items); *items.p && *items.p != ']'; skip_blanks(&items)) {
		if (count && *items.p != ',')
			break;
		items.p += count > 0;
		type = parse_simple(&items, type);
		if (!type)
			break;
		count++;
	}
	(void)snprintf(count_text, sizeof(count_text), "%zu", count);
	add_word(&parser->words, count_text);
	strbuf_add(&parser->words, strbuf_text(&items.words), items.words.size);
	strbuf_done(&items.words);
	parser->p = items.p;
	(void)snprintf(parser->type, sizeof(parser->type), "a%c", type);
	if (!type || *parser->p != ']')
		return false;
	parser->p++;
	return true;
}

static bool parse_value(struct parser *parser)
{
	char given[3] = "";

	skip_blanks(parser);
	if (*parser->p == '@') {
		size_t size = strcspn(++parser->p, " ");

		if (size > 2 || (size == 2 && *parser->p != 'a'))
			return false;
		memcpy(given, parser->p, size);
		if (!size || !type_of(given[size - 1]))
			return false;
		parser->p += size;
		skip_blanks(parser);
	}
	if (*parser->p == '[') {
		if ((*given && *given != 'a') || !parse_array(parser, given[0] ? given[1] : 0))
			return false;
	} else {
		parser->type[0] = given[0] == 'a' ? 0 : parse_simple(parser, given[0]);
	}
	skip_blanks(parser);
	return *parser->type && !*parser->p;
}

/* "TimeoutStopSec" = 1.5 is "TimeoutStopUSec" = 1500000. */
static int convert_seconds(struct parser *parser, struct strbuf *name, struct error *err)
{
	size_t size = name->size;
	double seconds;
	char text[32];

	if (size < 4 || strcmp(name->data + size - 3, "Sec") != 0 ||
	    !islower((unsigned char)name->data[size - 4]))
		return 0;
	seconds = strtod(strbuf_text(&parser->words), NULL);
	if (parser->type[1] || !strchr("ynqiuxtd", parser->type[0]) ||
	    !(seconds >= 0 && seconds < (double)(UINT64_MAX / USEC_PER_SEC)))
		return error_invalid(err, "\"%s\" takes a number of seconds", name->data);
	strbuf_truncate(name, size - 3);
	strbuf_adds(name, "USec");
	(void)snprintf(text, sizeof(text), "%llu",
		       (unsigned long long)round(seconds * USEC_PER_SEC));
	strbuf_truncate(&parser->words, 0);
	add_word(&parser->words, text);
	(void)snprintf(parser->type, sizeof(parser->type), "t");
	return 0;
}

static int add_property(const struct json_pair *annotation, struct strbuf *out, struct error *err)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	struct parser parser = { .p = annotation->value };
	int ret = 0;

	strbuf_adds(&name, annotation->key + strlen(ANNOTATION_UNIT_PROPERTY));
	for (const char *p = strbuf_text(&name); *p; p++)
		if (!isascii((unsigned char)*p) || !isalnum((unsigned char)*p))
			ret = -EINVAL;
	if (ret < 0 || !name.size)
		ret = error_invalid(err, "\"%s\" is not the name of a unit's property",
				    strbuf_text(&name));
	else if (!parse_value(&parser))
		ret = error_invalid(err,
				    "\"%s\" is not a value that a unit's property can have here: a "
				    "number, string, boolean or an array of them, as GVariant text",
				    annotation->value);
	else
		ret = convert_seconds(&parser, &name, err);
	if (ret == 0) {
		add_word(out, "0"); /* any version: systemd will say if it does not know it */
		add_word(out, strbuf_text(&name));
		add_word(out, parser.type);
		strbuf_add(out, strbuf_text(&parser.words), parser.words.size);
	}
	strbuf_done(&parser.words);
	return ret;
}

int compile_unit_properties(const struct compiler *c, struct error *err)
{
	const struct json_map *annotations = &c->config->annotations;
	struct plan_cgroup *cgroup = &c->plan->cgroup;
	cleanup_strbuf struct strbuf words = STRBUF_INIT;
	char *kept;

	for (size_t i = 0; i < annotations->count; i++) {
		const struct json_pair *item = &annotations->items[i];
		int ret;

		if (strncmp(item->key, ANNOTATION_UNIT_PROPERTY,
			    strlen(ANNOTATION_UNIT_PROPERTY)) != 0)
			continue;
		ret = add_property(item, &words, err);
		ret = compile_go_on(c, compile_key_pointer(err, ret, "/annotations", item->key),
				    err);
		if (ret < 0)
			return ret;
	}
	kept = arena_alloc(&c->plan->arena, words.size);
	if (words.size)
		memcpy(kept, words.data, words.size);
	cgroup->unit_properties = kept;
	cgroup->unit_properties_size = words.size;
	return 0;
}
