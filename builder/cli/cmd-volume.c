/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder volume create, ls, inspect, rm, prune. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "builder/cli/container-args.h"
#include "builder/cli/listing.h"
#include "builder/container/record.h"
#include "builder/container/volume-store.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

struct volume_arguments {
	bool quiet, force, all;
	const char *format, *driver;
	struct strv labels, filters;
};

/* clang-format off */
static const struct option_spec create_options[] = {
	OPT_STRV('l', "label", struct volume_arguments, labels, "NAME[=VALUE]", "label it"),
	OPT_STRING('d', "driver", struct volume_arguments, driver, "local", "volumes are folders of the store"),
	OPT_END
};

static const struct option_spec list_options[] = {
	OPT_BOOL('q', "quiet", struct volume_arguments, quiet, "print the names alone"),
	OPT_STRV('f', "filter", struct volume_arguments, filters, "KEY=VALUE",
		 "dangling (true: no container has it, or false), label or name (a part of it)"),
	OPT_STRING(0, "format", struct volume_arguments, format, LISTING_FORMATS, LISTING_HELP),
	OPT_END
};

static const struct option_spec inspect_options[] = {
	OPT_STRING('f', "format", struct volume_arguments, format, "json|TEMPLATE",
		   "a JSON array (default), or a text for each by a template"),
	OPT_END
};

static const struct option_spec remove_options[] = {
	OPT_BOOL('f', "force", struct volume_arguments, force, "what is not there is no error"),
	OPT_END
};

static const struct option_spec prune_options[] = {
	OPT_BOOL('f', "force", struct volume_arguments, force, "do not ask"),
	OPT_BOOL('a', "all", struct volume_arguments, all, "also those with a name"),
	OPT_END
};
/* clang-format on */

static int check_driver(struct cli *cli, const char *driver)
{
	if (!driver || strcmp(driver, "local") == 0)
		return 0;
	return error_set(&cli->err, ERROR_USAGE, 0,
			 "--driver %s: there are no drivers, a volume is a folder of the store "
			 "(local); what is mounted on the host can be given by "
			 "-v /FOLDER:/TARGET",
			 driver);
}

/* One that nobody has named is as a container's own, but stays when that goes. */
static int create(struct cli *cli, struct store *store, const struct volume_arguments *arguments,
		  const char *name)
{
	struct volume volume = { .name = name };
	char made[CONTAINER_ID_SIZE];
	int ret = check_driver(cli, arguments->driver);

	if (ret == 0 && !name)
		ret = container_id_make(made, &cli->err);
	if (!name)
		volume.name = made;
	for (size_t i = 0; i < arguments->labels.count; i++) {
		const char *label = arguments->labels.items[i];
		size_t size = strcspn(label, "=");

		json_map_set(&volume.labels, &cli->arena, arena_strndup(&cli->arena, label, size),
			     label[size] ? label + size + 1 : "");
	}
	if (ret == 0)
		ret = volume_make(store, &volume, &cli->err);
	if (ret >= 0)
		puts(volume.name);
	return ret < 0 ? ret : 0;
}

/* docker's ways: one text where it lists, an object where it inspects. */
static void write_labels(const struct json_map *labels, bool listed, struct json_writer *writer)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_key(writer, "Labels");
	if (listed) {
		labels_text(labels, &text);
		json_string(writer, strbuf_text(&text));
		return;
	}
	json_begin_object(writer);
	for (size_t i = 0; i < labels->count; i++) {
		json_key(writer, labels->items[i].key);
		json_string(writer, labels->items[i].value);
	}
	json_end_object(writer);
}

/* docker's names */
static void write_volume(struct store *store, struct volume *volume, bool listed,
			 struct json_writer *writer)
{
	const char *const texts[][2] = {
		{ "Name", volume->name },
		{ "Driver", "local" },
		{ "CreatedAt", volume->created },
		{ "Mountpoint", volume_path(store, volume->name, &volume->arena) },
		{ "Scope", "local" },
	};

	json_begin_object(writer);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_key(writer, texts[i][0]);
		json_string(writer, texts[i][1]);
	}
	write_labels(&volume->labels, listed, writer);
	json_end_object(writer);
}

static void describe(struct store *store, struct volume *volume, bool listed, struct strv *rows)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer writer = { .out = &text };

	write_volume(store, volume, listed, &writer);
	strv_add(rows, text.data);
}

static const struct heading headings[] = { { "Name", "VOLUME NAME" }, { NULL, NULL } };
static const struct listing listing = { .table = "{{.Driver}}\t{{.Name}}", .headings = headings };

/* 1 wanted, 0 not, -EINVAL no such filter. */
static int fits_one(const char *filter, const struct volume *volume, bool used)
{
	if (strcmp(filter, "dangling=true") == 0 || strcmp(filter, "dangling=1") == 0)
		return !used;
	if (strcmp(filter, "dangling=false") == 0 || strcmp(filter, "dangling=0") == 0)
		return used;
	if (strncmp(filter, "label=", 6) == 0)
		return json_map_fits(&volume->labels, filter + 6);
	if (strncmp(filter, "name=", 5) == 0)
		return strstr(volume->name, filter + 5) != NULL;
	return -EINVAL;
}

