/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks found, for people and as JSON: the forms of `docker build --check`. */
#include <string.h>

#include "builder/dockerfile/lint.h"
#include "builder/dockerfile/source-json.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "spec/json-write.h"

#define RULE_PAGES "https://docs.docker.com/go/dockerfile/rule/"

const char *lint_url(const struct lint_rule *rule, struct arena *arena)
{
	return rule->slug ? arena_printf(arena, RULE_PAGES "%s/", rule->slug) : NULL;
}

void lint_print(const struct lint_report *report, const struct source_text *source, FILE *out)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct lint_warning *warning = &report->items[i];
		const struct lint_rule *rule = warning->rule;

		fprintf(out, "WARNING: %s", rule->name);
		if (rule->slug)
			fprintf(out, " - " RULE_PAGES "%s/", rule->slug);
		fprintf(out, "\n%s\n", warning->detail);
		dockerfile_print_excerpt(source, &warning->range, out);
		fprintf(out, "Fix: %s\n\n", rule->fix);
	}
}

void lint_print_short(const struct lint_report *report, FILE *out)
{
	for (size_t i = 0; i < report->count; i++)
		fprintf(out, " - %s: %s (line %u)\n", report->items[i].rule->name,
			report->items[i].detail, report->items[i].range.first);
}

static void write_warning(struct json_writer *json, const struct lint_warning *warning)
{
	const struct lint_rule *rule = warning->rule;

	json_begin_object(json);
	json_key(json, "ruleName");
	json_string(json, rule->name);
	json_key(json, "description");
	json_string(json, rule->description);
	if (rule->slug) {
		cleanup_arena struct arena arena = ARENA_INIT;

		json_key(json, "url");
		json_string(json, lint_url(rule, &arena));
	}
	json_key(json, "detail");
	json_string(json, warning->detail);
	json_key(json, "fix");
	json_string(json, rule->fix);
	source_write_location(json, &warning->range);
	json_end_object(json);
}

static void write_sources(struct json_writer *json, const struct dockerfile *dockerfile)
{
	json_key(json, "sources");
	json_begin_array(json);
	json_begin_object(json);
	json_key(json, "filename");
	json_string(json, dockerfile->source.name);
	json_key(json, "language");
	json_string(json, "Dockerfile");
	json_key(json, "data");
	source_write_base64(json, &dockerfile->source);
	json_end_object(json);
	json_end_array(json);
}

void lint_print_json(const struct lint_report *report, const struct dockerfile *dockerfile,
		     const struct error *failure, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer json = { .out = &text, .style = JSON_INDENT_2 };

	json_begin_object(&json);
	json_key(&json, "warnings");
	json_begin_array(&json);
	for (size_t i = 0; i < report->count; i++)
		write_warning(&json, &report->items[i]);
	json_end_array(&json);
	write_sources(&json, dockerfile);
	if (failure) {
		char message[2048];

		json_key(&json, "buildError");
		json_begin_object(&json);
		json_key(&json, "message");
		json_string(&json, error_text(failure, message, sizeof(message)));
		source_write_location(&json, &report->where);
		json_end_object(&json);
	}
	json_end_object(&json);
	fprintf(out, "%s\n", strbuf_text(&text));
}
