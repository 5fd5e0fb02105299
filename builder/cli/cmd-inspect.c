/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder inspect: what a container or an image says about itself, as JSON. */
#include <stdio.h>
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/container-inspect.h"
#include "builder/cli/listing.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "spec/json-table.h"
#include "spec/json-write.h"

struct inspect_arguments {
	const char *raw, *format, *type;
	bool size;
};

/* clang-format off */
static const struct option_spec inspect_options[] = {
	OPT_STRING(0, "raw", struct inspect_arguments, raw, "config|manifest",
		   "of an image: print this document, byte for byte"),
	OPT_STRING('f', "format", struct inspect_arguments, format, "json|TEMPLATE",
		   "a JSON array (default), or a text for each by a template"),
	OPT_STRING(0, "type", struct inspect_arguments, type, "container|image",
		   "what it is (default: a container, else an image)"),
	OPT_BOOL('s', "size", struct inspect_arguments, size, "of a container: also how much place it takes"),
	OPT_END
};

/* Documents leave out what is empty; docker's templates find it there. */
static const struct go_zero zeros[] = {
	{ ".Author",              "\"\"" },
	{ ".Comment",             "\"\"" },
	{ ".Created",             "\"\"" },
	{ ".DockerVersion",       "\"\"" },
	{ ".OsVersion",           "\"\"" },
	{ ".Parent",              "\"\"" },
	{ ".Variant",             "\"\"" },
	{ ".Config.AttachStderr", "false" },
	{ ".Config.AttachStdin",  "false" },
	{ ".Config.AttachStdout", "false" },
	{ ".Config.Cmd",          "null" },
	{ ".Config.Domainname",   "\"\"" },
	{ ".Config.Entrypoint",   "null" },
	{ ".Config.Env",          "null" },
	{ ".Config.ExposedPorts", "null" },
	{ ".Config.Healthcheck",  "null" },
	{ ".Config.Hostname",     "\"\"" },
	{ ".Config.Image",        "\"\"" },
	{ ".Config.Labels",       "null" },
	{ ".Config.OnBuild",      "null" },
	{ ".Config.OpenStdin",    "false" },
	{ ".Config.Shell",        "null" },
	{ ".Config.StdinOnce",    "false" },
	{ ".Config.StopSignal",   "\"\"" },
	{ ".Config.Tty",          "false" },
	{ ".Config.User",         "\"\"" },
	{ ".Config.Volumes",      "null" },
	{ ".Config.WorkingDir",   "\"\"" },
	{ ".State.Health",        "null" },
	{ NULL,                   NULL },
};

enum { TYPE_ANY, TYPE_CONTAINER, TYPE_IMAGE };

static const struct name_value types[] = {
	{ "container", TYPE_CONTAINER }, { "image", TYPE_IMAGE }, { NULL, 0 },
};

enum { RAW_NONE, RAW_CONFIG, RAW_MANIFEST };

static const struct name_value raw_documents[] = {
	{ "config", RAW_CONFIG }, { "manifest", RAW_MANIFEST }, { NULL, 0 },
};

/* The members of the config document, as raw text: what the image really has is shown, known to us
 * or not. */
struct config_members {
	const char *created, *author, *architecture, *variant, *os, *config, *history;
};

static const struct json_field config_fields[] = {
	JSON_RAW(struct config_members, "created", created),
	JSON_RAW(struct config_members, "author", author),
	JSON_RAW(struct config_members, "architecture", architecture),
	JSON_RAW(struct config_members, "variant", variant),
	JSON_RAW(struct config_members, "os", os),
	JSON_RAW(struct config_members, "config", config),
	JSON_RAW(struct config_members, "history", history),
};
static const struct json_object config_object = JSON_TABLE(struct config_members, config_fields);

/* key in the output, member */
static const struct {
	const char *key;
	size_t offset;
} shown_members[] = {
	{ "Created",      offsetof(struct config_members, created) },
	{ "Author",       offsetof(struct config_members, author) },
	{ "Architecture", offsetof(struct config_members, architecture) },
	{ "Variant",      offsetof(struct config_members, variant) },
	{ "Os",           offsetof(struct config_members, os) },
	{ "Config",       offsetof(struct config_members, config) },
	{ "History",      offsetof(struct config_members, history) },
};
/* clang-format on */

/* NAME:TAG of each name, or NAME@DIGEST of each repository. */
static void write_names(const struct store_refs *refs, const struct digest *top, bool digests,
			struct json_writer *writer)
{
	cleanup_strv struct strv names = STRV_INIT;

	for (size_t i = 0; i < refs->count; i++) {
		const struct reference *ref = &refs->items[i].name;
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		if (!ref->name[0] || !digest_equal(&refs->items[i].digest, top))
			continue;
		if (digests)
			strbuf_addf(&name, "%s@%s", reference_familiar_name(ref), top->text);
		else
			reference_familiar(ref, true, &name);
		if (!strv_contains(&names, name.data))
			strv_add(&names, name.data);
	}
	json_key(writer, digests ? "RepoDigests" : "RepoTags");
	json_begin_array(writer);
	for (size_t i = 0; i < names.count; i++)
		json_string(writer, names.items[i]);
	json_end_array(writer);
}

