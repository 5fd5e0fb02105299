/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parse command lines by tables. Two habits meet here: Go's flags (runc's callers send
 * "-no-subreaper") and getopt's clusters ("-it"). A word with one dash is first looked up whole as
 * a long name, then read as a cluster of letters.
 */
#include "lib/options.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/table.h"

/* A row of a table together with where its struct starts (includes are nested). */
struct found {
	const struct option_spec *spec;
	char *base;
};

typedef bool (*match_fn)(const struct option_spec *spec, const void *key);

static bool match_name(const struct option_spec *spec, const void *key)
{
	return spec->name && strcmp(spec->name, key) == 0;
}

static bool match_letter(const struct option_spec *spec, const void *key)
{
	return spec->letter && spec->letter == *(const char *)key;
}

static struct found find(const struct option_spec *table, char *base, match_fn match,
			 const void *key)
{
	for (; table && table->kind != OPTION_END; table++) {
		if (table->kind == OPTION_INCLUDE) {
			struct found found = find(table->include, base + table->offset, match, key);

			if (found.spec)
				return found;
		} else if (match(table, key)) {
			return (struct found){ table, base };
		}
	}
	return (struct found){ NULL, NULL };
}

static void suggest_names(const struct option_spec *table, struct suggestion *suggestion)
{
	for (; table && table->kind != OPTION_END; table++) {
		if (table->kind == OPTION_INCLUDE)
			suggest_names(table->include, suggestion);
		else if (table->name && !(table->flags & OPTION_HIDDEN))
			suggestion_consider(suggestion, table->name);
	}
}

bool options_takes_value(const struct option_spec *spec)
{
	return spec->kind != OPTION_BOOL && !(spec->flags & OPTION_OPTIONAL) &&
	       (spec->kind != OPTION_ACCEPTED || (spec->flags & OPTION_NEEDS_VALUE));
}

static int usage_error(struct error *err, const char *format, const char *a, const char *b)
	__attribute__((format(printf, 2, 0)));

static int usage_error(struct error *err, const char *format, const char *a, const char *b)
{
	return error_set(err, ERROR_USAGE, 0, format, a, b);
}

/* Go's strconv.ParseBool, as flags of runc accept it. */
static int parse_bool(const char *text, bool *out)
{
	static const struct name_value words[] = {
		{ "1", 1 },	{ "t", 1 },	{ "T", 1 },  { "true", 1 }, { "TRUE", 1 },
		{ "True", 1 },	{ "0", 0 },	{ "f", 0 },  { "F", 0 },    { "false", 0 },
		{ "FALSE", 0 }, { "False", 0 }, { NULL, 0 },
	};
	const struct name_value *word = table_find(words, text);

	if (!word)
		return -EINVAL;
	*out = word->value;
	return 0;
}

static int store(struct found found, const char *shown, const char *value, struct error *err)
{
	char *member = found.base + found.spec->offset;
	int ret = 0;

	switch (found.spec->kind) {
	case OPTION_BOOL:
		if (!value)
			*(bool *)(void *)member = true;
		else
			ret = parse_bool(value, (bool *)(void *)member);
		break;
	case OPTION_STRING:
		*(const char **)(void *)member = value ? value : "true";
		break;
	case OPTION_STRV:
		strv_add((struct strv *)(void *)member, value);
		break;
	case OPTION_U64:
		ret = number_parse_u64(value, (uint64_t *)(void *)member);
		break;
	case OPTION_SIZE:
		ret = number_parse_size(value, (uint64_t *)(void *)member);
		break;
	case OPTION_ACCEPTED:
	case OPTION_REFUSED:
	case OPTION_INCLUDE:
	case OPTION_END:
		break;
	}
	if (ret < 0)
		return error_set(err, ERROR_USAGE, 0, "invalid value \"%s\" for flag %s%s", value,
				 shown, ret == -ERANGE ? ": out of range" : "");
	return 0;
}

/* The words that are left; a value may be the next one. */
struct cursor {
	char **argv;
	int argc, next;
};

static int store_with_value(struct found found, const char *shown, const char *value,
			    struct cursor *cursor, struct error *err)
{
	if (found.spec->kind == OPTION_REFUSED)
		return usage_error(err, "%s: %s", shown, found.spec->help);
	if (!value && options_takes_value(found.spec)) {
		if (cursor->next >= cursor->argc)
			return usage_error(err, "flag needs an argument: %s%s", shown, "");
		value = cursor->argv[cursor->next++];
	}
	return store(found, shown, value, err);
}

static int unknown(const struct command_spec *command, const char *name, const char *shown,
		   struct error *err)
{
	struct suggestion suggestion = { .word = name };

	suggest_names(command->options, &suggestion);
	if (suggestion.best)
		return usage_error(err, "flag provided but not defined: -%s (did you mean --%s?)",
				   shown + (shown[0] == '-'), suggestion.best);
	return usage_error(err, "flag provided but not defined: -%s%s", shown + (shown[0] == '-'),
			   "");
}

