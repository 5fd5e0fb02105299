/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines by tables: one array of options per verb gives parsing, --help, completion and the
 * check of the man pages. Go's flag syntax as runc's callers use it (single-dash long options,
 * --flag=value, --bool=false, options after the id) and getopt's (-it, -eK=V) are both taken.
 */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/error.h"

enum option_kind {
	OPTION_END,
	OPTION_BOOL,	 /* bool */
	OPTION_STRING,	 /* const char *, borrowed from argv; last one wins */
	OPTION_STRV,	 /* struct strv, every use appends a copy */
	OPTION_U64,	 /* uint64_t */
	OPTION_SIZE,	 /* uint64_t, with units */
	OPTION_ACCEPTED, /* taken and without effect; help says so */
	OPTION_REFUSED,	 /* known from elsewhere; help is why it is not taken, and is the error */
	OPTION_INCLUDE,	 /* another table, whose offsets start at offset */
};

enum option_flags {
	OPTION_HIDDEN = 1,	/* not in --help, still accepted */
	OPTION_OPTIONAL = 4,	/* for OPTION_STRING: a value only by "=", else it is "true" */
	OPTION_NEEDS_VALUE = 2, /* for OPTION_ACCEPTED: swallows a value */
};

struct option_spec {
	enum option_kind kind;
	char letter;	   /* 0 = none */
	const char *name;  /* long name without dashes; NULL = none */
	size_t offset;	   /* of the member in the verb's struct */
	const char *value; /* placeholder: "DIR"; NULL for bool */
	const char *help;
	unsigned int flags;
	const struct option_spec *include;
};

#define OPT_BOOL(c, n, s, m, h)                                                                    \
	{                                                                                          \
		OPTION_BOOL, c, n, offsetof(s, m), NULL, h, 0, NULL                                \
	}
#define OPT_STRING(c, n, s, m, v, h)                                                               \
	{                                                                                          \
		OPTION_STRING, c, n, offsetof(s, m), v, h, 0, NULL                                 \
	}
#define OPT_OPTIONAL(c, n, s, m, v, h)                                                             \
	{                                                                                          \
		OPTION_STRING, c, n, offsetof(s, m), v, h, OPTION_OPTIONAL, NULL                   \
	}
#define OPT_STRV(c, n, s, m, v, h)                                                                 \
	{                                                                                          \
		OPTION_STRV, c, n, offsetof(s, m), v, h, 0, NULL                                   \
	}
#define OPT_U64(c, n, s, m, v, h)                                                                  \
	{                                                                                          \
		OPTION_U64, c, n, offsetof(s, m), v, h, 0, NULL                                    \
	}
#define OPT_SIZE(c, n, s, m, v, h)                                                                 \
	{                                                                                          \
		OPTION_SIZE, c, n, offsetof(s, m), v, h, 0, NULL                                   \
	}
#define OPT_ACCEPTED(c, n, v, h)                                                                   \
	{                                                                                          \
		OPTION_ACCEPTED, c, n, 0, v, h, (v) ? OPTION_NEEDS_VALUE : 0, NULL                 \
	}
#define OPT_REFUSED(c, n, why)                                                                     \
	{                                                                                          \
		OPTION_REFUSED, c, n, 0, NULL, why, OPTION_HIDDEN, NULL                            \
	}
#define OPT_INCLUDE(s, m, table)                                                                   \
	{                                                                                          \
		OPTION_INCLUDE, 0, NULL, offsetof(s, m), NULL, NULL, 0, table                      \
	}
/* Rows that several tables share, of the same struct. */
#define OPT_ROWS(table)                                                                            \
	{                                                                                          \
		OPTION_INCLUDE, 0, NULL, 0, NULL, NULL, 0, table                                   \
	}
#define OPT_END                                                                                    \
	{                                                                                          \
		OPTION_END, 0, NULL, 0, NULL, NULL, 0, NULL                                        \
	}

/** A verb, or the program itself (name = program). */
struct command_spec {
	const char *name;
	const char *arguments; /* "CONTAINER-ID [COMMAND [ARG...]]" */
	const struct option_spec *options;
	int arguments_min;
	int arguments_max;     /* -1 = any */
	bool stop_at_argument; /* the first positional ends the options (exec, run IMAGE ...) */
	int (*run)(const struct command_spec *command, int argc, char **argv, void *globals);
	const char *summary;	 /* one line, for the list of verbs */
	const char *description; /* paragraphs for --help; may be NULL */
	const char *candidates;	 /* for completion: the verb of the same program that lists what the
				    first argument may be; NULL = files */
};

/** A word of a group, and the verb it stands for: "image ls" is "images". */
struct group_word {
	const char *word;
	const struct command_spec *command;
	const char *option; /* that comes with it ("--filter=type=image"); NULL = none */
};

/** Verbs by what they are about: "image", "system". words ends with a NULL word. */
struct command_group {
	const char *name;
	const char *summary;
	const struct group_word *words;
};

struct option_result {
	char **arguments; /* the positionals, in argv's memory, NULL-terminated */
	int count;
	bool help; /* -h or --help was seen */
};

/**
 * Parse argv (without the verb itself) into base. On failure the message is in the words that
 * callers of runc expect ("flag provided but not defined: -x", "flag needs an argument: --x"),
 * code ERROR_USAGE, with a "did you mean". The arity is checked unless help was asked for.
 * argv is permuted in place: positionals come first in result->arguments.
 */
int options_parse(const struct command_spec *command, int argc, char **argv, void *base,
		  struct option_result *result, struct error *err);

/** The way back: what base has of the table, as words ("--name=value") that would parse to the
 * same. */
struct strv;
void options_words(const struct option_spec *options, const void *base, struct strv *out);

/** Frees the strv members that the table names. */
void options_done(const struct option_spec *options, void *base);

/** Help of one verb ("Usage: PROGRAM VERB [options] ARGS ..."), aligned, to out. */
void options_print_help(FILE *out, const char *program, const struct command_spec *command);
/** Help of the program: global options, the verbs (NULL ends them) and groups (may be NULL). */
void options_print_program_help(FILE *out, const struct command_spec *program,
				const struct command_spec *const *commands,
				const struct command_group *const *groups);
/** Help of a group: its words. */
void options_print_group_help(FILE *out, const char *program, const struct command_group *group);
/** Does a value follow? */
bool options_takes_value(const struct option_spec *spec);
/** One option a line, "--name" or "-c" with a trailing "=" if it takes a value: completion uses it.
 */
void options_print_completion(FILE *out, const struct option_spec *options);

/** Find a verb by name; NULL when unknown (suggestion gets the nearest, may be NULL). */
const struct command_spec *command_find(const struct command_spec *const *commands,
					const char *name, const char **suggestion);

#endif
