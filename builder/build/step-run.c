/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: the executor runs the command in a writable snapshot, whose upper folder is the layer. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/engine.h"
#include "builder/build/pending.h"
#include "builder/build/place.h"
#include "builder/build/run-mounts.h"
#include "builder/build/run-record.h"
#include "builder/build/runtime-exec.h"
#include "builder/build/schedule.h"
#include "builder/build/step-output.h"
#include "builder/container/leftovers.h"
#include "builder/container/network.h"
#include "builder/container/sandbox.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "lib/strbuf.h"
#include "lib/table.h"

/* A build without such options keeps the keys that it always had. */
static void add_sandbox(const struct engine *engine, struct key_builder *builder)
{
	cleanup_strv struct strv texts = STRV_INIT;

	if (engine->options->sandbox)
		sandbox_describe(engine->options->sandbox, &texts);
	if (texts.count)
		key_add_list(builder, "sandbox", (const char *const *)strv_items(&texts),
			     texts.count);
}

/* Devices by name, and the variables they bring; where their files are on the host is no matter. */
static void add_devices(const struct step_run *run, struct key_builder *builder)
{
	if (!run->device_count)
		return;
	key_add_list(builder, "devices", run->devices, run->device_count);
	key_add_list(builder, "device variables", (const char *const *)run->edits->env.items,
		     run->edits->env.count);
}

static int run_find_key(struct engine *engine, struct step *step, char **manifest,
			struct error *err)
{
	const struct step_run *run = &step->run;
	struct key_builder builder;
	int ret;

	key_begin(&builder, "run");
	key_add(&builder, "parent", step->stage->key.hex);
	key_add_list(&builder, "args", run->args, run->arg_count);
	key_add_list(&builder, "env", run->env, run->env_count);
	key_add(&builder, "cwd", run->cwd);
	key_add(&builder, "user", run->user);
	if (run->hostname)
		key_add(&builder, "hostname", run->hostname);
	key_add(&builder, "network", table_name(run_networks, run->network));
	key_add(&builder, "security", run->insecure ? "insecure" : "sandbox");
	key_add(&builder, "script", run->script ? run->script->body : NULL);
	add_sandbox(engine, &builder);
	add_devices(run, &builder);
	ret = run_mounts_key(engine, step, &builder, err);
	key_finish(&builder, &step->key, manifest);
	step->lock = step->key;
	return ret < 0 ? ret : 1;
}

/* -- the command ---------------------------------------------------------------------------------
 */

static void pass_output(void *context, enum run_stream stream, const char *data, size_t size)
{
	step_output_add(context, stream, data, size);
}

/* The program of a here-document: a file beside the bundle, mounted where its name says. */
static int write_script(const struct place *place, const struct step_script *script,
			struct run_volume *out, struct error *err)
{
	const char *path = place->script;
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	int ret;

	*out = (struct run_volume){ path, script->target, true };
	if (fd < 0)
		return error_errno(err, errno, "create \"%s\"", path);
	ret = io_write_all(fd, script->body, strlen(script->body));
	return ret < 0 ? error_errno(err, -ret, "write \"%s\"", path) : 0;
}

/* What is mounted: volumes of the command line, the script of a here-document, --mount. */
static int collect_volumes(const struct engine_options *options, const struct step_run *run,
			   const struct place *place, const struct run_mounts *mounts,
			   struct run_step *step, struct error *err)
{
	size_t count = options->volume_count;
	struct run_volume *volumes =
		xreallocarray(NULL, count + 1 + mounts->count, sizeof(*volumes));
	int ret = 0;

	step->volumes = volumes;
	if (count)
		memcpy(volumes, options->volumes, count * sizeof(*volumes));
	if (run->script)
		ret = write_script(place, run->script, &volumes[count++], err);
	if (mounts->count)
		memcpy(volumes + count, mounts->volumes, mounts->count * sizeof(*volumes));
	step->volume_count = count + mounts->count;
	return ret;
}

