/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder ps: containers and how they are. */
#include <stdlib.h>
#include <string.h>

#include "builder/cli/container-args.h"
#include "builder/cli/format.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/printable.h"
#include "spec/json-write.h"

struct ps_arguments {
	bool all, quiet, no_trunc, latest;
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
		 "id, name, status, label, ancestor, volume, network or exited"),
	OPT_STRING(0, "format", struct ps_arguments, format, "table|json|TEMPLATE",
		   "a table (default), a JSON array, or a line each by a template"),
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

/* -- filters -------------------------------------------------------------------------------------
 */

static bool fits_id(const struct row *row, const char *value)
{
	return strncmp(row->record.id, value, strlen(value)) == 0;
}

static bool fits_name(const struct row *row, const char *value)
{
	return strstr(row->record.name, value) != NULL;
}

static bool fits_status(const struct row *row, const char *value)
{
	return strcmp(table_name(container_statuses, row->state.status), value) == 0;
}

static bool fits_label(const struct row *row, const char *value)
{
	cleanup_free char *key = xstrndup(value, strcspn(value, "="));
	const char *wanted = strchr(value, '='), *found = json_map_get(&row->record.labels, key);

	return found && (!wanted || strcmp(found, wanted + 1) == 0);
}

static bool fits_ancestor(const struct row *row, const char *value)
{
	const char *hex = strchr(row->record.image_id, ':');

	return strcmp(row->record.image, value) == 0 || strcmp(row->record.image_id, value) == 0 ||
	       (strlen(value) >= 4 && hex && strncmp(hex + 1, value, strlen(value)) == 0);
}

static bool fits_volume(const struct row *row, const char *value)
{
	for (size_t i = 0; i < row->record.mounts.count; i++) {
		const struct container_mount *mount = &row->record.mounts.items[i];

		if ((mount->name && strcmp(mount->name, value) == 0) ||
		    strcmp(mount->target, value) == 0)
			return true;
	}
	return false;
}

static bool fits_network(const struct row *row, const char *value)
{
	return strcmp(row->record.network, value) == 0;
}

static bool fits_exited(const struct row *row, const char *value)
{
	int status;

	return row->state.status == CONTAINER_EXITED && number_parse_int(value, &status) == 0 &&
	       row->state.exit_status == status;
}

/* clang-format off */
static const struct {
	const char *key;
	bool (*fits)(const struct row *row, const char *value);
} filters[] = {
	{ "id",       fits_id },
	{ "name",     fits_name },
	{ "status",   fits_status },
	{ "label",    fits_label },
	{ "ancestor", fits_ancestor },
	{ "volume",   fits_volume },
	{ "network",  fits_network },
	{ "exited",   fits_exited },
};
/* clang-format on */

/* The index of a filter's key, or -1. */
static int find_filter(const char *text, const char **value)
{
	size_t size = strcspn(text, "=");

	for (size_t i = 0; i < ARRAY_SIZE(filters) && text[size]; i++)
		if (strlen(filters[i].key) == size && strncmp(filters[i].key, text, size) == 0) {
			*value = text + size + 1;
			return (int)i;
		}
	return -1;
}

static int check_filters(struct cli *cli, const struct strv *texts)
{
	const char *value;

	for (size_t i = 0; i < texts->count; i++)
		if (find_filter(texts->items[i], &value) < 0)
			return error_set(&cli->err, ERROR_USAGE, 0,
					 "invalid --filter: %s (id=, name=, status=, label=, "
					 "ancestor=, volume=, network= or exited=)",
					 texts->items[i]);
	return 0;
}

