/* SPDX-License-Identifier: Apache-2.0 */
/* Records of RUNs: written by engine.c when a stage has ended, read by run-again.c. */
#include "builder/build/run-record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "builder/build/run-mounts.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "spec/json-table.h"

#define RECORD_MAX ((size_t)16 << 20)
#define KEPT "builds/kept" /* a symlink; no number, so no build for journal_list */
#define KEPT_ROOM_SHARE 10 /* a tenth of the disk has to be free */

/* clang-format off */
static const struct json_field mount_fields[] = {
	JSON_I32(struct record_mount, "type", type),
	JSON_STRING(struct record_mount, "target", target),
	JSON_STRING(struct record_mount, "id", id),
	JSON_STRING(struct record_mount, "env", env),
	JSON_STRING(struct record_mount, "source", source),
	JSON_STRINGS(struct record_mount, "layers", layers),
	JSON_STRING(struct record_mount, "cache", cache),
	JSON_I32(struct record_mount, "sharing", sharing),
	JSON_BOOL(struct record_mount, "readonly", readonly),
	JSON_BOOL(struct record_mount, "required", required),
	JSON_U32(struct record_mount, "mode", mode),
	JSON_U32(struct record_mount, "uid", uid),
	JSON_U32(struct record_mount, "gid", gid),
	JSON_U64(struct record_mount, "size", size),
};
static const struct json_object mount_object = JSON_TABLE(struct record_mount, mount_fields);

static const struct json_field record_fields[] = {
	JSON_STRING(struct run_record, "text", text),
	JSON_STRING(struct run_record, "key", key),
	JSON_STRINGS(struct run_record, "layers", layers),
	JSON_STRINGS(struct run_record, "args", args),
	JSON_STRINGS(struct run_record, "env", env),
	JSON_STRING(struct run_record, "cwd", cwd),
	JSON_STRING(struct run_record, "user", user),
	JSON_STRING(struct run_record, "hostname", hostname),
	JSON_BOOL(struct run_record, "noNetwork", no_network),
	JSON_BOOL(struct run_record, "bridge", bridge),
	JSON_BOOL(struct run_record, "insecure", insecure),
	JSON_STRING(struct run_record, "scriptTarget", script_target),
	JSON_STRING(struct run_record, "scriptBody", script_body),
	JSON_OBJECTS(struct run_record, "mounts", mounts, &mount_object),
};
/* clang-format on */
static const struct json_object record_object = JSON_TABLE(struct run_record, record_fields);

/* -- writing -------------------------------------------------------------------------------------
 */

static void add_strings(struct json_strings *list, struct arena *arena, const char *const *items,
			size_t count)
{
	for (size_t i = 0; i < count && items[i]; i++)
		json_strings_add(list, arena, items[i]);
}

/* Ids of trees ("layers/ID/tree"): false when one has none, because it could not be made. */
static bool add_layers(struct json_strings *list, struct arena *arena, const struct strv *trees)
{
	for (size_t i = 0; i < trees->count; i++) {
		char id[LAYER_ID_SIZE];

		if (sscanf(trees->items[i], "layers/%64[0-9a-f]/tree", id) != 1)
			return false;
		json_strings_add(list, arena, id);
	}
	return true;
}

static int fill_mount(struct engine *engine, const struct step_mount *mount, struct arena *arena,
		      struct record_mount *out, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_free char *cache = NULL;
	int ret;

	*out = (struct record_mount){ .type = (int)mount->type,
				      .target = mount->target,
				      .id = mount->id,
				      .env = mount->env,
				      .source = mount->source,
				      .sharing = (int)mount->sharing,
				      .readonly = mount->readonly,
				      .required = mount->required,
				      .mode = mount->mode,
				      .uid = mount->uid,
				      .gid = mount->gid,
				      .size = mount->size };
	if (mount->type == RUN_MOUNT_CACHE) {
		ret = run_mounts_cache_name(engine, mount, &cache, err);
		out->cache = ret < 0 ? NULL : arena_strdup(arena, cache);
		return ret;
	}
	if (mount->type != RUN_MOUNT_BIND)
		return 0;
	ret = run_mounts_trees(engine, mount, &trees, err);
	if (ret == 0 && !add_layers(&out->layers, arena, &trees))
		ret = error_set(err, ERROR_STATE, 0, "a layer of a mount was not made");
	return ret;
}

/* below: the trees of the step's base, then of all steps of its stage. */
static int fill(struct engine *engine, const struct step *step, const struct strv *below,
		struct arena *arena, struct run_record *out, struct error *err)
{
	const struct step_run *run = &step->run;
	int ret = 0;

	*out = (struct run_record){ .text = step->text,
				    .key = step->key.hex,
				    .cwd = run->cwd,
				    .user = run->user,
				    .hostname = run->hostname,
				    .no_network = run->network == RUN_NETWORK_NONE,
				    .bridge = run->network == RUN_NETWORK_BRIDGE,
				    .insecure = run->insecure };
	if (run->script) {
		out->script_target = run->script->target;
		out->script_body = run->script->body;
	}
	add_strings(&out->args, arena, run->args, run->arg_count);
	add_strings(&out->env, arena, run->env, run->env_count);
	if (!add_layers(&out->layers, arena, below))
		return error_set(err, ERROR_STATE, 0, "a layer below was not made");
	out->mounts.count = run->mount_count;
	out->mounts.items = arena_alloc(arena, run->mount_count * sizeof(*out->mounts.items));
	for (size_t i = 0; i < run->mount_count && ret == 0; i++)
		ret = fill_mount(engine, &run->mounts[i], arena, &out->mounts.items[i], err);
	return ret;
}

