/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container: the image's config decides what was not said on the command line (image-spec,
 * conversion.md). All that a start needs is written down here, so that nothing of the command line
 * is read again: config.json as it will be used, and in the record what changes from start to
 * start. What is whose namespace is create-namespaces.c's, config.json create-bundle.c's.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "builder/container/conmon.h"
#include "builder/container/create-internal.h"
#include "builder/container/init-layer.h"
#include "builder/container/leftovers.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/signals.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define STOP_TIMEOUT 10

static void making_done(struct making *making)
{
	image_done(&making->image);
	strv_done(&making->env);
	user_done(&making->user);
}

const struct image_defaults *making_defaults(const struct making *making)
{
	static const struct image_defaults none;
	const struct image_config *config = making->image.config;

	return config->config ? config->config : &none;
}

char *making_copy(struct making *making, const char *text)
{
	return text ? arena_strdup(making->arena, text) : NULL;
}

void making_add_strings(struct making *making, struct json_strings *out, char *const *items)
{
	size_t count = 0;

	while (items && items[count])
		count++;
	json_strings_add_all(out, making->arena, items, count);
}

/* -- what is executed ----------------------------------------------------------------------------
 */

/* Entrypoint and command: arguments replace the command, --entrypoint clears it (docker's rule). */
static int collect_args(struct making *making, struct error *err)
{
	const struct image_defaults *config = making_defaults(making);
	const struct container_options *options = making->options;
	struct json_strings *args = &making->record->args;

	if (!options->entrypoint)
		making_add_strings(making, args, config->entrypoint.items);
	else if (*options->entrypoint)
		json_strings_add(args, making->arena, options->entrypoint);
	if (*options->args)
		making_add_strings(making, args, (char *const *)options->args);
	else if (!options->entrypoint)
		making_add_strings(making, args, config->cmd.items);
	if (!args->count)
		return error_invalid(
			err,
			"no command: image \"%s\" has neither ENTRYPOINT nor CMD, and none "
			"was given",
			options->image);
	return 0;
}

static void collect_env(struct making *making)
{
	const struct image_defaults *config = making_defaults(making);
	const struct container_options *options = making->options;

	strv_add_all(&making->env, config->env.items);
	if (!strv_env_get(&making->env, "PATH"))
		strv_add(&making->env, DEFAULT_PATH);
	if (options->terminal && !strv_env_get(&making->env, "TERM"))
		strv_add(&making->env, "TERM=xterm");
	for (size_t i = 0; options->env && i < options->env->count; i++) {
		const char *text = options->env->items[i], *equals = strchr(text, '=');
		cleanup_free char *name =
			xstrndup(text, equals ? (size_t)(equals - text) : strlen(text));
		const char *value = equals ? equals + 1 : getenv(name);

		/* a bare name that we do not have either is not set, as in docker */
		if (value)
			strv_env_set(&making->env, name, value);
	}
}

static int collect_cwd(struct making *making, struct error *err)
{
	making->cwd =
		making->options->cwd ? making->options->cwd : making_defaults(making)->working_dir;
	if (!making->cwd || !*making->cwd)
		making->cwd = "/";
	if (*making->cwd != '/')
		return error_invalid(err, "working directory \"%s\" is not an absolute path",
				     making->cwd);
	return 0;
}

/* -- the rest of the record ----------------------------------------------------------------------
 */

static int collect_stop(struct making *making, struct error *err)
{
	const struct container_options *options = making->options;
	const char *signal = options->stop_signal;
	cleanup_strbuf struct strbuf keys = STRBUF_INIT;
	struct container_record *record = making->record;

	if (!signal)
		signal = making_defaults(making)->stop_signal;
	if (!signal || !*signal)
		signal = "TERM";
	if (signal_parse(signal) <= 0)
		return error_set(err, ERROR_USAGE, 0, "invalid --stop-signal: %s", signal);
	record->stop_signal = making_copy(making, signal);
	record->stop_timeout = STOP_TIMEOUT;
	if (options->stop_timeout &&
	    (number_parse_u32(options->stop_timeout, &record->stop_timeout) < 0 ||
	     record->stop_timeout > INT_MAX / 1000))
		return error_set(err, ERROR_USAGE, 0, "invalid --stop-timeout: %s (seconds)",
				 options->stop_timeout);
	record->detach_keys = making_copy(making, options->detach_keys);
	return options->detach_keys ? conmon_parse_keys(options->detach_keys, &keys, err) : 0;
}

