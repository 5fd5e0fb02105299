/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder ps: containers and how they are. */
#include <stdlib.h>
#include <string.h>

#include "builder/cli/container-args.h"
#include "builder/cli/format.h"
#include "builder/cli/listing.h"
#include "builder/cli/ps-filters.h"
#include "builder/container/size.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/printable.h"
#include "spec/json-write.h"

struct ps_arguments {
	bool all, quiet, no_trunc, latest, size;
	const char *format, *last;
	struct strv filters;
};

/* clang-format off */
static const struct option_spec ps_options[] = {
	OPT_BOOL('a', "all", struct ps_arguments, all, "also those that do not run"),
	OPT_BOOL('q', "quiet", struct ps_arguments, quiet, "print the ids alone"),
	OPT_BOOL(0, "no-trunc", struct ps_arguments, no_trunc, "print ids and commands in full"),
	OPT_BOOL('l', "latest", struct ps_arguments, latest, "the one made last, however it is"),
	OPT_STRING('n', "last", struct ps_arguments, last, "N", "the N made last, however they are"),
	OPT_STRV('f', "filter", struct ps_arguments, filters, "KEY=VALUE",
		 "id, name (a regular expression), status, label, ancestor, volume, network, exited, "
		 "before or since"),
	OPT_BOOL('s', "size", struct ps_arguments, size, "also how much place they take"),
	OPT_STRING(0, "format", struct ps_arguments, format, LISTING_FORMATS, LISTING_HELP),
	OPT_END
};
/* clang-format on */

struct row {
	struct container_record record;
	struct container_state state;
};

struct rows {
	struct row *items;
	size_t count;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		container_record_done(&rows->items[i].record);
	free(rows->items);
}

/* -- rows ----------------------------------------------------------------------------------------
 */

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(y->record.created, x->record.created);
}

static int collect(struct cli *cli, struct store *store, struct rows *out)
{
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = container_list(store, &ids, &cli->err);

	out->items = xzalloc((ids.count + 1) * sizeof(*out->items));
	for (size_t i = 0; i < ids.count; i++) {
		struct row *row = &out->items[out->count];

		/* being made, or just removed */
		if (container_record_load(store, ids.items[i], &row->record, NULL) < 0)
			continue;
		container_state_get(store, &row->record, &row->state);
		out->count++;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_rows);
	return ret;
}

static void add_command(const struct container_record *record, bool full, struct strbuf *out)
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT, shown = STRBUF_INIT;
	size_t size;

	for (size_t i = 0; i < record->args.count; i++)
		strbuf_addf(&all, "%s%s", i ? " " : "", record->args.items[i]);
	for (char *p = all.data; p && *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	/* it may be the image's: nothing in it is for a terminal */
	strbuf_add_printable(&shown, strbuf_text(&all), all.size);
	size = full || printable_width(strbuf_text(&shown)) <= 20
		       ? shown.size
		       : printable_fit(strbuf_text(&shown), 19, NULL);
	strbuf_addf(out, "\"%.*s%s\"", (int)size, strbuf_text(&shown),
		    size < shown.size ? "…" : "");
}

static void write_member(struct json_writer *writer, const char *key, const struct strbuf *text)
{
	json_key(writer, key);
	json_string(writer, strbuf_text(text));
}

static void write_lists(const struct container_record *record, struct json_writer *writer)
{
	cleanup_strbuf struct strbuf labels = STRBUF_INIT, mounts = STRBUF_INIT;

	labels_text(&record->labels, &labels);
	for (size_t i = 0; i < record->mounts.count; i++)
		strbuf_addf(&mounts, "%s%s", i ? "," : "",
			    record->mounts.items[i].name ? record->mounts.items[i].name
							 : record->mounts.items[i].source);
	write_member(writer, "Labels", &labels);
	write_member(writer, "Mounts", &mounts);
}

/* "12kB (virtual 130MB)" */
static void add_size(struct store *store, const struct container_record *record, struct strbuf *out)
{
	struct container_size size;

	container_size_get(store, record, &size);
	format_size(size.own, out);
	strbuf_adds(out, " (virtual ");
	format_size(size.all, out);
	strbuf_addc(out, ')');
}

