/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder commit: an image of a container. */
#include <stdio.h>
#include <time.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/cli/image-change.h"
#include "builder/container/commit.h"
#include "builder/container/container.h"
#include "lib/cleanup.h"

struct commit_arguments {
	const char *author, *message, *pause;
	struct strv changes;
};

/* clang-format off */
static const struct option_spec commit_options[] = {
	OPT_STRING('a', "author", struct commit_arguments, author, "TEXT", "who made it"),
	OPT_STRING('m', "message", struct commit_arguments, message, "TEXT", "comment in the image's history"),
	OPT_STRV('c', "change", struct commit_arguments, changes, "INSTRUCTION",
		 "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR"),
	OPT_OPTIONAL('p', "pause", struct commit_arguments, pause, "true|false",
		     "let the container stand still meanwhile (default: true)"),
	OPT_END
};
/* clang-format on */

static int change_all(void *context, struct image_defaults *defaults, struct arena *arena,
		      struct error *err)
{
	const struct strv *changes = context;
	int ret = 0;

	for (size_t i = 0; i < changes->count && ret == 0; i++)
		ret = image_change(changes->items[i], defaults, arena, err);
	return ret;
}

static int commit(struct cli *cli, const struct commit_arguments *arguments, const char *word,
		  const struct reference *name, bool pause)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref top = { .size = 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	struct commit commit = { .author = arguments->author,
				 .message = arguments->message,
				 .pause = pause,
				 .change = change_all,
				 .context = (void *)&arguments->changes };
	struct digest id;
	int ret = cli_open_store(cli, false, &store);

	format_time(time(NULL), &now);
	commit.created = strbuf_text(&now);
	if (ret == 0)
		ret = container_open(&store, word, &container, &cli->err); /* not to be removed */
	if (ret == 0)
		ret = container_commit(&store, &container.record, &commit, &top, &id, &cli->err);
	if (ret == 0)
		ret = store_ref_set(&store, name, &top, &cli->err);
	if (ret == 0)
		puts(id.text);
	return ret < 0 ? error_prefix(&cli->err, ret, "commit \"%s\"", word) : 0;
}

static int parse_and_commit(struct cli *cli, const struct command_spec *command, int argc,
			    char **argv, struct commit_arguments *arguments)
{
	static const struct name_value pauses[] = { { "true", true },
						    { "false", false },
						    { NULL, 0 } };
	struct option_result words = { 0 };
	struct reference name;
	int pause = true, ret = cli_parse(cli, command, argc, argv, arguments, &words);

	if (ret == 0)
		ret = cli_choose(cli, "--pause", pauses, arguments->pause, &pause);
	if (ret == 0 && words.count == 2)
		ret = cli_parse_name(cli, words.arguments[1], &name);
	return ret < 0 ? ret
		       : commit(cli, arguments, words.arguments[0], words.count == 2 ? &name : NULL,
				pause);
}

static int run_commit(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct commit_arguments arguments = { NULL };
	int ret = parse_and_commit(globals, command, argc, argv, &arguments);

	options_done(commit_options, &arguments);
	return ret;
}

const struct command_spec commit_command = {
	.name = "commit",
	.arguments = "CONTAINER [NAME[:TAG]]",
	.options = commit_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_commit,
	.summary = "make an image of a container",
	.candidates = "ps -a --format {{.Names}}",
};
