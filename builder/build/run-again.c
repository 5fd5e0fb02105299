/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a record of a RUN (run-record.h) back to what step-run.c works on: a step in a stage that
 * has the layers of then. Layers that were pruned since are missed by name.
 */
#include "builder/build/run-again.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "builder/build/engine.h"
#include "builder/build/run-record.h"
#include "builder/container/leftovers.h"
#include "builder/container/sandbox.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"

/* The world that the step sees. */
struct again {
	struct store *store;
	uint64_t build, event;
	struct run_record record;
	struct strv build_args; /* none */
	struct graph_options graph_options;
	struct graph graph;
	struct engine_options engine_options;
	struct engine engine;
	struct graph_stage *sources; /* of the mounts, one each */
	struct step step;
};

static void again_done(struct again *again)
{
	engine_close(&again->engine);
	for (size_t i = 0; again->sources && i < again->record.mounts.count; i++) {
		strv_done(&again->sources[i].layers);
		strv_done(&again->sources[i].trees);
	}
	arena_done(&again->graph.arena);
}

/* What these layers are called as trees; held, so that no prune takes them away meanwhile. */
static int hold_layers(struct store *store, const struct json_strings *layers, struct strv *out,
		       struct error *err)
{
	for (size_t i = 0; i < layers->count; i++) {
		int ret = store_hold_layer(store, layers->items[i], err);

		if (ret == 0)
			return error_set(
				err, ERROR_NOT_FOUND, 0,
				"its layer %.12s is not in the store any more: build again",
				layers->items[i]);
		if (ret < 0)
			return ret;
		strv_take(out, layer_tree(layers->items[i]));
	}
	return 0;
}

static int make_mount(struct again *again, size_t number, struct step_mount *out, struct error *err)
{
	const struct record_mount *from = &again->record.mounts.items[number];
	struct graph_stage *source = &again->sources[number];

	if (from->type < 0 || from->type >= RUN_MOUNT_TYPES)
		return error_invalid(err, "a mount of the record is of no known type");
	*out = (struct step_mount){ .type = (enum run_mount_type)from->type,
				    .target = from->target,
				    .id = from->id ? from->id : "",
				    .env = from->env,
				    .source = from->source,
				    .cache = from->cache,
				    .sharing = (enum run_mount_sharing)from->sharing,
				    .readonly = from->readonly,
				    .required = from->required,
				    .mode = from->mode,
				    .uid = from->uid,
				    .gid = from->gid,
				    .size = from->size };
	if (out->type != RUN_MOUNT_BIND)
		return 0;
	out->from.stage = source;
	source->finished = true;
	return hold_layers(again->store, &from->layers, &source->trees, err);
}

static int make_step(struct again *again, struct error *err)
{
	static const char *const no_texts[] = { NULL };
	const struct run_record *record = &again->record;
	struct arena *arena = &again->graph.arena;
	struct step_mount *mounts = arena_alloc(arena, record->mounts.count * sizeof(*mounts));
	struct step_script *script = NULL;
	int ret = 0;

	if (!record->args.count || !record->cwd || !record->user)
		return error_invalid(err, "the record of the step is not complete");
	again->sources = arena_alloc(arena, record->mounts.count * sizeof(*again->sources));
	for (size_t i = 0; i < record->mounts.count && ret == 0; i++)
		ret = make_mount(again, i, &mounts[i], err);
	if (record->script_target && record->script_body) {
		script = arena_alloc(arena, sizeof(*script));
		*script = (struct step_script){ record->script_target, record->script_body };
	}
	again->step = (struct step){
		.kind = &step_kind_run,
		.text = record->text,
		.run = { .args = (const char *const *)record->args.items,
			 .arg_count = record->args.count,
			 .env = record->env.items ? (const char *const *)record->env.items
						  : no_texts,
			 .env_count = record->env.count,
			 .proxies = no_texts,
			 .cwd = record->cwd,
			 .user = record->user,
			 .hostname = record->hostname,
			 .network = record->no_network ? RUN_NETWORK_NONE
				    : record->bridge   ? RUN_NETWORK_BRIDGE
						       : RUN_NETWORK_HOST,
			 .insecure = record->insecure,
			 .script = script,
			 .mounts = mounts,
			 .mount_count = record->mounts.count },
	};
	return ret;
}

/* What the step left: its files when it failed, else its layer. */
static int add_result(struct again *again, struct strv *trees, struct error *err)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	char *upper = run_record_upper(again->store, again->build, again->event);
	int ret;

	if (upper) {
		strv_take(trees, upper);
		return 0;
	}
	ret = again->record.key ? store_step_get(again->store, again->record.key, &record, err) : 0;
	if (ret > 0 && record.layer[0])
		strv_take(trees, layer_tree(record.layer));
	else if (ret == 0)
		log_warning("what the step has left is gone: these are the files that it found");
	return ret < 0 ? ret : 0;
}

static int execute(struct again *again, const struct run_again_options *options, int *out_status,
		   struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT, shell = STRV_INIT;
	struct run_result result = { 0 };
	int ret = hold_layers(again->store, &again->record.layers, &trees, err);

	if (ret == 0 && options->shell)
		ret = add_result(again, &trees, err);
	if (ret < 0)
		return ret;
	if (options->shell_program)
		strv_add(&shell, options->shell_program);
	else
		step_run_shell(&again->step.run, &shell);
	ret = step_run_again(&again->engine, &again->step, &trees,
			     options->shell ? strv_items(&shell) : again->record.args.items,
			     &result, err);
	*out_status = result.exit_status;
	return ret;
}

static int make_engine(struct again *again, const struct run_again_options *options,
		       struct error *err)
{
	int ret;

	again->graph_options.build_args = &again->build_args;
	again->graph.store = again->store;
	again->graph.options = &again->graph_options;
	again->engine_options.secrets = options->secrets;
	again->engine_options.secret_count = options->secret_count;
	again->engine_options.volumes = options->volumes;
	again->engine_options.volume_count = options->volume_count;
	again->engine_options.runtime = options->runtime;
	again->engine_options.sandbox = options->sandbox;
	again->engine_options.signal_fd = -EBADF;
	again->engine_options.jobs = 1;
	again->engine = (struct engine){ .store = again->store,
					 .graph = &again->graph,
					 .options = &again->engine_options };
	ret = engine_open(&again->engine, err);
	again->engine.kill_fd = -EBADF; /* signals are the command's */
	if (ret == 0)
		ret = store_lease_note(again->store, LEFTOVER_RUNTIME, options->runtime, err);
	if (ret == 0 && options->sandbox->cgroup_parent)
		ret = store_lease_note(again->store, LEFTOVER_CGROUP,
				       options->sandbox->cgroup_parent, err);
	return ret;
}

int run_again(struct store *store, uint64_t build, uint64_t event,
	      const struct run_again_options *options, int *out_status, struct error *err)
{
	cleanup_with(
		again_done) struct again again = { .store = store, .build = build, .event = event };
	int ret = run_record_read(store, build, event, &again.graph.arena, &again.record, err);

	if (ret == 0)
		return error_set(err, ERROR_NOT_FOUND, 0,
				 "%" PRIu64 "#%" PRIu64
				 " is no RUN that was executed, or its record is gone",
				 build, event);
	if (ret > 0)
		ret = make_engine(&again, options, err);
	if (ret == 0)
		ret = make_step(&again, err);
	return ret < 0 ? ret : execute(&again, options, out_status, err);
}
