/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front of a program with verbs: global options, the log, one verb, the exit status. What
 * programs differ in (how a failure is said, what is set up before a verb) is in struct
 * cli_program.
 */
#ifndef LIB_CLI_H
#define LIB_CLI_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/log.h"
#include "lib/options.h"
#include "lib/table.h"

struct cli;

struct cli_program {
	const struct command_spec *spec;	    /* its name, the global options */
	const struct command_spec *const *commands; /* NULL ends them */
	const struct command_group *const *groups;  /* the same; may be NULL */
	enum error_code choice_code;		    /* of a word that is none of an option's */
	void (*print_version)(struct cli *cli);

	/* in this order; begin, setup and end may be NULL */
	void (*begin)(struct cli *cli, int argc, char **argv); /* before any input is looked at */
	int (*setup_log)(struct cli *cli, const char *verb);   /* NULL: a wrong command line */
	int (*setup)(struct cli *cli);
	void (*end)(struct cli *cli, bool failed);
	int (*fail)(struct cli *cli); /* prints cli->err; gives the exit status */
};

/**
 * Lives on main's stack, at the start of the program's own struct, which the global options fill.
 * Every verb gets it as its `globals`.
 */
struct cli {
	const struct cli_program *program;

	/* as given: the global options that every program has */
	const char *log_level;
	bool debug, version;

	mode_t umask;	    /* the caller's; ours is 0 */
	struct arena arena; /* what must live as long as the program */

	/* how it ended */
	bool helped;			    /* --help was printed: exit 0 */
	int failure_status;		    /* of a failure of our own */
	const struct command_spec *command; /* the verb, or the program: whose help can help */
	struct error err;		    /* ERROR_USAGE: the command line was wrong */
};

/**
 * All of main(). A verb returns its exit status, or negative with cli->err set; stdout is flushed,
 * and that it could be written is checked here.
 */
int cli_main(struct cli *cli, int argc, char **argv);

/**
 * Parse the arguments of a verb into base. Negative when the verb must end at once: on failure
 * (cli->err) and after --help (cli->helped).
 */
int cli_parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
	      void *base, struct option_result *result);

/** One word of a table (its values fit an int), as option wants it; NULL leaves *value. */
int cli_choose(struct cli *cli, const char *option, const struct name_value *names,
	       const char *word, int *value);

/** An option like --format: json or plain ("table", "text"), which is the default. */
int cli_choose_json(struct cli *cli, const char *option, const char *plain, const char *word,
		    bool *json);

/** --log-level and --debug; *level is the default. */
int cli_choose_log_level(struct cli *cli, enum log_level *level);

/** The verb "completion", for every program's list of verbs. */
extern const struct command_spec cli_completion_command;

#endif
