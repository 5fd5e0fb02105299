/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: read, resolve, plan, run, name. Everything that can be wrong with the command line, the
 * Dockerfile and the base images is found before the first step runs; names are set last.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "builder/build/agents.h"
#include "builder/build/engine.h"
#include "builder/build/entitlements.h"
#include "builder/build/runtime-exec.h"
#include "builder/build/secrets.h"
#include "builder/cli/checks.h"
#include "builder/cli/cli.h"
#include "builder/cli/host-proxies.h"
#include "builder/cli/progress.h"
#include "builder/cli/sandbox-options.h"
#include "builder/container/volume.h"
#include "builder/context/context.h"
#include "builder/dockerfile/platform.h"
#include "builder/dockerfile/stages.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/signals.h"
#include "lib/table.h"

struct build_args {
	struct strv tags, build_args, labels, volumes, secrets, agents, contexts, allowed;
	const char *file, *target, *network, *runtime, *progress, *iidfile, *platform;
	const char *call, *lint, *jobs, *on_error;
	bool no_cache, quiet, check, http_proxy;
	struct sandbox_args sandbox;
};

/* clang-format off */
static const struct option_spec build_options[] = {
	OPT_STRV('t', "tag", struct build_args, tags, "NAME[:TAG]", "name of the image"),
	OPT_STRING('f', "file", struct build_args, file, "FILE",
		   "the Dockerfile (default: Dockerfile in the context; - = standard input)"),
	OPT_STRV(0, "build-context", struct build_args, contexts, "NAME=LOCATION",
		 "files or an image (docker-image://NAME) for --from=NAME, FROM NAME"),
	OPT_STRV(0, "build-arg", struct build_args, build_args, "NAME[=VALUE]",
		 "value of an ARG; without VALUE that of the environment"),
	OPT_STRING(0, "target", struct build_args, target, "STAGE", "the stage to build (default: the last)"),
	OPT_BOOL(0, "no-cache", struct build_args, no_cache, "take no step from the cache"),
	OPT_BOOL('q', "quiet", struct build_args, quiet, "no progress; print the image's id"),
	OPT_STRING(0, "network", struct build_args, network, "host|none|default",
		   "network of RUN steps (default: host)"),
	OPT_STRV('v', "volume", struct build_args, volumes, "SRC:DST[:ro]",
		 "mount a file or folder in every RUN step; it is in no layer and no cache key"),
	OPT_STRV(0, "secret", struct build_args, secrets, "id=ID[,src=FILE|,env=NAME]",
		 "a secret for RUN --mount=type=secret"),
	OPT_STRV(0, "ssh", struct build_args, agents, "ID[=SOCKET|KEY[,KEY]]",
		 "an SSH agent or keys for RUN --mount=type=ssh (default: SSH_AUTH_SOCK)"),
	OPT_STRV(0, "allow", struct build_args, allowed, "security.insecure|device[=NAME]|network.host",
		 "grant what RUN --security=insecure and RUN --device ask for"),
	OPT_BOOL(0, "http-proxy", struct build_args, http_proxy,
		 "give RUN steps the proxy variables of our environment"),
	OPT_INCLUDE(struct build_args, sandbox, sandbox_options),
	OPT_STRING('j', "jobs", struct build_args, jobs, "N",
		   "steps that run at the same time (default: as many as keep the processors busy; 0 = no limit)"),
	OPT_STRING(0, "on-error", struct build_args, on_error, "shell|fail",
		   "when a RUN fails, enter a shell where it did (default: fail)"),
	OPT_STRING(0, "runtime", struct build_args, runtime, "PROGRAM",
		   "the OCI runtime of RUN steps (default: orlop-runtime)"),
	OPT_STRING(0, "progress", struct build_args, progress, "plain|auto|quiet", "kind of progress"),
	OPT_STRV(0, "label", struct build_args, labels, "NAME=VALUE", "label of the image"),
	OPT_STRING(0, "iidfile", struct build_args, iidfile, "FILE", "write the image's id to a file"),
	OPT_STRING(0, "platform", struct build_args, platform, "OS/ARCH[/VARIANT]",
		   "the platform to build for (default: this machine's)"),
	OPT_BOOL(0, "check", struct build_args, check,
		 "build nothing, say what could be better in the Dockerfile (--call check)"),
	OPT_STRING(0, "call", struct build_args, call, "check|outline|targets[,format=json]",
		   "build nothing: check the Dockerfile, or list its parameters or stages"),
	OPT_STRING(0, "lint", struct build_args, lint, "orlop|RULE[,RULE...]",
		   "checks besides BuildKit's (also by ORLOP_LINT; see docs/lint.md)"),
	OPT_ACCEPTED(0, "pull", NULL, "images are local only"),
	OPT_ACCEPTED(0, "rm", NULL, "nothing is left to be removed"),
	OPT_ACCEPTED(0, "force-rm", NULL, "nothing is left to be removed"),
	OPT_ACCEPTED(0, "load", NULL, "images are always in the store"),
	OPT_END
};

