/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions back to text: the canonical form (golden tests, the parse verb) and the excerpt of
 * the source that goes with an error. What is printed here parses again to the same instructions.
 */
#include <string.h>

#include "builder/dockerfile/parse.h"
#include "builder/dockerfile/words.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define EXCERPT_LINES_MAX 20  /* of a long instruction */
#define EXCERPT_WIDTH_MAX 500 /* bytes of a line */

static void print_json_string(const char *text, FILE *out)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";

	fputc('"', out);
	for (; *text; text++) {
		const char *simple = strchr(from, *text);

		if (simple)
			fprintf(out, "\\%c", to[simple - from]);
		else if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", (unsigned int)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void print_json(const char *const *args, size_t count, FILE *out)
{
	fputs(" [", out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		print_json_string(args[i], out);
	}
	fputc(']', out);
}

static void print_flag(const struct instruction_flag *flag, char escape, FILE *out)
{
	fprintf(out, " --%s=", flag->spec->name);
	for (const char *p = flag->value; *p; p++) {
		if (*p == escape || *p == ' ' || (*p >= '\t' && *p <= '\r') || *p == '"' ||
		    *p == '\'')
			fputc(escape, out);
		fputc(*p, out);
	}
}

/* Can "name=value" be read as one word? Not if the value came from the legacy form with blanks. */
static bool is_pair_word(const char *name, const char *value, char escape)
{
	cleanup_strbuf struct strbuf word = STRBUF_INIT;
	cleanup_strv struct strv words = STRV_INIT;

	strbuf_addf(&word, "%s=%s", name, value);
	words_split_quoted(strbuf_text(&word), escape, &words, NULL);
	return words.count == 1 && strcmp(words.items[0], strbuf_text(&word)) == 0;
}

static void print_pairs(const struct instruction *instruction, char escape, FILE *out)
{
	for (size_t i = 0; i < instruction->arg_count; i += 2) {
		const char *name = instruction->args[i], *value = instruction->args[i + 1];

		if (!value)
			fprintf(out, " %s", name);
		else if (is_pair_word(name, value, escape))
			fprintf(out, " %s=%s", name, value);
		else
			fprintf(out, " %s %s", name, value);
	}
}

static void print_heredocs(const struct instruction *instruction, FILE *out)
{
	for (size_t i = 0; i < instruction->heredoc_count; i++)
		fprintf(out, "%s%s\n", instruction->heredocs[i].raw, instruction->heredocs[i].name);
}

/* Without the line's end, so that a nested instruction can follow its ONBUILD. */
static void print_line(const struct instruction *instruction, char escape, FILE *out)
{
	const struct instruction_spec *spec = instruction_spec(instruction);
	size_t first = 0;

	fputs(spec->name, out);
	for (size_t i = 0; i < instruction->flag_count; i++)
		print_flag(&instruction->flags[i], escape, out);
	if (spec->grammar == GRAMMAR_NESTED) {
		fputc(' ', out);
		print_line(instruction->nested, escape, out);
		return;
	}
	if (instruction->arg_count && strncmp(instruction->args[0], "--", 2) == 0 &&
	    !instruction->json)
		fputs(" --", out); /* an argument, not a flag */
	if (spec->grammar == GRAMMAR_HEALTH && instruction->arg_count) {
		fprintf(out, " %s", instruction->args[0]);
		first = 1;
	}
	if (instruction->json)
		print_json(instruction->args + first, instruction->arg_count - first, out);
	else if (spec->grammar == GRAMMAR_PAIRS || spec->grammar == GRAMMAR_NAMES)
		print_pairs(instruction, escape, out);
	else
		for (size_t i = first; i < instruction->arg_count; i++)
			fprintf(out, " %s", instruction->args[i]);
}

/* Would the next line belong to it? Such a text had a blank behind the escape that is none for a
 * continuation, and was cut off with all others. */
static bool ends_like_continuation(const struct instruction *instruction, char escape)
{
	const char *last;
	size_t size;

	if (instruction->nested)
		return ends_like_continuation(instruction->nested, escape);
	if (instruction->json || !instruction->arg_count)
		return false;
	last = instruction->args[instruction->arg_count - 1];
	if (!last) /* a name without a value */
		last = instruction->args[instruction->arg_count - 2];
	size = strlen(last);
	return size && last[size - 1] == escape && (size == 1 || last[size - 2] != escape);
}

void dockerfile_print(const struct dockerfile *dockerfile, FILE *out)
{
	char escape = dockerfile->directives.escape;

	if (dockerfile->directives.syntax)
		fprintf(out, "# syntax=%s\n", dockerfile->directives.syntax);
	if (escape != '\\')
		fprintf(out, "# escape=%c\n", escape);
	if (dockerfile->directives.check)
		fprintf(out, "# check=%s\n", dockerfile->directives.check);
	for (size_t i = 0; i < dockerfile->count; i++) {
		const struct instruction *instruction = &dockerfile->instructions[i];

		print_line(instruction, escape, out);
		fputs(ends_like_continuation(instruction, escape) ? "\f\n" : "\n", out);
		print_heredocs(instruction, out);
		if (instruction->nested)
			print_heredocs(instruction->nested, out);
	}
}

/* The text of a line; what follows the last line's end is an empty one, as editors show it. */
static const char *excerpt_text(const struct source_text *source, size_t line)
{
	return line <= source->count ? source->lines[line - 1].text : "";
}

/* Marks under the guilty token: tabs stay tabs, a character of several bytes counts once. */
static void print_caret(const struct source_text *source, const struct source_range *where,
			FILE *out)
{
	const char *text = excerpt_text(source, where->line);
	size_t end = (size_t)where->column - 1 + where->width;

	if (end > strlen(text) || end > EXCERPT_WIDTH_MAX)
		return;
	fputs("     |     ", out);
	for (size_t i = 0; i < end; i++)
		if ((text[i] & 0xC0) != 0x80)
			fputc(i + 1 >= where->column ? '^' : text[i] == '\t' ? '\t' : ' ', out);
	fputc('\n', out);
}

/* How much to show around: BuildKit's rule, less for what is long itself. */
static void excerpt_limits(const struct source_text *source, const struct source_range *where,
			   size_t *first, size_t *last)
{
	size_t ends = source->count && *source->lines[source->count - 1].ending != '\0';
	size_t total = source->count + ends, pad = where->first == where->last ? 4 : 2;

	*first = where->first;
	*last = where->last > total ? total : where->last;
	for (size_t shown = 0; shown < pad; shown++) {
		if (*first > 1) {
			(*first)--;
			shown++;
		}
		if (*last < total) {
			(*last)++;
			shown++;
		}
	}
}

void dockerfile_print_excerpt(const struct source_text *source, const struct source_range *where,
			      FILE *out)
{
	size_t first, last;

	if (!source->count || where->first > source->count)
		return;
	excerpt_limits(source, where, &first, &last);
	fprintf(out, "%s:%u\n--------------------\n", source->name, where->first);
	for (size_t line = first; line <= last; line++) {
		bool guilty = line >= where->first && line <= where->last;
		const char *text = excerpt_text(source, line);

		if (guilty && line == where->first + EXCERPT_LINES_MAX && where->last > line) {
			fprintf(out, "     | >>> ... (%zu more lines)\n",
				(size_t)where->last - line + 1);
			line = where->last;
			continue;
		}
		fprintf(out, "%4zu | %s %.*s%s\n", line, guilty ? ">>>" : "   ", EXCERPT_WIDTH_MAX,
			text, strlen(text) > EXCERPT_WIDTH_MAX ? " ..." : "");
		if (where->column && line == where->line)
			print_caret(source, where, out);
	}
	fputs("--------------------\n", out);
}
