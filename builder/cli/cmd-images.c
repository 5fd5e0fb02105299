/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder images: what is in the store, newest first. */
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "spec/json-write.h"

#define SHORT_ID 12

struct images_arguments {
	bool quiet, full;
	const char *format;
};

/* clang-format off */
static const struct option_spec images_options[] = {
	OPT_BOOL('q', "quiet", struct images_arguments, quiet, "print the ids only"),
	OPT_BOOL(0, "no-trunc", struct images_arguments, full, "do not shorten ids"),
	OPT_STRING(0, "format", struct images_arguments, format, "table|json", "how to print"),
	OPT_END
};
/* clang-format on */

/* One name of an image; rows of one image stand together. */
struct row {
	struct store_ref ref; /* borrowed from the list */
	struct digest id;
	char *created;
	time_t when;
	uint64_t size;
};

struct rows {
	struct row *items;
	size_t count, capacity;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->items[i].created);
	free(rows->items);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order;

	if (x->when != y->when)
		return x->when > y->when ? -1 : 1;
	order = strcmp(x->id.text, y->id.text);
	if (!order)
		order = strcmp(x->ref.name.name, y->ref.name.name);
	return order ? order : strcmp(x->ref.name.tag, y->ref.name.tag);
}

static bool is_wanted(const struct store_ref *ref, const struct reference *name, bool with_tag)
{
	return !name || (strcmp(ref->name.name, name->name) == 0 &&
			 (!with_tag || strcmp(ref->name.tag, name->tag) == 0));
}

static int load_rows(struct store *store, const struct store_refs *refs, const char *filter,
		     struct rows *out, struct error *err)
{
	struct reference name;
	int ret = filter ? reference_parse(filter, &name, err) : 0;
	bool with_tag = filter && strchr(filter, ':') > strrchr(filter, '/');

	for (size_t i = 0; ret == 0 && i < refs->count; i++) {
		cleanup_image struct image image = { .arena = ARENA_INIT };
		struct error problem = ERROR_INIT;
		struct row *row;

		if (!is_wanted(&refs->items[i], filter ? &name : NULL, with_tag))
			continue;
		/* a damaged image must not hide the others */
		if (image_load_ref(store, &refs->items[i], &image, &problem) < 0) {
			log_warning("%s", problem.msg);
			continue;
		}
		ARRAY_GROW(out->items, out->count, out->capacity);
		row = &out->items[out->count++];
		*row = (struct row){ .ref = refs->items[i],
				     .id = image.id,
				     .size = image_size(&image),
				     .created = xstrdup(
					     image.config->created ? image.config->created : "") };
		if (!parse_time(row->created, &row->when))
			row->when = 0;
	}
	if (ret == 0 && out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_rows);
	return ret;
}

static bool is_first_of_image(const struct rows *rows, size_t i)
{
	return i == 0 || !digest_equal(&rows->items[i].id, &rows->items[i - 1].id);
}

static void print_ids(const struct rows *rows, bool full)
{
	for (size_t i = 0; i < rows->count; i++)
		if (is_first_of_image(rows, i))
			printf("%.*s\n", full ? DIGEST_TEXT : SHORT_ID,
			       full ? rows->items[i].id.text : digest_hex(&rows->items[i].id));
}

static void print_table(const struct rows *rows, bool full)
{
	static const char *const heading[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE" };
	cleanup_text_table struct text_table table = { .columns = ARRAY_SIZE(heading) };
	time_t now = time(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(heading); i++)
		text_table_add(&table, heading[i]);
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->items[i];
		bool named = row->ref.name.name[0];
		cleanup_strbuf struct strbuf age = STRBUF_INIT, size = STRBUF_INIT;
		cleanup_free char *id = xstrndup(full ? row->id.text : digest_hex(&row->id),
						 full ? DIGEST_TEXT : SHORT_ID);

		format_age(row->created, now, &age);
		format_size(row->size, &size);
		text_table_add(&table, named ? reference_familiar_name(&row->ref.name) : "<none>");
		text_table_add(&table, named ? row->ref.name.tag : "<none>");
		text_table_add(&table, id);
		text_table_add(&table, strbuf_text(&age));
		text_table_add(&table, strbuf_text(&size));
	}
	text_table_print(&table, stdout);
}

static void write_names(struct json_writer *writer, const struct rows *rows, size_t first)
{
	json_key(writer, "names");
	json_begin_array(writer);
	for (size_t i = first; i < rows->count && (i == first || !is_first_of_image(rows, i));
	     i++) {
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		if (!rows->items[i].ref.name.name[0])
			continue;
		reference_full(&rows->items[i].ref.name, &name);
		json_string(writer, name.data);
	}
	json_end_array(writer);
}

/* One object per image. */
static void print_json(const struct rows *rows)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	json_begin_array(&writer);
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->items[i];

		if (!is_first_of_image(rows, i))
			continue;
		json_begin_object(&writer);
		json_key(&writer, "id");
		json_string(&writer, row->id.text);
		write_names(&writer, rows, i);
		json_key(&writer, "digest");
		json_string(&writer, row->ref.digest.text);
		json_key(&writer, "created");
		json_string(&writer, row->created);
		json_key(&writer, "size");
		json_u64(&writer, row->size);
		json_end_object(&writer);
	}
	json_end_array(&writer);
	puts(out.data);
}

static int run_images(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct images_arguments arguments = { .format = NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	__attribute__((cleanup(rows_done))) struct rows rows = { NULL, 0, 0 };
	bool json = false;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_open_listing(cli, arguments.format, &json, &store);
	if (ret == 0)
		ret = store_ref_list(&store, &refs, &cli->err);
	if (ret == 0)
		ret = load_rows(&store, &refs, words.arguments[0], &rows, &cli->err);
	if (ret < 0)
		return ret;
	if (arguments.quiet)
		print_ids(&rows, arguments.full);
	else if (json)
		print_json(&rows);
	else
		print_table(&rows, arguments.full);
	return 0;
}

const struct command_spec images_command = {
	.name = "images",
	.arguments = "[NAME]",
	.options = images_options,
	.arguments_max = 1,
	.run = run_images,
	.summary = "list the images in the store",
};
