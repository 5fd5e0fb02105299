/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions of rules use; for lint*.c only. */
#ifndef BUILDER_DOCKERFILE_LINT_RULES_H
#define BUILDER_DOCKERFILE_LINT_RULES_H

#include "builder/dockerfile/lint.h"

struct lint {
	struct dockerfile *dockerfile;
	const struct stages *stages;
	const struct lint_options *options;
	struct lint_report *report;
	const struct lint_rule *rule; /* that runs */
	struct strv skipped, enabled; /* names of rules */
	bool skip_all, experimental_all, orlop_all;
};

/** The running rule found something in an instruction; span: the token, NULL = all of it. */
void lint_warn(struct lint *lint, const struct instruction *instruction, const struct span *span,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The keyword as written, in the arena. */
const char *lint_keyword(struct lint *lint, const struct instruction *instruction);

/** The name among candidates that is nearest to word, NULL when none is. */
const char *lint_nearest(const char *word, const struct strv *pairs);

#endif
