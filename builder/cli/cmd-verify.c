/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: build an image once more, as it was built, and compare. What is built stands apart from
 * all else in the store: it takes nothing from the cache, is recorded nowhere and has no name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/build-internal.h"
#include "builder/cli/build-request.h"
#include "builder/cli/format.h"
#include "builder/cli/pull-image.h"
#include "builder/cli/verify-origin.h"
#include "builder/cli/verify-report.h"
#include "builder/context/location.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/log.h"

/** docs/exit-codes.md; as of diff(1) and cmp(1). */
enum { VERIFY_SAME, VERIFY_DIFFERENT, VERIFY_FAILED };

struct verify_args {
	const char *format;
	struct build_args build;
};

struct verify {
	struct cli *cli;
	struct verify_args given; /* on the command line */
	const char *name, *context;
	char *platform;	    /* of the image */
	struct image image; /* that is verified */
	struct image rebuilt;
	struct verify_origin origin;
	struct build build;
	struct verify_report report;
};

/* clang-format off */
static const struct option_spec verify_options[] = {
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

/* -- what it is built from -----------------------------------------------------------------------
 */

static int find_platform(struct verify *verify, struct error *err)
{
	const struct image_config *config = verify->image.config;
	cleanup_free char *host = platform_host(), *text = NULL;

	if (!config->os || !config->architecture)
		return error_invalid(err, "image \"%s\" says no platform", verify->name);
	text = xasprintf("%s/%s%s%s", config->os, config->architecture, config->variant ? "/" : "",
			 config->variant ? config->variant : "");
	return platform_normalize(text, host, &verify->platform, err);
}

/* By its name, for the platform that was asked for. */
static int load_image(struct verify *verify, struct store *store, struct error *err)
{
	const char *wanted = verify->given.build.platform;
	cleanup_free char *host = platform_host(), *platform = NULL;
	int ret = 0;

	if (wanted && strchr(wanted, ','))
		return error_set(err, ERROR_USAGE, 0, "one --platform is verified at a time");
	if (wanted)
		ret = platform_normalize(wanted, host, &platform, err);
	image_done(&verify->image);
	verify->image = (struct image){ .arena = ARENA_INIT };
	return ret < 0 ? ret : image_load_for(store, verify->name, platform, &verify->image, err);
}

/* Before the build's own store is open, which its options come before. */
static int find_origin(struct verify *verify, struct error *err)
{
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_open_store(verify->cli, false, &store);

	if (ret == 0)
		ret = load_image(verify, &store, err);
	if (ret == 0)
		ret = find_platform(verify, err);
	return ret < 0 ? ret : verify_origin_find(&store, &verify->image, &verify->origin, err);
}

static bool is_folder(struct verify *verify, const char *context)
{
	struct location location;

	return location_parse(context, true, &verify->cli->arena, &location, NULL) == 0 &&
	       location.kind == LOCATION_FOLDER;
}

/* Where the recorded Dockerfile is in the recorded context; NULL = elsewhere. */
static const char *place_in_context(const struct journal_request *request, const char *file)
{
	size_t size = request->context ? strlen(request->context) : 0;

	if (size && strncmp(file, request->context, size) == 0 && file[size] == '/')
		return file + size + 1;
	/* of a context that was fetched: paths of this machine are recorded as absolute ones */
	return file[0] == '/' || strcmp(file, "-") == 0 || strstr(file, "://") ? NULL : file;
}

/* In another context it is at the same place as it was in the recorded one. */
static void move_file(struct verify *verify, struct build_args *args)
{
	const struct journal_request *request = verify->origin.request;
	const char *place;

	if (!request || !verify->context || verify->given.build.file || !args->file)
		return;
	place = place_in_context(request, args->file);
	if (place && is_folder(verify, verify->context))
		args->file = arena_printf(&verify->cli->arena, "%s/%s", verify->context, place);
	else if (place)
		args->file = arena_strdup(&verify->cli->arena, place);
}

/* First what was recorded, then what the command line says. */
static int read_options(struct verify *verify, int argc, char **argv)
{
	const struct command_spec words = { .name = "verify",
					    .options = verify_options,
					    .arguments_max = -1 };
	struct build_options *options = &verify->build.options;
	struct verify_args args = { .format = NULL };
	struct error *err = &verify->cli->err;
	struct option_result result;
	int ret = 0;

	if (verify->origin.request)
		ret = build_request_take(verify->origin.request, &args.build, err);
	if (ret < 0)
		ret = error_prefix(err, ret, "%s", verify->origin.name);
	if (ret == 0)
		ret = options_parse(&words, argc, argv, &args, &result, err);
	move_file(verify, &args.build);
	args.build.platform = verify->platform;
	options->args = args.build;
	return ret;
}

static int check_file(const struct verify *verify, const char *path, const char *what,
		      const char *remedy, struct error *err)
{
	if (path[0] != '/' || access(path, F_OK) == 0)
		return 0;
	return error_errno(err, errno, "the %s that %s had, \"%s\", cannot be found: %s", what,
			   verify->origin.name, path, remedy);
}

static int find_context(struct verify *verify, struct error *err)
{
	const struct journal_request *request = verify->origin.request;
	const char *file = verify->build.options.args.file;
	bool recorded = !verify->context;
	int ret = 0;

	if (recorded && request)
		verify->context = request->context;
	if (!verify->context)
		return error_set(
			err, ERROR_NOT_FOUND, 0,
			request ? "the provenance of \"%s\" names no context that could be "
				  "fetched: give it (verify IMAGE CONTEXT)"
				: "nothing says how \"%s\" was built (no build of this store "
				  "that is still recorded, no provenance): give the options "
				  "and the context (verify IMAGE [build options] CONTEXT)",
			verify->name);
	if (recorded && strcmp(verify->context, "-") == 0)
		return error_set(err, ERROR_NOT_FOUND, 0,
				 "%s had its context from standard input, which is gone: give it "
				 "(verify IMAGE CONTEXT)",
				 verify->origin.name);
	if (!verify->given.build.file && file && strcmp(file, "-") == 0)
		return error_set(
			err, ERROR_NOT_FOUND, 0,
			"%s had its Dockerfile from standard input, which is gone: give it "
			"(--file)",
			verify->origin.name);
	if (recorded)
		ret = check_file(verify, verify->context, "context",
				 "give another one (verify IMAGE CONTEXT)", err);
	if (ret == 0 && file && !verify->given.build.file)
		ret = check_file(verify, file, "Dockerfile", "give another one (--file)", err);
	return ret;
}

static bool has_id(const struct strv *texts, const char *id)
{
	size_t size = strlen(id);

	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];
		const char *found = strncmp(text, "id=", 3) == 0 ? text : strstr(text, ",id=");

		if (found)
			found += *found == ',' ? 4 : 3;
		else
			found = text; /* --ssh ID[=...] */
		if (strncmp(found, id, size) == 0 && strchr(",=", found[size]))
			return true;
	}
	return false;
}

