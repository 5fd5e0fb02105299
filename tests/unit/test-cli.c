/* SPDX-License-Identifier: Apache-2.0 */
/* lib/cli: what a program with verbs does with a command line, seen from a program made up here. */
#include "lib/cli.h"

#include <errno.h>
#include <stdarg.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "tests/unit/check.h"

struct made_up {
	struct cli cli;
	const char *colour;
	struct strbuf story; /* what was called, in order */
};

static struct made_up *made_up(struct cli *cli)
{
	return (struct made_up *)cli;
}

static void tell(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct cli *cli, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	strbuf_vaddf(&made_up(cli)->story, format, ap);
	va_end(ap);
	strbuf_addc(&made_up(cli)->story, ';');
}

static const struct option_spec no_options[] = { OPT_END };

static int paint(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct option_result words;
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret < 0)
		return ret;
	tell(cli, "paint %s", words.arguments[0]);
	if (strcmp(words.arguments[0], "sky") == 0)
		return error_invalid(&cli->err, "too high");
	return 7;
}

static const struct command_spec paint_command = {
	.name = "paint",
	.arguments = "WHAT",
	.options = no_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = paint,
	.summary = "paint something",
};

static const struct command_spec *const commands[] = { &paint_command, NULL };

static const struct option_spec globals[] = {
	OPT_STRING(0, "colour", struct made_up, colour, "NAME", "the colour"),
	OPT_STRING(0, "log-level", struct made_up, cli.log_level, "LEVEL", "the level"),
	OPT_BOOL(0, "debug", struct made_up, cli.debug, "all of it"),
	OPT_BOOL(0, "version", struct made_up, cli.version, "the version"),
	OPT_END,
};

static const struct command_spec spec = {
	.name = "brush",
	.arguments = "COMMAND",
	.options = globals,
	.arguments_max = -1,
	.stop_at_argument = true,
	.summary = "a program",
};

static void begin(struct cli *cli, int argc, char **argv)
{
	(void)argv;
	tell(cli, "begin %d", argc);
}

static int setup_log(struct cli *cli, const char *verb)
{
	enum log_level level = LOG_WARNING;
	int ret = cli_choose_log_level(cli, &level);

	tell(cli, "log %s %d", verb ? verb : "-", (int)level);
	return ret;
}

static int setup(struct cli *cli)
{
	static const struct name_value colours[] = {
		{ "red", 1 }, { "green", 2 }, { "blue", 3 }, { NULL, 0 }
	};
	int colour = 9, ret = cli_choose(cli, "colour", colours, made_up(cli)->colour, &colour);

	tell(cli, "setup %d", colour);
	return ret;
}

static void print_version(struct cli *cli)
{
	tell(cli, "version");
}

static void end(struct cli *cli, bool failed)
{
	tell(cli, "end %d", failed);
}

static int fail(struct cli *cli)
{
	tell(cli, "%s%s: %s", cli->err.code == ERROR_USAGE ? "usage of " : "", cli->command->name,
	     cli->err.msg);
	return cli->failure_status;
}

static const struct cli_program program = {
	.spec = &spec,
	.commands = commands,
	.choice_code = ERROR_INVALID,
	.print_version = print_version,
	.begin = begin,
	.setup_log = setup_log,
	.setup = setup,
	.end = end,
	.fail = fail,
};

/* The words of a command line, divided by blanks; the caller frees the story. */
static char *play(const char *line, int *status)
{
	struct made_up brush = { .cli = { .program = &program, .failure_status = 42 } };
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_free char **argv = NULL;

	strv_split(&words, line, ' ');
	/* the parser moves words; these are borrowed */
	argv = xmemdup(words.items, (words.count + 1) * sizeof(*argv));
	*status = cli_main(&brush.cli, (int)words.count, argv);
	return strbuf_take(&brush.story);
}

#define CHECK_PLAY(line, expected_status, expected_story)                                          \
	do {                                                                                       \
		int status;                                                                        \
		cleanup_free char *story = play(line, &status);                                    \
                                                                                                   \
		CHECK_INT(status, expected_status);                                                \
		CHECK_STR(story, expected_story);                                                  \
	} while (0)

static void test_order(void)
{
	CHECK_PLAY("brush paint wall", 7, "begin 3;log paint 1;setup 9;paint wall;end 0;");
	CHECK_PLAY("brush --colour blue --log-level info paint wall", 7,
		   "begin 7;log paint 2;setup 3;paint wall;end 0;");
	CHECK_PLAY("brush --debug --log-level error paint wall", 7,
		   "begin 6;log paint 3;setup 9;paint wall;end 0;");
	CHECK_PLAY("brush --version", 0, "begin 2;log - 1;setup 9;version;end 0;");
}

static void test_failures(void)
{
	CHECK_PLAY("brush paint sky", 42,
		   "begin 3;log paint 1;setup 9;paint sky;end 1;paint: too high;");
	/* the log is set up even so, and what is wrong with it does not hide the reason */
	CHECK_PLAY("brush --log-level loud --nonsense paint wall", 42,
		   "begin 6;log - 1;end 1;usage of brush: flag provided but not defined: "
		   "-nonsense;");
	CHECK_PLAY("brush --log-level loud paint wall", 42,
		   "begin 5;log paint 1;end 1;brush: invalid log-level: loud (error, warning, info "
		   "or debug);");
	CHECK_PLAY("brush --colour pink paint wall", 42,
		   "begin 5;log paint 1;setup 9;end 1;brush: invalid colour: pink (red, green or "
		   "blue);");
	CHECK_PLAY("brush", 42,
		   "begin 1;log - 1;setup 9;end 1;usage of brush: a command is needed;");
	CHECK_PLAY("brush pant wall", 42,
		   "begin 3;log pant 1;setup 9;end 1;usage of brush: unknown command \"pant\" (did "
		   "you mean \"paint\"?);");
	CHECK_PLAY("brush paint", 42,
		   "begin 2;log paint 1;setup 9;end 1;usage of paint: \"paint\" requires exactly 1 "
		   "argument(s);");
}

static void test_json(void)
{
	struct cli cli = { .program = &program };
	bool json = true;

	CHECK_INT(cli_choose_json(&cli, "--format", "table", NULL, &json), 0);
	CHECK(!json);
	CHECK_INT(cli_choose_json(&cli, "--format", "table", "json", &json), 0);
	CHECK(json);
	CHECK_INT(cli_choose_json(&cli, "--format", "table", "yaml", &json), -EINVAL);
	CHECK_STR(cli.err.msg, "invalid --format: yaml (table or json)");
}

CHECK_MAIN({ "begin, log, setup, the verb, end", test_order },
	   { "failures say what is wrong, and whose command line", test_failures },
	   { "table or json", test_json })
