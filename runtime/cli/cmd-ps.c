/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps: the processes of a container, as an array of their numbers on the host, or as the lines that
 * the host's ps(1) has for them: engines pass their users' options on to it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "runtime/cli/cli.h"

#define OUTPUT_MAX ((size_t)64 << 20)
#define BLANKS " \t"

struct ps_args {
	const char *format;
};

static const struct option_spec ps_options[] = { OPT_STRING('f', "format", struct ps_args, format,
							    "table|json",
							    "form of the output (default: table)"),
						 OPT_END };

static void print_json(const pid_t *pids, size_t count)
{
	putchar('[');
	for (size_t i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", (int)pids[i]);
	puts("]");
}

/* Both streams, because the reason of a failure is in the other one. */
static int run_ps(char *const *argv, struct strbuf *output, struct error *err)
{
	int status, ret = spawn_capture(argv, OUTPUT_MAX, output, &status, err);

	if (ret == 0 && status != 0)
		return error_set(err, ERROR_SYSTEM, 0, "ps: exit status %d: %.*s", status,
				 (int)strcspn(strbuf_text(output), "\n"), strbuf_text(output));
	return ret;
}

/* The word with this index in a line, or NULL. */
static const char *find_word(const char *line, size_t index, size_t *out_size)
{
	for (;; index--) {
		line += strspn(line, BLANKS);
		*out_size = strcspn(line, BLANKS);
		if (!*out_size || index == 0)
			return *out_size ? line : NULL;
		line += *out_size;
	}
}

/* Which column is "PID"? -1: none. */
static int find_pid_column(const char *header)
{
	const char *word;
	size_t size;

	for (int column = 0; (word = find_word(header, (size_t)column, &size)); column++)
		if (size == 3 && memcmp(word, "PID", 3) == 0)
			return column;
	return -1;
}

static bool is_listed(const char *line, int column, const pid_t *pids, size_t count)
{
	size_t size;
	const char *word = find_word(line, (size_t)column, &size);
	char digits[16];
	uint32_t number;

	if (!word || size >= sizeof(digits))
		return false;
	memcpy(digits, word, size);
	digits[size] = '\0';
	if (number_parse_u32(digits, &number) < 0)
		return false;
	return container_has_pid(pids, count, (pid_t)number);
}

/* The header and the lines of these processes. */
static int print_table(char *const *argv, const pid_t *pids, size_t count, struct error *err)
{
	cleanup_strbuf struct strbuf output = STRBUF_INIT;
	char *rest, *line;
	int ret = run_ps(argv, &output, err), column;

	if (ret < 0)
		return ret;
	rest = output.data;
	line = rest ? strsep(&rest, "\n") : NULL;
	column = line ? find_pid_column(line) : -1;
	if (column < 0)
		return error_invalid(err, "couldn't find PID field in ps output");
	puts(line);
	while (rest && (line = strsep(&rest, "\n")))
		if (is_listed(line, column, pids, count))
			puts(line);
	return 0;
}

static int cmd_ps(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_free pid_t *pids = NULL;
	struct ps_args args = { .format = NULL };
	struct option_result result;
	struct cli *cli = globals;
	size_t count = 0;
	bool json;
	int ret = cli_parse_id(cli, command, argc, argv, &args, &result);

	if (ret == 0)
		ret = cli_choose_json(cli, "format option", "table", args.format, &json);
	if (ret == 0)
		ret = container_pids(cli_globals(cli), result.arguments[0], &pids, &count,
				     &cli->err);
	if (ret < 0)
		return ret;
	if (json) {
		print_json(pids, count);
		return 0;
	}
	strv_add(&words, "ps");
	for (int i = 1; i < result.count; i++)
		strv_add(&words, result.arguments[i]);
	if (words.count == 1)
		strv_add(&words, "-ef");
	return print_table(strv_items(&words), pids, count, &cli->err);
}

const struct command_spec ps_command = {
	.name = "ps",
	.arguments = "CONTAINER-ID [PS-OPTION ...]",
	.candidates = "list -q",
	.options = ps_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.stop_at_argument = true,
	.run = cmd_ps,
	.summary = "list the processes of a container",
};