/* They were not recorded, and nothing would say that they are missing. */
static int check_lent(struct verify *verify, struct error *err)
{
	const struct journal_request *request = verify->origin.request;
	const struct build_args *args = &verify->given.build;

	for (size_t i = 0; request && i < request->secrets.count; i++)
		if (!has_id(&args->secrets, request->secrets.items[i]))
			return error_set(err, ERROR_USAGE, 0,
					 "the image was built with the secret \"%s\", which nobody "
					 "has recorded: give --secret id=%s,src=FILE",
					 request->secrets.items[i], request->secrets.items[i]);
	for (size_t i = 0; request && i < request->agents.count; i++)
		if (!has_id(&args->agents, request->agents.items[i]))
			return error_set(
				err, ERROR_USAGE, 0,
				"the image was built with the SSH agent \"%s\": give --ssh %s",
				request->agents.items[i], request->agents.items[i]);
	if (request && (uint64_t)request->volumes > args->volumes.count)
		return error_set(err, ERROR_USAGE, 0,
				 "the image was built with %lld volume(s) of this machine, which "
				 "nobody has recorded: give --volume SOURCE:TARGET for each",
				 (long long)request->volumes);
	return 0;
}

/* -- its time ------------------------------------------------------------------------------------
 */

static bool is_dated_here(const struct build_args *args, const struct strv *build_args)
{
	return args->timestamp || args->epoch || strv_env_get(build_args, "SOURCE_DATE_EPOCH");
}

/* A record says all; without one the image says when, and the options whether that is to be said
 * everywhere. */
static void pin_time(struct verify *verify)
{
	const struct journal_request *request = verify->origin.request;
	struct build_options *options = &verify->build.options;
	struct pinned_time *pinned = &options->pinned;
	time_t created;

	if (verify->origin.kind == VERIFY_JOURNAL) {
		pinned->is_set =
			!is_dated_here(&verify->given.build, &verify->given.build.build_args);
		pinned->now = request->time;
		pinned->dated = request->dated;
		pinned->commit_times = request->commit_times;
		return;
	}
	if (is_dated_here(&options->args, &options->build_args) || !verify->image.config->created ||
	    !parse_time(verify->image.config->created, &created))
		return;
	*pinned = (struct pinned_time){ .is_set = true, .now = created, .may_be_commit = true };
}

