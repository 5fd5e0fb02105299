/* SPDX-License-Identifier: Apache-2.0 */
/* WORKDIR: make the folder, with its parents, for the current user, if it is not there. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/build/engine.h"
#include "builder/build/image-times.h"
#include "builder/build/make-folders.h"
#include "builder/container/user.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

static int workdir_find_key(struct engine *engine, struct step *step, char **manifest,
			    struct error *err)
{
	struct key_builder builder;

	(void)engine;
	(void)err;
	key_begin(&builder, "workdir");
	key_add(&builder, "parent", step->stage->key.hex);
	key_add(&builder, "path", step->workdir.path);
	key_add(&builder, "user", step->workdir.user);
	key_finish(&builder, &step->key, manifest);
	return 1;
}

static int workdir_make(struct engine *engine, struct step *step, struct layer_draft *out,
			char **manifest, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_layer_writer struct layer_writer *writer = NULL;
	cleanup_user struct user user = { 0 };
	cleanup_free char *path = NULL;
	struct layer_writer_options options = { .lowers = &trees,
						.mtime = step->now,
						.subsecond = engine->graph->options->subsecond,
						.times = image_times_at_once(engine, step) };
	int ret = engine_trees(engine, step->stage, &trees, err);

	(void)manifest; /* find_key gave it */
	if (ret == 0)
		ret = snapshot_resolve(engine->store, &trees, step->workdir.path, &path, err);
	if (ret == 0 && *step->workdir.user)
		ret = engine_resolve_user(engine, &trees, step->workdir.user, &user, err);
	if (ret == 0)
		ret = layer_writer_create(engine->store, &options, &writer, err);
	if (ret == 0)
		ret = make_folders(&(struct make_folders){ .store = engine->store,
							   .trees = &trees,
							   .writer = writer,
							   .uid = user.uid,
							   .gid = user.gid,
							   .mtime = options.mtime },
				   path, err);
	return ret < 0 ? ret : layer_writer_finish(writer, out, err);
}

const struct step_kind step_kind_workdir = {
	.name = "workdir",
	.find_key = workdir_find_key,
	.make = workdir_make,
};
