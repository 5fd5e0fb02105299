/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder rmi: take names away; an image without a name goes, with the blobs and layers that
 * nothing else needs (other images, the build cache, containers, running builds).
 */
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"

struct rmi_arguments {
	bool force;
};

/* clang-format off */
static const struct option_spec rmi_options[] = {
	OPT_BOOL('f', "force", struct rmi_arguments, force,
		 "remove all names of an image given by id; an absent image is no error"),
	OPT_END
};
/* clang-format on */

static int remove_name(struct cli *cli, struct store *store, const struct reference *name)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = store_ref_remove(store, name, &cli->err);

	if (ret < 0 && ret != -ENOENT)
		return ret;
	reference_familiar(name, true, &text);
	fprintf(stderr, "untagged: %s\n", text.data);
	return 0;
}

/* By id: all its names, if they are one or it was said so, and its untagged entry. */
static int remove_by_id(struct cli *cli, struct store *store, const struct image *image, bool force)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	size_t names = 0;
	int ret = store_ref_list(store, &refs, &cli->err);

	for (size_t i = 0; ret == 0 && i < refs.count; i++)
		names += refs.items[i].name.name[0] &&
			 digest_equal(&refs.items[i].digest, &image->top.digest);
	if (names > 1 && !force)
		return error_set(&cli->err, ERROR_STATE, 0,
				 "image %.19s has %zu names: remove them by name, or all with -f",
				 image->id.text, names);
	for (size_t i = 0; ret == 0 && i < refs.count; i++)
		if (refs.items[i].name.name[0] &&
		    digest_equal(&refs.items[i].digest, &image->top.digest))
			ret = remove_name(cli, store, &refs.items[i].name);
	if (ret == 0)
		ret = store_untagged_remove(store, &image->top.digest, &cli->err);
	return ret;
}

/* The name itself, even when the image behind it is damaged: 1 done, 0 it is no name. */
static int remove_by_name(struct cli *cli, struct store *store, const char *word)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref ref = { .size = 0 };
	struct reference name;
	int ret = reference_parse(word, &name, NULL);

	if (ret < 0 || name.digest.text[0])
		return 0;
	ret = store_ref_get(store, &name, &ref, NULL);
	if (ret == 0)
		return 0;
	ret = remove_name(cli, store, &name);
	return ret < 0 ? ret : 1;
}

static int remove_image(struct cli *cli, struct store *store, const char *word, bool force)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = remove_by_name(cli, store, word);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = image_load(store, word, &image, &cli->err);
	if (ret == -ENOENT && force) {
		cli->err = (struct error)ERROR_INIT;
		return 0;
	}
	return ret < 0 ? ret : remove_by_id(cli, store, &image, force);
}

static int run_rmi(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct rmi_arguments arguments = { false };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	struct store_collected collected = { 0, 0, STRV_INIT };
	int first = 0, ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	/* one wrong name must not keep the others; the first error is told */
	for (int i = 0; i < words.count; i++) {
		struct error first_err = cli->err;

		ret = remove_image(cli, &store, words.arguments[i], arguments.force);
		if (first < 0)
			cli->err = first_err;
		else
			first = ret;
	}
	ret = store_collect(&store, image_reach, &collected, first < 0 ? NULL : &cli->err);
	for (size_t i = 0; i < collected.names.count; i++)
		fprintf(stderr, "deleted: %s\n", collected.names.items[i]);
	strv_done(&collected.names);
	return first < 0 ? first : ret;
}

const struct command_spec rmi_command = {
	.name = "rmi",
	.arguments = "IMAGE...",
	.options = rmi_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_rmi,
	.summary = "remove images",
};
