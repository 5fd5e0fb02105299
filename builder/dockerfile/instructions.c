/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instruction table and what follows from it: flags, arity, single-instruction rules,
 * expansion. A new instruction or flag is a row here; parse.c, the planner and print.c read rows.
 */
#include "builder/dockerfile/instructions.h"

#include <string.h>
#include <strings.h>

#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/run-device.h"
#include "builder/dockerfile/run-mount.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/strv.h"
#include "lib/table.h"

static int check_mount(const struct flag_spec *flag, const char *value, struct error *err);
static int check_network(const struct flag_spec *flag, const char *value, struct error *err);
static int check_security(const struct flag_spec *flag, const char *value, struct error *err);
static int check_device(const struct flag_spec *flag, const char *value, struct error *err);
static int check_duration(const struct flag_spec *flag, const char *value, struct error *err);
static int check_retries(const struct flag_spec *flag, const char *value, struct error *err);

/* clang-format off */
static const struct flag_spec no_flags[] = {
	{ NULL },
};

static const struct flag_spec from_flags[] = {
	{ "platform", FLAG_STRING, FLAG_DONE,  true,  NULL },
	{ NULL },
};

static const struct flag_spec run_flags[] = {
	{ "mount",    FLAG_LIST,   FLAG_DONE,  false, check_mount }, /* its fields are expanded one by one */
	{ "network",  FLAG_STRING, FLAG_DONE,  false, check_network },
	{ "security", FLAG_STRING, FLAG_DONE,  false, check_security },
	{ "device",   FLAG_LIST,   FLAG_DONE,  false, check_device },
	{ NULL },
};

static const struct flag_spec copy_flags[] = {
	{ "from",     FLAG_STRING, FLAG_DONE,  true,  NULL },
	{ "chown",    FLAG_STRING, FLAG_DONE,  true,  NULL },
	{ "chmod",    FLAG_STRING, FLAG_DONE,  true,  NULL },
	{ "link",     FLAG_BOOL,   FLAG_DONE,  false, NULL },
	{ "parents",  FLAG_BOOL,   FLAG_DONE,  false, NULL },
	{ "exclude",  FLAG_LIST,   FLAG_DONE,  true,  NULL },
	{ NULL },
};

static const struct flag_spec add_flags[] = {
	{ "chown",        FLAG_STRING, FLAG_DONE,  true,  NULL },
	{ "chmod",        FLAG_STRING, FLAG_DONE,  true,  NULL },
	{ "link",         FLAG_BOOL,   FLAG_DONE,  false, NULL },
	{ "keep-git-dir", FLAG_BOOL,   FLAG_DONE,  false, NULL },
	{ "checksum",     FLAG_STRING, FLAG_DONE,  true,  NULL },
	{ "unpack",       FLAG_BOOL,   FLAG_DONE,  false, NULL },
	{ "exclude",      FLAG_LIST,   FLAG_DONE,  true,  NULL },
	{ NULL },
};

static const struct flag_spec health_flags[] = {
	{ "interval",       FLAG_STRING, FLAG_DONE, false, check_duration },
	{ "timeout",        FLAG_STRING, FLAG_DONE, false, check_duration },
	{ "start-period",   FLAG_STRING, FLAG_DONE, false, check_duration },
	{ "start-interval", FLAG_STRING, FLAG_DONE, false, check_duration },
	{ "retries",        FLAG_STRING, FLAG_DONE, false, check_retries },
	{ NULL },
};
/* clang-format on */

static int check_from(const struct instruction *instruction, struct error *err);
static int check_pairs(const struct instruction *instruction, struct error *err);
static int check_health(const struct instruction *instruction, struct error *err);
static int check_copy(const struct instruction *instruction, struct error *err);
static int check_run(const struct instruction *instruction, struct error *err);
static int check_not_blank(const struct instruction *instruction, struct error *err);

