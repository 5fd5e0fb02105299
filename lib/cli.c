/* SPDX-License-Identifier: Apache-2.0 */
/* See cli.h. Nothing here prints but help and completion: errors are the program's to print. */
#include "lib/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/completion.h"
#include "lib/fd.h"
#include "lib/strbuf.h"

/* -- words ---------------------------------------------------------------------------------------
 */

int cli_parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
	      void *base, struct option_result *result)
{
	int ret = options_parse(command, argc, argv, base, result, &cli->err);

	if (ret < 0 || !result->help)
		return ret;
	options_print_help(stdout, cli->program->spec->name, command);
	cli->helped = true;
	return -ECANCELED;
}

/* "a, b or c" */
static void add_names(const struct name_value *names, struct strbuf *out)
{
	for (const struct name_value *name = names; name->name; name++)
		strbuf_addf(out, "%s%s",
			    name == names	   ? ""
			    : name[1].name != NULL ? ", "
						   : " or ",
			    name->name);
}

int cli_choose(struct cli *cli, const char *option, const struct name_value *names,
	       const char *word, int *value)
{
	const struct name_value *named = word ? table_find(names, word) : NULL;
	cleanup_strbuf struct strbuf known = STRBUF_INIT;

	if (named)
		*value = (int)named->value;
	if (named || !word)
		return 0;
	add_names(names, &known);
	return error_set(&cli->err, cli->program->choice_code, 0, "invalid %s: %s (%s)", option,
			 word, strbuf_text(&known));
}

int cli_choose_json(struct cli *cli, const char *option, const char *plain, const char *word,
		    bool *json)
{
	const struct name_value names[] = { { plain, false }, { "json", true }, { NULL, 0 } };
	int value = false, ret = cli_choose(cli, option, names, word, &value);

	*json = value;
	return ret;
}

int cli_choose_log_level(struct cli *cli, enum log_level *level)
{
	static const struct name_value names[] = {
		{ "error", LOG_ERROR },
		{ "warning", LOG_WARNING },
		{ "info", LOG_INFO },
		{ "debug", LOG_DEBUG },
		{ NULL, 0 },
	};
	int value = (int)*level, ret;

	ret = cli_choose(cli, "log-level", names, cli->log_level, &value);
	*level = cli->debug ? LOG_DEBUG : (enum log_level)value;
	return ret;
}

/* -- completion ----------------------------------------------------------------------------------
 */

static int cmd_completion(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct option_result result;
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, NULL, &result);

	if (ret < 0)
		return ret;
	ret = completion_write(stdout, result.arguments[0], cli->program->spec,
			       cli->program->commands, cli->program->groups, &cli->err);
	if (ret < 0)
		cli->err.code = cli->program->choice_code;
	return ret;
}

static const struct option_spec completion_options[] = { OPT_END };

const struct command_spec cli_completion_command = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.options = completion_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_completion,
	.summary = "print the completion script for a shell",
};

/* -- the program ---------------------------------------------------------------------------------
 */

static int unknown_command(struct cli *cli, const char *name, const char *suggestion)
{
	int ret = error_set(&cli->err, ERROR_USAGE, 0, "unknown command \"%s\"", name);

	return suggestion ? error_suffix(&cli->err, ret, " (did you mean \"%s\"?)", suggestion)
			  : ret;
}

static const struct command_group *find_group(const struct cli_program *program, const char *name)
{
	for (size_t i = 0; program->groups && program->groups[i]; i++)
		if (strcmp(program->groups[i]->name, name) == 0)
			return program->groups[i];
	return NULL;
}

