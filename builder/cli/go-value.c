/* SPDX-License-Identifier: Apache-2.0 */
/* The values of templates: pieces of JSON text, looked into where they lie. */
#include <string.h>

#include "builder/cli/go-template-internal.h"
#include "lib/cleanup.h"
#include "spec/json-table.h"
#include "spec/json-write.h"

const char go_no_value[] = "null";

const char *go_skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Behind a value; the text was written by us, so it is well-formed. */
const char *go_skip_value(const char *p)
{
	unsigned int depth = 0;
	bool quoted = false;

	for (;; p++) {
		if (!*p)
			return p;
		if (quoted) {
			if (*p == '\\' && p[1])
				p++;
			else if (*p == '"')
				quoted = false;
		} else if (*p == '"') {
			quoted = true;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			if (depth-- <= 1)
				return depth == 0 ? p + 1 : p;
		} else if (*p == ',' && depth == 0) {
			return p;
		}
		if (!quoted && depth == 0 && *p == '"')
			return p + 1;
	}
}

struct go_cursor go_open(go_value v)
{
	v = v ? go_skip_blanks(v) : "";
	return (struct go_cursor){ .next = *v == '{' || *v == '[' ? v + 1 : NULL,
				   .object = *v == '{' };
}

bool go_advance(struct go_template *t, struct go_cursor *c)
{
	const char *p = c->next ? go_skip_blanks(c->next) : "", *end;

	if (*p == ',')
		p = go_skip_blanks(p + 1);
	if (!*p || *p == '}' || *p == ']')
		return false;
	if (c->object) {
		end = go_skip_value(p);
		c->key = arena_strndup(&t->arena, p, (size_t)(end - p));
		p = go_skip_blanks(go_skip_blanks(end) + 1); /* ":" */
	}
	c->next = end = go_skip_value(p);
	/* documents of others have line ends behind numbers and words */
	while (end > p && strchr(" \t\r\n", end[-1]))
		end--;
	c->item = arena_strndup(&t->arena, p, (size_t)(end - p));
	return true;
}

/* The text of a JSON string; other values as they are written. */
const char *go_text(struct go_template *t, go_value v)
{
	struct wrapped {
		const char *text;
	} wrapped = { NULL };
	static const struct json_field fields[] = { JSON_STRING(struct wrapped, "x", text) };
	static const struct json_object object = JSON_TABLE(struct wrapped, fields);
	struct json_source source = { .name = "value" };

	if (v == go_no_value)
		return "<no value>";
	if (!v || *go_skip_blanks(v) != '"')
		return v ? v : "";
	source.text = arena_printf(&t->arena, "{\"x\":%s}", v);
	source.size = strlen(source.text);
	(void)json_decode(&source, &object, &t->arena, &wrapped, NULL); /* ours: well-formed */
	return wrapped.text ? wrapped.text : "";
}

go_value go_quote(struct go_template *t, const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out };

	json_string(&writer, text);
	return arena_strdup(&t->arena, out.data);
}

go_value go_field(struct go_template *t, go_value v, const char *name, size_t size)
{
	struct go_cursor c = go_open(v);

	while (c.object && go_advance(t, &c)) {
		const char *key = go_text(t, c.key);

		if (strlen(key) == size && memcmp(key, name, size) == 0)
			return c.item;
	}
	return NULL;
}

size_t go_length(struct go_template *t, go_value v)
{
	struct go_cursor c = go_open(v);
	size_t count = 0;

	if (!c.next)
		return strlen(go_text(t, v));
	while (go_advance(t, &c))
		count++;
	return count;
}

bool go_is_true(struct go_template *t, go_value v)
{
	if (!v || strcmp(v, "null") == 0 || strcmp(v, "false") == 0 || strcmp(v, "0") == 0)
		return false;
	return strchr("{[\"", *go_skip_blanks(v)) ? go_length(t, v) > 0 : true;
}