/* clang-format off */
const struct instruction_spec instruction_table[INST_COUNT] = {
	/*                    name           grammar          expansion       step         min max  properties                       flags         check */
	[INST_ADD]         = { "ADD",         GRAMMAR_LIST,    EXPAND_EACH,    STEP_FILES,  2, -1,  INST_HEREDOC,                    add_flags,    check_copy },
	[INST_ARG]         = { "ARG",         GRAMMAR_NAMES,   EXPAND_VALUES,  STEP_META,   1, -1,  INST_BEFORE_FROM,                no_flags,     check_pairs },
	[INST_CMD]         = { "CMD",         GRAMMAR_COMMAND, EXPAND_NOTHING, STEP_META,   0, -1,  INST_EMPTY_OK,                   no_flags,     NULL },
	[INST_COPY]        = { "COPY",        GRAMMAR_LIST,    EXPAND_EACH,    STEP_FILES,  2, -1,  INST_HEREDOC,                    copy_flags,   check_copy },
	[INST_ENTRYPOINT]  = { "ENTRYPOINT",  GRAMMAR_COMMAND, EXPAND_NOTHING, STEP_META,   0, -1,  INST_EMPTY_OK,                   no_flags,     NULL },
	[INST_ENV]         = { "ENV",         GRAMMAR_PAIRS,   EXPAND_EACH,    STEP_META,   1, -1,  0,                               no_flags,     check_pairs },
	[INST_EXPOSE]      = { "EXPOSE",      GRAMMAR_WORDS,   EXPAND_SPLIT,   STEP_META,   1, -1,  0,                               no_flags,     NULL },
	[INST_FROM]        = { "FROM",        GRAMMAR_WORDS,   EXPAND_NOTHING, STEP_STAGE,  1,  3,  INST_NO_ONBUILD | INST_BEFORE_FROM, from_flags, check_from },
	[INST_HEALTHCHECK] = { "HEALTHCHECK", GRAMMAR_HEALTH,  EXPAND_NOTHING, STEP_META,   1, -1,  0,                               health_flags, check_health },
	[INST_LABEL]       = { "LABEL",       GRAMMAR_PAIRS,   EXPAND_EACH,    STEP_META,   1, -1,  0,                               no_flags,     check_pairs },
	[INST_MAINTAINER]  = { "MAINTAINER",  GRAMMAR_TEXT,    EXPAND_NOTHING, STEP_META,   1,  1,  INST_NO_ONBUILD,                 no_flags,     NULL },
	[INST_ONBUILD]     = { "ONBUILD",     GRAMMAR_NESTED,  EXPAND_NOTHING, STEP_META,   0,  0,  INST_NO_ONBUILD,                 no_flags,     NULL },
	[INST_RUN]         = { "RUN",         GRAMMAR_COMMAND, EXPAND_NOTHING, STEP_FILES,  1, -1,  INST_HEREDOC,                    run_flags,    check_run },
	[INST_SHELL]       = { "SHELL",       GRAMMAR_COMMAND, EXPAND_NOTHING, STEP_META,   1, -1,  INST_JSON_ONLY,                  no_flags,     NULL },
	[INST_STOPSIGNAL]  = { "STOPSIGNAL",  GRAMMAR_TEXT,    EXPAND_EACH,    STEP_META,   1,  1,  0,                               no_flags,     NULL },
	[INST_USER]        = { "USER",        GRAMMAR_TEXT,    EXPAND_EACH,    STEP_META,   1,  1,  0,                               no_flags,     NULL },
	[INST_VOLUME]      = { "VOLUME",      GRAMMAR_LIST,    EXPAND_EACH,    STEP_META,   1, -1,  0,                               no_flags,     check_not_blank },
	[INST_WORKDIR]     = { "WORKDIR",     GRAMMAR_TEXT,    EXPAND_EACH,    STEP_FILES,  1,  1,  0,                               no_flags,     NULL },
};
/* clang-format on */

const struct instruction_spec *instruction_spec(const struct instruction *instruction)
{
	return &instruction_table[instruction->kind];
}

enum instruction_kind instruction_find(const char *name, size_t size)
{
	int kind = 0;

	while (kind < INST_COUNT && (strlen(instruction_table[kind].name) != size ||
				     strncasecmp(instruction_table[kind].name, name, size) != 0))
		kind++;
	return (enum instruction_kind)kind;
}

struct source_range instruction_range(const struct instruction *instruction,
				      const struct span *span)
{
	struct source_range range = instruction->range;

	source_range_point(&range, instruction->pieces, instruction->piece_count, span);
	return range;
}

/* -- flags ---------------------------------------------------------------------------------------
 */

const char *instruction_flag(const struct instruction *instruction, const char *name)
{
	for (size_t i = 0; i < instruction->flag_count; i++)
		if (strcmp(instruction->flags[i].spec->name, name) == 0)
			return instruction->flags[i].value;
	return NULL;
}

