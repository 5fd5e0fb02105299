/* SPDX-License-Identifier: Apache-2.0 */
/* The layer is a copy: a container may go on, and layers never change. */
#include "builder/container/commit.h"

#include <signal.h>
#include <string.h>

#include "builder/build/runtime-exec.h"
#include "builder/container/state.h"
#include "builder/container/tree-copy.h"
#include "builder/image/layer.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "spec/json-table.h"

/* Config as the record has it (describe.c): what of it an image has, too. */
struct described {
	const char *user, *working_dir, *stop_signal;
	struct json_strings env, cmd, entrypoint, volumes, exposed_ports;
	struct json_map labels;
};

/* clang-format off */
static const struct json_field described_fields[] = {
	JSON_STRING(struct described, "User", user),
	JSON_STRING(struct described, "WorkingDir", working_dir),
	JSON_STRING(struct described, "StopSignal", stop_signal),
	JSON_STRINGS(struct described, "Env", env),
	JSON_STRINGS(struct described, "Cmd", cmd),
	JSON_STRINGS(struct described, "Entrypoint", entrypoint),
	JSON_SET(struct described, "Volumes", volumes),
	JSON_SET(struct described, "ExposedPorts", exposed_ports),
	JSON_MAP(struct described, "Labels", labels),
};
static const struct json_object described_object = JSON_TABLE(struct described, described_fields);
/* clang-format on */

static int describe(const struct container_record *record, struct arena *arena,
		    struct image_defaults *out, struct error *err)
{
	struct described described = { NULL };
	const struct json_source source = { .name = "record",
					    .text = record->config ? record->config : "{}",
					    .size = record->config ? strlen(record->config) : 2 };
	int ret = json_decode(&source, &described_object, arena, &described, err);

	if (ret < 0)
		return ret;
	out->user = described.user && *described.user ? described.user : NULL;
	out->working_dir = described.working_dir;
	out->env = (struct json_strings){ .items = NULL };
	for (size_t i = 0; i < described.env.count; i++)
		if (!record->terminal || strcmp(described.env.items[i], "TERM=xterm") != 0)
			json_strings_add(&out->env, arena, described.env.items[i]);
	out->cmd = described.cmd;
	out->entrypoint = described.entrypoint;
	out->labels = described.labels;
	if (described.volumes.count)
		out->volumes = described.volumes;
	if (described.exposed_ports.count)
		out->exposed_ports = described.exposed_ports;
	if (described.stop_signal && strcmp(described.stop_signal, "TERM") != 0)
		out->stop_signal = described.stop_signal;
	return 0;
}

/* 1: there is a layer; 0: the container has changed nothing. */
static int make_layer(struct store *store, const struct container_record *record,
		      struct strv *out_layers, struct error *err)
{
	const struct tree_copy copy = { .marks = &store->marks };
	cleanup_free char *upper = xasprintf("containers/%s/layer/upper", record->id);
	cleanup_strv struct strv trees = STRV_INIT;
	const struct layer_scan scan = { .lowers = &trees };
	char scratch[STORE_NAME_SIZE];
	struct layer_draft draft;
	struct layer_info info;
	int ret = store_scratch(store, scratch, NULL, err);

	for (size_t i = 0; i < record->trees.count; i++)
		strv_add(&trees, record->trees.items[i]);
	if (ret == 0)
		ret = tree_copy(&copy, store->fd, upper, store->fd, scratch, err);
	if (ret == 0)
		ret = layer_from_folder(store, scratch, &scan, &draft, err);
	if (ret < 0 || draft.entries == 0)
		return ret;
	ret = layer_publish(store, &draft, &info, err);
	if (ret == 0)
		strv_add(out_layers, info.id);
	return ret < 0 ? ret : 1;
}

/* Who is told to go first lets go: nobody else would resume the container. */
static void hold_signals(sigset_t *old)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		sigaddset(&set, held[i]);
	(void)pthread_sigmask(SIG_BLOCK, &set, old);
}

static bool stand_still(struct store *store, const struct container_record *record, bool pause)
{
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	char *words[] = { "pause", (char *)record->id, NULL };
	struct container_state state;
	struct error why = ERROR_INIT;

	container_state_get(store, record, &state);
	if (!pause || state.status != CONTAINER_RUNNING)
		return false;
	if (runtime_verb(&runtime, words, &why) == 0)
		return true;
	log_warning("container %s goes on while it is committed: %s", record->name, why.msg);
	return false;
}

static void go_on(const struct container_record *record)
{
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	char *words[] = { "resume", (char *)record->id, NULL };
	struct error why = ERROR_INIT;

	if (runtime_verb(&runtime, words, &why) < 0)
		log_warning("container %s stays paused: %s", record->name, why.msg);
}

static void add_history(const struct container_record *record, const struct commit *commit,
			bool empty, struct image *base)
{
	struct image_history *entry = image_config_add_history(base->config, &base->arena);
	cleanup_strbuf struct strbuf command = STRBUF_INIT;

	for (size_t i = 0; i < record->args.count; i++)
		strbuf_addf(&command, "%s%s", i ? " " : "", record->args.items[i]);
	entry->created = commit->created;
	entry->created_by = arena_strdup(&base->arena, strbuf_text(&command));
	entry->author = commit->author;
	entry->comment = commit->message;
	entry->empty_layer = empty;
	base->config->created = commit->created;
	if (commit->author)
		base->config->author = commit->author;
}

static int load_base(struct store *store, const struct container_record *record, struct image *out,
		     struct error *err)
{
	struct store_ref ref = { .media_type = (char *)record->top_type, .size = record->top_size };
	int ret = digest_parse(record->top_digest, &ref.digest, err);

	return ret < 0 ? ret : image_load_ref_for(store, &ref, record->platform, out, err);
}

int container_commit(struct store *store, const struct container_record *record,
		     const struct commit *commit, struct store_ref *out_ref, struct digest *out_id,
		     struct error *err)
{
	cleanup_image struct image base = { .arena = ARENA_INIT };
	cleanup_strv struct strv layers = STRV_INIT;
	struct image_new new = { .base = &base, .arena = &base.arena, .layers = &layers };
	struct image_config *config;
	sigset_t signals;
	bool paused;
	int ret = load_base(store, record, &base, err);

	if (ret < 0)
		return ret;
	hold_signals(&signals);
	paused = stand_still(store, record, commit->pause);
	ret = make_layer(store, record, &layers, err);
	if (paused)
		go_on(record);
	(void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
	if (ret < 0)
		return ret;
	config = base.config;
	add_history(record, commit, ret == 0, &base);
	if (!config->config)
		config->config = arena_alloc(&base.arena, sizeof(*config->config));
	ret = describe(record, &base.arena, config->config, err);
	if (ret == 0 && commit->change)
		ret = commit->change(commit->context, config->config, &base.arena, err);
	new.config = config;
	return ret < 0 ? ret : image_create(store, &new, out_ref, out_id, err);
}
