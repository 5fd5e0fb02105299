/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder rmi: take names away; an image without a name goes, with the blobs and layers that
 * nothing else needs (other images, the build cache, containers, running builds).
 */
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/registry-args.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"

struct rmi_arguments {
	bool force, remote;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec rmi_options[] = {
	OPT_BOOL('f', "force", struct rmi_arguments, force,
		 "remove all names of an image given by id; an absent image is no error"),
	OPT_BOOL(0, "remote", struct rmi_arguments, remote,
		 "in their registries instead of the store: what a name stands for there, with all its names"),
	OPT_INCLUDE(struct rmi_arguments, registry, registry_option_table),
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

/* -- in a registry -------------------------------------------------------------------------------
 */

/* By its digest, which registries ask for. */
static int remove_manifest(struct registry *registry, const struct reference *name,
			   struct error *err)
{
	cleanup_with(repository_cleanup) struct repository *repository = NULL;
	struct digest digest = name->digest;
	int ret = repository_open(registry, name, REPOSITORY_DELETE, &repository, err);

	if (ret == 0 && !digest.text[0]) {
		ret = repository_has_manifest(repository, name->tag, &digest, err);
		if (ret == 0)
			return error_set(err, ERROR_NOT_FOUND, 0, "%s has no \"%s\" of %s",
					 repository_host(repository), name->tag, name->name);
	}
	if (ret >= 0)
		ret = repository_delete_manifest(repository, digest.text, err);
	if (ret == 0)
		fprintf(stderr, "deleted: %s@%s\n", name->name, digest.text);
	return ret;
}

static int remove_word(struct registry *registry, const char *word, bool force, struct error *err)
{
	struct reference name;
	int ret = reference_parse(word, &name, err);

	if (ret < 0)
		err->code = ERROR_USAGE;
	else
		ret = remove_manifest(registry, &name, err);
	return ret < 0 && force && err->code == ERROR_NOT_FOUND ? 0 : ret;
}

/* One wrong name must not keep the others; the first error is told. */
static int remove_remote(struct cli *cli, const struct rmi_arguments *arguments, char *const *words)
{
	cleanup_registry struct registry *registry = NULL;
	int first = 0, ret = registry_args_open(&arguments->registry, -EBADF, &registry, &cli->err);

	if (ret < 0)
		return ret;
	for (; *words; words++) {
		struct error why = ERROR_INIT;

		ret = remove_word(registry, *words, arguments->force, &why);
		if (ret < 0 && first == 0) {
			first = ret;
			cli->err = why;
		}
	}
	return first;
}

/* -- in the store --------------------------------------------------------------------------------
 */

static int run_rmi(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct rmi_arguments arguments = { false };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	struct store_collected collected = { 0, 0, STRV_INIT };
	int first = 0, ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0 && arguments.remote)
		return remove_remote(cli, &arguments, words.arguments);
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
