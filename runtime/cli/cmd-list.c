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
	for (size_t i = 0; i < array->count; i++)
		container_info_done(&array->items[i]);
	free(array->items);
}

/* runc's table: columns at least 12 wide with at least 3 blanks between, the last one open. */
enum { COLUMNS = 6, COLUMN_WIDTH = 12, COLUMN_GAP = 3 };

struct row {
	const char *cells[COLUMNS];
};

static void print_rows(const struct row *rows, size_t count)
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
			printf("%-*s", (int)width[c], rows[r].cells[c]);
		printf("%s\n", rows[r].cells[COLUMNS - 1]);
	}
}

/* The user's name from the file itself: NSS would not fit into a static program. Who has none is
 * "#UID", as runc has it. */
static const char *owner_name(const struct strbuf *passwd, const char *uid, struct arena *arena)
{
	for (const char *line = strbuf_text(passwd); *line;) {
		const char *end = strchrnul(line, '\n'), *name_end = strchrnul(line, ':');
		const char *id = name_end < end ? strchr(name_end + 1, ':') : NULL;
		size_t length = strlen(uid);

		if (id && id < end && strncmp(id + 1, uid, length) == 0 && id[1 + length] == ':')
			return arena_strndup(arena, line, (size_t)(name_end - line));
		line = *end ? end + 1 : end;
	}
	return arena_printf(arena, "#%s", uid);
}

/* Each info gets its owner's name instead of the number. */
static void name_owners(struct container_array *array, struct arena *arena)
{
	cleanup_strbuf struct strbuf passwd = STRBUF_INIT;

	if (array->count == 0)
		return;
	/* without the file nobody has a name */
	(void)io_read_file(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &passwd, NULL);
	for (size_t i = 0; i < array->count; i++) {
		struct container_info *info = &array->items[i];
		char *name = xstrdup(info->owner ? owner_name(&passwd, info->owner, arena) : "");

		free(info->owner);
		info->owner = name;
	}
}

static void print_table(const struct container_array *array, struct arena *arena)
{
	struct row *rows = arena_alloc(arena, (array->count + 1) * sizeof(*rows));

	rows[0] = (struct row){ { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" } };
	for (size_t i = 0; i < array->count; i++) {
		const struct container_info *info = &array->items[i];

		rows[i + 1] = (struct row){ {
			info->id,
			arena_printf(arena, "%d", info->pid),
			container_status_names[info->status],
			info->bundle ? info->bundle : "",
			info->created ? info->created : "",
			info->owner ? info->owner : "",
		} };
	}
	print_rows(rows, array->count + 1);
}

/* One line; Go's encoding of an empty list, which callers have always read, is null. */
static void print_json(const struct container_array *array, struct arena *arena)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < array->count; i++) {
		const struct container_info *info = &array->items[i];

		strbuf_addc(&text, i ? ',' : '[');
		container_state_write(info, info->owner ? info->owner : "", JSON_COMPACT, arena,
				      &text);
	}
	strbuf_adds(&text, array->count ? "]" : "null");
	puts(text.data);
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
	ret = container_list(cli_globals(cli), &array.items, &array.count, &cli->err);
	if (ret < 0)
		return ret;
	name_owners(&array, &cli->arena);
	if (args.quiet) {
		for (size_t i = 0; i < array.count; i++)
			puts(array.items[i].id);
	} else if (json) {
		print_json(&array, &cli->arena);
	} else {
		print_table(&array, &cli->arena);
	}
	return 0;
}

const struct command_spec list_command = {
	.name = "list",
	.arguments = "",
	.options = list_options,
	.run = cmd_list,
	.summary = "list the containers below the state directory",
};
