/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder copy: an image from one place of blobs to another, byte for byte. The store lends
 * scratch space and keeps nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/cache-place.h"
#include "builder/cli/cli.h"
#include "builder/cli/copy-archive.h"
#include "builder/cli/registry-args.h"
#include "builder/image/image-index.h"
#include "builder/image/platform.h"
#include "builder/registry/policy.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "spec/image-manifest.h"

struct copy_arguments {
	bool all;
	const char *platform;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec copy_options[] = {
	OPT_BOOL('a', "all-platforms", struct copy_arguments, all, "all platforms that it has, and the index"),
	OPT_STRING(0, "platform", struct copy_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of an image of several platforms (default: this machine's)"),
	OPT_INCLUDE(struct copy_arguments, registry, registry_option_table),
	OPT_END
};
/* clang-format on */

struct copy {
	struct store *store;
	struct blob_place *from, *to;
	struct copy_archive from_archive, to_archive; /* path NULL: it is none */
	const char *platform;
	bool all;
	struct arena arena;
	struct error *err;
};

static void copy_done(struct copy *copy)
{
	blob_place_close(copy->from);
	blob_place_close(copy->to);
	copy_archive_done(&copy->from_archive);
	copy_archive_done(&copy->to_archive);
	arena_done(&copy->arena);
}

/* -- blobs ---------------------------------------------------------------------------------------
 */

static int copy_blob(struct copy *copy, const struct descriptor *blob)
{
	cleanup_close int write_fd = -EBADF, fd = -EBADF;
	char name[STORE_NAME_SIZE];
	struct digest digest;
	int ret = digest_parse(blob->digest, &digest, copy->err);

	if (ret == 0)
		ret = copy->to->kind->has_blob(copy->to, &digest, copy->err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = store_scratch_open(copy->store, name, &write_fd, copy->err);
	if (ret < 0)
		return ret;
	fd = openat(copy->store->fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(copy->err, errno, "open \"%s\" of the store", name);
	ret = copy->from->kind->get_blob(copy->from, &digest, blob->size, fd, copy->err);
	if (ret == 0)
		ret = copy->to->kind->put_blob(copy->to, &digest, blob->size, fd, copy->err);
	(void)unlinkat(copy->store->fd, name, 0); /* else the session's end does it */
	return ret;
}

/* All that a manifest lists. */
static int copy_listed(struct copy *copy, const struct strbuf *text, const char **out_type)
{
	struct image_manifest *manifest = NULL;
	int ret = image_manifest_decode("manifest", strbuf_text(text), text->size, &copy->arena,
					&manifest, copy->err);

	for (size_t i = 0; ret == 0 && i < manifest->layers.count; i++)
		ret = copy_blob(copy, &manifest->layers.items[i]);
	if (ret == 0)
		ret = copy_blob(copy, manifest->config);
	if (ret == 0)
		*out_type = manifest->media_type ? manifest->media_type : MEDIA_TYPE_MANIFEST;
	return ret;
}

/* -- images --------------------------------------------------------------------------------------
 */

static int get_child(struct copy *copy, const struct descriptor *child, struct digest *out_digest,
		     struct strbuf *out)
{
	int ret = digest_parse(child->digest, out_digest, copy->err);

	return ret < 0 ? ret
		       : copy->from->kind->get_document(copy->from, out_digest, out, copy->err);
}

static int copy_child(struct copy *copy, const struct descriptor *child)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *media_type = NULL;
	struct digest digest;
	int ret = get_child(copy, child, &digest, &text);

	if (ret == 0)
		ret = copy_listed(copy, &text, &media_type);
	return ret < 0 ? ret
		       : copy->to->kind->put_document(copy->to, media_type, &digest, &text,
						      copy->err);
}

/* Of an index all, or the one manifest that takes its place in text. */
static int copy_index(struct copy *copy, const struct image_index *index, struct strbuf *text)
{
	const struct descriptor *chosen = NULL;
	struct digest digest;
	int ret = 0;

	if (!copy->all) {
		ret = image_index_choose(index, copy->platform, &chosen, copy->err);
		strbuf_truncate(text, 0);
		return ret < 0 ? ret : get_child(copy, chosen, &digest, text);
	}
	for (size_t i = 0; ret == 0 && i < index->manifests.count; i++)
		ret = copy_child(copy, &index->manifests.items[i]);
	return ret;
}

/* text: the manifest or index of the source; afterwards what the destination has. */
static int copy_image(struct copy *copy, struct strbuf *text, struct digest *out_digest)
{
	const char *media_type = MEDIA_TYPE_INDEX;
	struct image_index *index = NULL;
	/* it is a manifest when it is no index */
	bool is_index = image_index_decode("index", strbuf_text(text), text->size, &copy->arena,
					   &index, NULL) == 0;
	int ret = is_index ? copy_index(copy, index, text) : 0;

	if (ret == 0 && is_index && copy->all)
		media_type = index->media_type ? index->media_type : media_type;
	else if (ret == 0)
		ret = copy_listed(copy, text, &media_type);
	if (ret == 0)
		ret = copy->to->kind->put_manifest(copy->to, media_type, text, copy->err);
	digest_of(strbuf_text(text), text->size, out_digest);
	return ret;
}

/* -- places --------------------------------------------------------------------------------------
 */

static int open_registry(const char *name, bool to, struct registry *registry,
			 struct blob_place **out, struct error *err)
{
	struct reference reference;
	int ret = to ? 0 : reference_parse(name, &reference, err);

	if (ret == 0 && !to)
		ret = policy_check(&reference, err);
	return ret < 0 ? ret : cache_registry_open(name, to, registry, out, err);
}

/* DIR[:TAG]: a colon of the path has a slash behind it. */
static int open_layout(const char *text, bool to, struct blob_place **out, struct error *err)
{
	const char *colon = strrchr(text, ':');
	const char *tag = colon && !strchr(colon, '/') ? colon + 1 : NULL;
	cleanup_free char *path = tag ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);

	int ret;

	if (to)
		return blob_layout_create(path, tag, out, err);
	ret = policy_check_path("oci", path, err);
	return ret < 0 ? ret : blob_layout_open(path, tag, NULL, out, err);
}

/* What stands in front of a place; archives are files that it is made of or becomes. */
/* clang-format off */
static const struct {
	const char *prefix;
	const char *archive; /* its transport; NULL = it is none */
} transports[] = {
	{ "docker://",       NULL },
	{ "oci-archive:",    "oci-archive" },
	{ "docker-archive:", "docker-archive" },
	{ "oci:",            NULL },
};
/* clang-format on */

static size_t find_transport(const char *word)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(transports) &&
	       strncmp(word, transports[i].prefix, strlen(transports[i].prefix)) != 0)
		i++;
	return i;
}

static int open_place(struct copy *copy, const char *word, bool to, struct registry *registry,
		      struct blob_place **out)
{
	struct copy_archive *archive = to ? &copy->to_archive : &copy->from_archive;
	size_t which = find_transport(word);
	const char *rest = word + strlen(transports[which].prefix);

