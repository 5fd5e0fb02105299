/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ignore rules, read by context.c and used by select.c for each path. The rules are moby's
 * patternmatcher as BuildKit uses it: a folder's results per pattern are handed to what is inside,
 * and a pattern that could not change the verdict is not tried.
 */
#include "builder/context/ignore.h"

#include <stdlib.h>
#include <string.h>

#include "builder/context/patterns.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/strv.h"

struct ignore_rule {
	struct pattern *pattern;
	bool include; /* "!" */
	char *prefix; /* the folders that it names before its first wildcard: "a/b", "" = none */
};

/* The bytes of the blank that text begins with: one of ASCII's, or of Unicode's. */
static size_t blank_size(const char *text)
{
	static const char *const wide[] = { "\xC2\x85",	    "\xC2\xA0",	    "\xE1\x9A\x80",
					    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
					    "\xE2\x81\x9F", "\xE3\x80\x80" };
	unsigned char third = text[0] && text[1] ? (unsigned char)text[2] : 0;

	if (*text == ' ' || (*text >= '\t' && *text <= '\r'))
		return 1;
	if (strncmp(text, "\xE2\x80", 2) == 0 && third >= 0x80 && third <= 0x8A)
		return 3;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (strncmp(text, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

/* Without the blanks at both ends. */
static char *trim(const char *text)
{
	const char *end;

	while (blank_size(text))
		text += blank_size(text);
	end = text + strlen(text);
	for (size_t size = 1; size <= 3 && (size_t)(end - text) >= size;)
		if (blank_size(end - size) == size) {
			end -= size;
			size = 1;
		} else {
			size++;
		}
	return xstrndup(text, (size_t)(end - text));
}

/* The leading components without wildcards and escapes. */
static char *literal_prefix(const char *pattern)
{
	size_t size = strcspn(pattern, "*?[\\");

	if (!pattern[size])
		return xstrdup(pattern);
	while (size && pattern[size - 1] != '/')
		size--;
	return xstrndup(pattern, size ? size - 1 : 0);
}

/* A pattern as the matcher takes it: blanks around it go first, so "!" has to be what is left. */
int ignore_add(struct ignore *ignore, const char *text, struct error *err)
{
	cleanup_free char *trimmed = trim(text), *clean = NULL;
	struct ignore_rule rule = { .pattern = NULL };
	const char *pattern;
	int ret;

	if (!*trimmed)
		return 0;
	clean = path_clean(trimmed);
	rule.include = clean[0] == '!';
	pattern = clean + rule.include;
	if (!*pattern)
		return error_invalid(err, "illegal exclusion pattern: \"!\"");
	ret = pattern_compile(pattern, PATTERN_IGNORE, &rule.pattern, err);
	if (ret < 0)
		return ret;
	rule.prefix = literal_prefix(pattern);
	ARRAY_GROW(ignore->rules, ignore->count, ignore->capacity);
	ignore->rules[ignore->count++] = rule;
	ignore->has_inclusions = ignore->has_inclusions || rule.include;
	return 0;
}

/* A line of a file is relative to the context whether it has a slash or not; then it is a pattern,
 * and blanks behind that slash are blanks around it. */
static int add_line(struct ignore *ignore, const char *line, struct error *err)
{
	cleanup_free char *trimmed = trim(line), *inner = NULL, *clean = NULL, *pattern = NULL;
	bool include = trimmed[0] == '!';

	inner = trim(trimmed + include);
	clean = *inner ? path_clean(inner) : xstrdup("");
	pattern = xasprintf("%s%s", include ? "!" : "",
			    clean[0] == '/' && clean[1] ? clean + 1 : clean);
	return ignore_add(ignore, pattern, err);
}

int ignore_add_file(struct ignore *ignore, const char *name, const char *text, struct error *err)
{
	cleanup_strv struct strv lines = STRV_INIT;

	if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
		text += 3;
	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		int ret;

		if (lines.items[i][0] == '#')
			continue;
		ret = add_line(ignore, lines.items[i], err);
		if (ret < 0)
			return error_prefix(err, ret, "%s:%zu", name, i + 1);
	}
	return 0;
}

bool ignore_check(const struct ignore *ignore, const struct ignore_state *parent, const char *path,
		  struct ignore_state *out)
{
	bool ignored = false;

	*out = (struct ignore_state){ NULL, false };
	if (!ignore || !ignore->count)
		return false;
	out->matched = xzalloc(ignore->count);
	for (size_t i = 0; i < ignore->count; i++) {
		const struct ignore_rule *rule = &ignore->rules[i];
		bool match = parent && parent->matched && parent->matched[i];

		if (!match && rule->include == ignored)
			match = pattern_matches(rule->pattern, path);
		out->matched[i] = match;
		if (match)
			ignored = !rule->include;
	}
	out->ignored = ignored;
	return ignored;
}

bool ignore_check_path(const struct ignore *ignore, const char *path, struct ignore_state *out)
{
	struct ignore_state state = { NULL, false };
	cleanup_free char *prefix = xstrdup(path);

	if (ignore && ignore->count && strcmp(path, ".") != 0 && *path) {
		for (char *slash = prefix; slash;) {
			struct ignore_state next;

			slash = strchr(slash, '/');
			if (slash)
				*slash = '\0';
			(void)ignore_check(ignore, &state, prefix, &next); /* the state has it */
			ignore_state_done(&state);
			state = next;
			if (slash)
				*slash++ = '/';
		}
	}
	if (out) {
		*out = state;
		return state.ignored;
	}
	free(state.matched);
	return state.ignored;
}

static bool is_prefix(const char *above, const char *path)
{
	size_t size = strlen(above);

	return !size || (strncmp(above, path, size) == 0 && (!path[size] || path[size] == '/'));
}

bool ignore_may_include_in(const struct ignore *ignore, const char *folder)
{
	for (size_t i = 0; ignore && ignore->has_inclusions && i < ignore->count; i++) {
		const struct ignore_rule *rule = &ignore->rules[i];

		if (rule->include &&
		    (is_prefix(rule->prefix, folder) || is_prefix(folder, rule->prefix)))
			return true;
	}
	return false;
}

void ignore_state_done(struct ignore_state *state)
{
	free(state->matched);
	state->matched = NULL;
}

void ignore_done(struct ignore *ignore)
{
	for (size_t i = 0; i < ignore->count; i++) {
		pattern_free(ignore->rules[i].pattern);
		free(ignore->rules[i].prefix);
	}
	free(ignore->rules);
	*ignore = (struct ignore)IGNORE_INIT;
}
