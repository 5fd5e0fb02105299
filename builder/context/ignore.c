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

static char *trim(const char *text)
{
	size_t size;

	while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
		text++;
	size = strlen(text);
	while (size &&
	       (text[size - 1] == ' ' || (text[size - 1] >= '\t' && text[size - 1] <= '\r')))
		size--;
	return xstrndup(text, size);
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

int ignore_add(struct ignore *ignore, const char *text, struct error *err)
{
	cleanup_free char *trimmed = trim(text), *clean = NULL;
	cleanup_free char *inner = NULL;
	struct ignore_rule rule = { .include = trimmed[0] == '!' };
	const char *relative;
	int ret;

	inner = trim(trimmed + rule.include);
	if (!*inner) {
		if (rule.include)
			return error_invalid(err, "illegal exclusion pattern: \"!\"");
		return 0;
	}
	clean = path_clean(inner);
	relative = clean[0] == '/' && clean[1] ? clean + 1 : clean;
	ret = pattern_compile(relative, PATTERN_IGNORE, &rule.pattern, err);
	if (ret < 0)
		return ret;
	rule.prefix = literal_prefix(relative);
	ARRAY_GROW(ignore->rules, ignore->count, ignore->capacity);
	ignore->rules[ignore->count++] = rule;
	ignore->has_inclusions = ignore->has_inclusions || rule.include;
	return 0;
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
		ret = ignore_add(ignore, lines.items[i], err);
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