static const struct name_value networks[] = {
	{ "default", RUN_NETWORK_HOST }, { "host", RUN_NETWORK_HOST }, { "none", RUN_NETWORK_NONE },
	{ NULL, 0 },
};

/* What uname calls a machine and what images call it. */
static const struct { const char *machine, *platform; } platforms[] = {
	{ "x86_64", "linux/amd64" }, { "aarch64", "linux/arm64" }, { "armv7l", "linux/arm/v7" },
	{ "armv6l", "linux/arm/v6" }, { "i686", "linux/386" }, { "i386", "linux/386" },
	{ "riscv64", "linux/riscv64" }, { "ppc64le", "linux/ppc64le" }, { "s390x", "linux/s390x" },
	{ "loongarch64", "linux/loong64" }, { "mips64", "linux/mips64le" },
};
/* clang-format on */

/* A build from its command line to its image; everything it owns. */
struct build {
	struct cli *cli;
	struct build_args args;
	struct strv build_args; /* "K=V" only */
	struct reference *tags;
	char *platform, *host; /* to build for; of this machine */
	char *runtime;
	struct context context;
	struct named_contexts contexts;
	struct dockerfile dockerfile;
	struct stages stages;
	struct checks checks;
	const char *lint; /* names of rules that are on besides; NULL = none */
	struct lint_report warnings;
	struct store store;
	struct graph_options graph_options;
	struct graph graph;
	struct sandbox sandbox;
	struct entitlements entitlements;
	struct strv proxies; /* of the host, for RUN: "K=V" */
	struct engine_options engine_options;
	struct engine engine;
	struct progress progress;
	int signal_fd;
	struct source_range where; /* of a failure; 0 = nowhere in the Dockerfile */
	bool explained;		   /* with what is around it */
};

static void build_done(struct build *build)
{
	engine_close(&build->engine);
	progress_done(&build->progress);
	graph_done(&build->graph);
	lint_done(&build->warnings);
	agents_stop(build->engine_options.agents, build->engine_options.agent_count);
	checks_done(&build->checks);
	store_close(&build->store);
	stages_done(&build->stages);
	dockerfile_done(&build->dockerfile);
	context_close(&build->context);
	named_contexts_done(&build->contexts);
	cleanup_close_fd(&build->signal_fd);
	free(build->runtime);
	free(build->platform);
	free(build->host);
	free(build->tags);
	strv_done(&build->build_args);
	strv_done(&build->proxies);
	sandbox_done(&build->sandbox);
	entitlements_done(&build->entitlements);
	options_done(build_options, &build->args);
}

/* -- the command line ----------------------------------------------------------------------------
 */

static int usage_error(struct build *build, const struct command_spec *command, const char *option,
		       const char *value)
{
	build->cli->usage = command;
	return error_set(&build->cli->err, ERROR_USAGE, 0, "invalid value for --%s: \"%s\"", option,
			 value);
}

static void read_build_args(struct build *build)
{
	for (size_t i = 0; i < build->args.build_args.count; i++) {
		const char *text = build->args.build_args.items[i];
		const char *value = strchr(text, '=') ? NULL : getenv(text);

		if (strchr(text, '='))
			strv_add(&build->build_args, text);
		else if (value)
			strv_addf(&build->build_args, "%s=%s", text, value);
	}
}

