/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder import: the tar archive of a root file system becomes an image of one layer. What
 * it runs by default is said with --change, in the words of a Dockerfile.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/cli/image-change.h"
#include "builder/image/image.h"
#include "builder/image/layer.h"
#include "builder/image/platform.h"
#include "builder/image/unpack.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/path.h"

struct import_arguments {
	bool quiet;
	struct strv tags, changes;
	const char *message;
};

/* clang-format off */
static const struct option_spec import_options[] = {
	OPT_STRV('t', "tag", struct import_arguments, tags, "NAME[:TAG]", "name the image"),
	OPT_STRV('c', "change", struct import_arguments, changes, "INSTRUCTION",
		 "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR"),
	OPT_STRING('m', "message", struct import_arguments, message, "TEXT",
		   "comment in the image's history"),
	OPT_BOOL('q', "quiet", struct import_arguments, quiet, "print the image's id and nothing else"),
	OPT_END
};
/* clang-format on */

/* -- the image ----------------------------------------------------------------------------------
 */

static int import_layer(struct store *store, int fd, struct strv *out_layers, struct error *err)
{
	const struct unpack_options options = { .marks = store->marks };
	cleanup_close int folder_fd = -EBADF;
	char name[STORE_NAME_SIZE];
	struct layer_draft draft;
	struct layer_info info;
	int ret = store_scratch(store, name, &folder_fd, err);

	if (ret == 0)
		ret = unpack_archive(fd, folder_fd, &options, NULL, err);
	if (ret == 0)
		ret = layer_from_folder(store, name, NULL, &draft, err);
	if (ret == 0)
		ret = layer_publish(store, &draft, &info, err);
	if (ret == 0)
		strv_add(out_layers, info.id);
	return ret;
}

static char *time_of_image(struct arena *arena)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t when;

	if (!epoch || number_parse_u64(epoch, &when) < 0)
		when = (uint64_t)time(NULL);
	format_time((time_t)when, &text);
	return arena_strdup(arena, text.data);
}

static int make_config(const struct import_arguments *arguments, const char *source,
		       struct arena *arena, struct image_config *config, struct error *err)
{
	struct image_history *entry;

	config->created = time_of_image(arena);
	config->architecture = platform_host_architecture();
	config->os = "linux";
	config->config = arena_alloc(arena, sizeof(*config->config));
	for (size_t i = 0; i < arguments->changes.count; i++) {
		int ret = image_change(arguments->changes.items[i], config->config, arena, err);

		if (ret < 0)
			return ret;
	}
	entry = image_config_add_history(config, arena);
	entry->created = config->created;
	entry->created_by = arena_printf(arena, "import %s", source);
	entry->comment = arguments->message;
	return 0;
}

static int set_names(struct cli *cli, struct store *store, const struct reference *names,
		     size_t count, const struct store_ref *top)
{
	int ret = count ? 0 : store_ref_set(store, NULL, top, &cli->err);

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = store_ref_set(store, &names[i], top, &cli->err);
	return ret;
}

static int import(struct cli *cli, const struct import_arguments *arguments, const char *file,
		  const struct reference *names)
{
	bool from_stdin = strcmp(file, "-") == 0;
	cleanup_close int file_fd = from_stdin ? -EBADF : open(file, O_RDONLY | O_CLOEXEC);
	__attribute__((cleanup(store_ref_done))) struct store_ref top = { .size = 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_strv struct strv layers = STRV_INIT;
	struct image_config config = { 0 };
	struct image_new new = { .config = &config, .arena = &cli->arena, .layers = &layers };
	struct digest id;
	int ret;

	if (!from_stdin && file_fd < 0)
		return error_errno(&cli->err, errno, "open \"%s\"", file);
	ret = make_config(arguments, from_stdin ? "-" : path_base(file), &cli->arena, &config,
			  &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = import_layer(&store, from_stdin ? STDIN_FILENO : file_fd, &layers, &cli->err);
	if (ret == 0)
		ret = image_create(&store, &new, &top, &id, &cli->err);
	if (ret == 0)
		ret = set_names(cli, &store, names, arguments->tags.count, &top);
	if (ret < 0)
		return error_prefix(&cli->err, ret, "import \"%s\"", file);
	if (arguments->quiet)
		puts(id.text);
	else
		fprintf(stderr, "imported %s\n", id.text);
	return 0;
}

static int parse_and_import(struct cli *cli, const struct command_spec *command, int argc,
			    char **argv, struct import_arguments *arguments)
{
	struct option_result words = { 0 };
	struct reference *names;
	int ret = cli_parse(cli, command, argc, argv, arguments, &words);

	if (ret < 0)
		return ret;
	if (words.count == 2)
		strv_add(&arguments->tags, words.arguments[1]);
	names = arena_alloc(&cli->arena, arguments->tags.count * sizeof(*names));
	for (size_t i = 0; ret == 0 && i < arguments->tags.count; i++)
		ret = cli_parse_name(cli, arguments->tags.items[i], &names[i]);
	return ret < 0 ? ret : import(cli, arguments, words.arguments[0], names);
}

static int run_import(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct import_arguments arguments = { .quiet = false };
	int ret = parse_and_import(globals, command, argc, argv, &arguments);

	options_done(import_options, &arguments);
	return ret;
}

const struct command_spec import_command = {
	.name = "import",
	.arguments = "FILE|- [NAME[:TAG]]",
	.options = import_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_import,
	.summary = "make an image of a root file system in a tar archive",
};
