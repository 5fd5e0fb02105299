/* SPDX-License-Identifier: Apache-2.0 */
/* See ast.h. Lines and columns count from 1; a place is where a token begins and its bytes. */
#include "builder/dockerfile/ast.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "spec/json-write.h"

struct writer {
	struct json_writer json;
	bool places;
};

static void add_text(struct writer *writer, const char *key, const char *text)
{
	if (!text)
		return;
	json_key(&writer->json, key);
	json_string(&writer->json, text);
}

static void add_number(struct writer *writer, const char *key, uint64_t value)
{
	json_key(&writer->json, key);
	json_u64(&writer->json, value);
}

static void add_true(struct writer *writer, const char *key, bool value)
{
	if (!value)
		return;
	json_key(&writer->json, key);
	json_bool(&writer->json, true);
}

static void begin_list(struct writer *writer, const char *key)
{
	json_key(&writer->json, key);
	json_begin_array(&writer->json);
}

static void add_place(struct writer *writer, const struct instruction *instruction,
		      const struct span *span)
{
	struct source_range range = instruction_range(instruction, span);

	if (!writer->places)
		return;
	json_key(&writer->json, "at");
	json_begin_object(&writer->json);
	add_number(writer, "line", range.line);
	add_number(writer, "column", range.column);
	add_number(writer, "bytes", range.width);
	json_end_object(&writer->json);
}

/* -- instructions --------------------------------------------------------------------------------
 */

static void add_flags(struct writer *writer, const struct instruction *instruction)
{
	if (!instruction->flag_count)
		return;
	begin_list(writer, "flags");
	for (size_t i = 0; i < instruction->flag_count; i++) {
		const struct instruction_flag *flag = &instruction->flags[i];

		json_begin_object(&writer->json);
		add_text(writer, "name", flag->spec->name);
		add_text(writer, "value", flag->value);
		add_place(writer, instruction, &flag->span);
		json_end_object(&writer->json);
	}
	json_end_array(&writer->json);
}

/* Arguments, or names and values. */
static void add_args(struct writer *writer, const struct instruction *instruction)
{
	enum instruction_grammar grammar = instruction_spec(instruction)->grammar;
	bool pairs = grammar == GRAMMAR_PAIRS || grammar == GRAMMAR_NAMES;

	if (grammar == GRAMMAR_NESTED)
		return;
	begin_list(writer, pairs ? "pairs" : "args");
	for (size_t i = 0; i < instruction->arg_count; i += pairs ? 2 : 1) {
		json_begin_object(&writer->json);
		add_text(writer, pairs ? "name" : "value", instruction->args[i]);
		if (pairs)
			add_text(writer, "value", instruction->args[i + 1]);
		add_place(writer, instruction, &instruction->arg_spans[i]);
		json_end_object(&writer->json);
	}
	json_end_array(&writer->json);
}

static void add_heredocs(struct writer *writer, const struct instruction *instruction)
{
	if (!instruction->heredoc_count)
		return;
	begin_list(writer, "heredocs");
	for (size_t i = 0; i < instruction->heredoc_count; i++) {
		const struct heredoc *heredoc = &instruction->heredocs[i];

		json_begin_object(&writer->json);
		add_text(writer, "name", heredoc->name);
		add_number(writer, "arg", heredoc->arg);
		add_true(writer, "expand", heredoc->expand);
		add_true(writer, "stripTabs", heredoc->strip);
		add_text(writer, "body", heredoc->body);
		json_end_object(&writer->json);
	}
	json_end_array(&writer->json);
}

static void add_source(struct writer *writer, const struct instruction *instruction)
{
	if (!writer->places)
		return;
	begin_list(writer, "lines");
	json_u64(&writer->json, instruction->range.first);
	json_u64(&writer->json, instruction->range.last);
	json_end_array(&writer->json);
	add_place(writer, instruction, &instruction->keyword);
	add_text(writer, "text", instruction->text);
	if (!instruction->comments || !instruction->comments[0])
		return;
	begin_list(writer, "comments");
	for (const char *const *comment = instruction->comments; *comment; comment++)
		json_string(&writer->json, *comment);
	json_end_array(&writer->json);
}