static void collect_labels(struct making *making)
{
	const struct json_map *image = &making_defaults(making)->labels;
	const struct strv *given = making->options->labels;
	struct json_map *labels = &making->record->labels;

	for (size_t i = 0; i < image->count; i++)
		json_map_set(labels, making->arena, image->items[i].key, image->items[i].value);
	for (size_t i = 0; given && i < given->count; i++) {
		size_t size = strcspn(given->items[i], "=");
		char *key = arena_strndup(making->arena, given->items[i], size);

		json_map_set(labels, making->arena, key,
			     given->items[i][size] ? given->items[i] + size + 1 : "");
	}
}

static void collect_names(struct making *making)
{
	const struct container_options *options = making->options;
	const struct sandbox *sandbox = options->sandbox;
	struct container_record *record = making->record;

	if (options->hosts)
		making_add_strings(making, &record->hosts, options->hosts->items);
	if (!sandbox)
		return;
	record->cgroup_parent = making_copy(making, sandbox->cgroup_parent);
	making_add_strings(making, &record->name_servers, sandbox->name_servers.items);
	making_add_strings(making, &record->searches, sandbox->searches.items);
	making_add_strings(making, &record->resolver_options, sandbox->resolver_options.items);
	making_add_strings(making, &record->groups, sandbox->groups.items);
}

static void collect_image(struct making *making)
{
	const struct container_options *options = making->options;
	struct container_record *record = making->record;

	record->name = making_copy(making, options->name);
	record->image = making_copy(making, options->image);
	record->image_id = making_copy(making, making->image.id.text);
	record->top_digest = making_copy(making, making->image.top.digest.text);
	record->top_type = making_copy(making, making->image.top.media_type);
	record->top_size = making->image.top.size;
	record->platform = making_copy(making, options->platform);
	record->runtime = making_copy(making, options->runtime);
	record->terminal = options->terminal;
	record->interactive = options->interactive;
	record->remove = options->remove;
}

/* What comes from the command line and the image alone: nothing is made yet. */
static int plan(struct making *making, struct error *err)
{
	const struct container_options *options = making->options;
	struct store *store = making->container->store;
	struct mount_words mounts = options->mounts;
	cleanup_strv struct strv trees = STRV_INIT;
	int ret = container_id_make(making->record->id, err);

	if (ret == 0)
		ret = image_load_for(store, options->image, options->platform, &making->image, err);
	if (ret == 0)
		ret = image_trees(store, &making->image, &trees, err);
	if (ret == 0)
		ret = collect_args(making, err);
	if (ret == 0)
		ret = collect_cwd(making, err);
	if (ret == 0)
		ret = create_plan_namespaces(making, err);
	if (ret == 0)
		ret = collect_stop(making, err);
	if (ret < 0)
		return ret;
	making_add_strings(making, &making->record->trees, trees.items);
	collect_env(making);
	collect_labels(making);
	collect_names(making);
	collect_image(making);
	mounts.image = &making_defaults(making)->volumes;
	return mounts_plan(store, &mounts, making->record, err);
}

/* -- making --------------------------------------------------------------------------------------
 */

/* The record, and before it what is to be done about it should we be killed. */
static int make_record(struct making *making, struct error *err)
{
	struct container *container = making->container;
	struct store *store = container->store;
	const char *id = making->record->id;
	int ret = leftovers_note(store, making->record, err);

	if (making->options->foreground)
		leftovers_guard(store);
	if (ret == 0)
		ret = container_record_create(store, &making->image, making->record,
					      &container->folder, err);
	if (ret < 0)
		return ret;
	making->recorded = true;
	container->rootfs = xasprintf("%s/%s/rootfs", store->path, container->folder);
	container->bundle = xasprintf("%s/%s/bundle", store->path, container->folder);
	container->lock_fd = container_lock(store, id, err);
	return container->lock_fd < 0 ? container->lock_fd : 0;
}

int container_create(struct store *store, const struct container_options *options,
		     struct container *out, struct error *err)
{
	__attribute__((cleanup(making_done))) struct making making = {
		.container = out,
		.options = options,
		.record = &out->record,
		.arena = &out->record.arena,
	};
	int ret;

	out->store = store;
	ret = plan(&making, err);
	if (ret == 0)
		ret = make_record(&making, err);
	if (ret == 0)
		ret = init_layer_make(out, options->sandbox, options->init, err);
	if (ret == 0)
		ret = container_mount_rootfs(out, err);
	if (ret == 0)
		ret = create_resolve_in_rootfs(&making, err);
	if (ret == 0)
		ret = create_write_bundle(&making, err);
	if (ret < 0 && making.recorded)
		(void)container_delete(out, true, true, NULL);
	return ret;
}
