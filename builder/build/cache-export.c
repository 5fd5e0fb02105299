/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exporting a cache. What the place has from an earlier export is found in the manifest that lies
 * there: layers that it lists are neither packed nor sent again.
 */
#include "builder/build/cache-export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "builder/build/cache-document.h"
#include "builder/build/cache-import.h"
#include "builder/build/cache-load.h"
#include "builder/build/cache-mount.h"
#include "builder/build/cache-place.h"
#include "builder/build/engine.h"
#include "builder/build/step-info.h"
#include "builder/build/usage.h"
#include "builder/image/content-list.h"
#include "builder/image/layer-blob.h"
#include "builder/registry/registry.h"
#include "lib/cleanup.h"
#include "lib/io.h"

struct cache_export {
	struct engine *engine;
	const struct cache_option *option;
	unsigned int event;
	struct strv *warnings;
	struct arena arena;
	struct blob_place *place;   /* NULL: only the document is wanted */
	struct cache_import before; /* what is there */
	struct cache_document document;
	struct descriptor_list blobs; /* of document.contents */
	size_t step_capacity, blob_capacity, mount_capacity;
};

static void export_done(struct cache_export *export)
{
	export->before.place = NULL; /* it is ours */
	cache_import_done(&export->before);
	blob_place_close(export->place);
	free(export->document.steps.items);
	free(export->document.mounts.items);
	free(export->blobs.items);
	arena_done(&export->arena);
}

/* -- blobs ---------------------------------------------------------------------------------------
 */

static void tell(struct cache_export *export, const char *what, const char *name)
{
	cleanup_free char *note = xasprintf("%s %.19s", what, name);

	engine_event(export->engine, EVENT_NOTE, export->event, note, strlen(note));
}

static void list_blob(struct cache_export *export, const char *contents,
		      const struct descriptor *blob)
{
	ARRAY_GROW(export->blobs.items, export->blobs.count, export->blob_capacity);
	export->blobs.items[export->blobs.count++] = *blob;
	json_strings_add(&export->document.contents, &export->arena, contents);
}

/* 1: it is in the new manifest, perhaps because the old one has it. */
static int is_there(struct cache_export *export, const char *contents, struct error *err)
{
	const struct descriptor *blob;
	struct digest digest;
	int ret;

	if (json_strings_contain(&export->document.contents, contents))
		return 1;
	blob = cache_import_blob(&export->before, contents);
	if (!blob || digest_parse(blob->digest, &digest, NULL) < 0)
		return 0;
	ret = export->place->kind->has_blob(export->place, &digest, err);
	if (ret == 1)
		list_blob(export, contents, blob);
	return ret;
}

static int send_blob(struct cache_export *export, const struct layer_blob *blob, int fd,
		     const char *media_type, struct error *err)
{
	const struct descriptor descriptor = {
		.media_type = media_type,
		.digest = arena_strdup(&export->arena, blob->digest.text),
		.size = blob->size,
	};
	int ret;

	tell(export, "writing", blob->digest.text);
	ret = export->place->kind->put_blob(export->place, &blob->digest, blob->size, fd, err);
	if (ret == 0)
		list_blob(export, blob->contents.text, &descriptor);
	return ret;
}

/* A scratch file that has no name any more. */
static int open_scratch(struct cache_export *export, struct error *err)
{
	struct store *store = export->engine->store;
	char name[STORE_NAME_SIZE];
	int fd = -EBADF;
	int ret = store_scratch_open(store, name, &fd, err);

	if (ret < 0)
		return ret;
	(void)unlinkat(store->fd, name, 0);
	return fd;
}

static const char *layer_type(const struct cache_export *export)
{
	return export->option->compress ? MEDIA_TYPE_LAYER_ZSTD : MEDIA_TYPE_LAYER;
}

static int add_layer(struct cache_export *export, const char *id, struct error *err)
{
	struct store *store = export->engine->store;
	cleanup_close int fd = open_scratch(export, err);
	struct layer_blob blob;
	int ret;

	if (fd < 0)
		return fd;
	ret = layer_to_blob(store, id, export->option->compress, fd, &blob, err);
	return ret < 0 ? ret : send_blob(export, &blob, fd, layer_type(export), err);
}

static int add_bytes(struct cache_export *export, const struct strbuf *bytes,
		     const char *media_type, const char *contents, struct error *err)
{
	cleanup_close int fd = open_scratch(export, err);
	struct layer_blob blob = { .size = bytes->size };
	int ret = fd < 0 ? fd : io_write_all(fd, strbuf_text(bytes), bytes->size);

	if (ret < 0)
		return fd < 0 ? fd : error_errno(err, -ret, "write a blob");
	digest_of(strbuf_text(bytes), bytes->size, &blob.digest);
	(void)digest_parse(contents, &blob.contents, NULL);
	return send_blob(export, &blob, fd, media_type, err);
}

/* -- steps ---------------------------------------------------------------------------------------
 */

