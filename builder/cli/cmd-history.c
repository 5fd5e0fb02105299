/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder history: the steps that made an image, newest first. */
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/cli/listing.h"
#include "builder/cli/step-table.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "lib/printable.h"
#include "spec/json-write.h"

#define COMMAND_WIDTH 45
#define SHORT_ID 12

struct history_arguments {
	bool full, build, quiet;
	const char *format;
};

/* clang-format off */
static const struct option_spec history_options[] = {
	OPT_BOOL(0, "build", struct history_arguments, build,
		 "what each step cost when it was made: time, CPU, memory"),
	OPT_BOOL(0, "no-trunc", struct history_arguments, full, "do not shorten commands"),
	OPT_BOOL('q', "quiet", struct history_arguments, quiet, "print the ids alone"),
	OPT_STRING(0, "format", struct history_arguments, format, LISTING_FORMATS, LISTING_HELP),
	OPT_END
};
/* clang-format on */

/* An entry and the layer that it made. */
struct history_step {
	const struct image_history *entry;
	uint64_t size;
	const char *diff_id; /* NULL: it made no layer */
	struct step_info info;
	time_t used;
};

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* Oldest first, as in the document; sizes by counting the entries that have a layer. */
static struct history_step *match_layers(const struct image *image)
{
	size_t count = image->config->history.count, layer = 0;
	struct history_step *steps = xzalloc((count + 1) * sizeof(*steps));

	for (size_t i = 0; i < count; i++) {
		steps[i].entry = &image->config->history.items[i];
		if (steps[i].entry->empty_layer || layer >= image->manifest->layers.count)
			continue;
		if (layer < image->config->rootfs->diff_ids.count)
			steps[i].diff_id = image->config->rootfs->diff_ids.items[layer];
		steps[i].size = image->manifest->layers.items[layer++].size;
	}
	return steps;
}

/* One line, whatever a here-document had, and nothing in it for a terminal. Owned. */
static char *command_line(const char *command, bool full)
{
	cleanup_free char *line = xstrdup(command);
	struct strbuf out = STRBUF_INIT;

	for (char *p = line; *p; p++)
		if (strchr("\n\t\r", *p))
			*p = ' ';
	if (!full && strlen(line) > COMMAND_WIDTH)
		memcpy(line + COMMAND_WIDTH - 3, "...", 4);
	strbuf_add_printable(&out, line, strlen(line));
	return strbuf_take(&out);
}

/* docker's names; the image is behind its last step, what its steps were behind the others is not
 * kept. */
static void write_row(const struct history_step *step, const char *id, bool full,
		      struct json_writer *writer)
{
	cleanup_strbuf struct strbuf age = STRBUF_INIT, size = STRBUF_INIT;
	cleanup_free char *command = command_line(text_or_empty(step->entry->created_by), full);
	cleanup_free char *comment = command_line(text_or_empty(step->entry->comment), true);

	format_age(step->entry->created, time(NULL), &age);
	format_size(step->size, &size);
	json_begin_object(writer);
	json_put_text(writer, "ID", id);
	json_put_text(writer, "CreatedSince", strbuf_text(&age));
	json_put_text(writer, "CreatedAt", text_or_empty(step->entry->created));
	json_put_text(writer, "CreatedBy", command);
	json_put_text(writer, "Size", strbuf_text(&size));
	json_put_text(writer, "Comment", comment);
	json_end_object(writer);
}

static int print_rows(struct cli *cli, const struct history_arguments *arguments,
		      const struct image *image, const struct history_step *steps, size_t count)
{
	static const struct heading headings[] = { { "ID", "IMAGE" },
						   { "CreatedSince", "CREATED" },
						   { NULL, NULL } };
	static const struct listing listing = {
		.table = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
		.headings = headings,
	};
	cleanup_free char *id = xstrndup(arguments->full ? image->id.text : digest_hex(&image->id),
					 arguments->full ? DIGEST_TEXT : SHORT_ID);
	cleanup_strv struct strv rows = STRV_INIT;

	for (size_t i = count; i-- > 0;) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct json_writer writer = { .out = &text };

		write_row(&steps[i], i + 1 == count ? id : "<missing>", arguments->full, &writer);
		strv_add(&rows, text.data);
	}
	return listing_print(cli, &listing, arguments->quiet ? "{{.ID}}" : arguments->format,
			     &rows);
}

static void print_json(const struct history_step *steps, size_t count)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	json_begin_array(&writer);
	for (size_t i = count; i-- > 0;) {
		json_begin_object(&writer);
		json_key(&writer, "created");
		json_string(&writer, text_or_empty(steps[i].entry->created));
		json_key(&writer, "createdBy");
		json_string(&writer, text_or_empty(steps[i].entry->created_by));
		json_key(&writer, "emptyLayer");
		json_bool(&writer, steps[i].entry->empty_layer);
		json_key(&writer, "size");
		json_u64(&writer, steps[i].size);
		json_key(&writer, "comment");
		json_string(&writer, text_or_empty(steps[i].entry->comment));
		json_end_object(&writer);
	}
	json_end_array(&writer);
	puts(out.data);
}

struct search {
	struct history_step *steps;
	size_t count;
	struct arena arena;
};

/* A record may belong to a layer of the image; of several the one that was used last does. */
static int match_record(void *context, const char *name, const struct step_record *record,
			time_t used)
{
	struct search *search = context;

	(void)name;
	for (size_t i = 0; i < search->count; i++) {
		struct history_step *step = &search->steps[i];
		const char *colon = step->diff_id ? strchr(step->diff_id, ':') : NULL;

		if (!colon || strcmp(colon + 1, record->layer) != 0 || used < step->used)
			continue;
		step->used = used;
		step_info_decode(record->info, &search->arena, &step->info);
	}
	return 0;
}

static int print_costs(struct cli *cli, struct store *store,
		       const struct history_arguments *arguments, struct history_step *steps,
		       size_t count)
{
	struct search search = { .steps = steps, .count = count };
	struct step_table table = { .full = arguments->full };
	int ret = store_step_each(store, match_record, &search), printed;

	for (size_t i = count; i-- > 0;)
		step_table_add(&table, &(struct step_row){
					       .info = &steps[i].info,
					       .text = text_or_empty(steps[i].entry->created_by),
					       .size = steps[i].size,
					       .used = steps[i].info.build ? steps[i].used : 0 });
	printed = step_table_print(&table, cli, arguments->format);
	arena_done(&search.arena);
	return ret < 0 ? ret : printed;
}

static int run_history(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct history_arguments arguments = { .format = NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_free struct history_step *steps = NULL;
	size_t count;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = image_load(&store, words.arguments[0], &image, &cli->err);
	if (ret < 0)
		return ret;
	count = image.config->history.count;
	steps = match_layers(&image);
	if (arguments.build)
		return print_costs(cli, &store, &arguments, steps, count);
	if (!listing_is_json(arguments.format) || arguments.quiet)
		return print_rows(cli, &arguments, &image, steps, count);
	print_json(steps, count);
	return 0;
}

const struct command_spec history_command = {
	.name = "history",
	.arguments = "IMAGE",
	.options = history_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_history,
	.summary = "show the steps that made an image",
};