/* "--name", "--name=value", "-name": 1 when it was not one of ours (out of a cluster, perhaps). */
static int parse_long(const struct command_spec *command, char *word, void *base,
		      struct cursor *cursor, struct option_result *result, struct error *err)
{
	char *name = word + strspn(word, "-"), *value = strchr(name, '=');
	cleanup_free char *only = xstrndup(name, value ? (size_t)(value - name) : strlen(name));
	cleanup_free char *shown = xasprintf("--%s", only);
	struct found found = find(command->options, base, match_name, only);

	if (found.spec)
		return store_with_value(found, shown, value ? value + 1 : NULL, cursor, err);
	if (strcmp(only, "help") == 0) {
		result->help = true;
		return 0;
	}
	if (word[1] != '-')
		return 1;
	return unknown(command, only, shown + 1, err);
}

/* "-it", "-eK=V", "-e K=V", "-n=3". */
static int parse_cluster(const struct command_spec *command, char *word, void *base,
			 struct cursor *cursor, struct option_result *result, struct error *err)
{
	for (char *letter = word + 1; *letter; letter++) {
		struct found found = find(command->options, base, match_letter, letter);
		char shown[] = { '-', *letter, '\0' };
		const char *value = NULL;

		if (!found.spec && *letter == 'h') {
			result->help = true;
			continue;
		}
		if (!found.spec)
			return unknown(command, word + 1, word, err);
		if (options_takes_value(found.spec) && letter[1])
			value = letter + 1 + (letter[1] == '=');
		else if (letter[1] == '=')
			value = letter + 2; /* -t=false */
		if (value)
			return store_with_value(found, shown, value, cursor, err);
		int ret = store_with_value(found, shown, NULL, cursor, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int check_arity(const struct command_spec *command, int count, struct error *err)
{
	int min = command->arguments_min, max = command->arguments_max;

	if (count >= min && (max < 0 || count <= max))
		return 0;
	if (min == max)
		return error_set(err, ERROR_USAGE, 0, "\"%s\" requires exactly %d argument(s)",
				 command->name, min);
	if (count < min)
		return error_set(err, ERROR_USAGE, 0, "\"%s\" requires a minimum of %d argument(s)",
				 command->name, min);
	return error_set(err, ERROR_USAGE, 0, "\"%s\" requires a maximum of %d argument(s)",
			 command->name, max);
}

int options_parse(const struct command_spec *command, int argc, char **argv, void *base,
		  struct option_result *result, struct error *err)
{
	struct cursor cursor = { argv, argc, 0 };
	bool only_arguments = false;
	int count = 0, ret;

	*result = (struct option_result){ .arguments = argv };
	while (cursor.next < argc) {
		char *word = argv[cursor.next++];

		if (only_arguments || word[0] != '-' || !word[1]) {
			/* writes behind the reader: count never passes next */
			argv[count++] = word;
			only_arguments |= command->stop_at_argument;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			only_arguments = true;
			continue;
		}
		ret = parse_long(command, word, base, &cursor, result, err);
		if (ret > 0)
			ret = parse_cluster(command, word, base, &cursor, result, err);
		if (ret < 0)
			return ret;
	}
	/* only when something moved is there room for the end mark that argv[argc] already is */
	if (count < argc)
		argv[count] = NULL;
	result->count = count;
	return result->help ? 0 : check_arity(command, count, err);
}

static void add_words(const struct option_spec *option, const char *member, struct strv *out)
{
	const struct strv *list = (const void *)member;
	const char *text;

	switch (option->kind) {
	case OPTION_BOOL:
		if (*(const bool *)(const void *)member)
			strv_addf(out, "--%s", option->name);
		return;
	case OPTION_STRING:
		text = *(const char *const *)(const void *)member;
		if (text)
			strv_addf(out, "--%s=%s", option->name, text);
		return;
	case OPTION_STRV:
		for (size_t i = 0; i < list->count; i++)
			strv_addf(out, "--%s=%s", option->name, list->items[i]);
		return;
	case OPTION_U64:
	case OPTION_SIZE:
		if (*(const uint64_t *)(const void *)member)
			strv_addf(out, "--%s=%" PRIu64, option->name,
				  *(const uint64_t *)(const void *)member);
		return;
	case OPTION_ACCEPTED:
	case OPTION_REFUSED:
	case OPTION_INCLUDE:
	case OPTION_END:
		return;
	}
}

void options_words(const struct option_spec *options, const void *base, struct strv *out)
{
	const char *start = base;

	for (; options && options->kind != OPTION_END; options++) {
		if (options->kind == OPTION_INCLUDE)
			options_words(options->include, start + options->offset, out);
		else
			add_words(options, start + options->offset, out);
	}
}

void options_done(const struct option_spec *options, void *base)
{
	char *start = base;

	for (; options && options->kind != OPTION_END; options++) {
		if (options->kind == OPTION_INCLUDE)
			options_done(options->include, start + options->offset);
		else if (options->kind == OPTION_STRV)
			strv_done((struct strv *)(void *)(start + options->offset));
	}
}

#define HELP_COLUMN 30
#define HELP_WIDTH 96

/* text wrapped at HELP_WIDTH, every line after the first indented to column. */
static void print_wrapped(FILE *out, const char *text, size_t column)
{
	size_t at = column;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (at > column && at + 1 + word > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', out);
			at++;
		}
		fwrite(text, 1, word, out);
		at += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const char *left, const char *right)
{
	int used = fprintf(out, "  %s", left);

	if (used >= HELP_COLUMN - 1)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(out, "%*s", HELP_COLUMN - used, "");
	print_wrapped(out, right, HELP_COLUMN);
}

static void print_options(FILE *out, const struct option_spec *options)
{
	for (; options && options->kind != OPTION_END; options++) {
		cleanup_strbuf struct strbuf left = STRBUF_INIT;
		cleanup_free char *right = NULL;

		if (options->kind == OPTION_INCLUDE) {
			print_options(out, options->include);
			continue;
		}
		if (options->flags & OPTION_HIDDEN)
			continue;
		if (options->letter)
			strbuf_addf(&left, "-%c%s", options->letter, options->name ? ", " : "");
		else
			strbuf_adds(&left, "    ");
		if (options->name)
			strbuf_addf(&left, "--%s", options->name);
		if (options_takes_value(options) && options->value)
			strbuf_addf(&left, " %s", options->value);
		right = xasprintf("%s%s%s", options->help,
				  options->kind == OPTION_STRV ? " (repeatable)" : "",
				  options->kind == OPTION_ACCEPTED ? " (accepted, no effect)" : "");
		print_row(out, left.data, right);
	}
}

static bool has_letter(const struct option_spec *options, char letter)
{
	for (; options && options->kind != OPTION_END; options++)
		if (options->letter == letter || has_letter(options->include, letter))
			return true;
	return false;
}

/* Every table ends with it; -h may be an option of the verb's own. */
static void print_help_option(FILE *out, const struct option_spec *options)
{
	print_row(out, has_letter(options, 'h') ? "    --help" : "-h, --help", "show this help");
}

void options_print_help(FILE *out, const char *program, const struct command_spec *command)
{
	fprintf(out, "Usage: %s %s [OPTIONS]%s%s\n\n%s\n", program, command->name,
		command->arguments && *command->arguments ? " " : "",
		command->arguments ? command->arguments : "", command->summary);
	if (command->description)
		fprintf(out, "\n%s\n", command->description);
	fputs("\nOptions:\n", out);
	print_options(out, command->options);
	print_help_option(out, command->options);
}

void options_print_program_help(FILE *out, const struct command_spec *program,
				const struct command_spec *const *commands,
				const struct command_group *const *groups)
{
	fprintf(out, "Usage: %s [OPTIONS] COMMAND ...\n\n%s\n", program->name, program->summary);
	if (program->description)
		fprintf(out, "\n%s\n", program->description);
	fputs("\nCommands:\n", out);
	for (; *commands; commands++)
		print_row(out, (*commands)->name, (*commands)->summary);
	if (groups)
		fputs("\nGroups:\n", out);
	for (; groups && *groups; groups++)
		print_row(out, (*groups)->name, (*groups)->summary);
	fputs("\nOptions:\n", out);
	print_options(out, program->options);
	print_help_option(out, program->options);
	fprintf(out, "\n\"%s COMMAND --help\" tells more about a command.\n", program->name);
}

void options_print_group_help(FILE *out, const char *program, const struct command_group *group)
{
	fprintf(out, "Usage: %s %s COMMAND ...\n\n%s\n\nCommands:\n", program, group->name,
		group->summary);
	for (const struct group_word *word = group->words; word->word; word++)
		print_row(out, word->word, word->command->summary);
}

void options_print_completion(FILE *out, const struct option_spec *options)
{
	for (; options && options->kind != OPTION_END; options++) {
		const char *suffix = options_takes_value(options) ? "=" : "";

		if (options->kind == OPTION_INCLUDE) {
			options_print_completion(out, options->include);
			continue;
		}
		if (options->flags & OPTION_HIDDEN)
			continue;
		if (options->name)
			fprintf(out, "--%s%s\n", options->name, suffix);
		if (options->letter)
			fprintf(out, "-%c%s\n", options->letter, suffix);
	}
}

const struct command_spec *command_find(const struct command_spec *const *commands,
					const char *name, const char **suggestion)
{
	struct suggestion nearest = { .word = name };

	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	for (; *commands; commands++)
		suggestion_consider(&nearest, (*commands)->name);
	if (suggestion)
		*suggestion = nearest.best;
	return NULL;
}