static void collect_env(const struct step_run *run, const struct run_mounts *mounts,
			struct strv *out)
{
	strv_add_all(out, (char *const *)run->env);
	strv_add_all(out, (char *const *)run->proxies);
	for (size_t i = 0; i < mounts->env.count; i++) {
		cleanup_free char *name =
			xstrndup(mounts->env.items[i], strcspn(mounts->env.items[i], "="));

		/* a secret's variable wins; an agent is not forced on who has one */
		if (strcmp(name, "SSH_AUTH_SOCK") == 0 && strv_env_get(out, name))
			continue;
		strv_env_set(out, name, mounts->env.items[i] + strlen(name) + 1);
	}
}

/* "/bin/sh -c make": as in the history. */
static char *command_text(const struct step_run *run)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < run->arg_count; i++)
		strbuf_addf(&text, "%s%s", i ? " " : "", run->args[i]);
	return strbuf_take(&text);
}

/* A program of another machine: the kernel does not know its format. */
static int explain_machine(const struct graph_stage *stage, int exit_status, int ret,
			   struct error *err)
{
	const char *machine = stage->config->architecture;

	if (exit_status != 126 || !machine || strcmp(machine, platform_host_architecture()) == 0)
		return ret;
	return error_suffix(err, ret,
			    " (the image is for %s and this machine is %s: running its programs "
			    "takes qemu-user, registered with binfmt_misc)",
			    machine, platform_host_architecture());
}

static int check_result(const struct step *step, const struct run_result *result, struct error *err)
{
	const struct step_run *run = &step->run;
	const char *signal =
		result->exit_status > 128 ? signal_name(result->exit_status - 128) : NULL;
	cleanup_free char *command = NULL;
	int ret;

	if (result->exit_status == 0)
		return 0;
	command = command_text(run);
	ret = error_set(err, ERROR_STATE, 0,
			"process \"%s\" did not complete successfully: exit code: %d", command,
			result->exit_status);
	ret = explain_machine(step->stage, result->exit_status, ret, err);
	if (signal) /* or the command has a status like that of its own */
		ret = error_suffix(err, ret, " (as after %s)", signal);
	return result->oom_killed
		       ? error_suffix(err, ret, " (out of memory: a process of it was killed)")
		       : ret;
}

void step_run_shell(const struct step_run *run, struct strv *out)
{
	size_t words = run->arg_count > 2 ? run->arg_count - 2 : 0;

	if (words && strcmp(run->args[words], "-c") == 0)
		for (size_t i = 0; i < words; i++)
			strv_add(out, run->args[i]);
	else
		strv_add(out, "/bin/sh");
}

/* --on-error=shell: where the command has failed, when everything else has ended. */
static void enter_shell(struct engine *engine, const struct step *step,
			const struct run_step *failed, int ret, const struct error *why)
{
	const struct engine_options *options = engine->options;
	cleanup_free char *id = xasprintf("%s-shell", failed->id);
	const struct step_run *run = &step->run;
	cleanup_strv struct strv args = STRV_INIT;
	struct run_step shell = *failed;
	struct run_result result;
	struct error err = ERROR_INIT;

	if (!schedule_fail_alone(engine->schedule, step, ret, why))
		return;
	engine_tell_failure(engine, why);
	options->before_shell(options->shell_context, step, why);
	step_run_shell(run, &args);
	shell.id = id;
	shell.args = strv_items(&args);
	shell.interactive = true;
	shell.trace = NULL;
	if (run_step_execute(&shell, &result, &err) < 0)
		log_error("%s: %s", args.items[0], err.msg);
}

/* Where the runtime is to write what took how long; NULL = nowhere. Owned. */
static char *trace_path(const struct engine *engine, const struct place *place)
{
	const struct timeline *timeline = engine->options->timeline;

	return timeline && timeline->want_runtime ? xasprintf("%s/trace.json", place->bundle)
						  : NULL;
}

