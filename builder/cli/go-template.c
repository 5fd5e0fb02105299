/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates are evaluated as they are read: they are short, and used once a row. Values are pieces
 * of JSON text, looked into where they lie; what a function makes is JSON text in the arena.
 */
#include "builder/cli/go-template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "spec/json-table.h"
#include "spec/json-write.h"

#define DEPTH_MAX 32
#define ARGUMENTS_MAX 16
#define VARIABLES_MAX 16

/* JSON text; NULL = there is no such thing. */
typedef const char *value;

struct variable {
	const char *name;
	size_t size;
	value value;
};

struct template
{
	struct arena arena;
	struct strbuf *out;
	struct error *err;
	value top; /* "$" */
	struct variable variables[VARIABLES_MAX];
	size_t variable_count;
	unsigned int depth;
};

/* -- JSON ----------------------------------------------------------------------------------------
 */

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Behind a value; the text was written by us, so it is well-formed. */
static const char *skip_value(const char *p)
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

/* The members of an object or the elements of an array, one after the other. */
struct cursor {
	const char *next;
	bool object;
	value key, item;
};

static struct cursor open_value(value v)
{
	v = v ? skip_blanks(v) : "";
	return (struct cursor){ .next = *v == '{' || *v == '[' ? v + 1 : NULL,
				.object = *v == '{' };
}

static bool advance(struct template *t, struct cursor *c)
{
	const char *p = c->next ? skip_blanks(c->next) : "", *end;

	if (*p == ',')
		p = skip_blanks(p + 1);
	if (!*p || *p == '}' || *p == ']')
		return false;
	if (c->object) {
		end = skip_value(p);
		c->key = arena_strndup(&t->arena, p, (size_t)(end - p));
		p = skip_blanks(skip_blanks(end) + 1); /* ":" */
	}
	end = skip_value(p);
	c->item = arena_strndup(&t->arena, p, (size_t)(end - p));
	c->next = end;
	return true;
}

/* The text of a JSON string; other values as they are written. */
static const char *text_of(struct template *t, value v)
{
	struct wrapped {
		const char *text;
	} wrapped = { NULL };
	static const struct json_field fields[] = { JSON_STRING(struct wrapped, "x", text) };
	static const struct json_object object = JSON_TABLE(struct wrapped, fields);
	struct json_source source = { .name = "value" };

	if (!v || *skip_blanks(v) != '"')
		return v ? v : "";
	source.text = arena_printf(&t->arena, "{\"x\":%s}", v);
	source.size = strlen(source.text);
	(void)json_decode(&source, &object, &t->arena, &wrapped, NULL); /* ours: well-formed */
	return wrapped.text ? wrapped.text : "";
}

static value json_text(struct template *t, const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out };

	json_string(&writer, text);
	return arena_strdup(&t->arena, out.data);
}

static value field_of(struct template *t, value v, const char *name, size_t size)
{
	struct cursor c = open_value(v);

	while (c.object && advance(t, &c)) {
		const char *key = text_of(t, c.key);

		if (strlen(key) == size && memcmp(key, name, size) == 0)
			return c.item;
	}
	return NULL;
}

static size_t length_of(struct template *t, value v)
{
	struct cursor c = open_value(v);
	size_t count = 0;

	if (!c.next)
		return strlen(text_of(t, v));
	while (advance(t, &c))
		count++;
	return count;
}

static bool is_true(struct template *t, value v)
{
	if (!v || strcmp(v, "null") == 0 || strcmp(v, "false") == 0 || strcmp(v, "0") == 0)
		return false;
	return strchr("{[\"", *skip_blanks(v)) ? length_of(t, v) > 0 : true;
}

/* -- expressions ---------------------------------------------------------------------------------
 */

static int fail(struct template *t, const char *what, const char *word, size_t size)
{
	return error_set(t->err, ERROR_USAGE, 0, "--format: %s \"%.*s\"", what, (int)size, word);
}

static size_t word_size(const char *p)
{
	size_t size = 0;

	while (isalnum((unsigned char)p[size]) || p[size] == '_')
		size++;
	return size;
}

static int pipeline(struct template *t, const char **p, value dot, value *out);

/* ".A.B" behind a value */
static int path(struct template *t, const char **p, value from, value *out)
{
	while (**p == '.') {
		size_t size = word_size(*p + 1);

		if (size == 0) {
			++*p;
			break; /* "." alone */
		}
		from = field_of(t, from, *p + 1, size);
		*p += 1 + size;
	}
	*out = from;
	return 0;
}

