/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder port: where the published ports of a container are. */
#include <stdio.h>
#include <string.h>

#include "builder/cli/container-args.h"
#include "lib/cleanup.h"

static const struct option_spec port_options[] = { OPT_END };

static void print_place(const struct container_port *port)
{
	const char *address = *port->host_address ? port->host_address : "0.0.0.0";
	bool v6 = strchr(address, ':') != NULL;

	printf("%s%s%s:%u\n", v6 ? "[" : "", address, v6 ? "]" : "",
	       port->host ? port->host : port->chosen);
}

/* wanted: "80" or "80/tcp"; NULL = all. */
static int print_ports(struct cli *cli, const struct container_record *record, const char *wanted)
{
	bool found = !wanted;

	for (size_t i = 0; i < record->ports.count; i++) {
		const struct container_port *port = &record->ports.items[i];
		cleanup_free char *full = xasprintf("%u/%s", port->container, port->protocol);
		cleanup_free char *word =
			wanted ? xasprintf("%s%s", wanted, strchr(wanted, '/') ? "" : "/tcp")
			       : NULL;

		if (word && strcmp(word, full) != 0)
			continue;
		found = true;
		if (!word)
			printf("%s -> ", full);
		print_place(port);
	}
	return found ? 0
		     : error_set(&cli->err, ERROR_NOT_FOUND, 0,
				 "container %s has no published port %s", record->name, wanted);
}

static int run_port(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = cli_find_running(cli, words.arguments[0], &record);
	return ret < 0 ? ret
		       : print_ports(cli, &record, words.count == 2 ? words.arguments[1] : NULL);
}

const struct command_spec port_command = {
	.name = "port",
	.arguments = "CONTAINER [PORT[/PROTOCOL]]",
	.options = port_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_port,
	.summary = "show where the published ports of a container are",
	.candidates = "ps --format {{.Names}}",
};