static int read_tags(struct build *build)
{
	build->tags = xreallocarray(NULL, build->args.tags.count + 1, sizeof(*build->tags));
	for (size_t i = 0; i < build->args.tags.count; i++) {
		int ret = reference_parse(build->args.tags.items[i], &build->tags[i],
					  &build->cli->err);

		if (ret < 0)
			return ret;
		if (build->tags[i].digest.text[0])
			return error_invalid(&build->cli->err, "a tag cannot have a digest: \"%s\"",
					     build->args.tags.items[i]);
	}
	return 0;
}

static int read_platform(struct build *build)
{
	struct error *err = &build->cli->err;
	const char *wanted = build->args.platform, *found = NULL;
	struct utsname names;
	int ret;

	uname(&names);
	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++)
		if (strcmp(platforms[i].machine, names.machine) == 0)
			found = platforms[i].platform;
	build->host = found ? xstrdup(found) : xasprintf("linux/%s", names.machine);
	if (!wanted)
		wanted = getenv("DOCKER_DEFAULT_PLATFORM");
	if (!wanted || !*wanted) {
		build->platform = xstrdup(build->host);
		return 0;
	}
	if (strchr(wanted, ','))
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "--platform %s: several platforms at once are not supported yet",
				 wanted);
	ret = platform_normalize(wanted, build->host, &build->platform, err);
	return error_prefix(err, ret, "--platform");
}

/* The time of this build: what new folders and history entries get. */
static int read_time(struct build *build, int64_t *out)
{
	const char *epoch = strv_env_get(&build->build_args, "SOURCE_DATE_EPOCH");

	if (!epoch)
		epoch = getenv("SOURCE_DATE_EPOCH");
	*out = time(NULL);
	if (epoch && *epoch && (number_parse_i64(epoch, out) < 0 || *out < 0))
		return error_invalid(&build->cli->err,
				     "SOURCE_DATE_EPOCH: \"%s\" is not a number of seconds", epoch);
	return 0;
}

/* What RUN --mount=type=secret and type=ssh will take. */
static int read_secrets(struct build *build, const struct command_spec *command)
{
	struct engine_options *options = &build->engine_options;
	struct arena *arena = &build->cli->arena;
	struct secret *secrets = NULL;
	int ret = secrets_parse(&build->args.secrets, arena, &secrets, &options->secret_count,
				&build->cli->err);

	if (ret == 0)
		ret = agents_parse(&build->args.agents, arena, &options->agents,
				   &options->agent_count, &build->cli->err);
	options->secrets = secrets;
	if (ret < 0 && build->cli->err.code == ERROR_USAGE)
		build->cli->usage = command;
	return ret;
}

static int read_jobs(struct build *build, const struct command_spec *command)
{
	const char *text = build->args.jobs;
	uint32_t jobs = 0;

	if (text && number_parse_u32(text, &jobs) < 0)
		return usage_error(build, command, "jobs", text);
	build->engine_options.jobs = !text || jobs ? jobs : UINT_MAX;
	return 0;
}

static void explain(struct build *build, const struct error *why);

/* What the person who gets the shell wants to have read. */
static void announce_shell(void *context, const struct step *step, const struct error *why)
{
	struct build *build = context;
	char text[2048];

	build->where = step->range;
	explain(build, why);
	fprintf(stderr,
		"%s\n"
		"A shell where it failed; what you change is not kept, \"exit\" ends the build.\n",
		error_text(why, text, sizeof(text)));
	fflush(stderr);
}

static int read_on_error(struct build *build, const struct command_spec *command)
{
	const char *text = build->args.on_error ? build->args.on_error : "fail";

	if (strcmp(text, "shell") != 0 && strcmp(text, "fail") != 0)
		return usage_error(build, command, "on-error", text);
	if (*text == 's') {
		build->engine_options.before_shell = announce_shell;
		build->engine_options.shell_context = build;
	}
	return 0;
}

