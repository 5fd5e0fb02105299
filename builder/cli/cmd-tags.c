/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder tags: what tags a repository of a registry has; and search, which there is not. */
#include <stdio.h>

#include "builder/cli/cli.h"
#include "builder/cli/listing.h"
#include "builder/cli/registry-args.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

struct tags_arguments {
	const char *format;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec tags_options[] = {
	OPT_STRING(0, "format", struct tags_arguments, format, "json|TEMPLATE",
		   "an array, or a line each by a template of .Repository and .Tag"),
	OPT_INCLUDE(struct tags_arguments, registry, registry_option_table),
	OPT_END
};
/* clang-format on */

static int print(struct cli *cli, const char *format, const struct reference *name,
		 const struct strv *tags)
{
	cleanup_strv struct strv rows = STRV_INIT;

	for (size_t i = 0; i < tags->count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct json_writer writer = { .out = &text };

		json_begin_object(&writer);
		json_put_text(&writer, "Repository", reference_familiar_name(name));
		json_put_text(&writer, "Tag", tags->items[i]);
		json_end_object(&writer);
		strv_add(&rows, text.data);
	}
	return listing_print(cli, NULL, format ? format : "{{.Tag}}", &rows);
}

static int run_tags(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_with(repository_cleanup) struct repository *repository = NULL;
	cleanup_registry struct registry *registry = NULL;
	cleanup_strv struct strv tags = STRV_INIT;
	struct tags_arguments arguments = { NULL };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	struct reference name;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_parse_name(cli, words.arguments[0], &name);
	if (ret == 0)
		ret = registry_args_open(&arguments.registry, -EBADF, &registry, &cli->err);
	if (ret == 0)
		ret = repository_open(registry, &name, REPOSITORY_PULL, &repository, &cli->err);
	if (ret == 0)
		ret = repository_tags(repository, &tags, &cli->err);
	strv_sort(&tags); /* not all registries do */
	return ret < 0 ? ret : print(cli, arguments.format, &name, &tags);
}

const struct command_spec tags_command = {
	.name = "tags",
	.arguments = "REPOSITORY",
	.options = tags_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_tags,
	.summary = "list the tags that a registry has of a repository",
};

static const struct option_spec search_options[] = { OPT_END };

static int run_search(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret < 0)
		return ret;
	return error_set(
		&cli->err, ERROR_UNSUPPORTED, 0,
		"search \"%s\": registries have no search (the distribution specification "
		"knows none, docker's asks Docker Hub's own service); look on the registry's "
		"web site, or list a repository by \"%s tags REPOSITORY\"",
		words.arguments[0], CLI_NAME);
}

const struct command_spec search_command = {
	.name = "search",
	.arguments = "TERM",
	.options = search_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_search,
	.summary = "says why there is no search, and what there is instead",
};
