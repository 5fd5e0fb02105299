/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what an exported cache says of itself. */
#include "builder/build/cache-load.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/cache-place.h"
#include "builder/image/image-index.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/image-config.h"
#include "spec/image-index.h"

#define BUILDKIT_CACHE "application/vnd.buildkit.cacheconfig.v0"
#define BUILDKIT_MEMBER "moby.buildkit.cache.v0"

static int is_buildkits(struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, 0,
			 "it is BuildKit's, whose keys are not ours: no step could be found in it");
}

/* -- blobs ---------------------------------------------------------------------------------------
 */

const struct descriptor *cache_import_blob(const struct cache_import *import, const char *contents)
{
	const struct json_strings *list = &import->document.contents;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], contents) == 0)
			return &import->manifest->layers.items[i];
	return NULL;
}

int cache_import_fetch(struct cache_import *import, struct store *store,
		       const struct descriptor *blob, struct error *err)
{
	struct blob_place *place = import->place;
	cleanup_close int fd = -EBADF;
	char scratch[STORE_NAME_SIZE];
	struct digest digest;
	int ret = digest_parse(blob->digest, &digest, err);

	if (ret == 0)
		ret = store_scratch_open(store, scratch, &fd, err);
	if (ret < 0)
		return ret;
	ret = place->kind->get_blob(place, &digest, blob->size, fd, err);
	(void)unlinkat(store->fd, scratch, 0); /* the fd is enough */
	return ret < 0 ? ret : TAKE_FD(fd);
}

/* -- documents -----------------------------------------------------------------------------------
 */

static int read_blob(struct cache_import *import, struct store *store,
		     const struct descriptor *blob, struct strbuf *out, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret;

	if (blob->size > CACHE_DOCUMENT_MAX)
		return error_invalid(err, "its document has %llu bytes",
				     (unsigned long long)blob->size);
	fd = cache_import_fetch(import, store, blob, err);
	if (fd < 0)
		return fd;
	ret = lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_rest(fd, CACHE_DOCUMENT_MAX, out);
	return ret < 0 ? error_errno(err, -ret, "read its document") : 0;
}

/* An image that has a cache in its configuration: its layers are the blobs. */
static int read_inline(struct cache_import *import, const struct strbuf *text, struct error *err)
{
	struct cache_document *document = &import->document;
	struct image_config *config = NULL;
	const char *member;
	int ret = image_config_decode("config", strbuf_text(text), text->size, &import->arena,
				      &config, err);

	if (ret < 0)
		return ret;
	member = json_map_get(&config->unknown, CACHE_CONFIG_MEMBER);
	if (!member && json_map_get(&config->unknown, BUILDKIT_MEMBER))
		return is_buildkits(err);
	if (!member)
		return error_set(err, ERROR_NOT_FOUND, 0, "it is an image without a cache");
	ret = cache_document_decode(member, strlen(member), &import->arena, document, err);
	document->contents = config->rootfs->diff_ids;
	document->mounts.count = 0;
	return ret;
}

static int read_document(struct cache_import *import, struct store *store, struct error *err)
{
	const struct descriptor *config = import->manifest->config;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	if (strcmp(config->media_type, BUILDKIT_CACHE) == 0)
		return is_buildkits(err);
	ret = read_blob(import, store, config, &text, err);
	if (ret < 0)
		return ret;
	if (strcmp(config->media_type, MEDIA_TYPE_CACHE) == 0)
		ret = cache_document_decode(strbuf_text(&text), text.size, &import->arena,
					    &import->document, err);
	else
		ret = read_inline(import, &text, err);
	if (ret == 0 && import->document.contents.count != import->manifest->layers.count)
		ret = error_invalid(err, "its document does not fit to its manifest");
	return ret;
}

/* The manifest behind an index; BuildKit keeps its own caches in one. */
static int choose(struct cache_import *import, const char *platform, struct strbuf *text,
		  struct error *err)
{
	struct image_index *index = NULL;
	const struct descriptor *chosen = NULL;
	struct digest digest;
	int ret = image_index_decode("index", strbuf_text(text), text->size, &import->arena, &index,
				     err);

	import->in_index = true;
	for (size_t i = 0; ret == 0 && i < index->manifests.count; i++)
		if (strcmp(index->manifests.items[i].media_type, BUILDKIT_CACHE) == 0)
			return is_buildkits(err);
	if (ret == 0)
		ret = image_index_choose(index, platform, &chosen, err);
	if (ret == 0)
		ret = digest_parse(chosen->digest, &digest, err);
	if (ret < 0)
		return ret;
	strbuf_truncate(text, 0);
	return import->place->kind->get_document(import->place, &digest, text, err);
}

/* Both kinds of documents have one member that tells them apart. */
static bool is_index(const struct strbuf *text)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct image_manifest *manifest = NULL;

	return image_manifest_decode("manifest", strbuf_text(text), text->size, &arena, &manifest,
				     NULL) < 0;
}

int cache_import_read(struct cache_import *import, struct blob_place *place, struct store *store,
		      const char *platform, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	import->place = place;
	ret = place->kind->get_manifest(place, &text, err);
	if (ret == 0 && is_index(&text))
		ret = choose(import, platform, &text, err);
	if (ret == 0)
		ret = image_manifest_decode("manifest", strbuf_text(&text), text.size,
					    &import->arena, &import->manifest, err);
	return ret < 0 ? ret : read_document(import, store, err);
}

int cache_import_load(struct cache_import *import, struct store *store,
		      const struct graph_options *build, struct error *err)
{
	struct blob_place *place = NULL;
	int ret = cache_place_open(import->option, false, cache_registry_of(build), &place, err);

	return ret < 0 ? ret : cache_import_read(import, place, store, build->platform, err);
}

void cache_import_done(struct cache_import *import)
{
	blob_place_close(import->place);
	import->place = NULL;
	arena_done(&import->arena);
}
