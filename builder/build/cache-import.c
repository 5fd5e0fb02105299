/* SPDX-License-Identifier: Apache-2.0 */
/* Using caches that were exported elsewhere; called by the engine where it looks for records and
 * where it needs layers. */
#include "builder/build/cache-import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/cache-document.h"
#include "builder/build/cache-load.h"
#include "builder/build/engine.h"
#include "builder/build/schedule.h"
#include "builder/image/content-list.h"
#include "builder/image/layer-blob.h"
#include "builder/image/unpack.h"
#include "builder/loop/fiber.h"
#include "lib/cleanup.h"

struct cache_imports {
	struct cache_import *items;
	size_t count;
	struct strv warnings;
	bool busy; /* a branch of the build reads a cache or fetches from it */
	bool lost;
};

struct cache_imports *cache_imports_new(const struct cache_option *options, size_t count)
{
	struct cache_imports *imports = xzalloc(sizeof(*imports));

	imports->items = xreallocarray(NULL, count + 1, sizeof(*imports->items));
	imports->count = count;
	for (size_t i = 0; i < count; i++)
		imports->items[i] = (struct cache_import){ .option = &options[i] };
	return imports;
}

void cache_imports_free(struct cache_imports *imports)
{
	if (!imports)
		return;
	for (size_t i = 0; i < imports->count; i++)
		cache_import_done(&imports->items[i]);
	free(imports->items);
	strv_done(&imports->warnings);
	free(imports);
}

void cache_imports_next_platform(struct cache_imports *imports)
{
	size_t count = imports ? imports->count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct cache_import *import = &imports->items[i];
		struct cache_import next = { .option = import->option };

		if (!import->in_index || import->is_old)
			continue;
		imports->items[i].is_old = true; /* what was taken from it may still be fetched */
		imports->items =
			xreallocarray(imports->items, imports->count + 1, sizeof(*imports->items));
		imports->items[imports->count++] = next;
	}
}

const struct strv *cache_imports_warnings(const struct cache_imports *imports)
{
	return imports ? &imports->warnings : NULL;
}

bool cache_imports_lost(struct cache_imports *imports)
{
	bool lost = imports && imports->lost;

	if (lost)
		imports->lost = false;
	return lost;
}

/* From here on the cache is not there. */
static void ignore(struct cache_imports *imports, struct cache_import *import,
		   const struct error *why)
{
	cleanup_free char *warning = NULL;
	char text[1024];

	warning = xasprintf("--cache-from %s is ignored: %s", import->option->text,
			    error_text(why, text, sizeof(text)));
	import->state = CACHE_IGNORED;
	if (!strv_contains(&imports->warnings, warning))
		strv_add(&imports->warnings, warning);
}

/* One branch at a time: what the others want is then often there. */
static int enter(struct engine *engine, struct error *err)
{
	int ret = 0;

	while (ret == 0 && engine->imports->busy)
		ret = schedule_wait(engine->schedule, err);
	if (ret == 0)
		engine->imports->busy = true;
	return ret;
}

static void leave(struct engine *engine)
{
	engine->imports->busy = false;
	schedule_changed(engine->schedule);
}

/* -- records -------------------------------------------------------------------------------------
 */

/* The first use of a cache opens it. */
static int open_import(struct engine *engine, struct cache_import *import, struct error *err)
{
	struct error why = ERROR_INIT;
	int ret;

	if (import->state != CACHE_UNKNOWN)
		return 0;
	ret = enter(engine, err);
	if (ret < 0)
		return ret;
	if (import->state == CACHE_UNKNOWN) {
		ret = cache_import_load(import, engine->store, engine->graph->options, &why);
		import->state = ret < 0 ? CACHE_IGNORED : CACHE_READY;
		if (ret < 0 && why.code != ERROR_CANCELLED)
			ignore(engine->imports, import, &why);
	}
	leave(engine);
	return engine_check_cancel(engine, err);
}