/* One of the values of each key, as in docker. */
static bool fits(const struct row *row, const struct strv *texts)
{
	bool asked[ARRAY_SIZE(filters)] = { false }, met[ARRAY_SIZE(filters)] = { false };
	const char *value;

	for (size_t i = 0; i < texts->count; i++) {
		int which = find_filter(texts->items[i], &value);

		asked[which] = true;
		met[which] |= filters[which].fits(row, value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (asked[i] && !met[i])
			return false;
	return true;
}

static bool asks_for_status(const struct strv *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strncmp(texts->items[i], "status=", 7) == 0 ||
		    strncmp(texts->items[i], "exited=", 7) == 0)
			return true;
	return false;
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

	for (size_t i = 0; i < record->labels.count; i++)
		strbuf_addf(&labels, "%s%s=%s", i ? "," : "", record->labels.items[i].key,
			    record->labels.items[i].value);
	for (size_t i = 0; i < record->mounts.count; i++)
		strbuf_addf(&mounts, "%s%s", i ? "," : "",
			    record->mounts.items[i].name ? record->mounts.items[i].name
							 : record->mounts.items[i].source);
	write_member(writer, "Labels", &labels);
	write_member(writer, "Mounts", &mounts);
}

/* docker's names */
static void write_row(const struct row *row, bool full, struct json_writer *writer)
{
	const struct container_record *record = &row->record;
	cleanup_strbuf struct strbuf command = STRBUF_INIT, age = STRBUF_INIT, status = STRBUF_INIT;
	cleanup_strbuf struct strbuf ports = STRBUF_INIT, id = STRBUF_INIT;

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
	write_lists(record, writer);
	json_end_object(writer);
}

static const char table_template[] =
	"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

static void print_table(const struct strv *rows, struct cli *cli)
{
	static const char *const heading[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
					       "STATUS",       "PORTS", "NAMES" };
	cleanup_text_table struct text_table table = { .columns = ARRAY_SIZE(heading) };

	for (size_t i = 0; i < ARRAY_SIZE(heading); i++)
		text_table_add(&table, heading[i]);
	for (size_t i = 0; i < rows->count; i++)
		cli_add_row(cli, table_template, rows->items[i], &table);
	text_table_print(&table, stdout);
}

static int print(struct cli *cli, const struct ps_arguments *arguments, const struct strv *rows)
{
	cleanup_free char *template = NULL;
	enum format_kind kind = cli_format_kind(arguments->format, &template);

	if (arguments->quiet)
		return cli_print_rows(cli, FORMAT_TEMPLATE, "{{.ID}}", rows);
	if (kind != FORMAT_TABLE)
		return cli_print_rows(cli, kind, template, rows);
	print_table(rows, cli);
	return 0;
}

static int list(struct cli *cli, const struct ps_arguments *arguments, struct store *store,
		size_t last)
{
	__attribute__((cleanup(rows_done))) struct rows rows = { NULL, 0 };
	cleanup_strv struct strv texts = STRV_INIT;
	bool all = arguments->all || last || asks_for_status(&arguments->filters);
	int ret = collect(cli, store, &rows);

	for (size_t i = 0; ret == 0 && i < rows.count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct json_writer writer = { .out = &text };

		if (last && texts.count >= last)
			break;
		if ((!all && !container_is_up(&rows.items[i].state)) ||
		    !fits(&rows.items[i], &arguments->filters))
			continue;
		write_row(&rows.items[i], arguments->no_trunc, &writer);
		strv_add(&texts, text.data);
	}
	return ret < 0 ? ret : print(cli, arguments, &texts);
}

static int parse_and_list(struct cli *cli, const struct command_spec *command, int argc,
			  char **argv, struct ps_arguments *arguments)
{
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	uint64_t last = 0;
	int ret = cli_parse(cli, command, argc, argv, arguments, &words);

	if (ret == 0)
		ret = check_filters(cli, &arguments->filters);
	if (ret == 0 && arguments->last &&
	    (number_parse_u64(arguments->last, &last) < 0 || last == 0))
		ret = error_set(&cli->err, ERROR_USAGE, 0, "invalid --last: %s", arguments->last);
	if (arguments->latest)
		last = 1;
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