static int read_options(struct build *build, const struct command_spec *command)
{
	const struct build_args *args = &build->args;
	const char *network = args->network ? args->network : "default";
	const char *progress = args->progress ? args->progress : "auto";
	const struct name_value *named = table_find(networks, network);
	struct run_volume *volumes = NULL;
	int ret;

	if (!named)
		return usage_error(build, command, "network", network);
	if (strcmp(progress, "plain") != 0 && strcmp(progress, "auto") != 0 &&
	    strcmp(progress, "quiet") != 0)
		return usage_error(build, command, "progress", progress);
	if (!args->quiet && strcmp(progress, "quiet") != 0)
		build->progress.out = stderr;
	read_build_args(build);
	host_proxies(args->http_proxy, &build->proxies);
	ret = checks_read_enabled(args->lint, &build->lint, &build->cli->err);
	if (ret == 0)
		ret = named_contexts_parse(&args->contexts, &build->cli->arena, &build->contexts,
					   &build->cli->err);
	if (ret == 0)
		ret = sandbox_parse(&args->sandbox, &build->cli->arena, &build->sandbox,
				    &build->cli->err);
	if (ret == 0)
		ret = entitlements_parse(&args->allowed, &build->entitlements, &build->cli->err);
	if (ret < 0 && build->cli->err.code == ERROR_USAGE)
		build->cli->usage = command;
	if (ret == 0)
		ret = read_secrets(build, command);
	if (ret == 0)
		ret = read_tags(build);
	if (ret == 0)
		ret = read_platform(build);
	if (ret == 0)
		ret = read_jobs(build, command);
	if (ret == 0)
		ret = read_on_error(build, command);
	if (ret == 0)
		ret = read_time(build, &build->graph_options.now);
	if (ret == 0)
		ret = volumes_parse(&args->volumes, &build->cli->arena, &volumes,
				    &build->engine_options.volume_count, &build->cli->err);
	build->engine_options.volumes = volumes;
	build->engine_options.sandbox = &build->sandbox;
	build->engine_options.no_cache = args->no_cache;
	build->runtime = runtime_find(args->runtime);
	build->engine_options.runtime = build->runtime;
	build->graph_options.entitlements = &build->entitlements;
	build->graph_options.cdi_folders = &args->sandbox.cdi_folders;
	build->graph_options.proxies = &build->proxies;
	build->graph_options.contexts = &build->contexts;
	build->graph_options.build_args = &build->build_args;
	build->graph_options.labels = &args->labels;
	build->graph_options.platform = build->platform;
	build->graph_options.network = (enum run_network)named->value;
	return ret;
}

/* -- the Dockerfile ------------------------------------------------------------------------------
 */

static void warn_unused(const struct build *build)
{
	for (size_t i = 0; i < build->stages.unused.count; i++) {
		struct suggestion near = { .word = build->stages.unused.items[i] };

		for (size_t j = 0; j < build->dockerfile.count; j++) {
			const struct instruction *arg = &build->dockerfile.instructions[j];

			for (size_t k = 0; arg->kind == INST_ARG && k < arg->arg_count; k += 2)
				suggestion_consider(&near, arg->args[k]);
		}
		log_warning("no ARG takes the build arg \"%s\"%s%s%s", near.word,
			    near.best ? " (did you mean \"" : "", near.best ? near.best : "",
			    near.best ? "\"?)" : "");
	}
}

/* There is one language here; a file for another one may still mean the same. */
static void warn_syntax(const struct build *build)
{
	const char *syntax = strv_env_get(&build->build_args, "BUILDKIT_SYNTAX");

	if (!syntax)
		syntax = build->dockerfile.directives.syntax;
	if (syntax && !dockerfile_syntax_is_known(syntax))
		log_warning("the Dockerfile asks for the syntax \"%s\"; it is read as "
			    "docker/dockerfile",
			    syntax);
}

static int open_store(struct build *build)
{
	int ret = build->store.fd >= 0 ? 0 : cli_open_store(build->cli, true, &build->store);

	build->checks = (struct checks){ .dockerfile = &build->dockerfile,
					 .stages = &build->stages,
					 .store = &build->store,
					 .context = &build->context,
					 .build_args = &build->build_args,
					 .platform = build->platform,
					 .enable = build->lint };
	return ret;
}

