/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules are on: by the configuration file, the "# check=" directive, options, and comments
 * above instructions. Used by lint.c.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "builder/dockerfile/lint-rules.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/table.h"

const struct lint_rule *const lint_tables[] = { lint_file_rules, lint_value_rules, lint_orlop_rules,
						NULL };

/* "A, B" into names; all = one of them is "all". */
static void add_names(const char *text, struct strv *names, bool *all)
{
	cleanup_strv struct strv parts = STRV_INIT;

	strv_split(&parts, text, ',');
	for (size_t i = 0; i < parts.count; i++) {
		char *name = parts.items[i] + strspn(parts.items[i], " \t");

		name[strcspn(name, " \t")] = '\0';
		if (strcmp(name, "all") == 0)
			*all = true;
		else if (*name)
			strv_add(names, name);
	}
}

/* Switched on by a directive that BuildKit reads, too: "all" means its experimental rules. */
static void enable_experimental(struct lint *lint, const char *text)
{
	add_names(text, &lint->enabled, &lint->experimental_all);
	lint->orlop_all = lint->orlop_all || strv_contains(&lint->enabled, "orlop");
}

/* Switched on by our own means: "all" means all. */
static void enable(struct lint *lint, const char *text)
{
	bool all = false;

	add_names(text, &lint->enabled, &all);
	lint->orlop_all = lint->orlop_all || all || strv_contains(&lint->enabled, "orlop");
	lint->experimental_all = lint->experimental_all || all;
}

static bool is_name(const char *name, struct suggestion *near)
{
	static const char *const groups[] = { "orlop", "all" };

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strcmp(name, groups[i]) == 0)
			return true;
		suggestion_consider(near, groups[i]);
	}
	for (size_t i = 0; lint_tables[i]; i++) {
		for (const struct lint_rule *rule = lint_tables[i]; rule->name; rule++) {
			if (strcmp(name, rule->name) == 0)
				return true;
			suggestion_consider(near, rule->name);
		}
	}
	return false;
}

int lint_check_names(const char *names, struct error *err)
{
	cleanup_strv struct strv list = STRV_INIT;
	bool all = false;

	add_names(names, &list, &all);
	for (size_t i = 0; i < list.count; i++) {
		struct suggestion near = { .word = list.items[i] };
		int ret;

		if (is_name(list.items[i], &near))
			continue;
		ret = error_set(err, ERROR_USAGE, 0, "there is no rule \"%s\"", list.items[i]);
		return near.best ? error_suffix(err, ret, " (did you mean %s?)", near.best) : ret;
	}
	return 0;
}

static int parse_error_option(const char *value, bool *fail, struct error *err)
{
	/* clang-format off */
	static const struct name_value booleans[] = {
		{ "true", 1 }, { "false", 0 }, { "1", 1 }, { "0", 0 }, { "t", 1 }, { "f", 0 },
		{ "T", 1 }, { "F", 0 }, { "TRUE", 1 }, { "FALSE", 0 }, { "True", 1 },
		{ "False", 0 }, { NULL, 0 },
	};
	/* clang-format on */
	const struct name_value *named = table_find(booleans, value);

	if (!named)
		return error_invalid(err, "failed to parse check option \"error=%s\"", value);
	*fail = named->value != 0;
	return 0;
}

/* "KEY=VALUE", cut apart in place; false when it is not. */
static bool split_option(char *text, char **out_key, char **out_value)
{
	char *key = text + strspn(text, " \t"), *value = strchr(key, '='), *end;

	if (!value)
		return false;
	*value++ = '\0';
	key[strcspn(key, " \t")] = '\0';
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && strchr(" \t\r", end[-1]))
		*--end = '\0';
	*out_key = key;
	*out_value = value;
	return true;
}

/* "skip=A,B;error=true;experimental=C". BuildKit takes names that it does not know, and reads the
 * line of the Dockerfile up to its first blank only. */