/* What the image's history says of the layers that it has. */
static void pin_by_history(const struct verify *verify, struct step *step)
{
	const struct image_config *config = verify->image.config;
	const char *text = step->history < config->history.count
				   ? config->history.items[step->history].created
				   : NULL;
	time_t created;

	if (text && parse_time(text, &created))
		step->now = created;
}

/* The steps of other stages are in no image. */
static void pin_by_record(const struct verify *verify, struct step *step)
{
	const struct journal_request *request = verify->origin.request;

	for (size_t i = 0; i < request->times.count; i++) {
		const struct journal_time *time = &request->times.items[i];

		if (time->number == step->number && strcmp(time->stage, step->stage->label) == 0)
			step->now = time->time;
	}
}

/* Where nobody has dated the image, each of its steps has the time at which it was made first. */
static void pin_steps(struct verify *verify)
{
	const struct graph *graph = &verify->build.graph;

	if (graph->options->dated || !verify->build.options.pinned.is_set)
		return;
	for (size_t i = 0; verify->origin.kind == VERIFY_JOURNAL && i < graph->order_count; i++)
		for (size_t j = 0; j < graph->order[i]->step_count; j++)
			pin_by_record(verify, graph->order[i]->steps[j]);
	/* stronger: the record of a build for several platforms has the times of one */
	for (const struct graph_stage *stage = graph->target; stage; stage = stage->parent)
		for (size_t i = 0; i < stage->step_count; i++)
			pin_by_history(verify, stage->steps[i]);
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
	int ret = find_origin(verify, err);

	if (ret == 0)
		ret = read_options(verify, argc, argv);
	if (ret == 0)
		ret = find_context(verify, err);
	if (ret == 0)
		ret = check_lent(verify, err);
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
	pin_time(verify);
	ret = build_open_store(build);
	if (ret < 0)
		return ret;
	build->store.apart = true;
	ret = load_image(verify, &build->store, err); /* the session holds it now */
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
	pin_steps(verify);
	ret = build_run(build);
	if (ret == 0)
		ret = engine_create_image(&build->engine, &build->result.ref,
					  &build->result.image_id, err);
	return ret < 0 ? ret
		       : image_load_ref(&build->store, &build->result.ref, &verify->rebuilt, err);
}

/* -- likely reasons ------------------------------------------------------------------------------
 */

static void note_context(struct verify *verify)
{
	const struct journal_request *request = verify->origin.request;
	const struct context *context = &verify->build.context;
	const char *commit = request ? request->commit : NULL;
	struct strv *notes = &verify->report.notes;

	if (commit && !context->is_commit)
		strv_addf(notes,
			  "the context was commit %.12s; now it is no clean checkout of a commit",
			  commit);
	else if (commit && strcmp(commit, context->commit) != 0)
		strv_addf(notes, "the context was commit %.12s; now it is %.12s", commit,
			  context->commit);
	else if (!commit && verify->origin.kind == VERIFY_COMMAND_LINE && context->is_commit &&
		 !verify->build.options.graph.dated)
		strv_addf(notes,
			  "the context is commit %.12s, and the image has another time than that",
			  context->commit);
	if (verify->origin.kind == VERIFY_PROVENANCE && !verify->origin.has_arguments)
		strv_add(notes, "the provenance has no build arguments (mode=min)");
}

/* A name that was pinned and stands for something else here by now. */
static void note_moved(struct verify *verify)
{
	struct build *build = &verify->build;

	for (const struct graph_image *image = build->graph.images; image; image = image->next) {
		cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
		struct reference name;

		if (!build->graph.options->pins || reference_parse(image->name, &name, NULL) < 0 ||
		    name.digest.text[0] || store_ref_get(&build->store, &name, &ref, NULL) != 1 ||
		    digest_equal(&ref.digest, &image->image.top.digest))
			continue;
		strv_addf(&verify->report.notes,
			  "base moved: \"%s\" is %.19s now; it was built, and built again, from "
			  "%.19s",
			  image->name, ref.digest.text, image->image.top.digest.text);
	}
}

/* -- comparing -----------------------------------------------------------------------------------
 */

/* The layers of both, and which of them belong together: those of the base first, ours by their
 * place on it. */
struct alignment {
	const struct json_strings *before, *after; /* diffIDs */
	size_t before_base, after_base;		   /* of them are the base's */
	bool same_base;
};

static struct alignment align(const struct verify *verify)
{
	const struct image *base = verify->build.graph.target->base;
	struct alignment out = { .before = &verify->image.config->rootfs->diff_ids,
				 .after = &verify->rebuilt.config->rootfs->diff_ids };
	size_t own;