/* A step that has its layer at hand, or needs none, is as good as one of our own. */
static int take_step(struct engine *engine, struct cache_step *step, struct step_record *out,
		     struct error *err)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	int ret = 1;

	cache_step_record(step, &record);
	if (record.layer[0])
		ret = store_hold_layer(engine->store, record.layer, err);
	if (ret == 1)
		ret = store_step_put(engine->store, step->key, &record, err);
	if (ret < 0)
		return ret;
	step->taken = true;
	*out = record;
	record.manifest = record.info = NULL;
	return 1;
}

int cache_find(struct engine *engine, const char *key, struct step_record *out, struct error *err)
{
	struct cache_imports *imports = engine->imports;
	int ret = store_step_get(engine->store, key, out, err);

	for (size_t i = 0; imports && i < imports->count && ret == 0; i++) {
		struct cache_import *import = &imports->items[i];
		struct cache_step *step;

		ret = open_import(engine, import, err);
		if (ret < 0 || import->state != CACHE_READY)
			continue;
		step = cache_document_find(&import->document, key);
		if (step && (!step->layer || cache_import_blob(import, step->layer)))
			ret = take_step(engine, step, out, err);
	}
	return ret;
}

/* -- layers --------------------------------------------------------------------------------------
 */

/* Work for another thread. */
struct unpack_call {
	struct store *store;
	const struct digest *diff_id;
	int fd, ret;
	struct layer_draft draft;
	struct error *err;
};

static void call_unpack(void *context)
{
	struct unpack_call *call = context;

	call->ret = layer_from_blob(call->store, call->fd, call->diff_id, &call->draft, call->err);
}

static void tell_fetch(struct engine *engine, const struct cache_import *import,
		       const struct descriptor *blob)
{
	cleanup_free char *note =
		xasprintf("fetching %.19s from %s", blob->digest, import->place->name);

	engine_event(engine, EVENT_NOTE, engine->running, note, strlen(note));
}

static int fetch_layer(struct engine *engine, struct cache_import *import,
		       const struct digest *diff_id, struct error *err)
{
	const struct descriptor *blob = cache_import_blob(import, diff_id->text);
	struct unpack_call call = {
		.store = engine->store, .diff_id = diff_id, .draft = { .name = "" }, .err = err
	};
	cleanup_close int fd = -EBADF;
	struct layer_info info;
	int ret;

	tell_fetch(engine, import, blob);
	fd = cache_import_fetch(import, engine->store, blob, err);
	if (fd < 0)
		return fd;
	call.fd = fd;
	fiber_offload(call_unpack, &call);
	ret = call.ret < 0 ? error_prefix(err, call.ret, "layer %.19s", blob->digest) : 0;
	return ret < 0 ? ret : layer_publish(engine->store, &call.draft, &info, err);
}

/* The list of a COPY's files: for --why, so its loss is none. */
static void fetch_list(struct engine *engine, struct cache_import *import, const char *list)
{
	const struct descriptor *blob = list ? cache_import_blob(import, list) : NULL;
	const char *hex = list ? strchr(list, ':') + 1 : NULL;
	cleanup_strbuf struct strbuf have = STRBUF_INIT;
	cleanup_close int fd = -EBADF;

	if (!blob || content_list_packed(engine->store, hex, &have) == 1)
		return;
	fd = cache_import_fetch(import, engine->store, blob, NULL);
	if (fd >= 0)
		(void)content_list_take(engine->store, hex, fd, NULL);
}

/* The steps that this build has taken and whose layer is there now. */
static int put_steps(struct engine *engine, struct cache_import *import,
		     const struct digest *diff_id, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < import->document.steps.count && ret == 0; i++) {
		const struct cache_step *step = &import->document.steps.items[i];
		cleanup_step_record struct step_record record = { .manifest = NULL };

		if (!step->taken || !step->layer || strcmp(step->layer, diff_id->text) != 0)
			continue;
		fetch_list(engine, import, step->list);
		cache_step_record(step, &record);
		ret = store_step_put(engine->store, step->key, &record, err);
	}
	return ret;
}

