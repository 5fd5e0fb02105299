/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: build an image once more, as it was built, and compare. What is built stands apart from
 * all else in the store: it takes nothing from the cache, is recorded nowhere and has no name.
 */
#include <stdlib.h>
#include <string.h>

#include "builder/cli/pull-image.h"
#include "builder/cli/verify-internal.h"
#include "lib/cleanup.h"
#include "lib/log.h"

/** docs/exit-codes.md; as of diff(1) and cmp(1). */
enum { VERIFY_SAME, VERIFY_DIFFERENT, VERIFY_FAILED };

/* clang-format off */
const struct option_spec verify_options[] = {
	OPT_STRING(0, "format", struct verify_args, format, "text|json", "how to say what differs (default: text)"),
	OPT_INCLUDE(struct verify_args, build, build_again_options),
	OPT_END
};
/* clang-format on */

static void verify_done(struct verify *verify)
{
	verify_report_done(&verify->report);
	image_done(&verify->rebuilt);
	image_done(&verify->image);
	free(verify->platform);
	build_done(&verify->build);
	verify_origin_done(&verify->origin);
	options_done(verify_options, &verify->given);
}

/* -- building ------------------------------------------------------------------------------------
 */

static void pin_names(struct verify *verify)
{
	struct journal_request *request = verify->origin.request;
	struct build_options *options = &verify->build.options;

	if (!request || options->args.locked)
		return;
	request->pins.open = true;
	request->pins.path = verify->origin.name;
	options->graph.pins = &request->pins;
}

static int prepare(struct verify *verify, int argc, char **argv)
{
	struct build *build = &verify->build;
	struct error *err = &verify->cli->err;
	int ret = verify_read_request(verify, argc, argv, err);

	if (ret < 0)
		return ret;
	if (verify->origin.kind == VERIFY_JOURNAL)
		(void)unsetenv("SOURCE_DATE_EPOCH"); /* it is known what that was */
	ret = build_options_read(&build->options, verify->cli);
	if (ret < 0)
		return ret;
	build->options.engine.no_cache = true;
	build->location = verify->context;
	pin_names(verify);
	verify_pin_time(verify);
	ret = build_open_store(build);
	if (ret < 0)
		return ret;
	build->store.apart = true;
	ret = verify_load_image(verify, &build->store, err); /* the session holds it now */
	return ret < 0 ? ret : pull_lazy_layers(&build->store, &verify->image, err);
}

static int run(struct verify *verify)
{
	struct build *build = &verify->build;
	struct error *err = &verify->cli->err;
	int ret = build_read(build, verify->context);

	if (ret == 0)
		ret = build_plan(build);
	if (ret < 0)
		return ret;
	verify_pin_steps(verify);
	ret = build_run(build);
	if (ret == 0)
		ret = engine_create_image(&build->engine, &build->result.ref,
					  &build->result.image_id, err);
	return ret < 0 ? ret
		       : image_load_ref(&build->store, &build->result.ref, &verify->rebuilt, err);
}

/* -- the verb ------------------------------------------------------------------------------------
 */

static int verify_image(struct verify *verify, int argc, char **argv)
{
	struct build *build = &verify->build;
	int ret = cli_choose_json(verify->cli, "--format", "text", verify->given.format,
				  &verify->report.is_json);

	if (ret == 0)
		ret = prepare(verify, argc, argv);
	if (ret == 0)
		ret = run(verify);
	progress_stop(&build->progress);
	if (ret < 0)
		build_explain(build, &verify->cli->err);
	if (ret == 0)
		ret = verify_compare(verify, &verify->cli->err);
	if (ret < 0)
		return ret;
	return ret ? VERIFY_DIFFERENT : VERIFY_SAME;
}

/* What was built has no name: nothing needs it any more. prune would take it, too. */
static void collect(struct cli *cli)
{
	struct builder_cli builder = { .cli = { .program = cli->program },
				       .store = ((struct builder_cli *)cli)->store };
	struct store_collected collected = { .names = STRV_INIT };
	cleanup_store struct store store = STORE_INIT;

	if (cli_open_store(&builder.cli, false, &store) < 0 ||
	    store_collect(&store, image_reach, &collected, &builder.cli.err) < 0)
		log_debug("what verify has built stays until prune: %s", builder.cli.err.msg);
	strv_done(&collected.names);
}

static int verify_once(const struct command_spec *command, int argc, char **argv, struct cli *cli)
{
	cleanup_with(verify_done) struct verify verify = {
		.cli = cli,
		.image = { .arena = ARENA_INIT },
		.rebuilt = { .arena = ARENA_INIT },
		.build = { .cli = cli,
			   .context = CONTEXT_INIT,
			   .store = STORE_INIT,
			   .journal = JOURNAL_INIT,
			   .progress = PROGRESS_INIT,
			   .signal_fd = -EBADF },
	};
	/* parsing moves them about */
	cleanup_free char **again = xreallocarray(NULL, (size_t)argc + 1, sizeof(*again));
	struct option_result words;
	int ret;

	memcpy(again, argv, ((size_t)argc + 1) * sizeof(*again));
	cli->failure_status = VERIFY_FAILED;
	ret = cli_parse(cli, command, argc, argv, &verify.given, &words);
	if (ret < 0)
		return ret;
	(void)unsetenv("NOTIFY_SOCKET"); /* as for build */
	verify.name = words.arguments[0];
	verify.context = words.count > 1 ? words.arguments[1] : NULL;
	return verify_image(&verify, argc, again);
}

static int cmd_verify(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	int ret = verify_once(command, argc, argv, cli);

	if (!cli->helped && cli->err.code != ERROR_USAGE)
		collect(cli);
	return ret;
}

const struct command_spec verify_command = {
	.name = "verify",
	.arguments = "IMAGE [CONTEXT]",
	.options = verify_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = cmd_verify,
	.summary = "build an image again and show what differs",
	.candidates = "images --format {{.Repository}}:{{.Tag}}",
};
