/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the text, the file as a whole and its FROM lines: spelling, names of stages,
 * comments, ARGs in names of images. They see all stages, whatever the target. */
#include <string.h>
#include <strings.h>

#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/lint-rules.h"
#include "builder/image/platform.h"
#include "builder/image/reference.h"
#include "lib/cleanup.h"

/* -- spelling ------------------------------------------------------------------------------------
 */

enum letter_case { CASE_LOWER, CASE_UPPER, CASE_MIXED };

static enum letter_case case_of(const char *word, size_t size)
{
	bool lower = false, upper = false;

	for (size_t i = 0; i < size; i++) {
		lower = lower || (word[i] >= 'a' && word[i] <= 'z');
		upper = upper || (word[i] >= 'A' && word[i] <= 'Z');
	}
	return lower && upper ? CASE_MIXED : upper ? CASE_UPPER : CASE_LOWER;
}

static enum letter_case keyword_case(const struct instruction *instruction)
{
	return case_of(instruction->text, instruction->keyword.end - instruction->keyword.start);
}

/* The first FROM; those before it are ARGs, which no rule about stages counts. */
static size_t first_from(const struct lint *lint)
{
	size_t i = 0;

	while (lint->dockerfile->instructions[i].kind != INST_FROM)
		i++;
	return i;
}

static void check_casing(struct lint *lint)
{
	const struct dockerfile *file = lint->dockerfile;
	size_t counts[3] = { 0, 0, 0 }, first = first_from(lint);
	enum letter_case wanted;

	for (size_t i = first; i < file->count; i++)
		counts[keyword_case(&file->instructions[i])]++;
	wanted = counts[CASE_LOWER] > counts[CASE_UPPER] ? CASE_LOWER : CASE_UPPER;
	for (size_t i = first; i < file->count; i++) {
		const struct instruction *instruction = &file->instructions[i];

		if (keyword_case(instruction) != wanted)
			lint_warn(lint, instruction, &instruction->keyword,
				  "Command '%s' should match the case of the command majority "
				  "(%s)",
				  lint_keyword(lint, instruction),
				  wanted == CASE_LOWER ? "lowercase" : "uppercase");
	}
}

static bool is_named_from(const struct instruction *instruction)
{
	return instruction->kind == INST_FROM && instruction->arg_count == 3;
}

static void check_from_as(struct lint *lint, const struct instruction *from)
{
	enum letter_case wanted = keyword_case(from);

	if (is_named_from(from) && wanted != CASE_MIXED &&
	    case_of(from->args[1], strlen(from->args[1])) != wanted)
		lint_warn(lint, from, &from->arg_spans[1],
			  "'%s' and '%s' keywords' casing do not match", from->args[1],
			  lint_keyword(lint, from));
}

static void check_empty_continuation(struct lint *lint, const struct instruction *instruction)
{
	struct instruction last = *instruction;

	last.range.first = last.range.last;
	if (instruction->empty_continuation)
		lint_warn(lint, &last, NULL, "Empty continuation line");
}

static void check_maintainer(struct lint *lint, const struct instruction *instruction)
{
	if (instruction->kind == INST_MAINTAINER)
		lint_warn(lint, instruction, NULL,
			  "Maintainer instruction is deprecated in favor of using label");
}

/* -- names of stages -----------------------------------------------------------------------------
 */

static const char *lower_name(struct lint *lint, const struct instruction *from)
{
	return stages_lower_case(&lint->report->arena, from->args[2]);
}

static void check_stage_casing(struct lint *lint, const struct instruction *from)
{
	if (is_named_from(from) && strcmp(lower_name(lint, from), from->args[2]) != 0)
		lint_warn(lint, from, &from->arg_spans[2], "Stage name '%s' should be lowercase",
			  from->args[2]);
}

static void check_stage_duplicate(struct lint *lint)
{
	const struct dockerfile *file = lint->dockerfile;
	cleanup_strv struct strv names = STRV_INIT;

	for (size_t i = 0; i < file->count && names.count < STAGES_MAX; i++) {
		const struct instruction *from = &file->instructions[i];
		const char *name;

		if (!is_named_from(from))
			continue;
		name = lower_name(lint, from);
		if (strv_contains(&names, name))
			lint_warn(lint, from, &from->arg_spans[2],
				  "Duplicate stage name \"%s\", stage names should be unique",
				  name);
		strv_add(&names, name);
	}
}

static void check_stage_reserved(struct lint *lint)
{
	const struct dockerfile *file = lint->dockerfile;

	for (size_t i = 0; i < file->count; i++) {
		const struct instruction *from = &file->instructions[i];
		const char *name = is_named_from(from) ? lower_name(lint, from) : "";

		if (strcmp(name, "context") == 0 || strcmp(name, "scratch") == 0)
			lint_warn(lint, from, &from->arg_spans[2],
				  "Stage name should not use the same name as reserved stage "
				  "\"%s\"",
				  name);
	}
}

