/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meaning of Dockerfiles: golden cases (tests/golden/language) of what every instruction is
 * after expansion. The cases were built by docker 28.5, too: the values of ENV, LABEL, CMD and so
 * on in the images' configurations are those here, and what it refuses is an error here, but for
 * the differences in docs/compatibility.md.
 */
#include "builder/dockerfile/ast.h"
#include "builder/dockerfile/walk.h"
#include "tests/unit/golden.h"

static void print_words(const struct instruction *expanded, FILE *out)
{
	fprintf(out, "%s", instruction_spec(expanded)->name);
	for (size_t i = 0; i < expanded->flag_count; i++)
		fprintf(out, " --%s=<%s>", expanded->flags[i].spec->name, expanded->flags[i].value);
	fputs(expanded->json ? " json" : "", out);
	for (size_t i = 0; i < expanded->arg_count; i++)
		fprintf(out, " <%s>", expanded->args[i] ? expanded->args[i] : "(null)");
	fputc('\n', out);
	for (size_t i = 0; i < expanded->heredoc_count; i++)
		fprintf(out, "%s:\n%s", expanded->heredocs[i].name, expanded->heredocs[i].body);
}

static void print_stage(void *context, struct walk_stage *stage)
{
	fprintf(context, "stage %zu from %s\n", stage->stage->index, stage->stage->base);
}

static void print_instruction(void *context, struct walk_stage *stage,
			      const struct instruction *raw, const struct instruction *expanded)
{
	(void)stage;
	(void)raw;
	print_words(expanded, context);
}

static void transform(const char *name, const char *text, size_t size, struct strbuf *out)
{
	static const struct walk_hooks hooks = { .begin = print_stage,
						 .instruction = print_instruction };
	cleanup_dockerfile struct dockerfile dockerfile = { 0 };
	cleanup_stages struct stages stages = { 0 };
	cleanup_strv struct strv args = STRV_INIT;
	struct stages_options options = { &args, NULL, "linux/amd64" };
	char *printed = NULL;
	size_t printed_size;
	FILE *file = open_memstream(&printed, &printed_size);
	struct walk_options walk = { .build_args = &args, .hooks = &hooks, .context = file };
	struct source_range where;
	struct error err = ERROR_INIT;
	int ret = dockerfile_parse(name, text, size, &dockerfile, &err);

	if (ret == 0)
		ret = stages_resolve(&dockerfile, &options, &stages, &err);
	if (ret == 0) {
		ret = walk_stages(&dockerfile, &stages, &walk, &where, &err);
		ret = source_prefix(&dockerfile.source, &where, ret, &err);
	}
	if (ret < 0)
		fprintf(file, "error: %s\n", err.msg);
	fclose(file);
	strbuf_adds(out, printed);
	free(printed);
}

static void test_golden(void)
{
	static const struct golden_input inputs[] = { { "Dockerfile", transform }, { NULL, NULL } };

	golden_walk("language", inputs, 150);
}

CHECK_MAIN({ "every golden Dockerfile means what docker takes it for", test_golden })