bool instruction_flag_is_set(const struct instruction *instruction, const char *name)
{
	const char *value = instruction_flag(instruction, name);

	return value && strcmp(value, "true") == 0;
}

static const struct flag_spec *flag_find(const struct flag_spec *flags, const char *name,
					 struct error *err)
{
	struct suggestion near = { .word = name };

	for (; flags->name; flags++) {
		if (strcmp(flags->name, name) == 0)
			return flags;
		suggestion_consider(&near, flags->name);
	}
	(void)error_invalid(err, "unknown flag: --%s", name); /* the caller returns -EINVAL */
	if (near.best)
		(void)error_suffix(err, -EINVAL, " (did you mean --%s?)", near.best);
	return NULL;
}

int instruction_add_flag(struct instruction *instruction, const char *word, struct arena *arena,
			 struct error *err)
{
	const char *equals = strchr(word, '=');
	size_t size = equals ? (size_t)(equals - word) : strlen(word);
	char *name = arena_strndup(arena, word + 2, size - 2);
	const char *value = equals ? arena_strdup(arena, equals + 1) : NULL;
	const struct flag_spec *spec = flag_find(instruction_spec(instruction)->flags, name, err);
	struct instruction_flag *flags;

	if (!spec)
		return -EINVAL;
	if (spec->kind != FLAG_LIST && instruction_flag(instruction, name))
		return error_invalid(err, "duplicate flag specified: --%s", name);
	if (spec->kind == FLAG_BOOL && !value)
		value = "true";
	if (!value)
		return error_invalid(err, "missing a value on flag: --%s", name);
	if (spec->kind == FLAG_BOOL &&
	    (strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0))
		value = strcasecmp(value, "true") == 0 ? "true" : "false";
	else if (spec->kind == FLAG_BOOL)
		return error_invalid(err, "expecting boolean value for flag --%s, not: %s", name,
				     value);
	if (spec->check && spec->check(spec, value, err) < 0)
		return -EINVAL;
	flags = arena_alloc(arena, (instruction->flag_count + 1) * sizeof(*flags));
	if (instruction->flag_count)
		memcpy(flags, instruction->flags, instruction->flag_count * sizeof(*flags));
	flags[instruction->flag_count++] = (struct instruction_flag){ spec, value, { 0, 0 } };
	instruction->flags = flags;
	return 0;
}

/* -- values of flags -----------------------------------------------------------------------------
 */

static int check_mount(const struct flag_spec *flag, const char *value, struct error *err)
{
	(void)flag;
	return run_mount_check_syntax(value, err);
}

static int check_network(const struct flag_spec *flag, const char *value, struct error *err)
{
	if (strcmp(value, "default") != 0 && strcmp(value, "none") != 0 &&
	    strcmp(value, "host") != 0)
		return error_invalid(err, "--%s: \"%s\" is not default, none or host", flag->name,
				     value);
	return 0;
}

static int check_security(const struct flag_spec *flag, const char *value, struct error *err)
{
	if (strcmp(value, "sandbox") != 0 && strcmp(value, "insecure") != 0)
		return error_invalid(err, "--%s: \"%s\" is not sandbox or insecure", flag->name,
				     value);
	return 0;
}

static int check_device(const struct flag_spec *flag, const char *value, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct run_device device;
	int ret = run_device_parse(value, &arena, &device, err);

	return error_prefix(err, ret, "--%s", flag->name);
}

static int check_duration(const struct flag_spec *flag, const char *value, struct error *err)
{
	uint64_t ns;

	if (number_parse_duration(value, &ns) < 0 || ns > INT64_MAX)
		return error_invalid(err, "--%s: \"%s\" is not a duration (30s, 1m30s)", flag->name,
				     value);
	if (ns && ns < 1000000)
		return error_invalid(err, "interval --%s cannot be less than 1ms", flag->name);
	return 0;
}

static int check_retries(const struct flag_spec *flag, const char *value, struct error *err)
{
	uint64_t count;

	if (number_parse_u64(value + (*value == '+'), &count) < 0 || count > INT32_MAX)
		return error_invalid(err, "--%s must be a number of at least 0, not \"%s\"",
				     flag->name, value);
	return 0;
}

/* -- rules of the single instructions ------------------------------------------------------------
 */