/* -- comments that describe ----------------------------------------------------------------------
 */

/* Is there a comment for one of the names? True also without any comment. */
static bool is_described(const struct instruction *instruction, const char *const *names,
			 size_t count, size_t step)
{
	const char *const *comments = instruction->comments;

	if (!comments || !*comments)
		return true;
	for (; *comments; comments++)
		for (size_t i = 0; i < count; i += step) {
			size_t size = strlen(names[i]);

			if (strncmp(*comments, names[i], size) == 0 && (*comments)[size] == ' ')
				return true;
		}
	return false;
}

static void check_descriptions(struct lint *lint, const struct instruction *it)
{
	const char *stage = is_named_from(it) ? lower_name(lint, it) : NULL;

	if (stage && !is_described(it, &stage, 1, 1))
		lint_warn(lint, it, NULL,
			  "Comment for FROM should follow the format: `# %s <description>`", stage);
	if (it->kind == INST_ARG && it->arg_count && !is_described(it, it->args, it->arg_count, 2))
		lint_warn(lint, it, NULL,
			  "Comment for ARG should follow the format: `# %s <description>`",
			  it->arg_count == 2 ? it->args[0] : "<arg_key>");
}

/* -- variables in FROM ---------------------------------------------------------------------------
 */

struct usage {
	const struct strv *values;
	struct strv found, missing; /* names */
};

static void usage_done(struct usage *usage)
{
	strv_done(&usage->found);
	strv_done(&usage->missing);
}

static const char *lookup(void *context, const char *name)
{
	struct usage *usage = context;
	const char *value = strv_env_get(usage->values, name);
	struct strv *names = value ? &usage->found : &usage->missing;

	if (!strv_contains(names, name))
		strv_add(names, name);
	return value;
}

/* Expand text and note which variables it has; NULL when it cannot be expanded. */
static char *expand_noting(struct lint *lint, const char *text, struct usage *usage)
{
	struct expand expand = { lint->dockerfile->directives.escape, false, lookup, usage };
	char *word = NULL;

	return expand_word(&expand, text, &word, NULL) < 0 ? NULL : word;
}

static bool is_declared(const struct lint *lint, const char *name)
{
	const struct instruction *arg = lint->dockerfile->instructions;

	for (; arg->kind != INST_FROM; arg++)
		for (size_t i = 0; i < arg->arg_count; i += 2)
			if (strcmp(arg->args[i], name) == 0)
				return true;
	return false;
}

static void warn_undefined(struct lint *lint, const struct instruction *from, const char *text,
			   const struct span *span)
{
	cleanup_with(usage_done) struct usage usage = { .values = &lint->stages->globals };
	cleanup_free char *word = expand_noting(lint, text, &usage);

	for (size_t i = 0; word && i < usage.missing.count; i++) {
		const char *name = usage.missing.items[i];
		const char *near = lint_nearest(name, &lint->stages->globals);

		if (is_declared(lint, name))
			continue;
		lint_warn(lint, from, span, "FROM argument '%s' is not declared%s%.*s%s", name,
			  near ? " (did you mean " : "", near ? (int)strcspn(near, "=") : 0,
			  near ? near : "", near ? "?)" : "");
	}
}

static void check_undefined_arg(struct lint *lint, const struct instruction *from)
{
	warn_undefined(lint, from, from->args[0], &from->arg_spans[0]);
	for (size_t i = 0; i < from->flag_count; i++)
		warn_undefined(lint, from, from->flags[i].value, &from->flags[i].span);
}

/* The names of images as they are without any --build-arg. */
static void check_default_arg(struct lint *lint)
{
	cleanup_strv struct strv none = STRV_INIT;
	cleanup_strv struct strv values = STRV_INIT;
	cleanup_scope struct scope scope = { .escape = lint->dockerfile->directives.escape,
					     .build_args = &none,
					     .globals = &values };

	size_t first = first_from(lint);

	stages_platform_args(&values, lint->options->platform, NULL); /* the names alone count */
	strv_add_all(&scope.values, strv_items(&values));
	for (size_t i = 0; i < first; i++) {
		const struct instruction *arg = &lint->dockerfile->instructions[i];
		const char *value;

		for (size_t j = 0; j < arg->arg_count; j += 2)
			(void)scope_declare(&scope, arg->args[j], arg->args[j + 1], &value, NULL);
	}
	for (size_t i = first; i < lint->dockerfile->count; i++) {
		const struct instruction *from = &lint->dockerfile->instructions[i];
		cleanup_with(usage_done) struct usage usage = { .values = &scope.values };
		cleanup_free char *name = NULL;
		struct reference reference;

		if (from->kind == INST_FROM && strchr(from->args[0], '$'))
			name = expand_noting(lint, from->args[0], &usage);
		if (name && reference_parse(name, &reference, NULL) < 0)
			lint_warn(lint, from, &from->arg_spans[0],
				  "Default value for ARG %s results in empty or invalid base "
				  "image name",
				  from->args[0]);
	}
}

