/* SPDX-License-Identifier: Apache-2.0 */
/* See build-options.h. Each reader below resolves one group of options. */
#include "builder/cli/build-options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builder/build/agents.h"
#include "builder/build/runtime-exec.h"
#include "builder/build/secrets.h"
#include "builder/cli/archive-file.h"
#include "builder/cli/checks.h"
#include "builder/cli/host-proxies.h"
#include "builder/container/volume.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/number.h"

/* clang-format off */
/* What has an effect on the image: the record of a build has it, for `verify`. */
const struct option_spec build_input_options[] = {
	OPT_STRING('f', "file", struct build_args, file, "FILE",
		   "the Dockerfile (default: Dockerfile in the context; - = standard input)"),
	OPT_STRV(0, "build-context", struct build_args, contexts, "NAME=LOCATION",
		 "files or an image (docker-image://, oci-layout://) for --from=NAME, FROM NAME"),
	OPT_STRV(0, "build-arg", struct build_args, build_args, "NAME[=VALUE]",
		 "value of an ARG; without VALUE that of the environment"),
	OPT_STRING(0, "target", struct build_args, target, "STAGE", "the stage to build (default: the last)"),
	OPT_STRING(0, "platform", struct build_args, platform, "OS/ARCH[/VARIANT][,...]",
		   "the platforms to build for (default: this machine's); several make an index"),
	OPT_STRV(0, "label", struct build_args, labels, "NAME=VALUE", "label of the image"),
	OPT_STRING(0, "network", struct build_args, network, "host|none|bridge|default",
		   "network of RUN steps (default: host)"),
	OPT_STRV('v', "volume", struct build_args, volumes, "SRC:DST[:ro]",
		 "mount a file or folder in every RUN step; it is in no layer and no cache key"),
	OPT_STRV(0, "allow", struct build_args, allowed, "security.insecure|device[=NAME]|network.host",
		 "grant what RUN --security=insecure and RUN --device ask for"),
	OPT_INCLUDE(struct build_args, sandbox, sandbox_options),
	OPT_BOOL(0, "normalize-modes", struct build_args, normalize_modes,
		 "files of the context become 0755 or 0644, as a git checkout has them"),
	OPT_BOOL(0, "subsecond", struct build_args, subsecond,
		 "keep the nanoseconds of files' times in the layers"),
	OPT_STRING(0, "source-date-epoch", struct build_args, epoch, "SECONDS|context|NAME",
		   "the time of the image (as --build-arg SOURCE_DATE_EPOCH=; empty: the present)"),
	OPT_BOOL(0, "rewrite-timestamp", struct build_args, rewrite_timestamp,
		 "files of new layers that are later than the image's time get that"),
	OPT_STRING(0, "timestamp", struct build_args, timestamp, "SECONDS",
		   "the time of the image and of all files of its new layers"),
	OPT_BOOL(0, "squash", struct build_args, squash, "make one layer of all that the build makes"),
	OPT_END
};

/* What else a build needs or people may want to say of one. */
static const struct option_spec run_table[] = {
	OPT_STRV(0, "secret", struct build_args, secrets, "id=ID[,src=FILE|,env=NAME]",
		 "a secret for RUN --mount=type=secret"),
	OPT_STRV(0, "ssh", struct build_args, agents, "ID[=SOCKET|KEY[,KEY]]",
		 "an SSH agent or keys for RUN --mount=type=ssh (default: SSH_AUTH_SOCK)"),
	OPT_BOOL(0, "http-proxy", struct build_args, http_proxy,
		 "give RUN steps the proxy variables of our environment"),
	OPT_STRING('j', "jobs", struct build_args, jobs, "N",
		   "steps that run at the same time (default: as many as keep the processors busy; 0 = no limit)"),
	OPT_STRING(0, "runtime", struct build_args, runtime, "PROGRAM",
		   "the OCI runtime of RUN steps (default: orlop-runtime)"),
	OPT_STRING(0, "progress", struct build_args, progress, "auto|plain|tty|rawjson|quiet|none",
		   "how progress is shown (default: BUILDKIT_PROGRESS, else auto: tty on a terminal)"),
	OPT_OPTIONAL(0, "locked", struct build_args, locked, "FILE",
		     "take all names of the Dockerfile for what the file says (default: build.lock)"),
	OPT_OPTIONAL(0, "pull", struct build_args, pull, "missing|always|newer|never",
		     "when base images are pulled (default: missing; --pull alone: always)"),
	OPT_INCLUDE(struct build_args, registry, registry_option_table),
	OPT_END
};

