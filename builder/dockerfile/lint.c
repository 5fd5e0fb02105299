/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the rules that are on (lint-options.c): over the text, the file, each FROM, each stage,
 * each instruction, as far as the Dockerfile can be read; and the list of what they found.
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

/* -- for the rules -------------------------------------------------------------------------------
 */

void lint_warn(struct lint *lint, const struct instruction *instruction, const struct span *span,
	       const char *format, ...)
{
	struct lint_report *report = lint->report;
	struct lint_warning warning = { .rule = lint->rule, .range = instruction->range };
	cleanup_free char *detail = NULL;
	va_list ap;

	if (lint_is_skipped(lint, instruction) || report->count >= LINT_MAX)
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

static void find_enabled(struct lint *lint)
{
	size_t count = 0;

	for (size_t i = 0; lint_tables[i]; i++)
		for (const struct lint_rule *rule = lint_tables[i]; rule->name; rule++)
			count++;
	lint->on = arena_alloc(&lint->report->arena, count * sizeof(*lint->on));
	for (size_t i = 0; lint_tables[i]; i++)
		for (const struct lint_rule *rule = lint_tables[i]; rule->name; rule++)
			if (lint_rule_is_on(lint, rule))
				lint->on[lint->on_count++] = rule;
}

/* What needs no more than the text; the instruction behind the good ones is the wrong one. */
static void run_text_rules(struct lint *lint, const struct instruction *instruction, bool judged)
{
	for (size_t i = 0; i < lint->on_count; i++) {
		lint->rule = lint->on[i];
		if (lint->rule->line)
			lint->rule->line(lint, instruction);
		if (lint->rule->reading && judged)
			lint->rule->reading(lint, instruction);
	}
}

static void run_file_rules(struct lint *lint)
{
	for (size_t i = 0; i < lint->on_count; i++) {
		lint->rule = lint->on[i];
		if (lint->rule->file)
			lint->rule->file(lint);
	}
}

static void run_from_rules(struct lint *lint, const struct instruction *from)
{
	for (size_t i = 0; i < lint->on_count; i++) {
		lint->rule = lint->on[i];
		if (lint->rule->from)
			lint->rule->from(lint, from);
	}
}

static void run_variable_rules(void *context, struct walk_stage *stage,
			       const struct instruction *raw)
{
	struct lint *lint = context;

	for (size_t i = 0; i < lint->on_count; i++) {
		lint->rule = lint->on[i];
		if (lint->rule->variables)
			lint->rule->variables(lint, stage, raw);
	}
}

static void run_instruction_rules(void *context, struct walk_stage *stage,
				  const struct instruction *raw, const struct instruction *expanded)
{
	struct lint *lint = context;

	for (size_t i = 0; i < lint->on_count; i++) {
		lint->rule = lint->on[i];
		if (lint->rule->instruction)
			lint->rule->instruction(lint, stage, raw, expanded);
	}
}

static void run_stage_rules(void *context, struct walk_stage *stage)
{
	struct lint *lint = context;

	for (size_t i = 0; i < lint->on_count; i++) {
		lint->rule = lint->on[i];
		if (lint->rule->stage)
			lint->rule->stage(lint, stage);
	}
}

/* As far as the Dockerfile could be read. */
static int run_rules(struct lint *lint, struct error *err)
{
	static const struct walk_hooks hooks = { .variables = run_variable_rules,
						 .instruction = run_instruction_rules,
						 .end = run_stage_rules };
	struct walk_options walk = lint->options->walk;
	const struct dockerfile *file = lint->dockerfile;

	find_enabled(lint);
	for (size_t i = 0; i < file->read; i++)
		run_text_rules(lint, &file->instructions[i], i <= file->count);
	if (!file->right)
		return 0;
	run_file_rules(lint);
	for (const struct instruction *it = file->instructions;
	     lint->stages->reached && it <= lint->stages->reached; it++)
		if (it->kind == INST_FROM)
			run_from_rules(lint, it);
	if (!lint->stages->resolved)
		return 0;
	walk.hooks = &hooks;
	walk.context = lint;
	return walk_stages(lint->dockerfile, lint->stages, &walk, &lint->report->where, err);
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
	struct lint lint = { dockerfile, stages, options, out, .rule = NULL };
	int ret;

	*out = (struct lint_report){ .where = { .first = 1, .last = 1 } };
	ret = lint_read_options(&lint, err);
	out->bad_options = ret < 0;
	if (ret == 0)
		ret = run_rules(&lint, err);
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