/* The diffIDs, by the names that docker has for them. */
static void write_rootfs(const struct image_rootfs *rootfs, struct json_writer *writer)
{
	json_key(writer, "RootFS");
	json_begin_object(writer);
	json_put_string(writer, "Type", rootfs->type);
	json_key(writer, "Layers");
	json_begin_array(writer);
	for (size_t i = 0; i < rootfs->diff_ids.count; i++)
		json_string(writer, rootfs->diff_ids.items[i]);
	json_end_array(writer);
	json_end_object(writer);
}

static int write_image(struct store *store, const struct image *image, struct json_writer *writer,
		       struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct config_members members = { NULL };
	const struct json_source source = { .name = "config",
					    .text = image->config_bytes.data,
					    .size = image->config_bytes.size,
					    .flags = JSON_LAST_WINS };
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret = json_decode(&source, &config_object, &arena, &members, err);

	if (ret == 0)
		ret = store_ref_list(store, &refs, err);
	if (ret < 0)
		return ret;
	json_begin_object(writer);
	json_key(writer, "Id");
	json_string(writer, image->id.text);
	json_key(writer, "Digest");
	json_string(writer, image->top.digest.text);
	write_names(&refs, &image->top.digest, false, writer);
	write_names(&refs, &image->top.digest, true, writer);
	for (size_t i = 0; i < ARRAY_SIZE(shown_members); i++) {
		const char *text = *(const char *const *)(const void *)((const char *)&members +
									shown_members[i].offset);

		if (!text)
			continue;
		json_key(writer, shown_members[i].key);
		json_raw(writer, text);
	}
	write_rootfs(image->config->rootfs, writer);
	json_key(writer, "Size");
	json_u64(writer, image_size(image));
	json_end_object(writer);
	return 0;
}

static void print_raw(const struct image *image, int which)
{
	const struct strbuf *bytes =
		which == RAW_CONFIG ? &image->config_bytes : &image->manifest_bytes;

	fwrite(bytes->data, 1, bytes->size, stdout); /* cli_main() checks stdout at the end */
}

static int inspect_image(struct store *store, const char *word, struct json_writer *writer,
			 struct error *err)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = image_load(store, word, &image, err);

	return ret < 0 ? ret : write_image(store, &image, writer, err);
}

/* As JSON text. */
static int inspect(struct store *store, const char *word, int type, bool size, struct strbuf *out,
		   struct error *err)
{
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	struct json_writer writer = { .out = out };
	struct error why = ERROR_INIT;
	int ret = type == TYPE_IMAGE ? -ENOENT : container_record_find(store, word, &record, &why);

	if (ret == 0) {
		container_inspect(store, &record, size, &writer);
		return 0;
	}
	if (type == TYPE_CONTAINER ||
	    (ret < 0 && type != TYPE_IMAGE && why.code != ERROR_NOT_FOUND)) {
		if (err)
			*err = why;
		return ret;
	}
	return inspect_image(store, word, &writer, err);
}

static int inspect_raw(struct store *store, char *const *words, int raw, struct error *err)
{
	for (; *words; words++) {
		cleanup_image struct image image = { .arena = ARENA_INIT };
		int ret = image_load(store, *words, &image, err);

		if (ret < 0)
			return ret;
		print_raw(&image, raw);
	}
	return 0;
}

/* All is looked up before anything is printed. */
static int inspect_all(struct cli *cli, struct store *store, char *const *words, int type,
		       const struct inspect_arguments *arguments)
{
	static const struct listing listing = { .zeros = zeros };
	cleanup_strv struct strv rows = STRV_INIT;

	for (; *words; words++) {
		cleanup_strbuf struct strbuf one = STRBUF_INIT;
		int ret = inspect(store, *words, type, arguments->size, &one, &cli->err);

		if (ret < 0)
			return ret;
		strv_add(&rows, one.data);
	}
	return listing_print(cli, &listing, arguments->format ? arguments->format : "json", &rows);
}

static int run_inspect(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct inspect_arguments arguments = { NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	int raw = RAW_NONE, type = TYPE_ANY;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_choose(cli, "--raw", raw_documents, arguments.raw, &raw);
	if (ret == 0)
		ret = cli_choose(cli, "--type", types, arguments.type, &type);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	if (raw)
		return inspect_raw(&store, words.arguments, raw, &cli->err);
	return inspect_all(cli, &store, words.arguments, type, &arguments);
}

const struct command_spec inspect_command = {
	.name = "inspect",
	.arguments = "CONTAINER|IMAGE...",
	.options = inspect_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_inspect,
	.summary = "show what a container or an image is, as JSON",
};
