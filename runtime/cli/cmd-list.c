/* SPDX-License-Identifier: Apache-2.0 */
/* list: every container below --root, as a table, as JSON or as bare ids. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/cmd-state.h"

#define PASSWD_MAX ((size_t)4 << 20)

struct list_args {
	const char *format;
	bool quiet;
};

static const struct option_spec list_options[] = {
	OPT_STRING('f', "format", struct list_args, format, "table|json",
		   "form of the output (default: table)"),
	OPT_BOOL('q', "quiet", struct list_args, quiet, "print the ids alone"), OPT_END
};

struct container_array {
	struct container_info *items;
	size_t count;
};

static void container_array_done(struct container_array *array)
{
	free(array->items);
}

/* runc's table: columns at least 12 wide with at least 3 blanks between, the last one open. */
enum { COLUMNS = 6, COLUMN_WIDTH = 12, COLUMN_GAP = 3 };

struct row {
	const char *cells[COLUMNS];
};

static void add_cell(struct strbuf *out, const char *cell, size_t width)
{
	size_t size = strlen(cell);

	strbuf_reserve(out, width);
	memcpy(out->data + out->size, cell, size);
	memset(out->data + out->size + size, ' ', width - size);
	out->size += width;
}

/* Not by printf: engines repeat this verb, and formats were a quarter of it. */
static void add_rows(const struct row *rows, size_t count, struct strbuf *out)
{
	size_t width[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++) {
		width[c] = COLUMN_WIDTH;
		for (size_t r = 0; r < count; r++)
			if (strlen(rows[r].cells[c]) + COLUMN_GAP > width[c])
				width[c] = strlen(rows[r].cells[c]) + COLUMN_GAP;
	}
	for (size_t r = 0; r < count; r++) {
		for (size_t c = 0; c < COLUMNS - 1; c++)
			add_cell(out, rows[r].cells[c], width[c]);
		strbuf_adds(out, rows[r].cells[COLUMNS - 1]);
		strbuf_addc(out, '\n');
	}
}

/* The names of users, from the file itself: NSS would not fit into a static program. */
struct users {
	struct strbuf passwd;
	struct arena *arena;
	uint32_t uid; /* of name, the last one that was asked for: it is nearly always the same */
	const char *name;
};

static void users_done(struct users *users)
{
	strbuf_done(&users->passwd);
}

static void users_open(struct users *users)
{
	/* without the file nobody has a name */
	(void)io_read_file(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &users->passwd, NULL);
}

/* Who has no name is "#UID", as runc has it. */
static const char *find_user(const struct users *users, uint32_t uid)
{
	const char *number = arena_printf(users->arena, "%u", uid);
	size_t length = strlen(number);

	for (const char *line = strbuf_text(&users->passwd); *line;) {
		const char *end = strchrnul(line, '\n'), *name_end = strchrnul(line, ':');
		const char *id = name_end < end ? strchr(name_end + 1, ':') : NULL;

		if (id && id < end && strncmp(id + 1, number, length) == 0 && id[1 + length] == ':')
			return arena_strndup(users->arena, line, (size_t)(name_end - line));
		line = *end ? end + 1 : end;
	}
	return arena_printf(users->arena, "#%s", number);
}

static const char *user_name(struct users *users, uint32_t uid)
{
	if (!users->name || users->uid != uid)
		users->name = find_user(users, uid);
	users->uid = uid;
	return users->name;
}

static void add_table(const struct container_array *array, struct users *users, struct strbuf *out)
{
	struct arena *arena = users->arena;
	struct row *rows = arena_alloc(arena, (array->count + 1) * sizeof(*rows));

	rows[0] = (struct row){ { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" } };
	for (size_t i = 0; i < array->count; i++) {
		const struct container_info *info = &array->items[i];

		rows[i + 1] = (struct row){ {
			info->id,
			arena_printf(arena, "%d", info->pid),
			container_status_names[info->status],
			info->bundle,
			info->created,
			user_name(users, info->owner),
		} };
	}
	add_rows(rows, array->count + 1, out);
}

/* One line; Go's encoding of an empty list, which callers have always read, is null. */
static void add_json(const struct container_array *array, struct users *users, struct strbuf *out)
{
	for (size_t i = 0; i < array->count; i++) {
		const struct container_info *info = &array->items[i];

		strbuf_addc(out, i ? ',' : '[');
		container_state_write(info, user_name(users, info->owner), JSON_COMPACT, out);
	}
	strbuf_adds(out, array->count ? "]\n" : "null\n");
}

static void add_ids(const struct container_array *array, struct strbuf *out)
{
	for (size_t i = 0; i < array->count; i++) {
		strbuf_adds(out, array->items[i].id);
		strbuf_addc(out, '\n');
	}
}

static void print(struct cli *cli, const struct list_args *args, bool json,
		  const struct container_array *array)
{
	cleanup_with(users_done) struct users users = { STRBUF_INIT, &cli->arena, 0, NULL };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!args->quiet && array->count)
		users_open(&users);
	if (args->quiet)
		add_ids(array, &text);
	else if (json)
		add_json(array, &users, &text);
	else
		add_table(array, &users, &text);
	(void)fputs(strbuf_text(&text), stdout); /* main() asks how stdout is */
}

static int cmd_list(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_with(container_array_done) struct container_array array = { NULL, 0 };
	struct list_args args = { .format = NULL };
	struct option_result result;
	struct cli *cli = globals;
	bool json;
	int ret;

	ret = cli_parse(cli, command, argc, argv, &args, &result);
	if (ret == 0)
		ret = cli_choose_json(cli, "format option", "table", args.format, &json);
	if (ret < 0)
		return ret;
	ret = container_list(cli_globals(cli), &cli->arena, &array.items, &array.count, &cli->err);
	if (ret < 0)
		return ret;
	print(cli, &args, json, &array);
	return 0;
}

const struct command_spec list_command = {
	.name = "list",
	.arguments = "",
	.options = list_options,
	.run = cmd_list,
	.summary = "list the containers below the state directory",
};
