/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder inspect: what an image says about itself, as JSON. */
#include "builder/cli/cli.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "spec/json-table.h"
#include "spec/json-write.h"

struct inspect_arguments {
	const char *raw;
};

/* clang-format off */
static const struct option_spec inspect_options[] = {
	OPT_STRING(0, "raw", struct inspect_arguments, raw, "config|manifest",
		   "print this document, byte for byte"),
	OPT_END
};

enum { RAW_NONE, RAW_CONFIG, RAW_MANIFEST };

static const struct name_value raw_documents[] = {
	{ "config", RAW_CONFIG }, { "manifest", RAW_MANIFEST }, { NULL, 0 },
};

/* The members of the config document, as raw text: what the image really has is shown, known to us
 * or not. */
struct config_members {
	const char *created, *author, *architecture, *variant, *os, *config, *rootfs, *history;
};

static const struct json_field config_fields[] = {
	JSON_RAW(struct config_members, "created", created),
	JSON_RAW(struct config_members, "author", author),
	JSON_RAW(struct config_members, "architecture", architecture),
	JSON_RAW(struct config_members, "variant", variant),
	JSON_RAW(struct config_members, "os", os),
	JSON_RAW(struct config_members, "config", config),
	JSON_RAW(struct config_members, "rootfs", rootfs),
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
	{ "RootFS",       offsetof(struct config_members, rootfs) },
	{ "History",      offsetof(struct config_members, history) },
};
/* clang-format on */

static int write_names(struct store *store, const struct image *image, struct json_writer *writer,
		       struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret = store_ref_list(store, &refs, err);

	if (ret < 0)
		return ret;
	json_key(writer, "RepoTags");
	json_begin_array(writer);
	for (size_t i = 0; i < refs.count; i++) {
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		if (!refs.items[i].name.name[0] ||
		    !digest_equal(&refs.items[i].digest, &image->top.digest))
			continue;
		reference_familiar(&refs.items[i].name, true, &name);
		json_string(writer, name.data);
	}
	json_end_array(writer);
	return 0;
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
	int ret = json_decode(&source, &config_object, &arena, &members, err);

	if (ret < 0)
		return ret;
	json_begin_object(writer);
	json_key(writer, "Id");
	json_string(writer, image->id.text);
	json_key(writer, "Digest");
	json_string(writer, image->top.digest.text);
	ret = write_names(store, image, writer, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(shown_members); i++) {
		const char *text = *(const char *const *)(const void *)((const char *)&members +
									shown_members[i].offset);

		if (!text)
			continue;
		json_key(writer, shown_members[i].key);
		json_raw(writer, text);
	}
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

static int run_inspect(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct inspect_arguments arguments = { NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };
	int raw = RAW_NONE;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_choose(cli, "--raw", raw_documents, arguments.raw, &raw);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	json_begin_array(&writer);
	for (int i = 0; i < words.count; i++) {
		cleanup_image struct image image = { .arena = ARENA_INIT };

		ret = image_load(&store, words.arguments[i], &image, &cli->err);
		if (ret == 0 && raw)
			print_raw(&image, raw);
		else if (ret == 0)
			ret = write_image(&store, &image, &writer, &cli->err);
		if (ret < 0)
			return ret;
	}
	json_end_array(&writer);
	if (!raw)
		puts(out.data);
	return 0;
}

const struct command_spec inspect_command = {
	.name = "inspect",
	.arguments = "IMAGE...",
	.options = inspect_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_inspect,
	.summary = "show an image's configuration as JSON",
};
