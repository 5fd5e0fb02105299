/* SPDX-License-Identifier: Apache-2.0 */
/* See template.h. */
#include "builder/cli/template.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/printable.h"

struct template_field {
	const char *name;
	const char *text; /* NULL: a list */
	struct template_scope *first, *last;
	struct template_field *next;
};

struct template_scope {
	struct arena *arena;
	const struct template_scope *parent;
	struct template_field *fields;
	struct template_scope *next; /* in its list */
};

/* -- values --------------------------------------------------------------------------------------
 */

struct template_scope *template_new(struct arena *arena)
{
	struct template_scope *scope = arena_alloc(arena, sizeof(*scope));

	scope->arena = arena;
	return scope;
}

static struct template_field *own_field(const struct template_scope *scope, const char *name,
					size_t size)
{
	for (struct template_field *field = scope->fields; field; field = field->next)
		if (strncmp(field->name, name, size) == 0 && !field->name[size])
			return field;
	return NULL;
}

/* name is a literal of ours. */
static struct template_field *make_field(struct template_scope *scope, const char *name)
{
	struct template_field *field = own_field(scope, name, strlen(name));

	if (field)
		return field;
	field = arena_alloc(scope->arena, sizeof(*field));
	field->name = name;
	field->next = scope->fields;
	scope->fields = field;
	return field;
}

void template_set(struct template_scope *scope, const char *name, const char *text)
{
	if (text && *text)
		make_field(scope, name)->text = arena_strdup(scope->arena, text);
}

void template_setf(struct template_scope *scope, const char *name, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	template_set(scope, name, text);
}

struct template_scope *template_add(struct template_scope *scope, const char *list)
{
	struct template_field *field = make_field(scope, list);
	struct template_scope *item = template_new(scope->arena);

	item->parent = scope;
	if (field->last)
		field->last->next = item;
	else
		field->first = item;
	field->last = item;
	return item;
}

/* -- texts ---------------------------------------------------------------------------------------
 */

/* Marks that turn the direction of text, so that it could look like another one: their size. */
static size_t direction_mark(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	if (byte[0] != 0xe2)
		return 0;
	if (byte[1] == 0x80 &&
	    (byte[2] == 0x8e || byte[2] == 0x8f || (byte[2] >= 0xaa && byte[2] <= 0xae)))
		return 3;
	return byte[1] == 0x81 && byte[2] >= 0xa6 && byte[2] <= 0xa9 ? 3 : 0;
}

static void add_escaped(struct strbuf *out, const char *text)
{
	while (*text) {
		size_t mark = direction_mark(text);

		if (mark)
			strbuf_addf(out, "\\u20%02x",
				    ((unsigned char)text[1] & 3) << 6 |
					    ((unsigned char)text[2] & 0x3f));
		else if (*text == '<')
			strbuf_adds(out, "&lt;");
		else if (*text == '>')
			strbuf_adds(out, "&gt;");
		else if (*text == '&')
			strbuf_adds(out, "&amp;");
		else if (*text == '"')
			strbuf_adds(out, "&quot;");
		else if (*text == '\'')
			strbuf_adds(out, "&#39;");
		else
			strbuf_addc(out, *text);
		text += mark ? mark : 1;
	}
}

/* Lines stay lines; other control characters, and what is no UTF-8, are shown as \x1b. */
static void add_text(struct strbuf *out, const char *text)
{
	cleanup_strbuf struct strbuf clean = STRBUF_INIT;

	for (size_t size; *text; text += size) {
		size = strcspn(text, "\n\t");
		strbuf_add_printable(&clean, text, size);
		if (text[size])
			strbuf_addc(&clean, text[size++]);
	}
	add_escaped(out, strbuf_text(&clean));
}

/* -- the template --------------------------------------------------------------------------------
 */

/* {{NAME}}, {{#NAME}}, {{^NAME}}, {{/NAME}} */
struct tag {
	const char *begin, *end; /* of all of it */
	char kind;		 /* '#', '^', '/'; 0 = a text */
	const char *name;
	size_t size;
};

static bool next_tag(const char *text, const char *end, struct tag *out)
{
	const char *begin = memmem(text, (size_t)(end - text), "{{", 2);
	const char *close = begin ? memmem(begin, (size_t)(end - begin), "}}", 2) : NULL;

	if (!begin)
		return false;
	assert(close);
	*out = (struct tag){ .begin = begin, .end = close + 2, .name = begin + 2 };
	if (strchr("#^/", *out->name))
		out->kind = *out->name++;
	out->size = (size_t)(close - out->name);
	return true;
}

/* Where a section ends; sections of the same name are not in each other. */
static struct tag closing_tag(const struct tag *opening, const char *end)
{
	struct tag tag = *opening;

	do {
		bool found = next_tag(tag.end, end, &tag);

		assert(found);
		(void)found;
	} while (tag.kind != '/' || tag.size != opening->size ||
		 memcmp(tag.name, opening->name, tag.size) != 0);
	return tag;
}

static const struct template_field *find_field(const struct template_scope *scope,
					       const struct tag *tag)
{
	const struct template_field *field = NULL;

	for (; scope && !field; scope = scope->parent)
		field = own_field(scope, tag->name, tag->size);
	return field;
}

static void render(const char *text, const char *end, const struct template_scope *scope,
		   struct strbuf *out);

static void render_section(const struct tag *tag, const char *end,
			   const struct template_scope *scope, struct strbuf *out)
{
	const struct template_field *field = find_field(scope, tag);

	if (tag->kind == '^') {
		if (!field)
			render(tag->end, end, scope, out);
		return;
	}
	if (field && field->text)
		render(tag->end, end, scope, out);
	for (const struct template_scope *item = field ? field->first : NULL; item;
	     item = item->next)
		render(tag->end, end, item, out);
}

static void render(const char *text, const char *end, const struct template_scope *scope,
		   struct strbuf *out)
{
	struct tag tag, closing;

	for (; next_tag(text, end, &tag); text = tag.end) {
		strbuf_add(out, text, (size_t)(tag.begin - text));
		if (tag.kind) {
			closing = closing_tag(&tag, end);
			render_section(&tag, closing.begin, scope, out);
			tag.end = closing.end;
		} else {
			const struct template_field *field = find_field(scope, &tag);

			add_text(out, field && field->text ? field->text : "");
		}
	}
	strbuf_add(out, text, (size_t)(end - text));
}

void template_render(const char *text, size_t size, const struct template_scope *scope,
		     struct strbuf *out)
{
	render(text, text + size, scope, out);
}
