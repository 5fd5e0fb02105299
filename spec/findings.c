/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is wrong with a document. */
#include "spec/findings.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

const char *const severity_names[] = {
	[SEVERITY_ERROR] = "error",
	[SEVERITY_HOST] = "host",
	[SEVERITY_WARNING] = "warning",
};

struct finding *findings_vadd(struct findings *findings, const char *rule, const char *pointer,
			      const char *format, va_list ap)
{
	size_t limit = findings->limit ? findings->limit : FINDINGS_MAX;
	struct strbuf message = STRBUF_INIT;
	struct finding *finding;

	if (findings->count >= limit) {
		findings->dropped++;
		return NULL;
	}
	ARRAY_GROW(findings->items, findings->count, findings->capacity);
	strbuf_vaddf(&message, format, ap);
	finding = &findings->items[findings->count++];
	*finding = (struct finding){
		.rule = rule,
		.offset = FINDING_NOWHERE,
		.pointer = arena_strdup(&findings->arena, pointer),
		.message = arena_strdup(&findings->arena, strbuf_text(&message)),
	};
	strbuf_done(&message);
	return finding;
}

struct finding *findings_add(struct findings *findings, const char *rule, const char *pointer,
			     const char *format, ...)
{
	struct finding *finding;
	va_list ap;

	va_start(ap, format);
	finding = findings_vadd(findings, rule, pointer, format, ap);
	va_end(ap);
	return finding;
}

bool findings_refuse(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].severity != SEVERITY_WARNING)
			return true;
	return findings->dropped > 0;
}

/* Does outer's place contain inner's? */
static bool pointer_contains(const char *outer, const char *inner)
{
	size_t size = strlen(outer);

	return !strncmp(outer, inner, size) && (!inner[size] || inner[size] == '/');
}

bool findings_about(const struct findings *findings, size_t count, const char *pointer)
{
	for (size_t i = 0; i < count && i < findings->count; i++) {
		const char *place = findings->items[i].pointer;

		if (pointer_contains(place, pointer) || pointer_contains(pointer, place))
			return true;
	}
	return false;
}

int finding_error(const struct finding *finding, struct error *err)
{
	int ret = error_invalid(err, "%s", finding->message);

	if (*finding->pointer) {
		(void)error_prefix(err, ret, "%s", finding->pointer);
		(void)error_pointer(err, ret, "%s", finding->pointer);
	}
	return error_phase(err, ret, PHASE_CONFIG);
}

void findings_done(struct findings *findings)
{
	arena_done(&findings->arena);
	free(findings->items);
	*findings = (struct findings){ .items = NULL };
}
