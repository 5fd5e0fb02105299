/* SPDX-License-Identifier: Apache-2.0 */
/* events: statistics once, or a stream of them and of what happens, a line of JSON each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "runtime/cli/cli.h"

#define INTERVAL_DEFAULT "5s"

struct events_args {
	const char *interval;
	struct strv watch;
	bool stats;
};

/* clang-format off */
static const struct option_spec events_options[] = {
	OPT_STRING(0, "interval", struct events_args, interval, "DURATION",
		   "time between statistics (default: " INTERVAL_DEFAULT ")"),
	OPT_BOOL(0, "stats", struct events_args, stats, "print the statistics once, and that is all"),
	OPT_STRV(0, "watch", struct events_args, watch, "WHAT",
		 "tell more: memory, pids (counters that change), cpu-pressure, memory-pressure, "
		 "io-pressure (a tenth of two seconds was lost); may be given several times"),
	OPT_END
};
/* clang-format on */

static int print_line(const char *line, void *data, struct error *err)
{
	(void)data;
	/* who reads a stream wants each line now */
	if (puts(line) < 0 || fflush(stdout) != 0)
		return error_errno(err, errno, "write to stdout");
	return 0;
}

static int find_watch(struct cli *cli, const char *word, unsigned int *out)
{
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		if (strcmp(word, event_watch_names[i]) == 0) {
			*out |= 1U << i;
			return 0;
		}
	}
	return error_invalid(&cli->err, "invalid value for watch: \"%s\"", word);
}

static int read_args(struct cli *cli, const struct events_args *args, struct container_events *out)
{
	const char *interval = args->interval ? args->interval : INTERVAL_DEFAULT;
	int ret = 0;

	if (number_parse_duration(interval, &out->interval_ns) < 0)
		return error_invalid(&cli->err, "invalid value for interval: \"%s\"", interval);
	if (!out->interval_ns)
		return error_invalid(&cli->err, "duration interval must be greater than 0");
	for (size_t i = 0; i < args->watch.count && ret == 0; i++)
		ret = find_watch(cli, args->watch.items[i], &out->watch);
	if (args->stats)
		out->interval_ns = 0;
	return ret;
}

static int cmd_events(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct events_args args = { .watch = STRV_INIT };
	struct container_events events = { .tell = print_line };
	struct option_result result;
	struct cli *cli = globals;
	int ret = cli_parse_id(cli, command, argc, argv, &args, &result);

	if (ret == 0)
		ret = read_args(cli, &args, &events);
	if (ret == 0)
		ret = container_events(cli_globals(cli), result.arguments[0], &events, &cli->err);
	options_done(events_options, &args);
	return ret;
}

const struct command_spec events_command = {
	.name = "events",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = events_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_events,
	.summary = "print what a container uses and what happens to it",
};