/* command: instead of the step's own, with our standard input and output; NULL = the step's. */
static int execute(struct engine *engine, const struct step *owner, const struct place *place,
		   char *const *command, struct run_result *out, struct error *err)
{
	const struct step_run *run = &owner->run;
	const struct engine_options *options = engine->options;
	cleanup_run_mounts struct run_mounts mounts = { .count = 0 };
	cleanup_free char *id = xasprintf("build-%s-%u", engine->store->session, engine->running);
	cleanup_free char *trace = trace_path(engine, place);
	cleanup_free const struct run_volume *volumes = NULL;
	cleanup_network struct network network = NETWORK_INIT;
	cleanup_strv struct strv env = STRV_INIT;
	cleanup_step_output struct step_output output = { .engine = engine };
	struct run_step step = {
		.id = id,
		.rootfs = place->rootfs,
		.scratch = place->bundle,
		.args = command ? command : (char *const *)run->args,
		.interactive = command != NULL,
		.cwd = run->cwd,
		.user = run->user,
		.hostname = run->hostname,
		.network = run->network,
		.netns = &network.netns,
		.insecure = run->insecure,
		.sandbox = options->sandbox,
		.edits = run->edits,
		.runtime = options->runtime,
		.runtime_place = RUNTIME_STEPS,
		.trace = command ? NULL : trace,
		.output = pass_output,
		.context = &output,
		.cancel_fd = engine->stop_fd,
		.kill_fd = engine->kill_fd,
	};
	int ret = 0;

	leftovers_guard(engine->store);
	if (run->network == RUN_NETWORK_BRIDGE)
		ret = network_up(&network, engine->store, id, id, NULL, 0, err);
	if (ret == 0)
		ret = run_mounts_prepare(engine, run, place, &mounts, err);

	if (ret == 0)
		ret = collect_volumes(options, run, place, &mounts, &step, err);
	volumes = step.volumes;
	if (ret < 0)
		return ret;
	collect_env(run, &mounts, &env);
	step.env = strv_items(&env);
	ret = run_step_execute(&step, out, err);
	step_output_end(&output);
	if (step.trace)
		timeline_join(options->timeline, engine->running, owner->text, step.trace);
	if (ret < 0 || command)
		return ret;
	ret = check_result(owner, out, err);
	if (ret < 0 && options->before_shell)
		enter_shell(engine, owner, &step, ret, err);
	return ret;
}

static int run_make(struct engine *engine, struct step *step, struct layer_draft *out,
		    char **manifest, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_place struct place place = { .store = engine->store,
					     .subsecond = engine->graph->options->subsecond };
	struct timeline_mark span = engine_span(engine, TIMELINE_SNAPSHOT);
	struct run_result result = { 0 };
	int ret = engine_trees(engine, step->stage, &trees, err);

	(void)out;	/* its layer is a pending one */
	(void)manifest; /* find_key gave it */
	if (ret == 0)
		ret = place_make(&place, &trees, err);
	timeline_end(&span);
	if (ret == 0) {
		span = engine_span(engine, TIMELINE_RUNTIME);
		ret = execute(engine, step, &place, NULL, &result, err);
		timeline_end(&span);
	}
	step->usage = result.rusage;
	if (ret < 0 && result.exit_status)
		run_record_keep(engine, &place);
	if (ret < 0)
		return ret;
	return pending_take(engine, step, &place, &trees, err);
}

int step_run_again(struct engine *engine, const struct step *step, const struct strv *trees,
		   char *const *command, struct run_result *out, struct error *err)
{
	cleanup_place struct place place = { .store = engine->store };
	int ret = place_make(&place, trees, err);

	return ret < 0 ? ret : execute(engine, step, &place, command, out, err);
}

static bool run_is_ready(const struct step *step)
{
	for (size_t i = 0; i < step->run.mount_count; i++) {
		const struct graph_stage *stage = step->run.mounts[i].from.stage;

		if (stage && !stage->finished)
			return false;
	}
	return true;
}

const struct step_kind step_kind_run = {
	.name = "run",
	.is_ready = run_is_ready,
	.find_key = run_find_key,
	.make = run_make,
};
