/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as people and programs read them. */
#ifndef SPEC_REPORT_H
#define SPEC_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/strbuf.h"
#include "spec/findings.h"

/** The document that findings are about; the text is there for excerpts. */
struct report_source {
	const char *name;
	const char *text;
	size_t size;
};

/**
 * For people: "NAME:LINE:COLUMN: SEVERITY: POINTER: MESSAGE [RULE]", the line with the place
 * marked, and one line that counts. The findings have been located; whatever of the document is no
 * printable text is escaped.
 */
void report_text(FILE *out, const struct report_source *source, const struct findings *findings,
		 bool color);

/** For programs: an array of objects with file, line, column, severity, rule, pointer, message. */
void report_json(struct strbuf *out, const struct report_source *source,
		 const struct findings *findings);

#endif
