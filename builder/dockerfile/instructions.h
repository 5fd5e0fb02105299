/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of Dockerfile instructions, and the instruction as a value: what parse.c makes and
 * everything behind it reads. All strings live in the Dockerfile's arena.
 */
#ifndef BUILDER_DOCKERFILE_INSTRUCTIONS_H
#define BUILDER_DOCKERFILE_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/dockerfile/lines.h"
#include "lib/error.h"

struct arena;
struct expand;

enum instruction_kind {
	INST_ADD,
	INST_ARG,
	INST_CMD,
	INST_COPY,
	INST_ENTRYPOINT,
	INST_ENV,
	INST_EXPOSE,
	INST_FROM,
	INST_HEALTHCHECK,
	INST_LABEL,
	INST_MAINTAINER,
	INST_ONBUILD,
	INST_RUN,
	INST_SHELL,
	INST_STOPSIGNAL,
	INST_USER,
	INST_VOLUME,
	INST_WORKDIR,
	INST_COUNT,
};

/** How the text behind the flags becomes args. */
enum instruction_grammar {
	GRAMMAR_WORDS,	 /* split at blanks */
	GRAMMAR_LIST,	 /* JSON, else split at blanks */
	GRAMMAR_COMMAND, /* JSON, else the whole text as one argument */
	GRAMMAR_TEXT,	 /* the whole text as one argument */
	GRAMMAR_PAIRS,	 /* name, value, name, value ... */
	GRAMMAR_NAMES,	 /* the same, a value may be NULL */
	GRAMMAR_HEALTH,	 /* a type word, then as COMMAND */
	GRAMMAR_NESTED,	 /* an instruction */
};

/** What happens to args when the instruction is reached. */
enum instruction_expansion {
	EXPAND_NOTHING,
	EXPAND_EACH,   /* every argument is one word */
	EXPAND_SPLIT,  /* every argument may become several words */
	EXPAND_VALUES, /* ARG: the values, not the names */
};

/** What it is to the engine. */
enum instruction_step {
	STEP_META,  /* changes the image's configuration only */
	STEP_FILES, /* makes a layer */
	STEP_STAGE, /* begins a stage */
};

enum flag_kind {
	FLAG_STRING,
	FLAG_BOOL,
	FLAG_LIST, /* may be given several times */
};

enum flag_support {
	FLAG_DONE,
	FLAG_LATER, /* known, but changes behaviour in a way that is not built yet: an error */
};

struct flag_spec {
	const char *name; /* NULL ends the table */
	enum flag_kind kind;
	enum flag_support support;
	bool expand; /* variables in the value are expanded */
	/* What can be said of a value before variables have theirs; NULL = anything goes. */
	int (*check)(const struct flag_spec *flag, const char *value, struct error *err);
};

enum instruction_property {
	INST_HEREDOC = 1,     /* here-documents are recognised */
	INST_NO_ONBUILD = 2,  /* not allowed behind ONBUILD */
	INST_JSON_ONLY = 4,   /* the exec form is the only form */
	INST_BEFORE_FROM = 8, /* may stand before the first FROM */
	INST_EMPTY_OK = 16,   /* without text it is the command "" */
};

struct instruction;

struct instruction_spec {
	const char *name;
	enum instruction_grammar grammar;
	enum instruction_expansion expansion;
	enum instruction_step step;
	int args_min; /* of the grammar's items; pairs count as one */
	int args_max; /* -1 = any */
	unsigned int properties;
	const struct flag_spec *flags;
	int (*check)(const struct instruction *instruction, struct error *err); /* may be NULL */
};

extern const struct instruction_spec instruction_table[INST_COUNT];

struct instruction_flag {
	const struct flag_spec *spec;
	const char *value; /* "true" or "false" of a bool */
	struct span span;  /* of the word "--name=value" */
};

struct heredoc {
	const char *name; /* the delimiter without quotes */
	const char *body; /* what a file or a lone command gets */
	const char *raw;  /* as it stands, with the tabs that <<- strips: for shells */
	size_t arg;	  /* COPY, ADD: the argument it stands for */
	bool expand;	  /* the delimiter was not quoted */
	bool strip;	  /* <<- */
	bool alone;	  /* it is all that the instruction has */
};

struct run_mount;

struct instruction {
	enum instruction_kind kind;
	struct source_range range;
	const char *text; /* the logical line, for messages, ONBUILD and progress */
	size_t offset;	  /* of text in the logical line that pieces and spans are about */
	const struct source_piece *pieces;
	size_t piece_count;
	const char *const
		*comments;	 /* the lines of comment above it; NULL = none; NULL-terminated */
	bool empty_continuation; /* it has an empty line inside */
	struct span keyword;
	const char **args; /* NULL-terminated, but see GRAMMAR_NAMES */
	size_t arg_count;
	const struct span *arg_spans; /* as many; NULL after expansion made other words */
	bool legacy;		      /* ENV and LABEL: "name value" without '=' */
	bool json;		      /* exec form */
	bool expanded;		      /* made by instruction_expand: may have lost its words */
	struct instruction_flag *flags;
	size_t flag_count;
	struct heredoc *heredocs;
	size_t heredoc_count;
	struct run_mount *mounts; /* RUN --mount, after instruction_expand; before: NULL */
	size_t mount_count;
	struct instruction *nested; /* of ONBUILD */
};

const struct instruction_spec *instruction_spec(const struct instruction *instruction);

/** Any case; INST_COUNT when unknown. */
enum instruction_kind instruction_find(const char *name, size_t size);

/** The value of a flag, NULL when it was not given; bools give "true" or "false". */
const char *instruction_flag(const struct instruction *instruction, const char *name);
bool instruction_flag_is_set(const struct instruction *instruction, const char *name);

/** Read one "--name[=value]" word and append it to the instruction's flags. */
int instruction_add_flag(struct instruction *instruction, const char *word, struct arena *arena,
			 struct error *err);

/** The instruction's lines with a token in them: one of its spans. */
struct source_range instruction_range(const struct instruction *instruction,
				      const struct span *span);

/** Arity, shape and the rules of the single instruction. */
int instruction_check(const struct instruction *instruction, struct error *err);
/** Can it be done? Asked only of what a build needs. */
int instruction_check_support(const struct instruction *instruction, struct error *err);

/** A copy with flags, arguments and bodies of here-documents expanded by the table's rules. */
int instruction_expand(const struct instruction *instruction, const struct expand *expand,
		       struct arena *arena, struct instruction *out, struct error *err);

/** Stage names: ^[a-z][a-z0-9-_.]*$ */
bool instruction_stage_name_is_valid(const char *name);

#endif