static int read_directive(struct lint *lint, const char *text, struct error *err)
{
	cleanup_strv struct strv parts = STRV_INIT;
	int ret = 0;

	strv_split(&parts, text, ';');
	for (size_t i = 0; i < parts.count && ret == 0; i++) {
		char *key, *value;

		if (!split_option(parts.items[i], &key, &value))
			return error_invalid(err, "invalid check option \"%s\"", parts.items[i]);
		if (strcmp(key, "skip") == 0)
			add_names(value, &lint->skipped, &lint->skip_all);
		else if (strcmp(key, "experimental") == 0)
			enable_experimental(lint, value);
		else if (strcmp(key, "error") == 0)
			ret = parse_error_option(value, &lint->report->fail, err);
		else
			ret = error_invalid(err, "invalid check option \"%s\"", key);
	}
	return ret;
}

static int unknown_setting(const char *key, struct error *err)
{
	static const char *const keys[] = { "enable", "skip", "error" };
	struct suggestion near = { .word = key };
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		suggestion_consider(&near, keys[i]);
	ret = error_invalid(err, "\"%s\" is not enable, skip or error", key);
	return near.best ? error_suffix(err, ret, " (did you mean %s?)", near.best) : ret;
}

/* One line of the configuration file. */
static int read_setting(struct lint *lint, char *line, struct error *err)
{
	char *key, *value;
	int ret = 0;

	line[strcspn(line, "#")] = '\0';
	if (!line[strspn(line, " \t\r")])
		return 0;
	if (!split_option(line, &key, &value))
		return error_invalid(err, "\"%s\" is not of the form KEY=VALUE", line);
	if (strcmp(key, "error") == 0)
		return parse_error_option(value, &lint->report->fail, err);
	if (strcmp(key, "enable") != 0 && strcmp(key, "skip") != 0)
		return unknown_setting(key, err);
	ret = lint_check_names(value, err);
	if (ret == 0 && strcmp(key, "skip") == 0)
		add_names(value, &lint->skipped, &lint->skip_all);
	else if (ret == 0)
		enable(lint, value);
	return ret;
}

static int read_config(struct lint *lint, const char *text, struct error *err)
{
	cleanup_strv struct strv lines = STRV_INIT;

	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		int ret = read_setting(lint, lines.items[i], err);

		if (ret < 0) {
			if (err)
				err->code = ERROR_INVALID; /* the file, not the command line */
			return error_prefix(err, ret, "%s:%zu", lint->options->config_name, i + 1);
		}
	}
	return 0;
}

int lint_read_options(struct lint *lint, struct error *err)
{
	const struct lint_options *options = lint->options;
	const char *line = lint->dockerfile->directives.check;
	cleanup_free char *check = NULL;
	int ret;

	if (options->config) {
		ret = read_config(lint, options->config, err);
		if (ret < 0)
			return ret;
	}
	if (options->check)
		check = xstrdup(options->check);
	else if (line)
		check = xstrndup(line, strcspn(line, " "));
	ret = check ? read_directive(lint, check, err) : 0;
	if (ret < 0)
		return error_prefix(err, ret, "failed to parse check options");
	if (options->enable)
		enable(lint, options->enable);
	return 0;
}

bool lint_rule_is_on(const struct lint *lint, const struct lint_rule *rule)
{
	if (rule->group == LINT_EXPERIMENTAL)
		return lint->experimental_all || strv_contains(&lint->enabled, rule->name);
	if (lint->skip_all || strv_contains(&lint->skipped, rule->name))
		return false;
	return rule->group == LINT_BUILDKIT || lint->orlop_all ||
	       strv_contains(&lint->enabled, rule->name);
}

bool lint_is_skipped(const struct lint *lint, const struct instruction *instruction)
{
	const char *const *comments = instruction->comments;
	bool skipped = false;

	for (; comments && *comments && !skipped; comments++) {
		cleanup_strv struct strv names = STRV_INIT;

		if (strncasecmp(*comments, "check=skip=", strlen("check=skip=")) != 0)
			continue;
		add_names(*comments + strlen("check=skip="), &names, &skipped);
		skipped = skipped || strv_contains(&names, lint->rule->name);
	}
	return skipped;
}