/* The verb that a word stands for, with the option that comes with it before all others. */
static int run_word(struct cli *cli, const struct group_word *word, int argc, char **argv)
{
	char **all = arena_alloc(&cli->arena, ((size_t)argc + 2) * sizeof(*all));
	int count = 0;

	cli->command = word->command;
	if (!word->option)
		return word->command->run(word->command, argc, argv, cli);
	all[count++] = arena_strdup(&cli->arena, word->option);
	for (int i = 0; i < argc; i++)
		all[count++] = argv[i];
	return word->command->run(word->command, count, all, cli);
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int find_word(struct cli *cli, const struct command_group *group, const char *name,
		     const struct group_word **out)
{
	struct suggestion near = { .word = name };
	int ret;

	for (const struct group_word *word = group->words; word->word; word++) {
		if (strcmp(word->word, name) == 0) {
			*out = word;
			return 0;
		}
		suggestion_consider(&near, word->word);
	}
	ret = error_set(&cli->err, ERROR_USAGE, 0, "unknown command \"%s %s\"", group->name, name);
	return near.best ? error_suffix(&cli->err, ret, " (did you mean \"%s %s\"?)", group->name,
					near.best)
			 : ret;
}

static int run_group(struct cli *cli, const struct command_group *group, int argc, char **argv)
{
	const struct group_word *word = NULL;
	int ret;

	if (argc == 0 || is_help(argv[0])) {
		options_print_group_help(stdout, cli->program->spec->name, group);
		return 0;
	}
	ret = find_word(cli, group, argv[0], &word);
	return ret < 0 ? ret : run_word(cli, word, argc - 1, argv + 1);
}

static void print_program_help(const struct cli_program *program)
{
	options_print_program_help(stdout, program->spec, program->commands, program->groups);
}

/* What "GROUP WORD --help" says. */
static int help_group(struct cli *cli, const struct command_group *group, const char *name)
{
	const char *program = cli->program->spec->name;
	const struct group_word *word = NULL;
	int ret = name ? find_word(cli, group, name, &word) : 0;

	if (ret < 0)
		return ret;
	if (word)
		options_print_help(stdout, program, word->command);
	else
		options_print_group_help(stdout, program, group);
	return 0;
}

/* "help VERB", "help GROUP [WORD]", as runc and docker have it, too: what "VERB --help" says. words
 * end with NULL; those of a verb's own are not looked at. */
static int run_help(struct cli *cli, char *const *words)
{
	const struct cli_program *program = cli->program;
	const struct command_group *group = words[0] ? find_group(program, words[0]) : NULL;
	const struct command_spec *command;
	const char *suggestion = NULL;

	if (!words[0] || is_help(words[0])) {
		print_program_help(program);
		return 0;
	}
	if (group)
		return help_group(cli, group, words[1]);
	command = command_find(program->commands, words[0], &suggestion);
	if (!command)
		return unknown_command(cli, words[0], suggestion);
	options_print_help(stdout, program->spec->name, command);
	return 0;
}

static int run_verb(struct cli *cli, const struct option_result *words)
{
	const struct cli_program *program = cli->program;
	const struct command_group *group;
	const struct command_spec *command;
	const char *suggestion = NULL;

	if (words->help) {
		print_program_help(program);
		return 0;
	}
	if (cli->version) {
		program->print_version(cli);
		return 0;
	}
	if (words->count == 0)
		return error_set(&cli->err, ERROR_USAGE, 0, "a command is needed");
	if (strcmp(words->arguments[0], "help") == 0)
		return run_help(cli, words->arguments + 1);
	group = find_group(program, words->arguments[0]);
	if (group)
		return run_group(cli, group, words->count - 1, words->arguments + 1);
	command = command_find(program->commands, words->arguments[0], &suggestion);
	if (!command)
		return unknown_command(cli, words->arguments[0], suggestion);
	cli->command = command;
	return command->run(command, words->count - 1, words->arguments + 1, cli);
}

static int run(struct cli *cli, int argc, char **argv)
{
	const struct cli_program *program = cli->program;
	struct option_result words = { 0 };
	int ret = options_parse(program->spec, argc - 1, argv + 1, cli, &words, &cli->err);

	if (ret < 0) {
		struct error reason = cli->err;

		/* the caller may look for the reason in its log only; without one, on stderr */
		(void)program->setup_log(cli, NULL);
		cli->err = reason;
		return ret;
	}
	ret = program->setup_log(cli, words.count ? words.arguments[0] : NULL);
	if (ret == 0 && program->setup)
		ret = program->setup(cli);
	return ret < 0 ? ret : run_verb(cli, &words);
}

int cli_main(struct cli *cli, int argc, char **argv)
{
	const struct cli_program *program = cli->program;
	int ret;

	if (program->begin)
		program->begin(cli, argc, argv);
	cli->command = program->spec;
	ret = fd_open_standard(&cli->err);
	if (ret == 0) {
		cli->umask = umask(0);
		ret = run(cli, argc, argv);
	}
	if (cli->helped)
		ret = 0;
	if (ret >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		ret = error_errno(&cli->err, errno, "write to stdout");
	if (program->end)
		program->end(cli, ret < 0);
	if (ret < 0)
		ret = program->fail(cli);
	arena_done(&cli->arena);
	return ret;
}
