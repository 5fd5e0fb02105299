/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a document, as a list: a program that acts stops at the first finding,
 * `validate` shows them all. Texts live in the list's own arena.
 */
#ifndef SPEC_FINDINGS_H
#define SPEC_FINDINGS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"

enum severity {
	SEVERITY_ERROR,	  /* the document is wrong everywhere */
	SEVERITY_HOST,	  /* this kernel, build or file system cannot give it */
	SEVERITY_WARNING, /* it is taken without this */
	SEVERITY_COUNT
};
extern const char *const severity_names[]; /* "error" */

struct finding {
	enum severity severity;
	const char *rule;    /* its stable name: "process-cwd" */
	const char *pointer; /* JSON pointer; "" = the document */
	const char *message;
	size_t offset;	     /* in the text; FINDING_NOWHERE = to be found by the pointer */
	size_t line, column; /* from 1, in characters; 0 = not looked up */
};

#define FINDING_NOWHERE SIZE_MAX

struct findings {
	struct arena arena;
	struct finding *items;
	size_t count, capacity;
	size_t limit;	/* no more are kept; 0 = FINDINGS_MAX */
	size_t dropped; /* found beyond the limit */
	size_t decoded; /* so many of the first say what could not be read */
};

/** A document that is hostile or no config.json at all need not fill the memory. */
#define FINDINGS_MAX 1000

/** Append one; NULL when there is no more room for it. rule is borrowed, the texts are copied. */
struct finding *findings_add(struct findings *findings, const char *rule, const char *pointer,
			     const char *format, ...) __attribute__((format(printf, 4, 5)));
struct finding *findings_vadd(struct findings *findings, const char *rule, const char *pointer,
			      const char *format, va_list ap) __attribute__((format(printf, 4, 0)));

/** Is there more than warnings? */
bool findings_refuse(const struct findings *findings);

/** Is there something about this place, about what is inside of it, or what it lies in? */
bool findings_about(const struct findings *findings, size_t count, const char *pointer);

/**
 * Look up where in the text the findings are: offset, by the pointer, where it is not known, then
 * line and column, and put them into that order. A place that the document does not have is that
 * of what it would lie in.
 */
void findings_locate(struct findings *findings, const char *text, size_t size);

/** The finding as an error value, "POINTER: message" with err->pointer. Returns -EINVAL. */
int finding_error(const struct finding *finding, struct error *err);

void findings_done(struct findings *findings);
#define cleanup_findings __attribute__((cleanup(findings_done)))

#endif