const struct option_spec build_again_options[] = {
	OPT_ROWS(build_input_options),
	OPT_ROWS(run_table),
	OPT_END
};

const struct option_spec build_option_table[] = {
	OPT_STRV('t', "tag", struct build_args, tags, "NAME[:TAG]", "name of the image"),
	OPT_ROWS(build_input_options),
	OPT_STRV('o', "output", struct build_args, outputs, "type=TYPE,KEY=VALUE...|DIR|-",
		 "also write the result (type=image|registry|oci|docker|local|tar, dest=, name=, compression=)"),
	OPT_BOOL(0, "push", struct build_args, push, "send the image to the registries of its names"),
	OPT_BOOL(0, "load", struct build_args, load, "load the image into docker or podman"),
	OPT_STRING(0, "format", struct build_args, format, "oci|docker",
		   "whose names the manifest has (default: oci)"),
	OPT_STRV(0, "annotation", struct build_args, annotations, "NAME=VALUE",
		 "annotation of the manifest"),
	OPT_ROWS(run_table),
	OPT_BOOL(0, "no-cache", struct build_args, no_cache, "take no step from the cache"),
	OPT_STRV(0, "no-cache-filter", struct build_args, no_cache_stages, "STAGE[,STAGE...]",
		 "take no step of these stages from the cache"),
	OPT_STRV(0, "cache-from", struct build_args, cache_from, "type=TYPE,KEY=VALUE...",
		 "take steps also from a cache that was exported (type=local,src=DIR; type=registry,ref=IMAGE)"),
	OPT_STRV(0, "cache-to", struct build_args, cache_to, "type=TYPE,KEY=VALUE...",
		 "export the cache (type=local,dest=DIR; type=registry,ref=IMAGE; type=inline; mode=min|max)"),
	OPT_STRING(0, "gc", struct build_args, gc, "off|KEY=VALUE[,...]",
		   "what the build may remove of a cache over its limits (max-used-space, min-free-space, reserved-space, logs, interval)"),
	OPT_BOOL(0, "why", struct build_args, why,
		 "say of every step that is made which part of its key is new"),
	OPT_BOOL('q', "quiet", struct build_args, quiet, "no progress; print the image's id"),
	OPT_STRING(0, "on-error", struct build_args, on_error, "shell|fail",
		   "when a RUN fails, enter a shell where it did (default: fail)"),
	OPT_OPTIONAL(0, "lock", struct build_args, lock, "FILE",
		     "write what all names of the Dockerfile stand for (default: build.lock)"),
	OPT_OPTIONAL(0, "provenance", struct build_args, provenance, "mode=min|max[,...]",
		     "attest how the image was made, in its index (mode=min, mode=max, builder-id=URI)"),
	OPT_OPTIONAL(0, "sbom", struct build_args, sbom, "true|false",
		     "attest which packages the image has, in its index"),
	OPT_STRV(0, "attest", struct build_args, attest, "type=provenance|sbom,...",
		 "the same as --provenance or --sbom"),
	OPT_STRING(0, "iidfile", struct build_args, iidfile, "FILE", "write the image's id to a file"),
	OPT_STRING(0, "metadata-file", struct build_args, metadata, "FILE",
		   "write the image's digests and names, and figures of the build, as JSON"),
	OPT_STRING(0, "report", struct build_args, report, "FILE",
		   "write a page about the build, as HTML: timeline, steps, layers, warnings"),
	OPT_STRING(0, "trace", struct build_args, trace, "FILE",
		   "write what took how long, in the trace-event format of Chrome and Perfetto"),
	OPT_BOOL(0, "check", struct build_args, check,
		 "build nothing, say what could be better in the Dockerfile (--call check)"),
	OPT_STRING(0, "call", struct build_args, call, "check|outline|targets[,format=json]",
		   "build nothing: check the Dockerfile, or list its parameters or stages"),
	OPT_STRING(0, "lint", struct build_args, lint, "orlop|RULE[,RULE...]",
		   "checks besides BuildKit's (also by ORLOP_LINT; see docs/lint.md)"),
	OPT_ACCEPTED(0, "rm", NULL, "nothing is left to be removed"),
	OPT_ACCEPTED(0, "force-rm", NULL, "nothing is left to be removed"),
	OPT_END
};