static int find_variable(struct template *t, const char **p, value *out)
{
	size_t size = word_size(*p + 1);

	*out = t->top;
	for (size_t i = t->variable_count; size && i-- > 0;)
		if (t->variables[i].size == size &&
		    memcmp(t->variables[i].name, *p + 1, size) == 0) {
			*out = t->variables[i].value;
			*p += 1 + size;
			return path(t, p, *out, out);
		}
	if (size)
		return fail(t, "undefined variable", *p, size + 1);
	++*p;
	return path(t, p, *out, out);
}

static int literal(struct template *t, const char **p, value *out)
{
	const char *end = *p;

	if (*end == '`') {
		end = strchr(end + 1, '`');
		if (!end)
			return fail(t, "unfinished text", *p, strlen(*p));
		*out = json_text(t, arena_strndup(&t->arena, *p + 1, (size_t)(end - *p - 1)));
		*p = end + 1;
		return 0;
	}
	if (*end == '"') {
		end = skip_value(end);
		if (end[-1] != '"' || end - *p < 2)
			return fail(t, "unfinished text", *p, strlen(*p));
	} else {
		end += strspn(end, "-0123456789");
	}
	*out = arena_strndup(&t->arena, *p, (size_t)(end - *p));
	*p = end;
	return 0;
}

static int operand(struct template *t, const char **p, value dot, value *out)
{
	int ret;

	if (**p == '.')
		return path(t, p, dot, out);
	if (**p == '$')
		return find_variable(t, p, out);
	if (**p == '"' || **p == '`' || **p == '-' || isdigit((unsigned char)**p))
		return literal(t, p, out);
	if (**p != '(')
		return fail(t, "not known:", *p, strcspn(*p, " \t|)}"));
	++*p;
	ret = pipeline(t, p, dot, out);
	if (ret < 0)
		return ret;
	if (**p != ')')
		return fail(t, "missing ) before", *p, strlen(*p));
	++*p;
	return path(t, p, *out, out);
}

/* -- functions -----------------------------------------------------------------------------------
 */

struct call {
	const char *name;
	value arguments[ARGUMENTS_MAX];
	size_t count;
};

static int call_json(struct template *t, const struct call *call, value *out)
{
	*out = json_text(t, call->arguments[0] ? call->arguments[0] : "null");
	return 0;
}

static int call_case(struct template *t, const struct call *call, value *out)
{
	bool up = *call->name == 'u';
	char *text = arena_strdup(&t->arena, text_of(t, call->arguments[0]));

	for (char *p = text; *p; p++)
		*p = (char)(up ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
	*out = json_text(t, text);
	return 0;
}

static int call_len(struct template *t, const struct call *call, value *out)
{
	*out = arena_printf(&t->arena, "%zu", length_of(t, call->arguments[0]));
	return 0;
}

static int call_index(struct template *t, const struct call *call, value *out)
{
	value v = call->arguments[0];

	for (size_t i = 1; i < call->count; i++) {
		const char *key = text_of(t, call->arguments[i]);
		struct cursor c = open_value(v);
		uint64_t number = 0;

		if (c.object) {
			v = field_of(t, v, key, strlen(key));
			continue;
		}
		if (number_parse_u64(key, &number) < 0)
			return fail(t, "not an index:", key, strlen(key));
		for (v = NULL; !v && advance(t, &c); number--)
			if (number == 0)
				v = c.item;
		if (!v)
			return fail(t, "index out of range:", key, strlen(key));
	}
	*out = v ? v : "\"\"";
	return 0;
}

/* One verb of printf; p is behind the "%". */
static int format_one(struct template *t, char verb, value v, struct strbuf *out)
{
	if (verb == 'q')
		strbuf_adds(out, v && *v == '"' ? v : json_text(t, text_of(t, v)));
	else if (verb == 's' || verb == 'v' || verb == 'd')
		strbuf_adds(out, text_of(t, v));
	else
		return fail(t, "printf knows %s, %d, %v and %q, not", &verb, 1);
	return 0;
}

static int call_printf(struct template *t, const struct call *call, value *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t next = 1;
	int ret = 0;

	for (const char *p = text_of(t, call->arguments[0]); *p && ret == 0; p++) {
		if (*p != '%' || p[1] == '%') {
			strbuf_addc(&text, *p);
			p += *p == '%';
		} else if (next >= call->count) {
			return fail(t, "printf has no value for", p, strlen(p));
		} else if (!p[1]) {
			return fail(t, "printf: unfinished", p, 1);
		} else {
			ret = format_one(t, *++p, call->arguments[next++], &text);
		}
	}
	*out = json_text(t, strbuf_text(&text));
	return ret;
}

/* clang-format off */
static const struct {
	const char *name;
	size_t min;
	int (*call)(struct template *t, const struct call *call, value *out);
} functions[] = {
	{ "json",   1, call_json },
	{ "upper",  1, call_case },
	{ "lower",  1, call_case },
	{ "len",    1, call_len },
	{ "index",  1, call_index },
	{ "printf", 1, call_printf },
};
/* clang-format on */

static int call_function(struct template *t, const struct call *call, size_t size, value *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (strlen(functions[i].name) != size ||
		    memcmp(functions[i].name, call->name, size) != 0)
			continue;
		if (call->count < functions[i].min)
			return fail(t, "a value is missing after", call->name, size);
		return functions[i].call(t, call, out);
	}
	return fail(t, "no such function:", call->name, size);
}

