/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder images: what is in the store, newest first. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/cli/listing.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "spec/json-write.h"

#define SHORT_ID 12

struct images_arguments {
	bool quiet, full, digests;
	const char *format;
	struct strv filters;
};

/* clang-format off */
static const struct option_spec images_options[] = {
	OPT_BOOL('q', "quiet", struct images_arguments, quiet, "print the ids only"),
	OPT_BOOL(0, "no-trunc", struct images_arguments, full, "do not shorten ids"),
	OPT_BOOL(0, "digests", struct images_arguments, digests, "also the digests of their top documents"),
	OPT_STRV('f', "filter", struct images_arguments, filters, "KEY=VALUE",
		 "reference (a pattern), dangling, label, before or since"),
	OPT_STRING(0, "format", struct images_arguments, format, LISTING_FORMATS, LISTING_HELP),
	OPT_ACCEPTED('a', "all", NULL, "none is hidden"),
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

/* -- which --------------------------------------------------------------------------------------
 */

/* The argument and the filters, read. Of several values of a kind one has to fit. */
struct wanted {
	struct reference name; /* "" = any */
	bool with_tag;
	struct strv patterns, labels;
	int dangling; /* -1 = either */
	time_t before, since;
};

static void wanted_done(struct wanted *wanted)
{
	strv_done(&wanted->patterns);
	strv_done(&wanted->labels);
}

static int read_time(struct store *store, const char *word, time_t *out, struct error *err)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = image_load(store, word, &image, err);

	if (ret < 0)
		return error_prefix(err, ret, "--filter");
	if (!parse_time(image.config->created, out))
		return error_invalid(err, "--filter: image \"%s\" does not say when it was made",
				     word);
	return 0;
}

static int read_filter(struct store *store, const char *text, struct wanted *out, struct error *err)
{
	const char *value = strchr(text, '=');
	size_t size = value ? (size_t)(value++ - text) : 0;

	if (size == 9 && memcmp(text, "reference", size) == 0)
		strv_add(&out->patterns, value);
	else if (size == 5 && memcmp(text, "label", size) == 0)
		strv_add(&out->labels, value);
	else if (size == 6 && memcmp(text, "before", size) == 0)
		return read_time(store, value, &out->before, err);
	else if (size == 5 && memcmp(text, "since", size) == 0)
		return read_time(store, value, &out->since, err);
	else if (strcmp(text, "dangling=true") == 0 || strcmp(text, "dangling=false") == 0)
		out->dangling = *value == 't';
	else
		return error_set(err, ERROR_USAGE, 0,
				 "invalid --filter: %s (reference=, label=, before=, since=, "
				 "dangling=true or dangling=false)",
				 text);
	return 0;
}

static int read_wanted(struct store *store, const struct images_arguments *arguments,
		       const char *name, struct wanted *out, struct error *err)
{
	int ret = name ? reference_parse(name, &out->name, err) : 0;

	out->with_tag = name && strchr(name, ':') > strrchr(name, '/');
	for (size_t i = 0; ret == 0 && i < arguments->filters.count; i++)
		ret = read_filter(store, arguments->filters.items[i], out, err);
	return ret;
}

/* "debian", "app:1.?": as people write the name, with or without its tag. */
static bool fits_pattern(const struct reference *name, const char *pattern)
{
	cleanup_strbuf struct strbuf tagged = STRBUF_INIT;

	reference_familiar(name, true, &tagged);
	return fnmatch(pattern, strbuf_text(&tagged), FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, reference_familiar_name(name), FNM_PATHNAME) == 0;
}

static bool fits_name(const struct wanted *wanted, const struct reference *name)
{
	bool named = name->name[0], fits = wanted->patterns.count == 0;

	if (wanted->name.name[0] &&
	    (strcmp(name->name, wanted->name.name) != 0 ||
	     (wanted->with_tag && strcmp(name->tag, wanted->name.tag) != 0)))
		return false;
	if (wanted->dangling >= 0 && wanted->dangling != !named)
		return false;
	for (size_t i = 0; i < wanted->patterns.count && named; i++)
		fits |= fits_pattern(name, wanted->patterns.items[i]);
	return fits;
}

/* All labels have to be there, as in docker. */
static bool fits_labels(const struct wanted *wanted, const struct image *image)
{
	static const struct json_map none;
	const struct json_map *labels =
		image->config->config ? &image->config->config->labels : &none;

	for (size_t i = 0; i < wanted->labels.count; i++)
		if (!json_map_fits(labels, wanted->labels.items[i]))
			return false;
	return true;
}