/* The store is needed before the Dockerfile is known only by what has to be fetched. */
static int open_context(struct build *build, const char *path)
{
	const char *keep = strv_env_get(&build->build_args, "BUILDKIT_CONTEXT_KEEP_GIT_DIR");
	struct error *err = &build->cli->err;
	struct location location;
	const struct context_options options = { .location = &location,
						 .store = &build->store,
						 .cancel_fd = -EBADF,
						 .dockerfile = build->args.file };
	int ret = location_parse(path, true, &build->cli->arena, &location, err);

	if (ret == 0 && keep && (strcmp(keep, "1") == 0 || strcmp(keep, "true") == 0))
		location.keep_git_dir = true;
	if (ret == 0 && context_needs_store(&options))
		ret = open_store(build);
	return ret < 0 ? ret : context_open(&build->context, &options, err);
}

static int read_dockerfile(struct build *build, const char *path)
{
	struct error *err = &build->cli->err;
	struct stages_options options = { .build_args = &build->build_args,
					  .target = build->args.target,
					  .platform = build->platform,
					  .host = build->host,
					  .contexts = &build->contexts };
	int ret = open_context(build, path);

	if (ret < 0)
		return ret;
	ret = dockerfile_parse(build->context.dockerfile_name,
			       strbuf_text(&build->context.dockerfile),
			       build->context.dockerfile.size, &build->dockerfile, err);
	build->where = build->dockerfile.where;
	if (ret < 0)
		return ret;
	ret = stages_resolve(&build->dockerfile, &options, &build->stages, err);
	build->where = build->stages.where;
	if (ret < 0)
		return ret;
	build->where = (struct source_range){ .first = 0 };
	warn_unused(build);
	warn_syntax(build);
	return 0;
}

/* -- checks --------------------------------------------------------------------------------------
 */

static int plan_graph(struct build *build, struct error *err)
{
	build->graph.store = &build->store;
	build->graph.dockerfile = &build->dockerfile;
	build->graph.stages = &build->stages;
	build->graph.options = &build->graph_options;
	return graph_plan(&build->graph, err);
}

/* A check needs no images: what cannot be planned without one is left to the build. */
static int check_plan(void *context, struct source_range *where, struct error *err)
{
	struct build *build = context;
	int ret = plan_graph(build, err);

	if (ret == 0)
		return 0;
	if (err->code == ERROR_NOT_FOUND) {
		*err = (struct error){ .errnum = 0 };
		return 0;
	}
	*where = build->graph.where;
	return ret;
}

/* --check and --call: the exit status, or negative. failed: of reading the Dockerfile. */
static int answer_call(struct build *build, const struct command_spec *command, int failed)
{
	struct error *err = &build->cli->err;
	const char *call = build->args.call ? build->args.call : "check";
	int ret;

	if (failed < 0 && !build->dockerfile.source.name)
		return failed; /* there is none */
	ret = open_store(build);
	if (ret < 0)
		return ret;
	build->checks.plan = check_plan;
	build->checks.plan_context = build;
	build->checks.failed = failed;
	ret = checks_call(&build->checks, call, &build->where, err);
	if (ret < 0 && err->code == ERROR_USAGE)
		build->cli->usage = command;
	if (ret < 0 && failed == 0 && build->where.first)
		ret = source_prefix(&build->dockerfile.source, &build->where, ret, err);
	return ret;
}

/* Warnings stop a build only where the Dockerfile says so. What else is wrong the planner says. */
static int check(struct build *build)
{
	int ret = checks_run(&build->checks, &build->warnings, &build->cli->err);

	if (ret < 0 && build->warnings.bad_options)
		return ret;
	build->cli->err = (struct error){ .errnum = 0 };
	return lint_error(&build->warnings, &build->cli->err);
}

static void print_warnings(const struct build *build)
{
	size_t count = build->warnings.count;

	if (!count || !build->progress.out)
		return;
	fprintf(stderr, "\n %zu warning%s found (build --check explains %s):\n", count,
		count == 1 ? "" : "s", count == 1 ? "it" : "them");
	lint_print_short(&build->warnings, stderr);
}

static int plan(struct build *build)
{
	struct error *err = &build->cli->err;
	int ret = open_store(build);

	if (ret == 0)
		ret = check(build);
	if (ret < 0)
		return ret;
	ret = plan_graph(build, err);
	if (ret < 0)
		build->where = build->graph.where;
	return ret;
}

/* -- running -------------------------------------------------------------------------------------
 */