/* The number of a build is this machine's; what the step cost is worth knowing elsewhere. */
static const char *foreign_info(struct cache_export *export, const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct step_info info;

	if (!text)
		return NULL;
	step_info_decode(text, &export->arena, &info);
	info.build = info.event = 0;
	step_info_encode(&info, &out);
	return arena_strdup(&export->arena, strbuf_text(&out));
}

/* The list of a COPY's files, when the store has it. */
static const char *add_list(struct cache_export *export, const char *hex, struct error *err)
{
	const char *contents = arena_printf(&export->arena, "sha256:%s", hex);
	cleanup_strbuf struct strbuf packed = STRBUF_INIT;
	int ret;

	if (!*hex)
		return NULL;
	ret = is_there(export, contents, err);
	if (ret == 0 && content_list_packed(export->engine->store, hex, &packed) == 1)
		ret = add_bytes(export, &packed, MEDIA_TYPE_CACHE_LIST, contents, err);
	return ret < 0 || !json_strings_contain(&export->document.contents, contents) ? NULL
										      : contents;
}

/* The layer of a record, sent unless it is there; 0 when it cannot be had, which is a record less.
 */
static int need_layer(struct cache_export *export, const char *id, const char *diff_id,
		      struct error *err)
{
	struct engine *engine = export->engine;
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = is_there(export, diff_id, err);

	if (ret != 0)
		return ret;
	strv_add(&ids, id);
	ret = cache_need_layers(engine, &ids, err);
	if (ret < 0 && cache_imports_lost(engine->imports))
		return 0;
	if (ret == 0)
		ret = add_layer(export, id, err);
	return ret < 0 ? ret : 1;
}

static int add_record(struct cache_export *export, const char *key, struct error *err)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	struct cache_document *document = &export->document;
	struct arena *arena = &export->arena;
	struct cache_step step = { .key = arena_strdup(arena, key) };
	int ret = 0;

	if (!*key || cache_document_find(document, key))
		return 0;
	ret = cache_find(export->engine, key, &record, err);
	if (ret <= 0)
		return ret;
	if (record.layer[0])
		step.layer = arena_printf(arena, "sha256:%s", record.layer);
	if (step.layer && export->place)
		ret = need_layer(export, record.layer, step.layer, err);
	if (ret <= 0)
		return ret;
	step.created = record.created;
	if (record.manifest && (export->place || !step.layer))
		step.manifest = arena_strdup(arena, record.manifest);
	if (export->place) {
		step.info = foreign_info(export, record.info);
		step.list = add_list(export, record.list, err);
	}
	ARRAY_GROW(document->steps.items, document->steps.count, export->step_capacity);
	document->steps.items[document->steps.count++] = step;
	return engine_check_cancel(export->engine, err);
}

/* -- cache mounts --------------------------------------------------------------------------------
 */

/* Nobody changes it while it is read: 1; 0: it is in use, or nothing was ever in it. */
static int lock_folder(struct cache_export *export, const char *name, int *out_lock,
		       int *out_folder, struct error *err)
{
	int store_fd = export->engine->store->fd;
	cleanup_free char *lock = xasprintf("%s/lock", name), *data = xasprintf("%s/data", name);
	cleanup_close int lock_fd = openat(store_fd, lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int folder_fd = -EBADF;

	if (lock_fd < 0 && errno == ENOENT)
		return 0;
	if (lock_fd < 0)
		return error_errno(err, errno, "open \"%s\"", lock);
	if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
		strv_addf(export->warnings,
			  "--cache-to %s: a cache mount is left out: another "
			  "build uses it",
			  export->option->text);
		return 0;
	}
	folder_fd = openat(store_fd, data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder_fd < 0)
		return 0;
	*out_lock = TAKE_FD(lock_fd);
	*out_folder = TAKE_FD(folder_fd);
	return 1;
}

static int send_folder(struct cache_export *export, const char *name, int folder_fd,
		       struct error *err)
{
	struct cache_document *document = &export->document;
	cleanup_close int fd = open_scratch(export, err);
	struct layer_blob blob;
	int ret = fd;

	if (fd < 0)
		return fd;
	ret = folder_to_blob(export->engine->store, folder_fd, export->option->compress, fd, &blob,
			     err);
	if (ret == 0)
		ret = is_there(export, blob.contents.text, err);
	if (ret == 0)
		ret = send_blob(export, &blob, fd, layer_type(export), err);
	if (ret < 0)
		return error_prefix(err, ret, "a cache mount");
	ARRAY_GROW(document->mounts.items, document->mounts.count, export->mount_capacity);
	document->mounts.items[document->mounts.count++] = (struct cache_folder){
		.name = arena_strdup(&export->arena, strrchr(name, '/') + 1),
		.contents = arena_strdup(&export->arena, blob.contents.text),
	};
	return 0;
}

static int add_folder(struct cache_export *export, const char *name, const char *target,
		      struct error *err)
{
	cleanup_close int lock_fd = -EBADF, folder_fd = -EBADF;
	uint64_t size;
	int ret = lock_folder(export, name, &lock_fd, &folder_fd, err);

