/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder container prune: remove the containers that do not run. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/container/container.h"
#include "builder/container/host-mount.h"
#include "builder/container/size.h"
#include "lib/cleanup.h"
#include "lib/number.h"

struct prune_arguments {
	bool force;
	struct strv filters;
};

/* clang-format off */
static const struct option_spec prune_options[] = {
	OPT_STRV(0, "filter", struct prune_arguments, filters, "KEY=VALUE",
		 "only those: until=24h (made before), label=NAME[=VALUE], label!=NAME[=VALUE]"),
	OPT_BOOL('f', "force", struct prune_arguments, force, "do not ask"),
	OPT_END
};
/* clang-format on */

struct chosen {
	bool has_until;
	time_t until;
	struct strv labels, not_labels;
};

static void chosen_done(struct chosen *chosen)
{
	strv_done(&chosen->labels);
	strv_done(&chosen->not_labels);
}

static int read_filter(const char *text, struct chosen *out, struct error *err)
{
	uint64_t ns;

	if (strncmp(text, "label=", 6) == 0) {
		strv_add(&out->labels, text + 6);
	} else if (strncmp(text, "label!=", 7) == 0) {
		strv_add(&out->not_labels, text + 7);
	} else if (strncmp(text, "until=", 6) == 0) {
		out->has_until = true;
		if (number_parse_duration(text + 6, &ns) == 0)
			out->until = time(NULL) - (time_t)(ns / 1000000000);
		else if (!parse_time(text + 6, &out->until))
			return error_set(err, ERROR_USAGE, 0,
					 "--filter %s: neither a duration nor a time", text);
	} else {
		return error_set(err, ERROR_USAGE, 0,
				 "invalid --filter: %s (until=, label= or label!=)", text);
	}
	return 0;
}

static bool is_chosen(const struct chosen *chosen, const struct container_record *record)
{
	time_t made;

	if (chosen->has_until && (!parse_time(record->created, &made) || made >= chosen->until))
		return false;
	for (size_t i = 0; i < chosen->labels.count; i++)
		if (!json_map_fits(&record->labels, chosen->labels.items[i]))
			return false;
	for (size_t i = 0; i < chosen->not_labels.count; i++)
		if (json_map_fits(&record->labels, chosen->not_labels.items[i]))
			return false;
	return true;
}

/* Whoever is there first: one that was started meanwhile stays. */
static int remove_one(struct store *store, const char *id, const struct chosen *chosen,
		      uint64_t *freed, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct container_size size;
	struct container_state state;
	int ret;

	if (container_open(store, id, &container, NULL) < 0)
		return 0; /* gone */
	container_state_get(store, &container.record, &state);
	if (container_is_up(&state) || host_mount_is_there(store, container.record.id) ||
	    !is_chosen(chosen, &container.record))
		return 0;
	container_size_get(store, &container.record, &size);
	ret = container_delete(&container, false, false, err);
	if (ret < 0)
		return ret;
	puts(id);
	*freed += size.own;
	return 0;
}

static int prune(struct cli *cli, const struct chosen *chosen)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_strv struct strv ids = STRV_INIT;
	cleanup_strbuf struct strbuf size = STRBUF_INIT;
	uint64_t freed = 0;
	int ret = cli_open_store(cli, true, &store);

	if (ret == 0)
		ret = container_list(&store, &ids, &cli->err);
	for (size_t i = 0; ret == 0 && i < ids.count; i++)
		ret = remove_one(&store, ids.items[i], chosen, &freed, &cli->err);
	if (ret < 0)
		return ret;
	format_size(freed, &size);
	fprintf(stderr, "Total reclaimed space: %s\n", strbuf_text(&size));
	return 0;
}

/* 1 yes, 0 no */
static int confirm(struct cli *cli)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return error_set(&cli->err, ERROR_USAGE, 0,
				 "this removes all containers that do not run; without a terminal "
				 "to ask on it needs --force");
	fprintf(stderr, "This removes all containers that do not run. Go on? [y/N] ");
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

static int run_prune(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_with(chosen_done) struct chosen chosen = { .has_until = false };
	struct prune_arguments arguments = { .force = false };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	for (size_t i = 0; ret == 0 && i < arguments.filters.count; i++)
		ret = read_filter(arguments.filters.items[i], &chosen, &cli->err);
	if (ret == 0)
		ret = arguments.force ? 1 : confirm(cli);
	if (ret == 1)
		ret = prune(cli, &chosen);
	options_done(prune_options, &arguments);
	return ret;
}

const struct command_spec container_prune_command = {
	.name = "container prune",
	.arguments = "",
	.options = prune_options,
	.arguments_max = 0,
	.run = run_prune,
	.summary = "remove the containers that do not run",
};
