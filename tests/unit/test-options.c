/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines in runc's and getopt's syntax. */
#include "lib/options.h"

#include <errno.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/strv.h"
#include "tests/unit/check.h"

struct common {
	const char *bundle;
	bool no_pivot;
};

static const struct option_spec common_options[] = {
	OPT_STRING('b', "bundle", struct common, bundle, "DIR", "path to the bundle"),
	OPT_BOOL(0, "no-pivot", struct common, no_pivot, "do not pivot"),
	OPT_END,
};

struct args {
	struct common common;
	struct strv env;
	bool tty, interactive;
	uint64_t fds;
};

static const struct option_spec test_options[] = {
	OPT_INCLUDE(struct args, common, common_options),
	OPT_STRV('e', "env", struct args, env, "K=V", "set a variable"),
	OPT_BOOL('t', "tty", struct args, tty, "a terminal"),
	OPT_BOOL('i', "interactive", struct args, interactive, "keep stdin"),
	OPT_U64(0, "preserve-fds", struct args, fds, "N", "keep fds"),
	OPT_ACCEPTED(0, "old", "X", "from the old days"),
	OPT_END,
};

static const struct command_spec anywhere = { "create", "ID", test_options,	    1,	 1,
					      false,	NULL, "create a container", NULL };
static const struct command_spec stops = { "exec", "ID [COMMAND...]", test_options, 1, -1, true,
					   NULL,   "run a command",   NULL };

static struct args args;
static struct option_result result;

static int parse(const struct command_spec *command, const char *line, struct error *err)
{
	static struct strv words; /* the results point into it */
	static char *argv[32];	  /* parsing moves the pointers, words keeps owning them */

	strv_done(&words);
	options_done(test_options, &args);
	args = (struct args){ 0 };
	if (*line)
		strv_split(&words, line, ' ');
	memcpy(argv, strv_items(&words), (words.count + 1) * sizeof(*argv));
	return options_parse(command, (int)words.count, argv, &args, &result, err);
}

static void test_places(void)
{
	CHECK_INT(parse(&anywhere, "-b /x c1 --no-pivot --preserve-fds=3", NULL), 0);
	CHECK_STR(args.common.bundle, "/x");
	CHECK(args.common.no_pivot);
	CHECK_INT(args.fds, 3);
	CHECK_INT(result.count, 1);
	CHECK_STR(result.arguments[0], "c1");
	CHECK_INT(parse(&stops, "-t c1 ls -t --no-pivot", NULL), 0);
	CHECK_INT(result.count, 4);
	CHECK_STR(result.arguments[3], "--no-pivot");
	CHECK(args.tty && !args.common.no_pivot);
	CHECK_INT(parse(&anywhere, "-- -x", NULL), 0);
	CHECK_STR(result.arguments[0], "-x");
}

/* The way back: the words parse to the same. */
static void test_words(void)
{
	cleanup_strv struct strv words = STRV_INIT;

	CHECK_INT(parse(&anywhere, "-t -e A=1 -b /x -eB= --preserve-fds 3 --old y c1", NULL), 0);
	options_words(test_options, &args, &words);
	CHECK_INT(words.count, 5);
	CHECK_STR(words.items[0], "--bundle=/x");
	CHECK_STR(words.items[1], "--env=A=1");
	CHECK_STR(words.items[2], "--env=B=");
	CHECK_STR(words.items[3], "--tty");
	CHECK_STR(words.items[4], "--preserve-fds=3");
}

static void test_forms(void)
{
	CHECK_INT(parse(&anywhere, "-no-pivot -bundle=/y c1", NULL), 0);
	CHECK(args.common.no_pivot);
	CHECK_STR(args.common.bundle, "/y");
	CHECK_INT(parse(&anywhere, "-it -eA=1 -e B=2 --env C=3 --old x c1", NULL), 0);
	CHECK(args.tty && args.interactive);
	CHECK_INT(args.env.count, 3);
	CHECK_STR(args.env.items[0], "A=1");
	CHECK_STR(args.env.items[2], "C=3");
	CHECK_INT(parse(&anywhere, "--tty=false -t=false -i c1", NULL), 0);
	CHECK(!args.tty && args.interactive);
	CHECK_INT(parse(&anywhere, "--tty c1 - -i", NULL), -EINVAL); /* "-" is an argument */
}

static void test_errors(void)
{
	CHECK_ERROR(parse(&anywhere, "--bundel /x c1", &err), EINVAL,
		    "flag provided but not defined: -bundel (did you mean --bundle?)");
	CHECK_ERROR(parse(&anywhere, "-x c1", &err), EINVAL, "flag provided but not defined: -x");
	CHECK_ERROR(parse(&anywhere, "c1 --bundle", &err), EINVAL,
		    "flag needs an argument: --bundle");
	CHECK_ERROR(parse(&anywhere, "c1 -b", &err), EINVAL, "flag needs an argument: -b");
	CHECK_ERROR(parse(&anywhere, "--preserve-fds=-1 c1", &err), EINVAL,
		    "invalid value \"-1\" for flag --preserve-fds");
	CHECK_ERROR(parse(&anywhere, "--tty=maybe c1", &err), EINVAL, "invalid value \"maybe\"");
	CHECK_ERROR(parse(&anywhere, "", &err), EINVAL,
		    "\"create\" requires exactly 1 argument(s)");
	CHECK_ERROR(parse(&anywhere, "a b", &err), EINVAL,
		    "\"create\" requires exactly 1 argument(s)");
	CHECK_ERROR(parse(&stops, "-t", &err), EINVAL,
		    "\"exec\" requires a minimum of 1 argument(s)");
	CHECK_INT(parse(&anywhere, "--help", NULL), 0);
	CHECK(result.help);
}

static void test_help(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	options_print_help(out, "prog", &anywhere);
	options_print_completion(out, test_options);
	fclose(out);
	CHECK(strstr(text, "Usage: prog create [OPTIONS] ID\n"));
	CHECK(strstr(text, "  -b, --bundle DIR            path to the bundle\n"));
	CHECK(strstr(text, "set a variable (repeatable)\n"));
	CHECK(strstr(text, "\n--bundle=\n-b=\n--no-pivot\n"));
	free(text);
}

CHECK_MAIN({ "options before and after the arguments", test_places },
	   { "what was parsed, as words again", test_words },
	   { "one dash, two dashes, clusters, =value", test_forms },
	   { "mistakes are told in the expected words", test_errors },
	   { "help and completion come from the table", test_help })