	if (ret <= 0)
		return ret;
	size = usage_folder_size(folder_fd, ".");
	if (size > export->option->mounts_max) {
		strv_addf(export->warnings,
			  "--cache-to %s: the cache mount \"%s\" is left out: %llu MiB, and "
			  "mounts-max is %llu MiB",
			  export->option->text, target, (unsigned long long)size >> 20,
			  (unsigned long long)export->option->mounts_max >> 20);
		return 0;
	}
	return send_folder(export, name, folder_fd, err);
}

/* -- all -----------------------------------------------------------------------------------------
 */

static int add_selection(struct cache_export *export, const struct cache_selection *selection,
			 struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < selection->steps.count && ret == 0; i++)
		ret = add_record(export, selection->steps.items[i], err);
	for (size_t i = 0; i < selection->folders.count && ret == 0; i++)
		ret = add_folder(export, selection->folders.items[i],
				 selection->folder_targets.items[i], err);
	return ret;
}

static bool is_listed(const struct cache_export *export, const char *digest, const char *config)
{
	for (size_t i = 0; i < export->blobs.count; i++)
		if (strcmp(export->blobs.items[i].digest, digest) == 0)
			return true;
	return strcmp(digest, config) == 0;
}

/* What only the manifest before had. */
static void drop_old(struct cache_export *export, const char *config)
{
	const struct image_manifest *old = export->before.manifest;
	struct blob_place *place = export->place;
	struct digest digest;

	if (!old || !place->kind->drop_blob || export->before.state != CACHE_READY)
		return;
	for (size_t i = 0; i < old->layers.count; i++)
		if (!is_listed(export, old->layers.items[i].digest, config) &&
		    digest_parse(old->layers.items[i].digest, &digest, NULL) == 0)
			place->kind->drop_blob(place, &digest);
	if (!is_listed(export, old->config->digest, config) &&
	    digest_parse(old->config->digest, &digest, NULL) == 0)
		place->kind->drop_blob(place, &digest);
}

static int put_documents(struct cache_export *export, struct error *err)
{
	struct blob_place *place = export->place;
	cleanup_strbuf struct strbuf text = STRBUF_INIT, manifest_text = STRBUF_INIT;
	cleanup_close int fd = open_scratch(export, err);
	struct descriptor config = { .media_type = MEDIA_TYPE_CACHE };
	struct image_manifest manifest = { .schema_version = 2,
					   .media_type = MEDIA_TYPE_MANIFEST,
					   .config = &config,
					   .layers = export->blobs };
	struct digest digest;
	int ret;

	if (fd < 0)
		return fd;
	cache_document_write(&export->document, &text);
	digest_of(strbuf_text(&text), text.size, &digest);
	config.digest = digest.text;
	config.size = text.size;
	ret = io_write_all(fd, strbuf_text(&text), text.size);
	if (ret < 0)
		return error_errno(err, -ret, "write the cache's document");
	ret = place->kind->put_blob(place, &digest, text.size, fd, err);
	image_manifest_write(&manifest, JSON_INDENT_2, &manifest_text);
	if (ret == 0)
		ret = place->kind->put_manifest(place, MEDIA_TYPE_MANIFEST, &manifest_text, err);
	if (ret == 0)
		drop_old(export, digest.text);
	return ret;
}

int cache_export(struct engine *engine, const struct cache_option *option,
		 const struct cache_selection *selection, unsigned int event, struct strv *warnings,
		 struct error *err)
{
	cleanup_with(export_done) struct cache_export export = {
		.engine = engine, .option = option, .event = event, .warnings = warnings
	};
	struct registry *registry = cache_registry_of(engine->graph->options);
	int ret = cache_place_open(option, true, registry, &export.place, err);

	/* nobody is there any more who turns a signal into stop_fd */
	if (registry)
		registry_set_cancel(registry, engine->options->signal_fd);
	if (ret < 0)
		return ret;
	/* what is no cache of ours is replaced, and nothing of it used */
	if (cache_import_read(&export.before, export.place, engine->store,
			      engine->graph->options->platform, NULL) == 0)
		export.before.state = CACHE_READY;
	else
		export.before.document = (struct cache_document){ .version = 0 };
	ret = add_selection(&export, selection, err);
	if (ret == 0 && !export.blobs.count) {
		tell(&export, "no step", "has a layer");
		return 0;
	}
	return ret < 0 ? ret : put_documents(&export, err);
}

int cache_export_inline(struct engine *engine, struct image_config *config, struct error *err)
{
	cleanup_with(cache_selection_done) struct cache_selection selection = CACHE_SELECTION_INIT;
	cleanup_with(export_done) struct cache_export export = { .engine = engine };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	(void)json_map_remove(&config->unknown, CACHE_CONFIG_MEMBER);
	(void)json_map_remove(&config->unknown, "moby.buildkit.cache.v0");
	if (!engine->options->inline_cache)
		return 0;
	ret = cache_select(engine, NULL, &selection, err);
	if (ret == 0)
		ret = add_selection(&export, &selection, err);
	if (ret < 0)
		return ret;
	cache_document_write(&export.document, &text);
	json_map_set(&config->unknown, &engine->graph->arena, CACHE_CONFIG_MEMBER,
		     strbuf_text(&text));
	return 0;
}
