/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder save: images with their layers and documents as one archive. */
#include "builder/cli/archive-file.h"
#include "builder/cli/cli.h"
#include "builder/cli/pull-image.h"
#include "builder/image/image.h"
#include "builder/image/output-oci.h"
#include "lib/cleanup.h"

struct save_source {
	struct store *store;
	struct image *images;
	size_t count;
};

static int write_images(void *context, int fd, struct error *err)
{
	const struct save_source *source = context;

	return output_oci(source->store, source->images, source->count, false, fd, err);
}

/* All names are looked up before a byte is written. */
static int save(struct cli *cli, struct save_source *source, const struct option_result *words,
		const char *output)
{
	int ret = 0;

	source->images = arena_alloc(&cli->arena, (size_t)words->count * sizeof(*source->images));
	for (int i = 0; ret == 0 && i < words->count; i++) {
		ret = image_load(source->store, words->arguments[i], &source->images[i], &cli->err);
		source->count += ret == 0;
		if (ret == 0)
			ret = pull_lazy_layers(source->store, &source->images[i], &cli->err);
	}
	if (ret == 0)
		ret = archive_write(output, write_images, source, &cli->err);
	for (size_t i = 0; i < source->count; i++)
		image_done(&source->images[i]);
	return ret;
}

static int run_save(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct archive_arguments arguments = { NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	struct save_source source = { .store = &store };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = archive_check_output(cli, arguments.output);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	return ret < 0 ? ret : save(cli, &source, &words, arguments.output);
}

const struct command_spec save_command = {
	.name = "save",
	.arguments = "IMAGE...",
	.options = archive_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_save,
	.summary = "write images as an archive that docker, podman and skopeo load",
};