static int run(struct build *build)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct engine *engine = &build->engine;
	int ret;

	build->signal_fd = signal_open_fd(signals, ARRAY_SIZE(signals), &build->cli->err);
	if (build->signal_fd < 0)
		return build->signal_fd;
	build->engine_options.signal_fd = build->signal_fd;
	build->engine_options.event = progress_event;
	build->engine_options.event_context = &build->progress;
	*engine = (struct engine){ .store = &build->store,
				   .graph = &build->graph,
				   .context = &build->context,
				   .options = &build->engine_options };
	ret = engine_open(engine, &build->cli->err);
	if (ret == 0)
		ret = engine_run(engine, &build->cli->err);
	if (ret < 0 && engine_failed(engine))
		build->where = engine_failed(engine)->range;
	return ret;
}

static void note(struct build *build, unsigned int id, const char *what, const char *name)
{
	cleanup_free char *text = xasprintf("%s %s done", what, name);

	engine_event(&build->engine, EVENT_NOTE, id, text, strlen(text));
}

/* Names are set when all is on the disk: store_ref_set commits first. */
static int name_image(struct build *build, unsigned int id, const struct store_ref *ref)
{
	struct error *err = &build->cli->err;
	int ret = 0;

	if (!build->args.tags.count)
		return store_ref_set(&build->store, NULL, ref, err);
	for (size_t i = 0; i < build->args.tags.count && ret == 0; i++) {
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		ret = store_ref_set(&build->store, &build->tags[i], ref, err);
		reference_full(&build->tags[i], &name);
		if (ret == 0)
			note(build, id, "naming to", strbuf_text(&name));
	}
	return ret;
}

static int finish(struct build *build)
{
	struct error *err = &build->cli->err;
	unsigned int id = engine_begin(&build->engine, "exporting to image");
	struct store_ref ref = { .size = 0 };
	struct digest image_id;
	int ret = engine_check_cancel(&build->engine, err);

	if (ret == 0)
		ret = engine_create_image(&build->engine, &ref, &image_id, err);
	if (ret == 0) {
		note(build, id, "writing image", image_id.text);
		ret = name_image(build, id, &ref);
	}
	store_ref_done(&ref);
	if (ret == 0 && build->args.iidfile)
		ret = io_replace_file(AT_FDCWD, build->args.iidfile, image_id.text, DIGEST_TEXT,
				      0644, IO_NO_SYNC, err);
	if (ret < 0)
		return ret;
	engine_event(&build->engine, EVENT_DONE, id, NULL, 0);
	if (build->args.quiet)
		puts(image_id.text);
	return 0;
}

static void explain(struct build *build, const struct error *why)
{
	if (why->code == ERROR_CANCELLED || build->explained)
		return;
	build->explained = true;
	progress_print_tail(&build->progress, stderr);
	if (build->where.first)
		dockerfile_print_excerpt(&build->dockerfile.source, &build->where, stderr);
}

static int do_build(struct build *build)
{
	int ret = plan(build);

	if (ret == 0)
		ret = run(build);
	if (ret == 0)
		ret = finish(build);
	return ret;
}

static int build_or_answer(struct build *build, const struct command_spec *command,
			   const char *context)
{
	int ret = read_dockerfile(build, context);

	if (build->args.check || build->args.call)
		return answer_call(build, command, ret);
	return ret < 0 ? ret : do_build(build);
}

static int cmd_build(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_with(build_done) struct build build = {
		.cli = globals, .context = CONTEXT_INIT, .store = STORE_INIT, .signal_fd = -EBADF
	};
	struct option_result result;
	int ret = cli_parse(globals, command, argc, argv, &build.args, &result);

	if (ret < 0)
		return ret;
	/* a build is no service: the runtime would put /run/notify into its layers */
	(void)unsetenv("NOTIFY_SOCKET");
	if (build.args.iidfile)
		(void)unlink(build.args.iidfile); /* a failure must not leave an old id there */
	ret = read_options(&build, command);
	if (ret == 0)
		ret = build_or_answer(&build, command, result.arguments[0]);
	print_warnings(&build);
	if (ret < 0)
		explain(&build, &build.cli->err);
	return ret;
}

const struct command_spec build_command = {
	.name = "build",
	.arguments = "CONTEXT",
	.options = build_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_build,
	.summary = "build an image from a Dockerfile",
};