	if (transports[which].archive) {
		copy_archive_init(archive, copy->store, transports[which].archive, rest);
		return to ? copy_archive_create(archive, out, copy->err)
			  : copy_archive_open(archive, out, copy->err);
	}
	return which == 0 ? open_registry(rest, to, registry, out, copy->err)
			  : open_layout(rest, to, out, copy->err);
}

/* The word's own mistakes, before anything is asked or made: what is written has a tag, no digest.
 */
static int check_word(struct cli *cli, const char *word, bool to)
{
	size_t which = find_transport(word);
	const char *name = word + strlen("docker://");
	struct reference ignored;

	if (which == ARRAY_SIZE(transports))
		return error_set(&cli->err, ERROR_USAGE, 0,
				 "\"%s\": an image to copy is docker://NAME, oci:DIR[:TAG], "
				 "oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME] (pull, "
				 "push, save and "
				 "load are for the store)",
				 word);
	if (which != 0)
		return 0;
	return to ? cli_parse_name(cli, name, &ignored) : cli_parse_reference(cli, name, &ignored);
}

/* The destination is made when the source is known to be there. */
static int copy_words(struct copy *copy, struct registry *registry, char **words)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct digest digest;
	int ret = open_place(copy, words[0], false, registry, &copy->from);

	if (ret == 0)
		ret = copy->from->kind->get_manifest(copy->from, &text, copy->err);
	if (ret == 0)
		ret = open_place(copy, words[1], true, registry, &copy->to);
	if (ret == 0)
		ret = copy_image(copy, &text, &digest);
	if (ret == 0 && copy->to_archive.path)
		ret = copy_archive_write(&copy->to_archive, copy->platform, copy->all, copy->err);
	if (ret == 0)
		puts(digest.text);
	return ret;
}

static int run_copy(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct copy_arguments arguments = { 0 };
	struct option_result words = { 0 };
	cleanup_registry struct registry *registry = NULL;
	cleanup_free char *host = platform_host(), *platform = NULL;
	cleanup_store struct store store = STORE_INIT;
	cleanup_with(copy_done) struct copy copy = { .store = &store, .err = &cli->err };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	for (int i = 0; ret == 0 && i < words.count; i++)
		ret = check_word(cli, words.arguments[i], i == 1);
	if (ret == 0 && arguments.platform)
		ret = platform_normalize(arguments.platform, host, &platform, &cli->err);
	if (ret == 0)
		ret = registry_args_open(&arguments.registry, -EBADF, &registry, &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	copy.platform = platform;
	copy.all = arguments.all;
	return copy_words(&copy, registry, words.arguments);
}

const struct command_spec copy_command = {
	.name = "copy",
	.arguments = "SOURCE DESTINATION",
	.options = copy_options,
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_copy,
	.summary = "copy an image between registries, OCI layouts and archives",
};