static const struct name_value networks[] = {
	{ "default", RUN_NETWORK_HOST }, { "host", RUN_NETWORK_HOST }, { "none", RUN_NETWORK_NONE },
	{ "bridge", RUN_NETWORK_BRIDGE },
	{ NULL, 0 },
};
/* clang-format on */

/* -- readers: one group of options each ----------------------------------------------------------
 */

static int read_build_args(struct build_options *options, struct cli *cli)
{
	const struct strv *given = &options->args.build_args;

	(void)cli; /* any word is one */
	for (size_t i = 0; i < given->count; i++) {
		const char *text = given->items[i], *equals = strchr(text, '=');
		const char *value = equals ? equals + 1 : getenv(text);
		cleanup_free char *name = xstrndup(text, strcspn(text, "="));

		if (value)
			strv_env_set(&options->build_args, name, value); /* the last counts */
	}
	options->graph.build_args = &options->build_args;
	return 0;
}

/* -q is a kind of progress; what is set in the environment is a wish. */
static int read_progress(struct build_options *options, struct cli *cli)
{
	const struct build_args *args = &options->args;
	const char *wished = args->quiet ? "quiet" : getenv("BUILDKIT_PROGRESS");
	int kind = PROGRESS_AUTO;
	int ret = cli_choose(cli, "--progress", progress_kinds, args->progress, &kind);

	if (ret < 0)
		return ret;
	if (args->quiet && args->progress && kind != PROGRESS_AUTO && kind != PROGRESS_QUIET)
		return error_set(&cli->err, ERROR_USAGE, 0,
				 "--quiet and --progress %s cannot be used together",
				 args->progress);
	if (!args->progress || args->quiet)
		ret = cli_choose(cli, "BUILDKIT_PROGRESS", progress_kinds, wished, &kind);
	options->progress = (enum progress_kind)kind;
	return ret < 0 ? ret : progress_resolve(&options->progress, stderr, &cli->err);
}

static int read_lint(struct build_options *options, struct cli *cli)
{
	return checks_read_enabled(options->args.lint, &options->lint, &cli->err);
}

static int read_contexts(struct build_options *options, struct cli *cli)
{
	options->graph.contexts = &options->contexts;
	return named_contexts_parse(&options->args.contexts, &cli->arena, &options->contexts,
				    &cli->err);
}

/* What --allow gives. */
static int read_entitlements(struct build_options *options, struct cli *cli)
{
	options->graph.entitlements = &options->entitlements;
	return entitlements_parse(&options->args.allowed, &options->entitlements, &cli->err);
}

/* The containers of the steps. */
static int read_sandbox(struct build_options *options, struct cli *cli)
{
	const struct build_args *args = &options->args;

	host_proxies(args->http_proxy, &options->proxies);
	options->graph.proxies = &options->proxies;
	options->graph.cdi_folders = &args->sandbox.cdi_folders;
	options->engine.sandbox = &options->sandbox;
	return sandbox_parse(&args->sandbox, &cli->arena, &options->sandbox, &cli->err);
}

/* What RUN --mount=type=secret and type=ssh will take. */
static int read_secrets(struct build_options *options, struct cli *cli)
{
	struct engine_options *engine = &options->engine;
	struct secret *secrets = NULL;
	int ret = secrets_parse(&options->args.secrets, &cli->arena, &secrets,
				&engine->secret_count, &cli->err);

	if (ret == 0)
		ret = agents_parse(&options->args.agents, &cli->arena, &engine->agents,
				   &engine->agent_count, &cli->err);
	engine->secrets = secrets;
	return ret;
}