/* A layer that a step was taken for and that cannot be had: all is to be done again without. */
static int lose(struct engine *engine, struct cache_import *import, const struct error *why,
		struct error *err)
{
	ignore(engine->imports, import, why);
	engine->imports->lost = true;
	return error_set(err, ERROR_CANCELLED, ECANCELED, "a layer of the cache cannot be had");
}

static int fetch(struct engine *engine, const char *id, struct error *err)
{
	struct cache_imports *imports = engine->imports;
	struct digest diff_id;
	int ret = digest_from_hex(id, &diff_id, err);

	for (size_t i = 0; i < imports->count && ret == 0; i++) {
		struct cache_import *import = &imports->items[i];
		struct error why = ERROR_INIT;

		if (import->state != CACHE_READY || !cache_import_blob(import, diff_id.text))
			continue;
		ret = fetch_layer(engine, import, &diff_id, &why);
		if (ret == 0)
			return put_steps(engine, import, &diff_id, err);
		ret = engine_check_cancel(engine, err);
		return ret < 0 ? ret : lose(engine, import, &why, err);
	}
	if (ret == 0) /* its cache was given up meanwhile */
		imports->lost = true;
	return ret < 0 ? ret
		       : error_set(err, ERROR_CANCELLED, ECANCELED,
				   "a layer of the cache cannot be had");
}

static int need_layer(struct engine *engine, const char *id, struct error *err)
{
	int ret = store_hold_layer(engine->store, id, err);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = enter(engine, err);
	if (ret < 0)
		return ret;
	ret = store_hold_layer(engine->store, id, err); /* it may have come meanwhile */
	if (ret == 0)
		ret = fetch(engine, id, err);
	leave(engine);
	return ret < 0 ? ret : 0;
}

int cache_need_layers(struct engine *engine, const struct strv *ids, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; engine->imports && i < ids->count && ret == 0; i++)
		if (ids->items[i][0])
			ret = need_layer(engine, ids->items[i], err);
	return ret;
}

/* -- cache mounts --------------------------------------------------------------------------------
 */

struct fill_call {
	int fd, folder_fd, ret;
	struct error *err;
};

static void call_fill(void *context)
{
	const struct unpack_options options = { .subsecond = true };
	struct fill_call *call = context;

	call->ret = lseek(call->fd, 0, SEEK_SET) < 0
			    ? error_errno(call->err, errno, "read a blob again")
			    : unpack_archive(call->fd, call->folder_fd, &options, NULL, call->err);
}

static const struct descriptor *find_folder(const struct cache_import *import, const char *name)
{
	for (size_t i = 0; i < import->document.mounts.count; i++)
		if (strcmp(import->document.mounts.items[i].name, name) == 0)
			return cache_import_blob(import, import->document.mounts.items[i].contents);
	return NULL;
}

static int fill(struct engine *engine, struct cache_import *import, const struct descriptor *blob,
		int folder_fd, struct error *err)
{
	struct fill_call call = { .folder_fd = folder_fd, .err = err };
	cleanup_close int fd = -EBADF;

	tell_fetch(engine, import, blob);
	fd = cache_import_fetch(import, engine->store, blob, err);
	if (fd < 0)
		return fd;
	call.fd = fd;
	fiber_offload(call_fill, &call);
	return call.ret;
}

int cache_fill_mount(struct engine *engine, const char *name, int folder_fd, struct error *err)
{
	const char *key = strrchr(name, '/') + 1;
	struct cache_imports *imports = engine->imports;
	int ret = 0;

	for (size_t i = 0; imports && i < imports->count && ret == 0; i++) {
		struct cache_import *import = &imports->items[i];
		const struct descriptor *blob;
		struct error why = ERROR_INIT;

		ret = open_import(engine, import, err);
		blob = import->state == CACHE_READY ? find_folder(import, key) : NULL;
		if (ret < 0 || !blob)
			continue;
		if (fill(engine, import, blob, folder_fd, &why) == 0)
			return 1;
		ret = engine_check_cancel(engine, err);
		if (ret == 0)
			ignore(imports, import, &why);
		return ret < 0 ? ret : -EAGAIN; /* half of it is in the folder */
	}
	return ret;
}
