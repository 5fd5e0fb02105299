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
	const struct lint_rule **on;
	size_t on_count;
	struct strv skipped, enabled; /* names of rules */
	bool skip_all, experimental_all, orlop_all;
};

/** All rules; NULL ends the list of tables. */
extern const struct lint_rule *const lint_tables[];

/** Which rules are on: from the options, the configuration file and "# check=". */
int lint_read_options(struct lint *lint, struct error *err);
bool lint_rule_is_on(const struct lint *lint, const struct lint_rule *rule);

/** Is the running rule switched off by "# check=skip=RULE" right above the instruction? */
bool lint_is_skipped(const struct lint *lint, const struct instruction *instruction);

/** The running rule found something in an instruction; span: the token, NULL = all of it. */
void lint_warn(struct lint *lint, const struct instruction *instruction, const struct span *span,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The keyword as written, in the arena. */
const char *lint_keyword(struct lint *lint, const struct instruction *instruction);

/** The name among candidates that is nearest to word, NULL when none is. */
const char *lint_nearest(const char *word, const struct strv *pairs);

#endif