static int read_tags(struct build_options *options, struct cli *cli)
{
	const struct strv *names = &options->args.tags;

	options->tags = xreallocarray(NULL, names->count + 1, sizeof(*options->tags));
	for (size_t i = 0; i < names->count; i++) {
		int ret = cli_parse_name(cli, names->items[i], &options->tags[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_outputs(struct build_options *options, struct cli *cli)
{
	const struct build_args *args = &options->args;
	const struct output_words words = { .outputs = &args->outputs,
					    .annotations = &args->annotations,
					    .format = args->format,
					    .push = args->push,
					    .load = args->load };
	int ret = output_options_parse(&words, &cli->arena, &options->outputs,
				       &options->output_count, &cli->err);

	for (size_t i = 0; ret == 0 && i < options->output_count; i++)
		if (options->outputs[i].dest)
			ret = archive_check_output(cli, options->outputs[i].dest);
	return ret;
}

/* What works with one platform alone. */
static int check_platforms(const struct build_options *options, struct cli *cli)
{
	if (options->platforms.count < 2)
		return 0;
	for (size_t i = 0; i < options->output_count; i++)
		if (options->outputs[i].type == OUTPUT_DOCKER ||
		    options->outputs[i].type == OUTPUT_TAR)
			return error_set(&cli->err, ERROR_UNSUPPORTED, 0,
					 "%s has room for one platform: several are for "
					 "type=image, registry, "
					 "oci and local",
					 options->outputs[i].type == OUTPUT_DOCKER
						 ? "docker's archive"
						 : "a tar");
	return 0;
}

static int read_pins(struct build_options *options, struct cli *cli)
{
	struct build_args *args = &options->args;

	if (args->lock && args->locked)
		return error_set(&cli->err, ERROR_USAGE, 0,
				 "--lock and --locked cannot be used together");
	/* "true" is what an option without a value has */
	if (args->lock && strcmp(args->lock, "true") == 0)
		args->lock = "build.lock";
	if (args->locked && strcmp(args->locked, "true") == 0)
		args->locked = "build.lock";
	options->engine.sources |= args->lock != NULL;
	if (!args->locked)
		return 0;
	options->graph.pins = &options->pins;
	return error_prefix(&cli->err, pins_read(args->locked, &options->pins, &cli->err),
			    "--locked");
}

static int read_attest(struct build_options *options, struct cli *cli)
{
	const struct build_args *args = &options->args;
	int ret = attest_options_parse(args->provenance, args->sbom, &args->attest, &cli->arena,
				       &options->attest, &cli->err);

	options->engine.sources |= options->attest.provenance != PROVENANCE_NONE;
	for (size_t i = 0; ret == 0 && attest_wanted(&options->attest) && i < options->output_count;
	     i++)
		if (options->outputs[i].format == IMAGE_FORMAT_DOCKER)
			return error_set(
				&cli->err, ERROR_USAGE, 0,
				"attestations are for images in OCI's format, not docker's");
	return ret;
}

static int read_platform(struct build_options *options, struct cli *cli)
{
	const char *wanted = options->args.platform;
	cleanup_strv struct strv words = STRV_INIT;
	int ret = 0;

	options->host = platform_host();
	if (!wanted)
		wanted = getenv("DOCKER_DEFAULT_PLATFORM");
	strv_split(&words, wanted && *wanted ? wanted : options->host, ',');
	for (size_t i = 0; ret == 0 && i < words.count; i++) {
		cleanup_free char *platform = NULL;

		ret = platform_normalize(words.items[i], options->host, &platform, &cli->err);
		if (ret == 0 && !strv_contains(&options->platforms, platform))
			strv_add(&options->platforms, platform);
	}
	if (ret < 0)
		return error_prefix(&cli->err, ret, "--platform");
	options->platform = options->platforms.items[0];
	options->graph.platform = options->platform;
	return 0;
}

/* The variable is a build argument, as in docker; source-date.c reads it. */
static int read_epoch(struct build_options *options, struct cli *cli)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	(void)cli;
	if (options->args.epoch)
		strv_env_set(&options->build_args, "SOURCE_DATE_EPOCH", options->args.epoch);
	if (epoch && *epoch && !options->args.timestamp &&
	    !strv_env_get(&options->build_args, "SOURCE_DATE_EPOCH"))
		strv_env_set(&options->build_args, "SOURCE_DATE_EPOCH", epoch);
	return 0;
}

static int read_jobs(struct build_options *options, struct cli *cli)
{
	const char *text = options->args.jobs;
	uint32_t jobs = 0;

	if (text && number_parse_u32(text, &jobs) < 0)
		return error_set(&cli->err, ERROR_USAGE, 0, "--jobs: \"%s\" is not a number", text);
	options->engine.jobs = !text || jobs ? jobs : UINT_MAX;
	return 0;
}

static int read_on_error(struct build_options *options, struct cli *cli)
{
	static const struct name_value words[] = { { "shell", true },
						   { "fail", false },
						   { NULL, 0 } };
	int shell = false;
	int ret = cli_choose(cli, "--on-error", words, options->args.on_error, &shell);

	options->shell_on_error = shell;
	return ret;
}

/* How RUN steps are run. */
static int read_execution(struct build_options *options, struct cli *cli)
{
	const struct build_args *args = &options->args;
	struct run_volume *volumes = NULL;
	int network = RUN_NETWORK_HOST;
	int ret = cli_choose(cli, "--network", networks, args->network, &network);

	if (ret == 0)
		ret = volumes_parse(&args->volumes, &cli->arena, &volumes,
				    &options->engine.volume_count, &cli->err);
	options->graph.network = (enum run_network)network;
	options->engine.volumes = volumes;
	options->runtime = runtime_find(args->runtime);
	options->engine.runtime = options->runtime;
	return ret;
}

static int read_exchange(struct build_options *options, struct cli *cli)
{
	const struct build_args *args = &options->args;
	int ret = cache_options_parse(&args->cache_from, false, &cli->arena, &options->cache_from,
				      &options->cache_from_count, &cli->err);

	if (ret == 0)
		ret = cache_options_parse(&args->cache_to, true, &cli->arena, &options->cache_to,
					  &options->cache_to_count, &cli->err);
	for (size_t i = 0; ret == 0 && i < options->cache_to_count; i++)
		if (options->cache_to[i].type == CACHE_INLINE)
			options->engine.inline_cache = true;
	return ret;
}

/* What of the cache is used, and what is said about it. */
static int read_cache(struct build_options *options, struct cli *cli)
{
	const struct build_args *args = &options->args;
	int ret;

	for (size_t i = 0; i < args->no_cache_stages.count; i++)
		strv_split(&options->no_cache_stages, args->no_cache_stages.items[i], ',');
	options->engine.no_cache = args->no_cache;
	options->engine.no_cache_stages = &options->no_cache_stages;
	options->engine.normalize_modes = args->normalize_modes;
	options->engine.why = args->why || args->report;
	ret = gc_policy_read(&options->gc, args->gc, &cli->err);
	return ret < 0 ? ret : read_exchange(options, cli);
}

static int read_pull(struct build_options *options, struct cli *cli)
{
	int policy = PULL_MISSING;
	int ret = cli_choose(cli, "--pull", pull_policies, options->args.pull, &policy);

	options->pull = (enum pull_policy)policy;
	return ret;
}

/* Other layers than those of the steps cannot be a cache of the steps. */
static int check_inline_cache(const struct build_options *options, struct cli *cli)
{
	bool rewrite = options->args.rewrite_timestamp || options->args.timestamp;

	for (size_t i = 0; i < options->output_count; i++)
		rewrite |= options->outputs[i].rewrite_timestamp;
	if (!options->engine.inline_cache || (!rewrite && !options->args.squash))
		return 0;
	return error_set(
		&cli->err, ERROR_USAGE, 0,
		"--cache-to type=inline is for images with the layers of the steps: not with "
		"%s",
		options->args.squash ? "--squash" : "times that are rewritten");
}

int build_options_read(struct build_options *options, struct cli *cli)
{
	/* read_epoch looks into the build args */
	static int (*const readers[])(struct build_options * options, struct cli * cli) = {
		read_progress, read_lint,   read_contexts,   read_sandbox,   read_entitlements,
		read_secrets,  read_tags,   read_build_args, read_platform,  read_jobs,
		read_on_error, read_epoch,  read_cache,	     read_execution, read_pull,
		read_outputs,  read_attest, read_pins,
	};
	int ret = 0;

	options->graph.subsecond = options->args.subsecond;
	options->engine.squash = options->args.squash;
	options->graph.labels = &options->args.labels;
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(readers); i++)
		ret = readers[i](options, cli);
	if (ret == 0)
		ret = check_inline_cache(options, cli);
	return ret < 0 ? ret : check_platforms(options, cli);
}

void build_options_done(struct build_options *options)
{
	named_contexts_done(&options->contexts);
	output_options_done(options->outputs, options->output_count);
	pins_done(&options->pins);
	free(options->runtime);
	strv_done(&options->platforms);
	free(options->host);
	strv_done(&options->proxies);
	sandbox_done(&options->sandbox);
	entitlements_done(&options->entitlements);
	free(options->tags);
	strv_done(&options->build_args);
	strv_done(&options->no_cache_stages);
	options_done(build_option_table, &options->args);
}
