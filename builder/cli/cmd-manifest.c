/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder manifest: lists of images for several platforms, made of images of the store; what
 * looks at them is in cmd-manifest-inspect.c. */
#include <stdio.h>
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/pull-image.h"
#include "builder/cli/push-image.h"
#include "builder/cli/registry-args.h"
#include "builder/image/image-index.h"
#include "builder/image/index-write.h"
#include "lib/cleanup.h"

/* The list that a verb is about; documents live in the arena. */
struct manifest {
	struct cli *cli;
	struct store store;
	struct reference name;
	struct store_ref ref;
	struct image_index *index;
};

static void manifest_done(struct manifest *manifest)
{
	store_ref_done(&manifest->ref);
	store_close(&manifest->store);
}

#define MANIFEST_INIT(c)                                                                           \
	{                                                                                          \
		.cli = (c), .store = STORE_INIT                                                    \
	}

/* Open the store and read the list, if there is one. 1 there is. */
static int find_list(struct manifest *manifest, const char *word)
{
	struct cli *cli = manifest->cli;
	int ret = cli_parse_name(cli, word, &manifest->name);

	if (ret == 0)
		ret = cli_open_store(cli, false, &manifest->store);
	if (ret == 0)
		ret = store_ref_get(&manifest->store, &manifest->name, &manifest->ref, &cli->err);
	if (ret != 1)
		return ret;
	ret = index_read(&manifest->store, &manifest->ref, &cli->arena, &manifest->index,
			 &cli->err);
	return ret < 0 ? ret : 1;
}

static int need_list(struct manifest *manifest, const char *word)
{
	int ret = find_list(manifest, word);

	return ret == 0 ? error_set(&manifest->cli->err, ERROR_NOT_FOUND, 0,
				    "there is no list \"%s\" in the store", word)
			: ret;
}

static int write_list(struct manifest *manifest, const struct image_index *index)
{
	cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
	struct error *err = &manifest->cli->err;
	int ret = index_put(&manifest->store, index, &ref, err);

	if (ret == 0)
		ret = store_ref_set(&manifest->store, &manifest->name, &ref, err);
	if (ret == 0)
		puts(ref.digest.text);
	return ret;
}

/* -- create --------------------------------------------------------------------------------------
 */

struct create_arguments {
	bool amend;
};

/* clang-format off */
static const struct option_spec create_options[] = {
	OPT_BOOL('a', "amend", struct create_arguments, amend, "add to the list when it is there"),
	OPT_END
};
/* clang-format on */

/* An image of one platform, or all of another list. */
static int add_image(struct manifest *manifest, struct image_index *index, const char *word)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct image_index *other = NULL;
	struct cli *cli = manifest->cli;
	int ret = image_load(&manifest->store, word, &image, &cli->err);

	if (ret == 0 && media_type_is_index(image.top.media_type)) {
		ret = index_read(&manifest->store, &image.top, &cli->arena, &other, &cli->err);
		for (size_t i = 0; ret == 0 && i < other->manifests.count; i++)
			index_add(index, &other->manifests.items[i], &cli->arena);
		return ret;
	}
	if (ret == 0)
		ret = pull_lazy_layers(&manifest->store, &image, &cli->err);
	return ret < 0 ? ret
		       : index_add_image(&manifest->store, index, &image, NULL, &cli->arena,
					 &cli->err);
}

static int run_create(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct create_arguments arguments = { false };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	cleanup_with(manifest_done) struct manifest manifest = MANIFEST_INIT(cli);
	struct image_index fresh = { .schema_version = 2, .media_type = MEDIA_TYPE_INDEX };
	struct image_index *index = &fresh;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = find_list(&manifest, words.arguments[0]);
	if (ret == 1 && !arguments.amend)
		ret = error_set(&cli->err, ERROR_EXISTS, 0,
				"the list \"%s\" is there already (--amend adds to it)",
				words.arguments[0]);
	if (ret < 0)
		return ret;
	fresh.manifests.items = arena_alloc(&cli->arena, sizeof(struct descriptor));
	if (ret == 1)
		index = manifest.index;
	ret = 0;
	for (int i = 1; ret == 0 && i < words.count; i++)
		ret = add_image(&manifest, index, words.arguments[i]);
	return ret < 0 ? ret : write_list(&manifest, index);
}

/* -- annotate ------------------------------------------------------------------------------------
 */

struct annotate_arguments {
	struct strv annotations;
	const char *arch, *os, *variant, *os_version;
};

/* clang-format off */
static const struct option_spec annotate_options[] = {
	OPT_STRING(0, "arch", struct annotate_arguments, arch, "ARCH", "its architecture"),
	OPT_STRING(0, "os", struct annotate_arguments, os, "OS", "its system"),
	OPT_STRING(0, "os-version", struct annotate_arguments, os_version, "VERSION", "the system's version"),
	OPT_STRING(0, "variant", struct annotate_arguments, variant, "VARIANT", "of the architecture"),
	OPT_STRV(0, "annotation", struct annotate_arguments, annotations, "NAME=VALUE", "of the entry"),
	OPT_END
};
/* clang-format on */

