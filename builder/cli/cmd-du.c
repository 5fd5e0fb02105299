/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder du: what takes place in the store, and what each step of the builds cost. */
#include <inttypes.h>
#include <string.h>

#include "builder/build/usage.h"
#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/cli/listing.h"
#include "builder/cli/step-table.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "spec/json-write.h"

struct du_arguments {
	bool build, full, verbose;
	const char *format;
};

/* clang-format off */
static const struct option_spec du_options[] = {
	OPT_BOOL(0, "build", struct du_arguments, build,
		 "every step in the build cache: time, CPU, memory and bytes"),
	OPT_BOOL('v', "verbose", struct du_arguments, verbose,
		 "everything that can be removed, with its id, its last use and how often builds used it"),
	OPT_BOOL(0, "no-trunc", struct du_arguments, full, "do not shorten commands"),
	OPT_STRING(0, "format", struct du_arguments, format, LISTING_FORMATS, LISTING_HELP),
	OPT_END
};

/* How the kinds are called together. */
static const char *const kind_titles[USAGE_KINDS] = {
	[USAGE_IMAGE] = "images without a name",
	[USAGE_STEP] = "build cache",
	[USAGE_MOUNT] = "cache mounts",
	[USAGE_LOG] = "logs of builds",
	[USAGE_STAT] = "stat caches",
	[USAGE_NOTE] = "notes on blobs",
};
/* clang-format on */

struct sum {
	size_t count;
	uint64_t size, reclaimable;
};

/* A layer that several records lead to counts once. */
static bool is_counted(const struct usage *usage, size_t index)
{
	const char *layer = usage->items[index].layer;

	for (size_t i = 0; layer && i < index; i++)
		if (usage->items[i].layer && strcmp(usage->items[i].layer, layer) == 0)
			return true;
	return false;
}

static void sum_up(const struct usage *usage, struct sum sums[USAGE_KINDS])
{
	for (size_t i = 0; i < usage->count; i++) {
		const struct usage_item *item = &usage->items[i];
		struct sum *sum = &sums[item->kind];

		sum->count++;
		if (is_counted(usage, i))
			continue;
		sum->size += item->size;
		if (!item->in_use)
			sum->reclaimable += item->size;
	}
}

/* Images with names: their layers, each once. */
static int sum_images(struct store *store, struct sum *out, struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	cleanup_strv struct strv seen = STRV_INIT;
	int ret = store_ref_list(store, &refs, err);

	for (size_t i = 0; i < refs.count && ret == 0; i++) {
		cleanup_image struct image image = { .arena = ARENA_INIT };
		const struct json_strings *layers;

		if (!refs.items[i].name.name[0] ||
		    image_load_ref(store, &refs.items[i], &image, NULL) < 0)
			continue;
		out->count++;
		layers = &image.config->rootfs->diff_ids;
		for (size_t j = 0; j < layers->count && j < image.manifest->layers.count; j++) {
			if (strv_contains(&seen, layers->items[j]))
				continue;
			strv_add(&seen, layers->items[j]);
			out->size += image.manifest->layers.items[j].size;
		}
	}
	return ret;
}

/* docker's names */
static void add_row(struct strv *rows, const char *title, const struct sum *sum)
{
	cleanup_strbuf struct strbuf size = STRBUF_INIT, reclaimable = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer writer = { .out = &text };

	format_size(sum->size, &size);
	format_size(sum->reclaimable, &reclaimable);
	json_begin_object(&writer);
	json_put_text(&writer, "Type", title);
	json_put_u64(&writer, "TotalCount", sum->count);
	json_put_text(&writer, "Size", strbuf_text(&size));
	json_put_text(&writer, "Reclaimable", strbuf_text(&reclaimable));
	json_end_object(&writer);
	strv_add(rows, text.data);
}

static int print_sums(struct cli *cli, const char *format, const struct sum *images,
		      const struct sum sums[USAGE_KINDS])
{
	static const struct heading headings[] = { { "TotalCount", "COUNT" }, { NULL, NULL } };
	static const struct listing listing = {
		.table = "{{.Type}}\t{{.TotalCount}}\t{{.Size}}\t{{.Reclaimable}}",
		.headings = headings,
	};
	cleanup_strv struct strv rows = STRV_INIT;

	add_row(&rows, "images", images);
	for (size_t i = 0; i < USAGE_KINDS; i++)
		add_row(&rows, kind_titles[i], &sums[i]);
	return listing_print(cli, &listing, format, &rows);
}

static void write_sum(struct json_writer *writer, const char *name, const struct sum *sum)
{
	json_key(writer, name);
	json_begin_object(writer);
	json_key(writer, "count");
	json_u64(writer, sum->count);
	json_key(writer, "size");
	json_u64(writer, sum->size);
	json_key(writer, "reclaimable");
	json_u64(writer, sum->reclaimable);
	json_end_object(writer);
}

