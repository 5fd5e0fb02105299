/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between the braces of a template: paths, literals, functions, "|". */
#include <ctype.h>
#include <string.h>

#include "builder/cli/go-template-internal.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "spec/json-write.h"

#define DEPTH_MAX 32
#define ARGUMENTS_MAX 16
#define PRINTF_WIDTH_MAX 4096

int go_fail(struct go_template *t, const char *what, const char *word, size_t size)
{
	return error_set(t->err, ERROR_USAGE, 0, "--format: %s \"%.*s\"", what, (int)size, word);
}

size_t go_word_size(const char *p)
{
	size_t size = 0;

	while (isalnum((unsigned char)p[size]) || p[size] == '_')
		size++;
	return size;
}

static int pipeline(struct go_template *t, const char **p, go_value dot, go_value *out);

/* What a path of the whole value is that leads nowhere; NULL = no document has it. */
static go_value find_zero(const struct go_template *t, const char *path, size_t size)
{
	for (const struct go_zero *zero = t->zeros; zero && zero->path; zero++)
		if (strlen(zero->path) == size && memcmp(zero->path, path, size) == 0)
			return zero->json;
	return NULL;
}

/*
 * The members of docker's documents that are maps. All other objects are structs: to ask those for
 * what they have not is a mistake, where a map only has no value.
 */
static bool is_map(const char *name, size_t size)
{
	static const char *const maps[] = {
		"Annotations", "Data",	  "DriverOpts",	  "ExposedPorts", "Labels",
		"Networks",    "Options", "PortBindings", "Ports",	  "Sysctls",
		"Tmpfs",       "Volumes", "annotations",
	};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (strlen(maps[i]) == size && memcmp(maps[i], name, size) == 0)
			return true;
	return false;
}

/* ".A.B" behind a value */
static int path(struct go_template *t, const char **p, go_value from, go_value *out)
{
	const char *begin = *p;
	bool of_top = from == t->top, of_map = false;

	while (**p == '.') {
		size_t size = go_word_size(*p + 1);

		if (size == 0) {
			++*p;
			break; /* "." alone */
		}
		from = go_field(t, from, *p + 1, size);
		*p += 1 + size;
		if (!from && of_top)
			from = find_zero(t, begin, (size_t)(*p - begin));
		if (!from && of_map)
			from = go_no_value;
		of_map = from == go_no_value || (from && is_map(*p - size, size));
	}
	*out = from;
	return 0;
}

static int find_variable(struct go_template *t, const char **p, go_value *out)
{
	size_t size = go_word_size(*p + 1);

	*out = t->top;
	for (size_t i = t->variable_count; size && i-- > 0;)
		if (t->variables[i].size == size &&
		    memcmp(t->variables[i].name, *p + 1, size) == 0) {
			*out = t->variables[i].value;
			*p += 1 + size;
			return path(t, p, *out, out);
		}
	if (size)
		return go_fail(t, "undefined variable", *p, size + 1);
	++*p;
	return path(t, p, *out, out);
}

static int literal(struct go_template *t, const char **p, go_value *out)
{
	const char *end = *p;

	if (*end == '`') {
		end = strchr(end + 1, '`');
		if (!end)
			return go_fail(t, "unfinished text", *p, strlen(*p));
		*out = go_quote(t, arena_strndup(&t->arena, *p + 1, (size_t)(end - *p - 1)));
		*p = end + 1;
		return 0;
	}
	if (*end == '"') {
		end = go_skip_value(end);
		if (end[-1] != '"' || end - *p < 2)
			return go_fail(t, "unfinished text", *p, strlen(*p));
	} else {
		end += strspn(end, "-0123456789");
	}
	*out = arena_strndup(&t->arena, *p, (size_t)(end - *p));
	*p = end;
	return 0;
}

static int operand(struct go_template *t, const char **p, go_value dot, go_value *out)
{
	int ret;

	if (**p == '.')
		return path(t, p, dot, out);
	if (**p == '$')
		return find_variable(t, p, out);
	if (**p == '"' || **p == '`' || **p == '-' || isdigit((unsigned char)**p))
		return literal(t, p, out);
	if (**p != '(')
		return go_fail(t, "not known:", *p, strcspn(*p, " \t|)}"));
	++*p;
	ret = pipeline(t, p, dot, out);
	if (ret < 0)
		return ret;
	if (**p != ')')
		return go_fail(t, "missing ) before", *p, strlen(*p));
	++*p;
	return path(t, p, *out, out);
}