bool instruction_stage_name_is_valid(const char *name)
{
	if (*name < 'a' || *name > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static int check_from(const struct instruction *instruction, struct error *err)
{
	if (instruction->arg_count == 1)
		return 0;
	if (instruction->arg_count != 3 || strcasecmp(instruction->args[1], "AS") != 0)
		return error_invalid(err, "FROM requires either one or three arguments");
	return 0;
}

static int check_pairs(const struct instruction *instruction, struct error *err)
{
	for (size_t i = 0; i < instruction->arg_count; i += 2)
		if (!*instruction->args[i])
			return error_invalid(err, "%s names can not be blank",
					     instruction_spec(instruction)->name);
	return 0;
}

static int check_not_blank(const struct instruction *instruction, struct error *err)
{
	for (size_t i = 0; i < instruction->arg_count; i++)
		if (!instruction->args[i][strspn(instruction->args[i], " \t")])
			return error_invalid(err, "%s specified can not be an empty string",
					     instruction_spec(instruction)->name);
	return 0;
}

static int check_health(const struct instruction *instruction, struct error *err)
{
	const char *type = instruction->args[0];

	if (strcasecmp(type, "NONE") == 0) {
		if (instruction->arg_count > 1)
			return error_invalid(err, "HEALTHCHECK NONE takes no arguments");
		return 0; /* flags mean nothing then */
	}
	if (strcasecmp(type, "CMD") != 0)
		return error_invalid(err, "unknown type \"%s\" in HEALTHCHECK (try CMD)", type);
	if (instruction->arg_count < 2)
		return error_invalid(err, "missing command after HEALTHCHECK CMD");
	return 0;
}

static int check_copy(const struct instruction *instruction, struct error *err)
{
	for (size_t i = 0; i < instruction->heredoc_count; i++)
		if (instruction->heredocs[i].arg == instruction->arg_count - 1)
			return error_invalid(err, "%s cannot have a here-document as destination",
					     instruction_spec(instruction)->name);
	return 0;
}

static int check_run(const struct instruction *instruction, struct error *err)
{
	if (!*instruction->args[0] && !instruction->heredoc_count)
		return error_invalid(err, "RUN requires a command");
	return 0;
}

static int check_arity(const struct instruction *instruction, struct error *err)
{
	const struct instruction_spec *spec = instruction_spec(instruction);
	bool pairs = spec->grammar == GRAMMAR_PAIRS || spec->grammar == GRAMMAR_NAMES;
	int count = (int)(pairs ? instruction->arg_count / 2 : instruction->arg_count);

	if (count < spec->args_min && !(instruction->expanded && spec->expansion == EXPAND_SPLIT))
		return error_invalid(err, "%s requires at least %d argument%s", spec->name,
				     spec->args_min, spec->args_min == 1 ? "" : "s");
	if (spec->args_max >= 0 && count > spec->args_max)
		return error_invalid(err, "%s takes at most %d argument%s, not %d", spec->name,
				     spec->args_max, spec->args_max == 1 ? "" : "s", count);
	if ((spec->properties & INST_JSON_ONLY) && !instruction->json)
		return error_invalid(err, "%s requires the arguments to be in JSON form",
				     spec->name);
	return 0;
}

int instruction_check(const struct instruction *instruction, struct error *err)
{
	const struct instruction_spec *spec = instruction_spec(instruction);
	int ret = check_arity(instruction, err);

	return ret == 0 && spec->check ? spec->check(instruction, err) : ret;
}

/* Does the flag ask for what is done anyway? */
static bool is_default(const struct instruction_flag *flag)
{
	if (flag->spec->kind == FLAG_BOOL)
		return strcmp(flag->value, "false") == 0;
	return strcmp(flag->spec->name, "security") == 0 && strcmp(flag->value, "sandbox") == 0;
}

int instruction_check_support(const struct instruction *instruction, struct error *err)
{
	for (size_t i = 0; i < instruction->flag_count; i++) {
		const struct instruction_flag *flag = &instruction->flags[i];

		if (flag->spec->support == FLAG_LATER && !is_default(flag))
			return error_set(err, ERROR_UNSUPPORTED, 0, "%s --%s is not supported yet",
					 instruction_spec(instruction)->name, flag->spec->name);
	}
	return 0;
}

/* -- expansion -----------------------------------------------------------------------------------
 */

static int expand_in_arena(const struct expand *expand, struct arena *arena, const char **text,
			   struct error *err)
{
	cleanup_free char *word = NULL;
	int ret;

	if (!*text || !expand_is_needed(expand, *text))
		return 0;
	ret = expand_word(expand, *text, &word, err);
	if (ret == 0)
		*text = arena_strdup(arena, word);
	return ret;
}

static bool is_heredoc_arg(const struct instruction *instruction, size_t arg)
{
	for (size_t i = 0; i < instruction->heredoc_count; i++)
		if (instruction->heredocs[i].arg == arg && instruction->kind != INST_RUN)
			return true;
	return false;
}

static int expand_args(const struct instruction *instruction, const struct expand *expand,
		       struct arena *arena, struct instruction *out, struct error *err)
{
	enum instruction_expansion rule = instruction_spec(instruction)->expansion;
	size_t count = instruction->arg_count;
	int ret = 0;

	out->args = arena_alloc(arena, (count + 1) * sizeof(*out->args));
	if (count)
		memcpy(out->args, instruction->args, count * sizeof(*out->args));
	for (size_t i = 0; i < count && ret == 0; i++) {
		bool wanted = rule == EXPAND_EACH || (rule == EXPAND_VALUES && i % 2 == 1);

		if (wanted && !is_heredoc_arg(instruction, i))
			ret = expand_in_arena(expand, arena, &out->args[i], err);
	}
	return ret;
}

static int expand_split(const struct instruction *instruction, const struct expand *expand,
			struct arena *arena, struct instruction *out, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	int ret = 0;

	for (size_t i = 0; i < instruction->arg_count && ret == 0; i++)
		ret = expand_words(expand, instruction->args[i], &words, err);
	if (ret < 0)
		return ret;
	out->args = arena_alloc(arena, (words.count + 1) * sizeof(*out->args));
	out->arg_spans = NULL;
	out->arg_count = words.count;
	for (size_t i = 0; i < words.count; i++)
		out->args[i] = arena_strdup(arena, words.items[i]);
	return 0;
}

static int expand_flags(const struct expand *expand, struct arena *arena, struct instruction *out,
			struct error *err)
{
	struct instruction_flag *flags = arena_alloc(arena, (out->flag_count + 1) * sizeof(*flags));
	int ret = 0;

	for (size_t i = 0; i < out->flag_count && ret == 0; i++) {
		flags[i] = out->flags[i];
		if (flags[i].spec->expand)
			ret = expand_in_arena(expand, arena, &flags[i].value, err);
	}
	out->flags = flags;
	return ret;
}

/* RUN --mount: each field's value by itself. */
static int expand_mounts(const struct expand *expand, struct arena *arena, struct instruction *out,
			 struct error *err)
{
	int ret = 0;

	out->mounts = arena_alloc(arena, (out->flag_count + 1) * sizeof(*out->mounts));
	out->mount_count = 0;
	for (size_t i = 0; i < out->flag_count && ret == 0; i++)
		if (strcmp(out->flags[i].spec->name, "mount") == 0)
			ret = run_mount_parse(out->flags[i].value, expand, arena,
					      &out->mounts[out->mount_count++], err);
	return ret;
}

/* Bodies of files are expanded; those of RUN are the shell's business. */
static int expand_heredocs(const struct expand *expand, struct arena *arena,
			   struct instruction *out, struct error *err)
{
	struct expand body = *expand;
	struct heredoc *heredocs = arena_alloc(arena, (out->heredoc_count + 1) * sizeof(*heredocs));
	int ret = 0;

	body.keep_quotes = true;
	for (size_t i = 0; i < out->heredoc_count && ret == 0; i++) {
		heredocs[i] = out->heredocs[i];
		if (heredocs[i].expand && out->kind != INST_RUN)
			ret = expand_in_arena(&body, arena, &heredocs[i].body, err);
	}
	out->heredocs = heredocs;
	return ret;
}

int instruction_expand(const struct instruction *instruction, const struct expand *expand,
		       struct arena *arena, struct instruction *out, struct error *err)
{
	struct instruction copy = *instruction;
	bool split = instruction_spec(instruction)->expansion == EXPAND_SPLIT;
	int ret;

	ret = (split ? expand_split : expand_args)(instruction, expand, arena, &copy, err);
	if (ret == 0)
		ret = expand_flags(expand, arena, &copy, err);
	if (ret == 0)
		ret = expand_heredocs(expand, arena, &copy, err);
	if (ret == 0 && copy.kind == INST_RUN)
		ret = expand_mounts(expand, arena, &copy, err);
	copy.expanded = true;
	if (ret == 0)
		*out = copy;
	return ret;
}