static int check_filters(struct cli *cli, const struct strv *filters)
{
	static const struct volume any = { .name = "" };

	for (size_t i = 0; i < filters->count; i++)
		if (fits_one(filters->items[i], &any, false) < 0)
			return error_set(&cli->err, ERROR_USAGE, 0,
					 "invalid --filter: %s (dangling=true, dangling=false, "
					 "label=, name=)",
					 filters->items[i]);
	return 0;
}

static bool fits(const struct strv *filters, const struct volume *volume, bool used)
{
	bool all = true;

	for (size_t i = 0; i < filters->count; i++)
		all &= fits_one(filters->items[i], volume, used) > 0;
	return all;
}

static int list(struct cli *cli, struct store *store, const struct volume_arguments *arguments)
{
	cleanup_strv struct strv names = STRV_INIT, used = STRV_INIT, rows = STRV_INIT;
	int ret = check_filters(cli, &arguments->filters);

	if (ret == 0)
		ret = volume_list(store, &names, &cli->err);
	if (ret == 0)
		ret = volume_used(store, &used, &cli->err);
	for (size_t i = 0; i < names.count && ret == 0; i++) {
		cleanup_volume struct volume volume = { .arena = ARENA_INIT };

		ret = volume_load(store, names.items[i], &volume, &cli->err);
		if (ret == 0 &&
		    fits(&arguments->filters, &volume, strv_contains(&used, names.items[i])))
			describe(store, &volume, true, &rows);
	}
	if (ret < 0)
		return ret;
	return listing_print(cli, &listing, arguments->quiet ? "{{.Name}}" : arguments->format,
			     &rows);
}

static int inspect(struct cli *cli, struct store *store, const char *format, char *const *words)
{
	cleanup_strv struct strv rows = STRV_INIT;
	int ret = 0;

	for (; *words && ret == 0; words++) {
		cleanup_volume struct volume volume = { .arena = ARENA_INIT };

		ret = volume_load(store, *words, &volume, &cli->err);
		if (ret == 0)
			describe(store, &volume, false, &rows);
	}
	return ret < 0 ? ret : listing_print(cli, &listing, format ? format : "json", &rows);
}

static int remove_one(struct store *store, const char *word, void *context, struct error *err)
{
	const struct volume_arguments *arguments = context;
	struct error why = ERROR_INIT;
	int ret = volume_remove(store, word, &why);

	if (ret < 0 && arguments->force && why.code == ERROR_NOT_FOUND)
		return 0;
	if (ret == 0)
		puts(word);
	else if (err)
		*err = why;
	return ret;
}

static bool confirmed(const struct volume_arguments *arguments)
{
	char answer[16];

	if (arguments->force)
		return true;
	fprintf(stderr, "This removes %s that no container has. Go on? [y/N] ",
		arguments->all ? "all volumes" : "the volumes without a name");
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

static int prune(struct cli *cli, struct store *store, const struct volume_arguments *arguments)
{
	cleanup_strv struct strv names = STRV_INIT, used = STRV_INIT;
	int ret = volume_list(store, &names, &cli->err);

	if (ret == 0)
		ret = volume_used(store, &used, &cli->err);
	for (size_t i = 0; i < names.count && ret == 0; i++) {
		cleanup_volume struct volume volume = { .arena = ARENA_INIT };
		struct error why = ERROR_INIT;

		if (strv_contains(&used, names.items[i]) ||
		    volume_load(store, names.items[i], &volume, NULL) < 0 ||
		    (!arguments->all && !volume.anonymous))
			continue;
		/* a container that was made meanwhile may have it */
		if (volume_remove(store, names.items[i], &why) == 0)
			puts(names.items[i]);
	}
	return ret;
}

static int run_open(struct cli *cli, const struct command_spec *command,
		    struct volume_arguments *arguments, char **words)
{
	cleanup_store struct store store = STORE_INIT;
	int ret;

	if (command == &volume_prune_command && !confirmed(arguments))
		return 0;
	ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	if (command == &volume_create_command)
		return create(cli, &store, arguments, words[0]);
	if (command == &volume_ls_command)
		return list(cli, &store, arguments);
	if (command == &volume_inspect_command)
		return inspect(cli, &store, arguments->format, words);
	if (command == &volume_rm_command)
		return cli_each_container(cli, &store, words, remove_one, arguments);
	return prune(cli, &store, arguments);
}

static int run_volume(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct volume_arguments arguments = { .quiet = false };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = run_open(cli, command, &arguments, words.arguments);
	options_done(command->options, &arguments);
	return ret;
}

const struct command_spec volume_create_command = {
	.name = "volume create",
	.arguments = "[NAME]",
	.options = create_options,
	.arguments_max = 1,
	.run = run_volume,
	.summary = "make a volume",
};

const struct command_spec volume_ls_command = {
	.name = "volume ls",
	.arguments = "",
	.options = list_options,
	.arguments_max = 0,
	.run = run_volume,
	.summary = "list volumes",
};

const struct command_spec volume_inspect_command = {
	.name = "volume inspect",
	.arguments = "VOLUME...",
	.options = inspect_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_volume,
	.summary = "show what a volume is, as JSON",
};

const struct command_spec volume_rm_command = {
	.name = "volume rm",
	.arguments = "VOLUME...",
	.options = remove_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_volume,
	.summary = "remove volumes that no container has",
};

const struct command_spec volume_prune_command = {
	.name = "volume prune",
	.arguments = "",
	.options = prune_options,
	.arguments_max = 0,
	.run = run_volume,
	.summary = "remove all volumes without a name that no container has",
};
