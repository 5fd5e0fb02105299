/* SPDX-License-Identifier: Apache-2.0 */
/* Called by cmd-run, cmd-ps and their like. */
#include "builder/cli/container-args.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/format.h"
#include "builder/cli/go-template.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"

#define ENV_FILE_MAX ((size_t)1 << 20)

char *cli_program_path(void)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path));

	return size > 0 ? xstrndup(path, (size_t)size) : xstrdup(CLI_NAME);
}

int cli_each_container(struct cli *cli, struct store *store, char *const *words,
		       cli_container_fn call, void *context)
{
	int result = 0;

	for (; *words; words++) {
		struct error why = ERROR_INIT;
		char text[sizeof(why.msg) + 256];
		int ret = call(store, *words, context, &why);

		if (ret >= 0)
			continue;
		if (result == 0) {
			cli->err = why;
			result = ret;
		} else {
			log_warning("%s", error_text(&why, text, sizeof(text)));
		}
	}
	return result;
}

/* -- texts ---------------------------------------------------------------------------------------
 */

void container_status_text(const struct container_record *record,
			   const struct container_state *state, time_t now, struct strbuf *out)
{
	cleanup_strbuf struct strbuf age = STRBUF_INIT;
	const char *ago;

	if (state->status == CONTAINER_CREATED) {
		strbuf_adds(out, "Created");
		return;
	}
	if (state->status == CONTAINER_EXITED) {
		strbuf_addf(out, "Exited (%d)", state->exit_status);
		if (!*state->finished)
			return;
		format_age(state->finished, now, &age);
		strbuf_addf(out, " %s", strbuf_text(&age));
		return;
	}
	format_age(record->started, now, &age);
	ago = strstr(strbuf_text(&age), " ago");
	strbuf_addf(out, "Up %.*s%s", (int)(ago ? (size_t)(ago - age.data) : age.size),
		    strbuf_text(&age), state->status == CONTAINER_PAUSED ? " (Paused)" : "");
}

void container_ports_text(const struct container_record *record, struct strbuf *out)
{
	for (size_t i = 0; i < record->ports.count; i++) {
		const struct container_port *port = &record->ports.items[i];
		const char *address = *port->host_address ? port->host_address : "0.0.0.0";
		bool v6 = strchr(address, ':') != NULL;

		strbuf_addf(out, "%s%s%s%s:%u->%u/%s", i ? ", " : "", v6 ? "[" : "", address,
			    v6 ? "]" : "", port->host ? port->host : port->chosen, port->container,
			    port->protocol);
	}
}

/* -- words ---------------------------------------------------------------------------------------
 */

int env_files_read(const struct strv *files, struct strv *out, struct error *err)
{
	for (size_t i = 0; i < files->count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		char *rest, *line;
		int ret = io_read_file(AT_FDCWD, files->items[i], ENV_FILE_MAX, &text, err);

		if (ret < 0)
			return error_prefix(err, ret, "--env-file");
		rest = text.data;
		while (rest && (line = strsep(&rest, "\n"))) {
			line += strspn(line, " \t");
			line[strcspn(line, "\r")] = '\0';
			if (*line == '=')
				return error_set(err, ERROR_USAGE, 0,
						 "--env-file %s: a line without a name: \"%s\"",
						 files->items[i], line);
			if (*line && *line != '#')
				strv_add(out, line);
		}
	}
	return 0;
}

int cli_parse_seconds(struct cli *cli, const char *option, const char *text, int *out)
{
	uint32_t seconds;

	*out = -1;
	if (!text)
		return 0;
	if (number_parse_u32(text, &seconds) < 0 || seconds > INT_MAX / 1000)
		return error_set(&cli->err, ERROR_USAGE, 0, "invalid %s: %s (seconds)", option,
				 text);
	*out = (int)seconds;
	return 0;
}

/* -- formats -------------------------------------------------------------------------------------
 */

enum format_kind cli_format_kind(const char *format, char **out_template)
{
	bool table = format && strncmp(format, "table ", 6) == 0;

	*out_template = NULL;
	if (!format || strcmp(format, "table") == 0)
		return FORMAT_TABLE;
	if (strcmp(format, "json") == 0)
		return FORMAT_JSON;
	*out_template = go_template_unescape(table ? format + 6 : format);
	return table ? FORMAT_TEMPLATE_TABLE : FORMAT_TEMPLATE;
}

/* "{{.ID}}\t{{.RunningFor}}": ID, RUNNING FOR; what is no field stays. */
static void add_heading(const char *template, struct strbuf *out)
{
	while (*template) {
		const char *end = strncmp(template, "{{", 2) == 0 ? strstr(template, "}}") : NULL;
		const char *name = end ? memrchr(template, '.', (size_t)(end - template)) : NULL;

		if (!end) {
			strbuf_addc(out, *template ++);
			continue;
		}
		for (const char *p = name ? name + 1 : end; p < end && isalnum((unsigned char)*p);
		     p++) {
			if (isupper((unsigned char)*p) && islower((unsigned char)p[-1]))
				strbuf_addc(out, ' ');
			strbuf_addc(out, (char)toupper((unsigned char)*p));
		}
		template = end + 2;
	}
}

static void add_cells(struct text_table *table, const char *line)
{
	cleanup_strv struct strv cells = STRV_INIT;

	strv_split(&cells, line, '\t');
	for (size_t i = 0; i < table->columns; i++)
		text_table_add(table, i < cells.count ? cells.items[i] : "");
}

void cli_add_row(struct cli *cli, const char *template, const char *row, struct text_table *table)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	if (go_template_run(template, row, &line, &cli->err) == 0)
		add_cells(table, strbuf_text(&line));
}

static void print_json(const struct strv *rows)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	json_begin_array(&writer);
	for (size_t i = 0; i < rows->count; i++)
		json_raw(&writer, rows->items[i]);
	json_end_array(&writer);
	puts(out.data);
}

int cli_print_rows(struct cli *cli, enum format_kind kind, const char *template,
		   const struct strv *rows)
{
	cleanup_text_table struct text_table table = { .columns = 1 };
	cleanup_strbuf struct strbuf heading = STRBUF_INIT;

	if (kind == FORMAT_JSON) {
		print_json(rows);
		return 0;
	}
	for (const char *p = template; *p; p++)
		table.columns += *p == '\t';
	add_heading(template, &heading);
	if (kind == FORMAT_TEMPLATE_TABLE)
		add_cells(&table, strbuf_text(&heading));
	for (size_t i = 0; i < rows->count; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		int ret = go_template_run(template, rows->items[i], &line, &cli->err);

		if (ret < 0)
			return ret;
		if (kind == FORMAT_TEMPLATE_TABLE)
			add_cells(&table, strbuf_text(&line));
		else
			puts(strbuf_text(&line));
	}
	if (kind == FORMAT_TEMPLATE_TABLE)
		text_table_print(&table, stdout);
	return 0;
}