/* docker's names; a size only where it is asked for, for it is dear */
static void write_row(struct store *store, const struct row *row,
		      const struct ps_arguments *arguments, struct json_writer *writer)
{
	const struct container_record *record = &row->record;
	cleanup_strbuf struct strbuf command = STRBUF_INIT, age = STRBUF_INIT, status = STRBUF_INIT;
	cleanup_strbuf struct strbuf ports = STRBUF_INIT, id = STRBUF_INIT, size = STRBUF_INIT;
	const bool full = arguments->no_trunc;

	if (arguments->size)
		add_size(store, record, &size);
	strbuf_addf(&id, full ? "%s" : "%.12s", record->id);
	add_command(record, full, &command);
	format_age(record->created, time(NULL), &age);
	container_status_text(record, &row->state, time(NULL), &status);
	if (container_is_up(&row->state))
		container_ports_text(record, &ports);
	json_begin_object(writer);
	write_member(writer, "ID", &id);
	json_put_text(writer, "Image", record->image);
	write_member(writer, "Command", &command);
	json_put_text(writer, "CreatedAt", record->created);
	write_member(writer, "RunningFor", &age);
	write_member(writer, "Status", &status);
	json_put_text(writer, "State", table_name(container_statuses, row->state.status));
	write_member(writer, "Ports", &ports);
	json_put_text(writer, "Names", record->name);
	json_put_text(writer, "Networks", record->network);
	write_member(writer, "Size", &size);
	write_lists(record, writer);
	json_end_object(writer);
}

#define COLUMNS                                                                                    \
	"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
static const struct heading headings[] = { { "ID", "CONTAINER ID" },
					   { "RunningFor", "CREATED" },
					   { NULL, NULL } };
static const struct listing plain = { .table = COLUMNS, .headings = headings };
static const struct listing with_sizes = { .table = COLUMNS "\t{{.Size}}", .headings = headings };

static int list(struct cli *cli, const struct ps_arguments *arguments, struct store *store,
		size_t last)
{
	cleanup_with(rows_done) struct rows rows = { NULL, 0 };
	cleanup_with(ps_filters_done) struct ps_filters filters = { NULL, 0 };
	cleanup_strv struct strv texts = STRV_INIT;
	int ret = ps_filters_read(store, &arguments->filters, &filters, &cli->err);
	bool all = arguments->all || last || ps_filters_ask_for_status(&filters);

	if (ret == 0)
		ret = collect(cli, store, &rows);
	for (size_t i = 0; ret == 0 && i < rows.count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct json_writer writer = { .out = &text };
		const struct row *row = &rows.items[i];

		if (last && texts.count >= last)
			break;
		if ((!all && !container_is_up(&row->state)) ||
		    !ps_filters_fit(&filters, &row->record, &row->state))
			continue;
		write_row(store, row, arguments, &writer);
		strv_add(&texts, text.data);
	}
	return ret < 0 ? ret
		       : listing_print(cli, arguments->size ? &with_sizes : &plain,
				       arguments->quiet ? "{{.ID}}" : arguments->format, &texts);
}

static int parse_and_list(struct cli *cli, const struct command_spec *command, int argc,
			  char **argv, struct ps_arguments *arguments)
{
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	uint64_t last = 0;
	int ret = cli_parse(cli, command, argc, argv, arguments, &words);

	if (ret == 0 && arguments->last &&
	    (number_parse_u64(arguments->last, &last) < 0 || last == 0))
		ret = error_set(&cli->err, ERROR_USAGE, 0, "invalid --last: %s", arguments->last);
	if (arguments->latest)
		last = 1;
	if (arguments->format && strstr(arguments->format, ".Size"))
		arguments->size = true; /* as docker does */
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	return ret < 0 ? ret : list(cli, arguments, &store, last);
}

static int run_ps(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct ps_arguments arguments = { .all = false };
	int ret = parse_and_list(globals, command, argc, argv, &arguments);

	options_done(ps_options, &arguments);
	return ret;
}

const struct command_spec ps_command = {
	.name = "ps",
	.arguments = "",
	.options = ps_options,
	.arguments_max = 0,
	.run = run_ps,
	.summary = "list containers",
};