static bool fits_time(const struct wanted *wanted, time_t when)
{
	return (!wanted->before || when < wanted->before) &&
	       (!wanted->since || when > wanted->since);
}

/* -- rows ----------------------------------------------------------------------------------------
 */

static void load_rows(struct store *store, const struct store_refs *refs,
		      const struct wanted *wanted, struct rows *out)
{
	for (size_t i = 0; i < refs->count; i++) {
		cleanup_image struct image image = { .arena = ARENA_INIT };
		struct error problem = ERROR_INIT;
		const char *created;
		time_t when = 0;

		if (!fits_name(wanted, &refs->items[i].name))
			continue;
		/* a damaged image must not hide the others */
		if (image_load_ref(store, &refs->items[i], &image, &problem) < 0) {
			log_warning("%s", problem.msg);
			continue;
		}
		created = image.config->created ? image.config->created : "";
		if (!parse_time(created, &when))
			when = 0;
		if (!fits_labels(wanted, &image) || !fits_time(wanted, when))
			continue;
		ARRAY_GROW(out->items, out->count, out->capacity);
		out->items[out->count++] = (struct row){ .ref = refs->items[i],
							 .id = image.id,
							 .size = image_size(&image),
							 .created = xstrdup(created),
							 .when = when };
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_rows);
}

static bool is_first_of_image(const struct rows *rows, size_t i)
{
	return i == 0 || !digest_equal(&rows->items[i].id, &rows->items[i - 1].id);
}

/* docker's names */
static void write_row(const struct row *row, bool full, time_t now, struct json_writer *writer)
{
	bool named = row->ref.name.name[0];
	cleanup_strbuf struct strbuf age = STRBUF_INIT, size = STRBUF_INIT;
	cleanup_free char *id =
		xstrndup(full ? row->id.text : digest_hex(&row->id), full ? DIGEST_TEXT : SHORT_ID);

	format_age(row->created, now, &age);
	format_size(row->size, &size);
	json_begin_object(writer);
	json_put_text(writer, "ID", id);
	json_put_text(writer, "Repository",
		      named ? reference_familiar_name(&row->ref.name) : "<none>");
	json_put_text(writer, "Tag", named ? row->ref.name.tag : "<none>");
	json_put_text(writer, "Digest", row->ref.digest.text);
	json_put_text(writer, "CreatedSince", strbuf_text(&age));
	json_put_text(writer, "CreatedAt", row->created);
	json_put_text(writer, "Size", strbuf_text(&size));
	json_end_object(writer);
}

static const struct heading headings[] = { { "ID", "IMAGE ID" },
					   { "CreatedSince", "CREATED" },
					   { NULL, NULL } };
static const struct listing plain = {
	.table = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
	.headings = headings,
};
static const struct listing with_digests = {
	.table = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
	.headings = headings,
};

/* With --quiet one row per image. */
static int print_rows(struct cli *cli, const struct images_arguments *arguments,
		      const struct rows *rows)
{
	cleanup_strv struct strv texts = STRV_INIT;
	time_t now = time(NULL);

	for (size_t i = 0; i < rows->count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct json_writer writer = { .out = &text };

		if (arguments->quiet && !is_first_of_image(rows, i))
			continue;
		write_row(&rows->items[i], arguments->full, now, &writer);
		strv_add(&texts, text.data);
	}
	return listing_print(cli, arguments->digests ? &with_digests : &plain,
			     arguments->quiet ? "{{.ID}}" : arguments->format, &texts);
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

static int list(struct cli *cli, const struct images_arguments *arguments, const char *name)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	cleanup_with(rows_done) struct rows rows = { NULL, 0, 0 };
	cleanup_with(wanted_done) struct wanted wanted = { .dangling = -1 };
	int ret = cli_open_store(cli, false, &store);

	if (ret == 0)
		ret = read_wanted(&store, arguments, name, &wanted, &cli->err);
	if (ret == 0)
		ret = store_ref_list(&store, &refs, &cli->err);
	if (ret < 0)
		return ret;
	load_rows(&store, &refs, &wanted, &rows);
	if (!listing_is_json(arguments->format) || arguments->quiet)
		return print_rows(cli, arguments, &rows);
	print_json(&rows);
	return 0;
}

static int run_images(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct images_arguments arguments = { .format = NULL };
	struct option_result words = { 0 };
	int ret = cli_parse(globals, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = list(globals, &arguments, words.arguments[0]);
	options_done(images_options, &arguments);
	return ret;
}

const struct command_spec images_command = {
	.name = "images",
	.arguments = "[NAME]",
	.options = images_options,
	.arguments_max = 1,
	.run = run_images,
	.summary = "list the images in the store",
};
