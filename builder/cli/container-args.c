/* SPDX-License-Identifier: Apache-2.0 */
/* Called by cmd-run, cmd-ps and their like. */
#include "builder/cli/container-args.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/format.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/signals.h"

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

void labels_text(const struct json_map *labels, struct strbuf *out)
{
	for (size_t i = 0; i < labels->count; i++)
		strbuf_addf(out, "%s%s=%s", i ? "," : "", labels->items[i].key,
			    labels->items[i].value);
}

/* -- words ---------------------------------------------------------------------------------------
 */

int lines_files_read(const char *option, const struct strv *files, struct strv *out,
		     struct error *err)
{
	for (size_t i = 0; i < files->count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		char *rest, *line;
		int ret = io_read_file(AT_FDCWD, files->items[i], ENV_FILE_MAX, &text, err);

		if (ret < 0)
			return error_prefix(err, ret, "%s", option);
		rest = text.data;
		while (rest && (line = strsep(&rest, "\n"))) {
			line += strspn(line, " \t");
			line[strcspn(line, "\r")] = '\0';
			if (*line == '=')
				return error_set(err, ERROR_USAGE, 0,
						 "%s %s: a line without a name: \"%s\"", option,
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

int cli_check_signal(struct cli *cli, const char *signal)
{
	return signal_parse(signal) > 0
		       ? 0
		       : error_set(&cli->err, ERROR_USAGE, 0, "invalid --signal: %s", signal);
}

int cli_find_running(struct cli *cli, const char *word, struct container_record *out)
{
	cleanup_store struct store store = STORE_INIT;
	struct container_state state;
	int ret = cli_open_store(cli, false, &store);

	if (ret == 0)
		ret = container_record_find(&store, word, out, &cli->err);
	return ret < 0 ? ret : container_require_up(&store, out, &state, &cli->err);
}