static int write_one(struct engine *engine, const struct step *step, const struct strv *below,
		     struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name =
		xasprintf("builds/%" PRIu64 "/%u.run", engine->build, step->event);
	struct run_record record;
	int ret = fill(engine, step, below, &arena, &record, err);

	if (ret < 0)
		return ret;
	json_encode(&record_object, &record, JSON_COMPACT, &text);
	return store_replace(engine->store, name, text.data, text.size, err);
}

/* Was a RUN of it begun that is not from the cache? */
static bool is_new_run(const struct step *step)
{
	return step->kind == &step_kind_run && !step->cached && step->event;
}

static bool has_new_run(const struct graph_stage *stage)
{
	for (size_t i = 0; i < stage->step_count; i++)
		if (is_new_run(stage->steps[i]))
			return true;
	return false;
}

void run_record_stage(struct engine *engine, struct graph_stage *stage, const struct step *stopped)
{
	cleanup_strv struct strv trees = STRV_INIT, below = STRV_INIT;
	struct error why = ERROR_INIT;
	size_t made = 0;
	int ret;

	while (made < stage->step_count && stage->steps[made] != stopped)
		made++;
	/* a stage from the cache has not even looked for the layers of its base */
	if (!engine->build || !has_new_run(stage))
		return;
	ret = engine_trees(engine, stage, &trees, &why);
	/* each step that was made has put one tree on top */
	for (size_t i = 0; i + made < trees.count; i++)
		strv_add(&below, trees.items[i]);
	for (size_t i = 0; i < stage->step_count && i <= made && ret == 0; i++) {
		const struct step *step = stage->steps[i];

		if (is_new_run(step))
			ret = write_one(engine, step, &below, &why);
		if (i < made)
			strv_add(&below, trees.items[trees.count - made + i]);
	}
	if (ret < 0)
		log_debug("the steps of \"%s\" cannot be entered later: %s", stage->label, why.msg);
}

/* -- the files of a failed step ------------------------------------------------------------------
 */

char *run_record_upper(struct store *store, uint64_t build, uint64_t event)
{
	cleanup_free char *name = xasprintf("builds/%" PRIu64 "/%" PRIu64 ".upper", build, event);

	return faccessat(store->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? TAKE_PTR(name) : NULL;
}

/* Only one is kept, and "builds/kept" leads to it. */
static void forget_last(struct store *store)
{
	cleanup_free char *name = NULL;
	char target[64];
	ssize_t size = readlinkat(store->fd, KEPT, target, sizeof(target) - 1);

	if (size <= 0)
		return;
	target[size] = '\0';
	name = xasprintf("builds/%s", target);
	(void)store_discard(store, name, NULL); /* its build may be gone, and it with it */
	(void)unlinkat(store->fd, KEPT, 0);
}

/* Is there room for files that nobody may ever look at? What failed for lack of room must not keep
 * it from the next build. */
static bool has_room(const struct store *store)
{
	struct statvfs now;

	return fstatvfs(store->fd, &now) == 0 && now.f_bavail >= now.f_blocks / KEPT_ROOM_SHARE;
}

/* A copy is all of the root file system: what is below it must not show through. */
static int hide_below(struct store *store, const char *folder)
{
	cleanup_close int fd = openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : overlay_set_opaque(store->marks, fd);
}

void run_record_keep(struct engine *engine, struct place *place)
{
	struct store *store = engine->store;
	cleanup_free char *target =
		xasprintf("%" PRIu64 "/%u.upper", engine->build, engine->running);
	cleanup_free char *name = xasprintf("builds/%s", target);
	struct error why = ERROR_INIT;

	if (!engine->build || !place->mounted)
		return;
	if (!has_room(store)) {
		log_debug("the files of the failed step are not kept: the disk is nearly full");
		return;
	}
	if (snapshot_detach(place->rootfs, &why) < 0) {
		log_debug("the files of the failed step are not kept: %s", why.msg);
		return;
	}
	place->mounted = false;
	if (store->copies && hide_below(store, place->upper.upper) < 0) {
		log_debug("the files of the failed step are not kept: %m");
		return;
	}
	forget_last(store);
	if (renameat(store->fd, place->upper.upper, store->fd, name) < 0 ||
	    symlinkat(target, store->fd, KEPT) < 0)
		log_debug("the files of the failed step are not kept: %m");
}

/* -- reading -------------------------------------------------------------------------------------
 */

int run_record_read(struct store *store, uint64_t build, uint64_t event, struct arena *arena,
		    struct run_record *out, struct error *err)
{
	cleanup_free char *name = xasprintf("builds/%" PRIu64 "/%" PRIu64 ".run", build, event);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = name, .max_size = RECORD_MAX };
	int ret = io_read_file(store->fd, name, RECORD_MAX, &text, NULL);

	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return error_errno(err, -ret, "read \"%s/%s\"", store->path, name);
	source.text = text.data;
	source.size = text.size;
	*out = (struct run_record){ .text = NULL };
	ret = json_decode(&source, &record_object, arena, out, err);
	return ret < 0 ? ret : 1;
}
