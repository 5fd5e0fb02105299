/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates are evaluated as they are read: they are short, and used once a row. Here are the text
 * around the braces, conditions and loops.
 */
#include "builder/cli/go-template.h"

#include <ctype.h>
#include <string.h>

#include "builder/cli/go-template-internal.h"
#include "lib/cleanup.h"

/* "{{...}}": what is in it, and the text around it. */
struct action {
	const char *begin, *end; /* of the braces, with the blanks that they trim */
	char *text;		 /* without blanks around it */
};

static int next_action(struct go_template *t, const char *from, const char *end, struct action *out)
{
	const char *open = memmem(from, (size_t)(end - from), "{{", 2), *close, *first, *last;

	if (!open)
		return 0;
	close = memmem(open, (size_t)(end - open), "}}", 2);
	if (!close)
		return go_fail(t, "unfinished", open, (size_t)(end - open));
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
static int find_branch(struct go_template *t, const char *from, const char *end, struct action *out)
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
	return ret < 0 ? ret : go_fail(t, "an end is missing after", from, (size_t)(end - from));
}

static int render(struct go_template *t, const char *from, const char *end, go_value dot);

/* The body, or what comes after "else"; *next is set behind "end". run: the condition. */
static int branches(struct go_template *t, const char *from, const char *end, go_value dot,
		    bool run, const char **next)
{
	struct action stop;
	int ret = find_branch(t, from, end, &stop);

	if (ret == 0 && run)
		ret = render(t, from, stop.begin, dot);
	while (ret == 0 && is_word(stop.text, "else")) {
		const char *body = stop.end;
		bool was_run = run;
		go_value v = NULL;

		if (is_word(stop.text, "else if")) {
			ret = run ? 0 : go_evaluate(t, stop.text + strlen("else if"), dot, &v);
			run = run || go_is_true(t, v);
		} else if (stop.text[strlen("else")]) {
			return go_fail(t, "not understood:", stop.text, strlen(stop.text));
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

static int set_variable(struct go_template *t, const char *name, size_t size, go_value v)
{
	if (t->variable_count == GO_VARIABLES_MAX)
		return go_fail(t, "too many variables:", name, size);
	t->variables[t->variable_count++] = (struct go_variable){ name, size, v };
	return 0;
}

/* "$key, $value := " in front of a range: their names, and the rest. */
static const char *range_names(const char *text, struct go_variable names[2], size_t *count)
{
	const char *assign = strstr(text, ":=");

	*count = 0;
	if (!assign || *text != '$')
		return text;
	for (const char *p = text; p < assign && *count < 2; p += strcspn(p, "$"))
		if (*p == '$') {
			names[*count] = (struct go_variable){ p + 1, go_word_size(p + 1), NULL };
			p += 1 + names[(*count)++].size;
		}
	return assign + 2;
}

static int range(struct go_template *t, const char *text, const char *from, const char *end,
		 go_value dot, const char **next)
{
	struct go_variable names[2];
	size_t count, index = 0, saved = t->variable_count;
	struct action stop;
	go_value v = NULL;
	int ret = go_evaluate(t, range_names(go_skip_blanks(text), names, &count), dot, &v);
	struct go_cursor c = go_open(v);

	if (ret == 0)
		ret = find_branch(t, from, end, &stop);
	while (ret == 0 && go_advance(t, &c)) {
		go_value key = c.object ? c.key : arena_printf(&t->arena, "%zu", index);

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

static int print(struct go_template *t, const char *text, go_value dot)
{
	go_value v = NULL;
	int ret = go_evaluate(t, text, dot, &v);

	if (ret == 0 && !v)
		return go_fail(t, "there is no", text, strlen(text));
	if (ret == 0)
		strbuf_adds(t->out, go_text(t, v));
	return ret;
}

static int render(struct go_template *t, const char *from, const char *end, go_value dot)
{
	struct action action;
	int ret;

	while ((ret = next_action(t, from, end, &action)) > 0) {
		go_value v = NULL;

		strbuf_add(t->out, from, (size_t)(action.begin - from));
		from = action.end;
		if (is_word(action.text, "if")) {
			ret = go_evaluate(t, action.text + 2, dot, &v);
			if (ret == 0)
				ret = branches(t, from, end, dot, go_is_true(t, v), &from);
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

int go_template_run(const char *text, const char *json, const struct go_zero *zeros,
		    struct strbuf *out, struct error *err)
{
	struct go_template t = { .out = out, .err = err, .top = json, .zeros = zeros };
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
