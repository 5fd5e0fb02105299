/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder manifest inspect: what a name stands for, a list or the manifest of one image: the
 * store's, as podman looks for it first, else a registry's, which docker always asks. The bytes are
 * printed as they are, so that their digest is that of the name.
 */
#include <stdio.h>
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/listing.h"
#include "builder/cli/registry-args.h"
#include "builder/image/image.h"
#include "builder/registry/short-names.h"
#include "lib/cleanup.h"

struct inspect_arguments {
	bool remote;
	const char *format;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec inspect_options[] = {
	OPT_STRING('f', "format", struct inspect_arguments, format, "json|TEMPLATE",
		   "the JSON object as it is (default), or a text by a template"),
	OPT_BOOL(0, "remote", struct inspect_arguments, remote,
		 "what the registry has, whatever the store has by this name"),
	OPT_INCLUDE(struct inspect_arguments, registry, registry_option_table),
	OPT_END
};
/* clang-format on */

/* The digest that the store has for a name: 1, or 0 when it has none. */
static int find_local(struct store *store, const struct reference *name, struct digest *out,
		      struct error *err)
{
	cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret;

	if (!name->digest.text[0]) {
		ret = store_ref_get(store, name, &ref, err);
		*out = ref.digest;
		return ret;
	}
	*out = name->digest;
	ret = store_ref_list(store, &refs, err);
	for (size_t i = 0; ret == 0 && i < refs.count; i++)
		if (digest_equal(&refs.items[i].digest, out))
			return 1;
	return ret;
}

/* 1, or 0 when it is not in the store. */
static int read_local(struct cli *cli, const struct reference *name, struct strbuf *out)
{
	cleanup_store struct store store = STORE_INIT;
	struct digest digest;
	int ret = cli_open_store(cli, false, &store);

	if (ret == 0)
		ret = find_local(&store, name, &digest, &cli->err);
	if (ret != 1)
		return ret;
	ret = store_blob_get(&store, &digest, IMAGE_DOCUMENT_MAX, out, &cli->err);
	return ret < 0 ? ret : 1;
}

static int read_remote(struct registry *registry, const char *text, struct strbuf *out,
		       struct error *err)
{
	cleanup_manifest struct registry_manifest manifest = REGISTRY_MANIFEST_INIT;
	cleanup_with(repository_cleanup) struct repository *repository = NULL;
	struct reference name;
	int ret = reference_parse(text, &name, err);

	if (ret == 0)
		ret = repository_open(registry, &name, REPOSITORY_PULL, &repository, err);
	if (ret == 0)
		ret = repository_get_manifest(repository,
					      name.digest.text[0] ? name.digest.text : name.tag,
					      &manifest, err);
	if (ret == 0)
		strbuf_add(out, strbuf_text(&manifest.bytes), manifest.bytes.size);
	return ret;
}

/* The first of what the word may stand for that a registry has; the error is that of the last. */
static int read_first(struct registry *registry, const char *word, struct strbuf *out,
		      struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	int ret = short_names_list(registry, word, &names, err);

	for (size_t i = 0; (i == 0 || ret < 0) && i < names.count; i++) {
		struct error why = ERROR_INIT;

		ret = read_remote(registry, names.items[i], out, &why);
		if (ret < 0)
			*err = why;
		if (why.code == ERROR_CANCELLED)
			return ret;
	}
	return ret;
}

static int read_document(struct cli *cli, const struct inspect_arguments *arguments,
			 const char *word, struct strbuf *out)
{
	cleanup_registry struct registry *registry = NULL;
	struct reference name;
	int ret = cli_parse_reference(cli, word, &name);

	if (ret == 0)
		ret = registry_args_open(&arguments->registry, -EBADF, &registry, &cli->err);
	if (ret == 0 && !arguments->remote)
		ret = read_local(cli, &name, out);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = read_first(registry, word, out, &cli->err);
	if (ret == 0)
		return 0;
	return arguments->remote ? error_prefix(&cli->err, ret, "read the manifest of \"%s\"", word)
				 : error_prefix(&cli->err, ret,
						"\"%s\" is not in the store and cannot be read "
						"from a registry",
						word);
}

static int run_inspect(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct inspect_arguments arguments = { .format = NULL };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = read_document(cli, &arguments, words.arguments[0], &text);
	if (ret < 0)
		return ret;
	if (arguments.format && !listing_is_json(arguments.format))
		return listing_print_one(cli, arguments.format, strbuf_text(&text));
	puts(strbuf_text(&text));
	return 0;
}

const struct command_spec manifest_inspect_command = {
	.name = "manifest inspect",
	.arguments = "NAME[:TAG|@DIGEST]",
	.options = inspect_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_inspect,
	.summary = "show the list or manifest that a name stands for, in the store or a registry",
};