/* By its digest, or by the name of an image of the store whose id it has. */
static int find_entry(struct manifest *manifest, const char *word, struct descriptor **out)
{
	struct descriptor_list *list = &manifest->index->manifests;
	struct error *err = &manifest->cli->err;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret;

	for (size_t i = 0; i < list->count; i++) {
		*out = &list->items[i];
		if (strcmp((*out)->digest, word) == 0)
			return 0;
	}
	ret = image_load(&manifest->store, word, &image, err);
	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		struct store_ref ref = { .media_type = (char *)list->items[i].media_type };
		cleanup_image struct image entry = { .arena = ARENA_INIT };

		*out = &list->items[i];
		if (digest_parse((*out)->digest, &ref.digest, NULL) == 0 &&
		    image_load_ref(&manifest->store, &ref, &entry, NULL) == 0 &&
		    digest_equal(&entry.id, &image.id))
			return 0;
	}
	return ret < 0 ? ret
		       : error_set(err, ERROR_NOT_FOUND, 0, "the list has no entry for \"%s\"",
				   word);
}

static void change_entry(const struct annotate_arguments *arguments, struct descriptor *entry,
			 struct arena *arena)
{
	struct image_platform *platform = entry->platform;

	if (!platform)
		entry->platform = platform = arena_alloc(arena, sizeof(*platform));
	if (arguments->arch)
		platform->architecture = arguments->arch;
	if (arguments->os)
		platform->os = arguments->os;
	if (arguments->variant)
		platform->variant = arguments->variant;
	if (arguments->os_version)
		platform->os_version = arguments->os_version;
	for (size_t i = 0; i < arguments->annotations.count; i++) {
		char *key = arguments->annotations.items[i];
		char *value = strchr(key, '=');

		if (value)
			*value++ = '\0';
		json_map_set(&entry->annotations, arena, key, value ? value : "");
	}
}

static int run_annotate(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct annotate_arguments arguments = { .arch = NULL };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	cleanup_with(manifest_done) struct manifest manifest = MANIFEST_INIT(cli);
	struct descriptor *entry = NULL;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = need_list(&manifest, words.arguments[0]);
	if (ret == 1)
		ret = find_entry(&manifest, words.arguments[1], &entry);
	if (ret == 0) {
		change_entry(&arguments, entry, &cli->arena);
		ret = write_list(&manifest, manifest.index);
	}
	options_done(annotate_options, &arguments);
	return ret;
}

/* -- push, rm ------------------------------------------------------------------------------------
 */

static const struct option_spec no_options[] = { OPT_END };

struct push_arguments {
	bool quiet;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec push_options[] = {
	OPT_BOOL('q', "quiet", struct push_arguments, quiet, "print the pushed name only"),
	OPT_INCLUDE(struct push_arguments, registry, registry_option_table),
	OPT_END
};
/* clang-format on */

static int run_push(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct push_arguments arguments = { false };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	cleanup_with(manifest_done) struct manifest manifest = MANIFEST_INIT(cli);
	cleanup_registry struct registry *registry = NULL;
	struct image image = { .arena = ARENA_INIT };
	struct push_result result;
	struct reference name;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_parse_name(cli, words.arguments[words.count - 1], &name);
	if (ret == 0)
		ret = need_list(&manifest, words.arguments[0]);
	if (ret >= 0)
		ret = registry_args_open(&arguments.registry, -EBADF, &registry, &cli->err);
	if (ret < 0)
		return ret;
	image.top = manifest.ref; /* borrowed */
	ret = push_named(&(struct push_how){ .store = &manifest.store,
					     .registry = registry,
					     .all = true,
					     .out = arguments.quiet ? NULL : stderr },
			 &image, &name, &result, &cli->err);
	if (ret == 0)
		printf("%s@%s\n", name.name, result.digest.text);
	return ret;
}

static int run_rm(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct option_result words = { 0 };
	struct cli *cli = globals;
	cleanup_with(manifest_done) struct manifest manifest = MANIFEST_INIT(cli);
	struct store_collected collected = { .names = STRV_INIT };
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = need_list(&manifest, words.arguments[0]);
	if (ret == 1)
		ret = store_ref_remove(&manifest.store, &manifest.name, &cli->err);
	if (ret == 0)
		ret = store_untagged_remove(&manifest.store, &manifest.ref.digest, &cli->err);
	if (ret == 0)
		ret = store_collect(&manifest.store, image_reach, &collected, &cli->err);
	strv_done(&collected.names);
	return ret;
}

/* clang-format off */
const struct command_spec manifest_create_command = {
	.name = "manifest create",
	.arguments = "LIST IMAGE...",
	.options = create_options,
	.arguments_min = 2,
	.arguments_max = -1,
	.run = run_create,
	.summary = "make a list of images, each for its platform",
};

const struct command_spec manifest_annotate_command = {
	.name = "manifest annotate",
	.arguments = "LIST IMAGE|DIGEST",
	.options = annotate_options,
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_annotate,
	.summary = "change what a list says of an image",
};

const struct command_spec manifest_push_command = {
	.name = "manifest push",
	.arguments = "LIST [NAME[:TAG]]",
	.options = push_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_push,
	.summary = "send a list with all its images to a registry",
};

const struct command_spec manifest_rm_command = {
	.name = "manifest rm",
	.arguments = "LIST",
	.options = no_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_rm,
	.summary = "remove a list, and what nothing else needs",
};
/* clang-format on */
