/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of a Dockerfile: BuildKit's rules by their names and messages, and our own (off unless
 * asked for). A rule is a row of a table in lint-*.c with one function; docs/lint.md has an example
 * for each of ours.
 */
#ifndef BUILDER_DOCKERFILE_LINT_H
#define BUILDER_DOCKERFILE_LINT_H

#include <stdio.h>

#include "builder/dockerfile/walk.h"

enum lint_group {
	LINT_BUILDKIT,	   /* on */
	LINT_EXPERIMENTAL, /* BuildKit's; off */
	LINT_ORLOP,	   /* ours; off */
};

struct lint;

struct lint_rule {
	const char *name;
	enum lint_group group;
	const char *slug; /* of the page about it; NULL = none */
	const char *description;
	const char *fix; /* what to do about it */
	/*
	 * Exactly one of these is set. They run in this order, and of a Dockerfile that has a
	 * mistake as many as can: what was found before it is said beside it.
	 */
	void (*line)(struct lint *lint, const struct instruction *instruction);
	/* Down to the instruction that is wrong, which may lack arguments. */
	void (*reading)(struct lint *lint, const struct instruction *instruction);
	void (*file)(struct lint *lint); /* all instructions can be read */
	/* Down to the FROM that is wrong; the global ARGs have their values. */
	void (*from)(struct lint *lint, const struct instruction *from);
	/* Of all stages that are looked at, down to the instruction that fails. */
	void (*variables)(struct lint *lint, const struct walk_stage *stage,
			  const struct instruction *raw);
	void (*instruction)(struct lint *lint, const struct walk_stage *stage,
			    const struct instruction *raw, const struct instruction *expanded);
	void (*stage)(struct lint *lint, const struct walk_stage *stage); /* at its end */
};

/** The tables; each ends with a row whose name is NULL. */
extern const struct lint_rule lint_file_rules[], lint_value_rules[], lint_orlop_rules[];

struct lint_warning {
	const struct lint_rule *rule;
	const char *detail;
	struct source_range range;
};

struct lint_options {
	struct walk_options walk; /* hooks and context are set by lint_run */
	const char *platform;	  /* of the build, "linux/amd64" */
	const char *check;	  /* instead of "# check="; NULL = that one */
	const char *enable;	  /* names of rules or groups, comma-separated; NULL = none */
	const char *config;	  /* the text of a configuration file; NULL = none */
	const char *config_name;  /* for messages */
	bool (*is_ignored)(void *context, const char *path); /* by .dockerignore; may be NULL */
	void *ignore_context;
};

struct lint_report {
	struct arena arena;
	struct lint_warning *items; /* in order of lines */
	size_t count, capacity;
	bool fail;		   /* error=true: warnings fail the build */
	struct source_range where; /* of a failure */
	bool bad_options;	   /* the failure is one of "# check=" or the configuration */
};

/** Does every name of a list exist ("A,B")? ERROR_USAGE with a suggestion otherwise. */
int lint_check_names(const char *names, struct error *err);

/**
 * Run all enabled rules, on a Dockerfile or stages that failed those that can. A failure is one of
 * the instructions' (or of "# check="): what was found before it is in the report. Call lint_done
 * in any case.
 */
int lint_run(struct dockerfile *dockerfile, const struct stages *stages,
	     const struct lint_options *options, struct lint_report *out, struct error *err);
void lint_done(struct lint_report *report);
#define cleanup_lint __attribute__((cleanup(lint_done)))

/** "https://docs..." or the section of our own page, into the arena; NULL = none. */
const char *lint_url(const struct lint_rule *rule, struct arena *arena);

/** The failure that error=true makes of warnings: -EINVAL with the names, 0 without warnings. */
int lint_error(const struct lint_report *report, struct error *err);

/** Warnings with excerpts as `docker build --check` prints them, and how to fix each. */
void lint_print(const struct lint_report *report, const struct source_text *source, FILE *out);

/** The document of --call=check,format=json. failure may be NULL. */
void lint_print_json(const struct lint_report *report, const struct dockerfile *dockerfile,
		     const struct error *failure, FILE *out);

/** One line each, as a build prints them. */
void lint_print_short(const struct lint_report *report, FILE *out);

#endif
