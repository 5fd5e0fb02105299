/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the rules: which are on (the "# check=" directive, comments above instructions, options),
 * over what (the file, each stage, each instruction), and the list of what they found.
 */
#include "builder/dockerfile/lint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/dockerfile/lint-rules.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/table.h"

#define NEAREST_MAX 1000 /* names to compare with */
#define LINT_MAX 10000	 /* warnings: enough for anybody, and sorting them takes no time */

static const struct lint_rule *const tables[] = {
	lint_file_rules,
	lint_value_rules,
	lint_orlop_rules,
};

/* -- which rules ---------------------------------------------------------------------------------
 */

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

/* What is switched on by name: rules, or all of ours. */
static void enable(struct lint *lint, const char *text)
{
	add_names(text, &lint->enabled, &lint->experimental_all);
	lint->orlop_all = lint->orlop_all || strv_contains(&lint->enabled, "orlop");
}

static bool is_name(const char *name, struct suggestion *near)
{
	static const char *const groups[] = { "orlop", "all" };

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strcmp(name, groups[i]) == 0)
			return true;
		suggestion_consider(near, groups[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct lint_rule *rule = tables[i]; rule->name; rule++) {
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
		ret = error_set(err, ERROR_USAGE, 0, "--lint: there is no rule \"%s\"",
				list.items[i]);
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

/* "skip=A,B;error=true;experimental=C" */
static int parse_check(struct lint *lint, const char *text, struct error *err)
{
	cleanup_strv struct strv parts = STRV_INIT;
	int ret = 0;

	strv_split(&parts, text, ';');
	for (size_t i = 0; i < parts.count && ret == 0; i++) {
		char *key = parts.items[i] + strspn(parts.items[i], " \t");
		char *value = strchr(key, '=');

		if (!value)
			return error_invalid(err, "invalid check option \"%s\"", key);
		*value++ = '\0';
		value += strspn(value, " \t");
		key[strcspn(key, " \t")] = '\0';
		if (strcmp(key, "skip") == 0)
			add_names(value, &lint->skipped, &lint->skip_all);
		else if (strcmp(key, "experimental") == 0)
			enable(lint, value);
		else if (strcmp(key, "error") == 0)
			ret = parse_error_option(value, &lint->report->fail, err);
		else
			ret = error_invalid(err, "invalid check option \"%s\"", key);
	}
	return ret;
}

static bool rule_is_on(const struct lint *lint)
{
	const struct lint_rule *rule = lint->rule;

	if (rule->group == LINT_EXPERIMENTAL)
		return lint->experimental_all || strv_contains(&lint->enabled, rule->name);
	if (lint->skip_all || strv_contains(&lint->skipped, rule->name))
		return false;
	return rule->group == LINT_BUILDKIT || lint->orlop_all ||
	       strv_contains(&lint->enabled, rule->name);
}

/* "# check=skip=RULE" right above the instruction. */
static bool is_skipped_here(const struct lint *lint, const struct instruction *instruction)
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

/* -- for the rules -------------------------------------------------------------------------------
 */

void lint_warn(struct lint *lint, const struct instruction *instruction, const struct span *span,
	       const char *format, ...)
{
	struct lint_report *report = lint->report;
	struct lint_warning warning = { .rule = lint->rule, .range = instruction->range };
	cleanup_free char *detail = NULL;
	va_list ap;

	if (is_skipped_here(lint, instruction) || report->count >= LINT_MAX)
		return;
	va_start(ap, format);
	detail = xvasprintf(format, ap);
	va_end(ap);
	warning.detail = arena_strdup(&report->arena, detail);
	if (span && instruction->pieces)
		warning.range = instruction_range(instruction, span);
	ARRAY_GROW(report->items, report->count, report->capacity);
	report->items[report->count++] = warning;
}

const char *lint_keyword(struct lint *lint, const struct instruction *instruction)
{
	return arena_strndup(&lint->report->arena, instruction->text,
			     instruction->keyword.end - instruction->keyword.start);
}

const char *lint_nearest(const char *word, const struct strv *pairs)
{
	struct suggestion near = { .word = word, .reach = 2 }; /* BuildKit's messages */
	cleanup_strv struct strv names = STRV_INIT;

	for (size_t i = 0; i < pairs->count && pairs->count < NEAREST_MAX; i++)
		strv_addf(&names, "%.*s", (int)strcspn(pairs->items[i], "="), pairs->items[i]);
	for (size_t i = 0; i < names.count; i++)
		suggestion_consider(&near, names.items[i]);
	for (size_t i = 0; near.best && i < names.count; i++)
		if (strcmp(names.items[i], near.best) == 0)
			return pairs->items[i];
	return NULL;
}

/* -- running -------------------------------------------------------------------------------------
 */

static void run_file_rules(struct lint *lint)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (lint->rule = tables[i]; lint->rule->name; lint->rule++)
			if (lint->rule->file && rule_is_on(lint))
				lint->rule->file(lint);
}

static void run_instruction_rules(void *context, struct walk_stage *stage,
				  const struct instruction *raw, const struct instruction *expanded)
{
	struct lint *lint = context;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (lint->rule = tables[i]; lint->rule->name; lint->rule++)
			if (lint->rule->instruction && rule_is_on(lint))
				lint->rule->instruction(lint, stage, raw, expanded);
}

static void run_stage_rules(void *context, struct walk_stage *stage)
{
	struct lint *lint = context;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (lint->rule = tables[i]; lint->rule->name; lint->rule++)
			if (lint->rule->stage && rule_is_on(lint))
				lint->rule->stage(lint, stage);
}

/* In order of lines, and of discovery within one (qsort is not stable). */
static void sort_warnings(struct lint_report *report)
{
	for (size_t i = 1; i < report->count; i++) {
		struct lint_warning warning = report->items[i];
		size_t at = i;

		for (; at && report->items[at - 1].range.first > warning.range.first; at--)
			report->items[at] = report->items[at - 1];
		report->items[at] = warning;
	}
}

int lint_run(struct dockerfile *dockerfile, const struct stages *stages,
	     const struct lint_options *options, struct lint_report *out, struct error *err)
{
	static const struct walk_hooks hooks = { NULL, run_instruction_rules, run_stage_rules };
	struct lint lint = { dockerfile, stages, options, out, .rule = NULL };
	const char *check = options->check ? options->check : dockerfile->directives.check;
	struct walk_options walk = options->walk;
	int ret = 0;

	*out = (struct lint_report){ .where = { .first = 1, .last = 1 } };
	if (check)
		ret = parse_check(&lint, check, err);
	out->bad_options = ret < 0;
	if (options->enable)
		enable(&lint, options->enable);
	walk.hooks = &hooks;
	walk.context = &lint;
	if (ret == 0)
		run_file_rules(&lint);
	if (ret == 0)
		ret = walk_stages(dockerfile, stages, &walk, &out->where, err);
	sort_warnings(out);
	strv_done(&lint.skipped);
	strv_done(&lint.enabled);
	return ret;
}

void lint_done(struct lint_report *report)
{
	free(report->items);
	arena_done(&report->arena);
	*report = (struct lint_report){ 0 };
}

int lint_error(const struct lint_report *report, struct error *err)
{
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	cleanup_strv struct strv seen = STRV_INIT;

	if (!report->fail || !report->count)
		return 0;
	for (size_t i = 0; i < report->count; i++)
		if (!strv_contains(&seen, report->items[i].rule->name))
			strv_add(&seen, report->items[i].rule->name);
	strv_sort(&seen);
	for (size_t i = 0; i < seen.count; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", seen.items[i]);
	return error_invalid(err, "lint violation found for rules: %s", strbuf_text(&names));
}