/* The --platform flag of a FROM; NULL = none. */
static const struct instruction_flag *platform_flag(const struct instruction *from)
{
	return from->flag_count ? &from->flags[0] : NULL;
}

static void check_target_platform(struct lint *lint, const struct instruction *from)
{
	const struct instruction_flag *flag = platform_flag(from);

	if (flag && (strcmp(flag->value, "$TARGETPLATFORM") == 0 ||
		     strcmp(flag->value, "${TARGETPLATFORM}") == 0))
		lint_warn(lint, from, &flag->span,
			  "Setting platform to predefined %s in FROM is redundant as this is the "
			  "default behavior",
			  flag->value);
}

/* A stage whose name has the system or the machine in it means that platform. */
static bool names_platform(const char *stage, const char *platform)
{
	cleanup_strv struct strv parts = STRV_INIT;

	strv_split(&parts, platform, '/');
	for (size_t i = 0; stage && i < parts.count && i < 2; i++)
		if (*parts.items[i] && strstr(stage, parts.items[i]))
			return true;
	return false;
}

static void check_const_platform(struct lint *lint, const struct instruction *from)
{
	const struct instruction_flag *flag = platform_flag(from);
	const char *name = is_named_from(from) ? lower_name(lint, from) : NULL;
	cleanup_free char *platform = NULL;

	if (!flag || strchr(flag->value, '$') ||
	    platform_normalize(flag->value, lint->options->platform, &platform, NULL) < 0)
		return;
	if (!names_platform(name, platform))
		lint_warn(lint, from, &flag->span,
			  "FROM --platform flag should not use constant value \"%s\"", flag->value);
}

/* clang-format off */
const struct lint_rule lint_file_rules[] = {
	{ "StageNameCasing", LINT_BUILDKIT, "stage-name-casing",
	  "Names of stages are compared without regard to case; one spelling reads best",
	  "write the name of the stage in lower case", .reading = check_stage_casing },
	{ "FromAsCasing", LINT_BUILDKIT, "from-as-casing",
	  "The two keywords of a FROM line differ in case",
	  "write AS as you write FROM", .reading = check_from_as },
	{ "NoEmptyContinuation", LINT_BUILDKIT, "no-empty-continuation",
	  "An empty line inside a continued instruction is skipped today and may be an error tomorrow",
	  "remove the empty line, or put a # on it", .line = check_empty_continuation },
	{ "ConsistentInstructionCasing", LINT_BUILDKIT, "consistent-instruction-casing",
	  "Keywords of one file are written in different cases",
	  "write all keywords in the same case", .file = check_casing },
	{ "DuplicateStageName", LINT_BUILDKIT, "duplicate-stage-name",
	  "Two stages have one name: --target and --from mean the later one",
	  "give each stage a name of its own", .file = check_stage_duplicate },
	{ "ReservedStageName", LINT_BUILDKIT, "reserved-stage-name",
	  "The name has a meaning of its own already",
	  "choose another name for the stage", .file = check_stage_reserved },
	{ "MaintainerDeprecated", LINT_BUILDKIT, "maintainer-deprecated",
	  "MAINTAINER is an instruction of the past",
	  "LABEL org.opencontainers.image.authors=\"...\"", .reading = check_maintainer },
	{ "UndefinedArgInFrom", LINT_BUILDKIT, "undefined-arg-in-from",
	  "Only ARGs before the first FROM have a value in FROM lines",
	  "declare it with ARG before the first FROM", .from = check_undefined_arg },
	{ "InvalidDefaultArgInFrom", LINT_BUILDKIT, "invalid-default-arg-in-from",
	  "Without --build-arg this does not name an image",
	  "give the ARG a default value", .file = check_default_arg },
	{ "RedundantTargetPlatform", LINT_BUILDKIT, "redundant-target-platform",
	  "A FROM without --platform uses the target platform",
	  "remove the --platform flag", .from = check_target_platform },
	{ "FromPlatformFlagConstDisallowed", LINT_BUILDKIT, "from-platform-flag-const-disallowed",
	  "With a fixed platform the file builds for that one only",
	  "use $BUILDPLATFORM or no --platform, or name the stage after the platform",
	  .from = check_const_platform },
	{ "InvalidDefinitionDescription", LINT_EXPERIMENTAL, "invalid-definition-description",
	  "A comment right above ARG or FROM describes it if it begins with its name",
	  "begin the comment with the name, or put an empty comment line below it",
	  .reading = check_descriptions },
	{ NULL },
};
/* clang-format on */