/* ONBUILD holds one more; nothing nests deeper. */
static void add_instruction(struct writer *writer, const struct instruction *instruction)
{
	json_begin_object(&writer->json);
	add_text(writer, "instruction", instruction_spec(instruction)->name);
	add_source(writer, instruction);
	add_flags(writer, instruction);
	add_true(writer, "json", instruction->json);
	add_args(writer, instruction);
	add_heredocs(writer, instruction);
	if (instruction->nested) {
		json_key(&writer->json, "trigger");
		add_instruction(writer, instruction->nested);
	}
	json_end_object(&writer->json);
}

void dockerfile_print_ast(const struct dockerfile *dockerfile, bool places, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct writer writer = { { .out = &text, .style = JSON_INDENT_2 }, places };
	const char escape[] = { dockerfile->directives.escape, '\0' };

	json_begin_object(&writer.json);
	json_key(&writer.json, "directives");
	json_begin_object(&writer.json);
	add_text(&writer, "escape", escape);
	add_text(&writer, "syntax", dockerfile->directives.syntax);
	add_text(&writer, "check", dockerfile->directives.check);
	json_end_object(&writer.json);
	begin_list(&writer, "instructions");
	for (size_t i = 0; i < dockerfile->count; i++)
		add_instruction(&writer, &dockerfile->instructions[i]);
	json_end_array(&writer.json);
	json_end_object(&writer.json);
	fprintf(out, "%s\n", strbuf_text(&text));
}

/* -- stages --------------------------------------------------------------------------------------
 */

static void add_stage(struct writer *writer, const struct stages *stages, const struct stage *stage)
{
	json_begin_object(&writer->json);
	add_number(writer, "index", stage->index);
	add_text(writer, "name", stage->name);
	add_number(writer, "line", stage->from->range.first);
	add_text(writer, "base", stage->base);
	add_text(writer, "platform", stage->platform);
	if (stage->parent)
		add_number(writer, "parent", stage->parent->index);
	add_true(writer, "target", stage == stages->target);
	if (stage->need_count)
		begin_list(writer, "needs");
	for (size_t i = 0; i < stage->need_count; i++)
		json_u64(&writer->json, stage->needs[i]->index);
	if (stage->need_count)
		json_end_array(&writer->json);
	json_end_object(&writer->json);
}

static void add_variables(struct writer *writer, const char *key, const struct strv *pairs)
{
	json_key(&writer->json, key);
	json_begin_object(&writer->json);
	for (size_t i = 0; i < pairs->count; i++) {
		size_t size = strcspn(pairs->items[i], "=");
		cleanup_free char *name = xstrndup(pairs->items[i], size);

		add_text(writer, name, pairs->items[i] + size + 1);
	}
	json_end_object(&writer->json);
}

void stages_print_json(const struct stages *stages, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct writer writer = { { .out = &text, .style = JSON_INDENT_2 }, true };

	json_begin_object(&writer.json);
	begin_list(&writer, "stages");
	for (size_t i = 0; i < stages->count; i++)
		add_stage(&writer, stages, &stages->items[i]);
	json_end_array(&writer.json);
	begin_list(&writer, "order");
	for (size_t i = 0; i < stages->order_count; i++)
		json_u64(&writer.json, stages->order[i]->index);
	json_end_array(&writer.json);
	add_variables(&writer, "globalArgs", &stages->globals);
	begin_list(&writer, "unusedBuildArgs");
	for (size_t i = 0; i < stages->unused.count; i++)
		json_string(&writer.json, stages->unused.items[i]);
	json_end_array(&writer.json);
	json_end_object(&writer.json);
	fprintf(out, "%s\n", strbuf_text(&text));
}