static void print_json(const struct sum *images, const struct sum sums[USAGE_KINDS])
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	json_begin_object(&writer);
	write_sum(&writer, "images", images);
	for (size_t i = 0; i < USAGE_KINDS; i++) {
		cleanup_free char *name = i == USAGE_IMAGE ? xstrdup("untagged")
							   : xasprintf("%ss", usage_kind_name(i));

		write_sum(&writer, name, &sums[i]);
	}
	json_end_object(&writer);
	puts(out.data);
}

static int print_steps(struct cli *cli, const struct du_arguments *arguments,
		       const struct usage *usage)
{
	struct step_table table = { .full = arguments->full };

	for (size_t i = usage->count; i-- > 0;) {
		const struct usage_item *item = &usage->items[i];

		if (item->kind == USAGE_STEP && item->layer)
			step_table_add(&table, &(struct step_row){ .info = &item->info,
								   .size = item->size,
								   .used = item->used });
	}
	return step_table_print(&table, cli, arguments->format);
}

static void write_item(const struct usage *usage, size_t index, bool full,
		       struct json_writer *writer)
{
	const struct usage_item *item = &usage->items[index];
	cleanup_strbuf struct strbuf size = STRBUF_INIT, age = STRBUF_INIT;
	const char *id =
		usage_id(item) + (item->kind == USAGE_IMAGE && !full ? strlen("sha256:") : 0);
	cleanup_free char *shown = full ? xstrdup(id) : xstrndup(id, 12);
	char when[CLOCK_TEXT_SIZE], uses[24] = "";

	if (item->kind == USAGE_STEP)
		snprintf(uses, sizeof(uses), "%zu", item->uses);
	format_size(item->size, &size);
	format_age(clock_format(item->used, 0, when), time(NULL), &age);
	json_begin_object(writer);
	json_put_text(writer, "ID", shown);
	json_put_text(writer, "Type", usage_kind_name(item->kind));
	json_put_text(writer, "Size", strbuf_text(&size));
	json_put_bool(writer, "Reclaimable", !item->in_use);
	json_put_bool(writer, "Shared", is_counted(usage, index));
	json_put_text(writer, "Used", strbuf_text(&age));
	json_put_text(writer, "Uses", uses);
	json_put_text(writer, "What",
		      item->info.text && !strchr(item->info.text, '\n') ? item->info.text : "");
	json_end_object(writer);
}

/* As prune has them: the longest unused first. */
static int print_items(struct cli *cli, const struct du_arguments *arguments,
		       const struct usage *usage)
{
	static const struct listing listing = {
		.table = "{{.ID}}\t{{.Type}}\t{{.Size}}\t{{.Reclaimable}}\t{{.Shared}}\t{{.Used}}\t"
			 "{{.Uses}}\t{{.What}}",
	};
	cleanup_strv struct strv rows = STRV_INIT;

	for (size_t i = 0; i < usage->count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct json_writer writer = { .out = &text };

		write_item(usage, i, arguments->full, &writer);
		strv_add(&rows, text.data);
	}
	return listing_print(cli, &listing, arguments->format, &rows);
}

static void write_items(const struct usage *usage)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	json_begin_array(&writer);
	for (size_t i = 0; i < usage->count; i++) {
		const struct usage_item *item = &usage->items[i];

		json_begin_object(&writer);
		json_key(&writer, "id");
		json_string(&writer, usage_id(item));
		json_key(&writer, "type");
		json_string(&writer, usage_kind_name(item->kind));
		json_key(&writer, "size");
		json_u64(&writer, item->size);
		json_key(&writer, "reclaimable");
		json_bool(&writer, !item->in_use);
		json_key(&writer, "shared");
		json_bool(&writer, is_counted(usage, i));
		json_key(&writer, "used");
		json_i64(&writer, item->used);
		if (item->kind == USAGE_STEP) {
			json_key(&writer, "uses");
			json_u64(&writer, item->uses);
		}
		if (item->info.text) {
			json_key(&writer, "what");
			json_string(&writer, item->info.text);
		}
		json_end_object(&writer);
	}
	json_end_array(&writer);
	puts(strbuf_text(&out));
}

static int run_du(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct du_arguments arguments = { .format = NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_usage struct usage usage = { .count = 0 };
	struct sum sums[USAGE_KINDS] = { { 0 } }, images = { 0 };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = usage_read(&store, &usage, &cli->err);
	if (ret == 0)
		ret = sum_images(&store, &images, &cli->err);
	if (ret < 0)
		return ret;
	if (arguments.verbose)
		usage_count_uses(&store, &usage);
	sum_up(&usage, sums);
	if (arguments.build && !arguments.verbose)
		return print_steps(cli, &arguments, &usage);
	if (!listing_is_json(arguments.format))
		return arguments.verbose ? print_items(cli, &arguments, &usage)
					 : print_sums(cli, arguments.format, &images, sums);
	if (arguments.verbose)
		write_items(&usage);
	else
		print_json(&images, sums);
	return 0;
}

const struct command_spec du_command = {
	.name = "du",
	.arguments = "",
	.options = du_options,
	.arguments_max = 0,
	.run = run_du,
	.summary = "show what the store holds and what builds cost",
};