/* A value, or a function and what it is called with; piped: the value before "|", or NULL. */
static int command(struct template *t, const char **p, value dot, const value *piped, value *out)
{
	struct call call = { .name = *p };
	size_t size = isalpha((unsigned char)**p) ? word_size(*p) : 0;
	int ret = 0;

	if (size && strncmp(*p, "true", 4) != 0 && strncmp(*p, "false", 5) != 0) {
		*p += size;
	} else if (size) {
		*out = arena_strndup(&t->arena, *p, size);
		*p += size;
		return 0;
	} else if (piped) {
		return fail(t, "not a function:", *p, strcspn(*p, " |)}"));
	} else {
		return operand(t, p, dot, out);
	}
	for (*p = skip_blanks(*p); ret == 0 && **p && !strchr("|)", **p); *p = skip_blanks(*p)) {
		if (call.count + 1 >= ARGUMENTS_MAX)
			return fail(t, "too many values for", call.name, size);
		ret = operand(t, p, dot, &call.arguments[call.count++]);
	}
	if (piped)
		call.arguments[call.count++] = *piped;
	return ret < 0 ? ret : call_function(t, &call, size, out);
}

static int pipeline(struct template *t, const char **p, value dot, value *out)
{
	int ret;

	if (++t->depth > DEPTH_MAX)
		return fail(t, "nested too deep:", *p, strlen(*p));
	*p = skip_blanks(*p);
	ret = command(t, p, dot, NULL, out);
	for (*p = skip_blanks(*p); ret == 0 && **p == '|'; *p = skip_blanks(*p)) {
		value piped = *out;

		*p = skip_blanks(*p + 1);
		ret = command(t, p, dot, &piped, out);
	}
	t->depth--;
	return ret;
}

/* All of a text is one pipeline. */
static int evaluate(struct template *t, const char *text, value dot, value *out)
{
	const char *p = text;
	int ret = pipeline(t, &p, dot, out);

	if (ret == 0 && *p)
		return fail(t, "not understood:", p, strlen(p));
	return ret;
}

/* -- actions -------------------------------------------------------------------------------------
 */

/* "{{...}}": what is in it, and the text around it. */
struct action {
	const char *begin, *end; /* of the braces, with the blanks that they trim */
	char *text;		 /* without blanks around it */
};

static int next_action(struct template *t, const char *from, const char *end, struct action *out)
{
	const char *open = memmem(from, (size_t)(end - from), "{{", 2), *close, *first, *last;

	if (!open)
		return 0;
	close = memmem(open, (size_t)(end - open), "}}", 2);
	if (!close)
		return fail(t, "unfinished", open, (size_t)(end - open));
	out->begin = open;
	out->end = close + 2;
	first = open + 2;
	last = close;
	if (first[0] == '-' && isspace((unsigned char)first[1])) {
		first++;
		while (out->begin > from && isspace((unsigned char)out->begin[-1]))
			out->begin--;
	}
	if (last - first >= 2 && last[-1] == '-' && isspace((unsigned char)last[-2])) {
		last--;
		while (out->end < end && isspace((unsigned char)*out->end))
			out->end++;
	}
	while (first < last && isspace((unsigned char)*first))
		first++;
	while (last > first && isspace((unsigned char)last[-1]))
		last--;
	out->text = arena_strndup(&t->arena, first, (size_t)(last - first));
	return 1;
}

static bool is_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	return strncmp(text, word, size) == 0 && (!text[size] || text[size] == ' ');
}

/* The "else" or "end" that belongs to an action whose body begins at from. */
static int find_branch(struct template *t, const char *from, const char *end, struct action *out)
{
	unsigned int depth = 0;
	int ret;

	while ((ret = next_action(t, from, end, out)) > 0) {
		if (depth == 0 && (is_word(out->text, "else") || is_word(out->text, "end")))
			return 0;
		if (is_word(out->text, "if") || is_word(out->text, "range"))
			depth++;
		else if (is_word(out->text, "end"))
			depth--;
		from = out->end;
	}
	return ret < 0 ? ret : fail(t, "an end is missing after", from, (size_t)(end - from));
}

static int render(struct template *t, const char *from, const char *end, value dot);