	out.after_base = base ? base->config->rootfs->diff_ids.count : 0;
	own = out.after->count - out.after_base;
	out.same_base = out.before->count >= out.after_base;
	for (size_t i = 0; out.same_base && i < out.after_base; i++)
		out.same_base = strcmp(out.before->items[i], out.after->items[i]) == 0;
	out.before_base = out.same_base		    ? out.after_base
			  : out.before->count > own ? out.before->count - own
						    : 0;
	return out;
}

/* Of the layer with this number; NULL = the history does not say it. */
static const char *step_of(const struct image *image, size_t layer)
{
	const struct image_config *config = image->config;

	for (size_t i = 0; i < config->history.count; i++)
		if (!config->history.items[i].empty_layer && layer-- == 0)
			return config->history.items[i].created_by;
	return NULL;
}

static int blob_of(const struct image *image, size_t layer, struct digest *out, struct error *err)
{
	return digest_parse(image->manifest->layers.items[layer].digest, out, err);
}

static int compare_files(struct verify *verify, const struct strv *before_ids, size_t before,
			 const struct strv *after_ids, size_t after, struct error *err)
{
	struct digest a_blob, b_blob;
	const struct layer_compared a = { before_ids->items[before], &a_blob };
	const struct layer_compared b = { after_ids->items[after], &b_blob };
	int ret = blob_of(&verify->image, before, &a_blob, err);

	if (ret == 0)
		ret = blob_of(&verify->rebuilt, after, &b_blob, err);
	return ret < 0 ? ret
		       : layer_compare(&verify->build.store, &a, &b, verify_report_file,
				       &verify->report, err);
}

static int compare_layers(struct verify *verify, struct error *err)
{
	const struct alignment with = align(verify);
	cleanup_strv struct strv before_ids = STRV_INIT, after_ids = STRV_INIT;
	size_t base = with.before_base > with.after_base ? with.before_base : with.after_base;
	size_t number = 0;
	int ret = image_layers(&verify->build.store, &verify->image, &before_ids, err);

	if (ret == 0)
		ret = image_layers(&verify->build.store, &verify->rebuilt, &after_ids, err);
	if (ret == 0 && !with.same_base)
		strv_add(&verify->report.notes,
			 "base moved: the layers of the base image are others than those that the "
			 "image was built on");
	for (size_t i = 0; ret == 0; i++) {
		bool is_base = i < base;
		size_t a = is_base ? i : i - base + with.before_base;
		size_t b = is_base ? i : i - base + with.after_base;
		bool has_a = a < (is_base ? with.before_base : with.before->count);
		bool has_b = b < (is_base ? with.after_base : with.after->count);
		struct verify_layer layer = { .number = ++number,
					      .is_base = is_base,
					      .before = has_a ? with.before->items[a] : NULL,
					      .after = has_b ? with.after->items[b] : NULL };

		if (!has_a && !has_b && !is_base)
			break;
		layer.created_by =
			has_a ? step_of(&verify->image, a) : step_of(&verify->rebuilt, b);
		layer.is_compared = has_a && has_b && !is_base;
		verify_report_layer(&verify->report, &layer);
		if (layer.is_compared && !verify_layer_is_same(&layer))
			ret = compare_files(verify, &before_ids, a, &after_ids, b, err);
		if (ret < 0)
			return error_prefix(err, ret, "compare layer %zu", number);
		verify_report_layer_end(&verify->report, &layer);
	}
	return ret;
}

static int compare(struct verify *verify)
{
	struct verify_report *report = &verify->report;
	const struct verify_head head = { .name = verify->name,
					  .id = verify->image.id.text,
					  .platform = verify->platform,
					  .rebuilt = verify->rebuilt.id.text,
					  .origin = verify->origin.name,
					  .context = verify->context };
	struct error *err = &verify->cli->err;
	int ret;

	verify->build.store.stop_fd = verify->build.signal_fd; /* this may take long, too */
	verify_report_begin(report, &head);
	note_moved(verify);
	ret = compare_layers(verify, err);
	verify->build.store.stop_fd = -EBADF;
	if (ret < 0)
		return ret;
	verify_report_configs(report, strbuf_text(&verify->image.config_bytes),
			      strbuf_text(&verify->rebuilt.config_bytes));
	if (!verify_report_is_same(report))
		note_context(verify);
	if (!verify_report_is_same(report) && report->only_times && report->files)
		strv_add(&report->notes,
			 "files differ in nothing but times: SOURCE_DATE_EPOCH (or "
			 "a clean checkout) and --rewrite-timestamp make them repeat");
	verify_report_end(report);
	return verify_report_is_same(report) ? VERIFY_SAME : VERIFY_DIFFERENT;
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
	return ret < 0 ? ret : compare(verify);
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