/* -- functions -----------------------------------------------------------------------------------
 */

struct call {
	const char *name;
	go_value arguments[ARGUMENTS_MAX];
	size_t count;
};

static int call_json(struct go_template *t, const struct call *call, go_value *out)
{
	*out = go_quote(t, call->arguments[0]);
	return 0;
}

static int call_case(struct go_template *t, const struct call *call, go_value *out)
{
	bool up = *call->name == 'u';
	char *text = arena_strdup(&t->arena, go_text(t, call->arguments[0]));

	for (char *p = text; *p; p++)
		*p = (char)(up ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
	*out = go_quote(t, text);
	return 0;
}

static int call_len(struct go_template *t, const struct call *call, go_value *out)
{
	go_value v = call->arguments[0];

	if (strcmp(v, "null") == 0)
		v = "[]";
	if (!strchr("{[\"", *go_skip_blanks(v)))
		return go_fail(t, "len is for texts, lists and objects, not", v, strlen(v));
	*out = arena_printf(&t->arena, "%zu", go_length(t, v));
	return 0;
}

static int call_index(struct go_template *t, const struct call *call, go_value *out)
{
	go_value v = call->arguments[0];

	for (size_t i = 1; i < call->count; i++) {
		const char *key = go_text(t, call->arguments[i]);
		struct go_cursor c = go_open(v);
		uint64_t number = 0;

		if (c.object) {
			v = go_field(t, v, key, strlen(key));
			continue;
		}
		/* of a map that there is not */
		if ((!v || strcmp(v, "null") == 0) && call->arguments[i][0] == '"') {
			v = NULL;
			continue;
		}
		if (number_parse_u64(key, &number) < 0)
			return go_fail(t, "not an index:", key, strlen(key));
		for (v = NULL; !v && go_advance(t, &c); number--)
			if (number == 0)
				v = c.item;
		if (!v)
			return go_fail(t, "index out of range:", key, strlen(key));
	}
	*out = v ? v : "\"\"";
	return 0;
}

/* "%-12.3s" behind its "%": what comes before the verb. */
struct directive {
	bool left, zeros;
	uint32_t width;
	uint32_t precision;
	bool has_precision;
	char verb;
};

static uint32_t read_count(const char **p)
{
	uint32_t count = 0;

	for (; isdigit((unsigned char)**p); ++*p)
		count = count < PRINTF_WIDTH_MAX ? count * 10 + (uint32_t)(**p - '0') : count;
	return count < PRINTF_WIDTH_MAX ? count : PRINTF_WIDTH_MAX;
}

static struct directive read_directive(const char **p)
{
	struct directive out = { .left = false };

	for (; **p == '-' || **p == '0'; ++*p)
		*(**p == '-' ? &out.left : &out.zeros) = true;
	out.width = read_count(p);
	if (**p == '.') {
		++*p;
		out.has_precision = true;
		out.precision = read_count(p);
	}
	out.verb = **p;
	return out;
}

/* Go counts characters, not bytes. */
static size_t characters(const char *text, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static void pad(struct strbuf *out, char with, size_t from, size_t to)
{
	for (; from < to; from++)
		strbuf_addc(out, with);
}

static int format_one(struct go_template *t, const struct directive *how, go_value v,
		      struct strbuf *out)
{
	const char *text = how->verb == 'q' && v && *v == '"' ? v : go_text(t, v);
	size_t size = strlen(text), width;

	if (!how->verb || !strchr("svdq", how->verb))
		return go_fail(t, "printf knows %s, %d, %v and %q, not", &how->verb, 1);
	if (how->verb == 'd' && !isdigit((unsigned char)*text) && *text != '-')
		return go_fail(t, "printf: %d is for numbers, not", text, size);
	if (how->verb == 'q' && text != v)
		text = go_quote(t, text);
	size = strlen(text);
	while (how->has_precision && characters(text, size) > how->precision)
		size--;
	width = characters(text, size);
	if (!how->left)
		pad(out, how->zeros ? '0' : ' ', width, how->width);
	strbuf_add(out, text, size);
	if (how->left)
		pad(out, ' ', width, how->width);
	return 0;
}

static int call_printf(struct go_template *t, const struct call *call, go_value *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t next = 1;
	int ret = 0;

	for (const char *p = go_text(t, call->arguments[0]); *p && ret == 0; p++) {
		const char *begin = p;
		struct directive how;

		if (*p != '%' || p[1] == '%') {
			strbuf_addc(&text, *p);
			p += *p == '%';
			continue;
		}
		p++;
		how = read_directive(&p);
		if (!how.verb)
			return go_fail(t, "printf: unfinished", begin, strlen(begin));
		if (next >= call->count)
			return go_fail(t, "printf has no value for", begin, strlen(begin));
		ret = format_one(t, &how, call->arguments[next++], &text);
	}
	if (ret == 0 && next < call->count)
		return go_fail(t, "printf has no place for", go_text(t, call->arguments[next]),
			       strlen(go_text(t, call->arguments[next])));
	*out = go_quote(t, strbuf_text(&text));
	return ret;
}

/* clang-format off */
static const struct function {
	const char *name;
	size_t min;
	int (*call)(struct go_template *t, const struct call *call, go_value *out);
} functions[] = {
	{ "json",   1, call_json },
	{ "upper",  1, call_case },
	{ "lower",  1, call_case },
	{ "len",    1, call_len },
	{ "index",  1, call_index },
	{ "printf", 1, call_printf },
};
/* clang-format on */

static const struct function *find_function(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strlen(functions[i].name) == size && memcmp(functions[i].name, name, size) == 0)
			return &functions[i];
	return NULL;
}

static bool is_boolean(const char *word, size_t size)
{
	return (size == 4 && memcmp(word, "true", 4) == 0) ||
	       (size == 5 && memcmp(word, "false", 5) == 0);
}

/* One that is not there is only for index to look into. */
static int argument(struct go_template *t, const char **p, go_value dot,
		    const struct function *function, struct call *call)
{
	bool may_lack = call->count == 0 && function->call == call_index;
	const char *begin = *p;
	int ret = operand(t, p, dot, &call->arguments[call->count]);

	if (ret == 0 && !call->arguments[call->count++] && !may_lack)
		return go_fail(t, "there is no", begin, (size_t)(*p - begin));
	return ret;
}

/* A value, or a function and what it is called with; piped: the go_value before "|", or NULL. */
static int command(struct go_template *t, const char **p, go_value dot, const go_value *piped,
		   go_value *out)
{
	const struct function *function = NULL;
	struct call call = { .name = *p };
	size_t size = isalpha((unsigned char)**p) ? go_word_size(*p) : 0;
	int ret = 0;

	if (size && !is_boolean(*p, size)) {
		function = find_function(*p, size);
		if (!function)
			return go_fail(t, "no such function:", *p, size);
		*p += size;
	} else if (size) {
		*out = arena_strndup(&t->arena, *p, size);
		*p += size;
		return 0;
	} else if (piped) {
		return go_fail(t, "not a function:", *p, strcspn(*p, " |)}"));
	} else {
		return operand(t, p, dot, out);
	}
	for (*p = go_skip_blanks(*p); ret == 0 && **p && !strchr("|)", **p);
	     *p = go_skip_blanks(*p)) {
		if (call.count + 1 >= ARGUMENTS_MAX)
			return go_fail(t, "too many values for", call.name, size);
		ret = argument(t, p, dot, function, &call);
	}
	if (piped)
		call.arguments[call.count++] = *piped;
	if (ret == 0 && call.count < function->min)
		return go_fail(t, "a value is missing after", call.name, size);
	return ret < 0 ? ret : function->call(t, &call, out);
}

static int pipeline(struct go_template *t, const char **p, go_value dot, go_value *out)
{
	const char *begin;
	size_t size;
	int ret;

	if (++t->depth > DEPTH_MAX)
		return go_fail(t, "nested too deep:", *p, strlen(*p));
	*p = begin = go_skip_blanks(*p);
	ret = command(t, p, dot, NULL, out);
	size = (size_t)(*p - begin);
	for (*p = go_skip_blanks(*p); ret == 0 && **p == '|'; *p = go_skip_blanks(*p)) {
		go_value piped = *out;

		if (!piped)
			return go_fail(t, "there is no", begin, size);
		*p = go_skip_blanks(*p + 1);
		ret = command(t, p, dot, &piped, out);
	}
	t->depth--;
	return ret;
}

/* All of a text is one pipeline. */
int go_evaluate(struct go_template *t, const char *text, go_value dot, go_value *out)
{
	const char *p = text;
	int ret = pipeline(t, &p, dot, out);

	if (ret == 0 && *p)
		return go_fail(t, "not understood:", p, strlen(p));
	return ret;
}