/* The body, or what comes after "else"; *next is set behind "end". run: the condition. */
static int branches(struct template *t, const char *from, const char *end, value dot, bool run,
		    const char **next)
{
	struct action stop;
	int ret = find_branch(t, from, end, &stop);

	if (ret == 0 && run)
		ret = render(t, from, stop.begin, dot);
	while (ret == 0 && is_word(stop.text, "else")) {
		const char *body = stop.end;
		bool was_run = run;
		value v = NULL;

		if (is_word(stop.text, "else if")) {
			ret = run ? 0 : evaluate(t, stop.text + strlen("else if"), dot, &v);
			run = run || is_true(t, v);
		} else if (stop.text[strlen("else")]) {
			return fail(t, "not understood:", stop.text, strlen(stop.text));
		} else {
			run = true;
		}
		if (ret == 0)
			ret = find_branch(t, body, end, &stop);
		if (ret == 0 && run && !was_run)
			ret = render(t, body, stop.begin, dot);
	}
	*next = stop.end;
	return ret;
}

static int set_variable(struct template *t, const char *name, size_t size, value v)
{
	if (t->variable_count == VARIABLES_MAX)
		return fail(t, "too many variables:", name, size);
	t->variables[t->variable_count++] = (struct variable){ name, size, v };
	return 0;
}

/* "$key, $value := " in front of a range: their names, and the rest. */
static const char *range_names(const char *text, struct variable names[2], size_t *count)
{
	const char *assign = strstr(text, ":=");

	*count = 0;
	if (!assign || *text != '$')
		return text;
	for (const char *p = text; p < assign && *count < 2; p += strcspn(p, "$"))
		if (*p == '$') {
			names[*count] = (struct variable){ p + 1, word_size(p + 1), NULL };
			p += 1 + names[(*count)++].size;
		}
	return assign + 2;
}

static int range(struct template *t, const char *text, const char *from, const char *end, value dot,
		 const char **next)
{
	struct variable names[2];
	size_t count, index = 0, saved = t->variable_count;
	struct action stop;
	value v = NULL;
	int ret = evaluate(t, range_names(skip_blanks(text), names, &count), dot, &v);
	struct cursor c = open_value(v);

	if (ret == 0)
		ret = find_branch(t, from, end, &stop);
	while (ret == 0 && advance(t, &c)) {
		value key = c.object ? c.key : arena_printf(&t->arena, "%zu", index);

		if (count == 2)
			ret = set_variable(t, names[0].name, names[0].size, key);
		if (ret == 0 && count)
			ret = set_variable(t, names[count - 1].name, names[count - 1].size, c.item);
		if (ret == 0)
			ret = render(t, from, stop.begin, c.item);
		t->variable_count = saved;
		index++;
	}
	/* behind the end; "else" is for nothing at all */
	return ret < 0 ? ret : branches(t, index ? stop.begin : from, end, dot, index > 0, next);
}

static int print(struct template *t, const char *text, value dot)
{
	value v = NULL;
	int ret = evaluate(t, text, dot, &v);

	if (ret == 0 && !v)
		return fail(t, "there is no", text, strlen(text));
	if (ret == 0)
		strbuf_adds(t->out, text_of(t, v));
	return ret;
}

static int render(struct template *t, const char *from, const char *end, value dot)
{
	struct action action;
	int ret;

	while ((ret = next_action(t, from, end, &action)) > 0) {
		value v = NULL;

		strbuf_add(t->out, from, (size_t)(action.begin - from));
		from = action.end;
		if (is_word(action.text, "if")) {
			ret = evaluate(t, action.text + 2, dot, &v);
			if (ret == 0)
				ret = branches(t, from, end, dot, is_true(t, v), &from);
		} else if (is_word(action.text, "range")) {
			ret = range(t, action.text + 5, from, end, dot, &from);
		} else if (strncmp(action.text, "/*", 2) != 0) {
			ret = print(t, action.text, dot);
		}
		if (ret < 0)
			return ret;
	}
	if (ret == 0)
		strbuf_add(t->out, from, (size_t)(end - from));
	return ret;
}

int go_template_run(const char *text, const char *json, struct strbuf *out, struct error *err)
{
	struct template t = { .out = out, .err = err, .top = json };
	int ret = render(&t, text, text + strlen(text), json);

	arena_done(&t.arena);
	return ret;
}

char *go_template_unescape(const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (; *text; text++) {
		const char *end = strncmp(text, "{{", 2) == 0 ? strstr(text, "}}") : NULL;
		bool tab = text[0] == '\\' && text[1] == 't';

		if (end) { /* texts in there have escapes of their own */
			strbuf_add(&out, text, (size_t)(end - text));
			text = end;
		}
		if (tab || (text[0] == '\\' && text[1] == 'n')) {
			strbuf_addc(&out, tab ? '\t' : '\n');
			text++;
		} else {
			strbuf_addc(&out, *text);
		}
	}
	return strbuf_take(&out);
}
