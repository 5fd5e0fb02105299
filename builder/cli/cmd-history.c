/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder history: the steps that made an image, newest first. */
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/cli/step-table.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

#define COMMAND_WIDTH 45

struct history_arguments {
	bool full, build;
	const char *format;
};

/* clang-format off */
static const struct option_spec history_options[] = {
	OPT_BOOL(0, "build", struct history_arguments, build,
		 "what each step cost when it was made: time, CPU, memory"),
	OPT_BOOL(0, "no-trunc", struct history_arguments, full, "do not shorten commands"),
	OPT_STRING(0, "format", struct history_arguments, format, "table|json", "how to print"),
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

static void add_command(struct text_table *table, const char *command, bool full)
{
	cleanup_free char *line = xstrdup(command);

	/* one line each, whatever a here-document had */
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	if (!full && strlen(line) > COMMAND_WIDTH)
		memcpy(line + COMMAND_WIDTH - 3, "...", 4);
	text_table_add(table, line);
}

static void print_table(const struct history_step *steps, size_t count, bool full)
{
	static const char *const heading[] = { "CREATED", "CREATED BY", "SIZE", "COMMENT" };
	cleanup_text_table struct text_table table = { .columns = ARRAY_SIZE(heading) };
	time_t now = time(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(heading); i++)
		text_table_add(&table, heading[i]);
	for (size_t i = count; i-- > 0;) {
		cleanup_strbuf struct strbuf age = STRBUF_INIT, size = STRBUF_INIT;

		format_age(steps[i].entry->created, now, &age);
		format_size(steps[i].size, &size);
		text_table_add(&table, strbuf_text(&age));
		add_command(&table, text_or_empty(steps[i].entry->created_by), full);
		text_table_add(&table, strbuf_text(&size));
		text_table_add(&table, text_or_empty(steps[i].entry->comment));
	}
	text_table_print(&table, stdout);
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

static int print_costs(struct store *store, struct history_step *steps, size_t count, bool full,
		       bool json)
{
	struct search search = { .steps = steps, .count = count };
	struct step_table table;
	int ret = store_step_each(store, match_record, &search);

	step_table_begin(&table, full, json);
	for (size_t i = count; i-- > 0;)
		step_table_add(&table, &(struct step_row){
					       .info = &steps[i].info,
					       .text = text_or_empty(steps[i].entry->created_by),
					       .size = steps[i].size,
					       .used = steps[i].info.build ? steps[i].used : 0 });
	step_table_print(&table);
	arena_done(&search.arena);
	return ret;
}

static int run_history(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct history_arguments arguments = { .format = NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_free struct history_step *steps = NULL;
	bool json = false;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_open_listing(cli, arguments.format, &json, &store);
	if (ret == 0)
		ret = image_load(&store, words.arguments[0], &image, &cli->err);
	if (ret < 0)
		return ret;
	steps = match_layers(&image);
	if (arguments.build)
		return print_costs(&store, steps, image.config->history.count, arguments.full,
				   json);
	if (json)
		print_json(steps, image.config->history.count);
	else
		print_table(steps, image.config->history.count, arguments.full);
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
