/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of images: kept as they came, because their digests are what images are known by.
 */
#include "builder/registry/pull.h"

#include <string.h>

#include "builder/image/image-index.h"
#include "builder/registry/origins.h"
#include "builder/registry/policy.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "spec/image-index.h"

struct fetch {
	struct store *store;
	struct repository *repository;
	const struct reference *name;
	struct arena arena;
};

static void fetch_done(struct fetch *fetch)
{
	repository_close(fetch->repository);
	arena_done(&fetch->arena);
}

static int keep(struct fetch *fetch, const struct registry_manifest *manifest, struct error *err)
{
	struct digest digest;

	return store_blob_put(fetch->store, strbuf_text(&manifest->bytes), manifest->bytes.size,
			      &digest, err);
}

static int fetch_config(struct fetch *fetch, const struct descriptor *config, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct registry_blob blob = { .size = config->size };
	int ret = digest_parse(config->digest, &blob.digest, err);

	if (ret == 0 && store_hold_blob(fetch->store, &blob.digest, NULL) == 1)
		return 0;
	if (ret == 0)
		ret = repository_read_blob(fetch->repository, &blob, IMAGE_DOCUMENT_MAX, &text,
					   err);
	if (ret == 0)
		ret = store_blob_put(fetch->store, strbuf_text(&text), text.size, &blob.digest,
				     err);
	return ret;
}

/* Where its blobs are, for those who need them. */
static int remember(struct fetch *fetch, const struct image_manifest *manifest, struct error *err)
{
	struct digest digest;
	int ret = digest_parse(manifest->config->digest, &digest, err);

	for (size_t i = 0; ret == 0 && i < manifest->layers.count; i++) {
		ret = digest_parse(manifest->layers.items[i].digest, &digest, err);
		if (ret == 0)
			origins_add(fetch->store, &digest, fetch->name->name);
	}
	return ret;
}

static int take_manifest(struct fetch *fetch, const struct registry_manifest *bytes,
			 struct error *err)
{
	struct image_manifest *manifest = NULL;
	int ret = image_manifest_decode("manifest", strbuf_text(&bytes->bytes), bytes->bytes.size,
					&fetch->arena, &manifest, err);

	if (ret == 0)
		ret = remember(fetch, manifest, err);
	if (ret == 0)
		ret = fetch_config(fetch, manifest->config, err);
	return ret < 0 ? ret : keep(fetch, bytes, err);
}

static int fetch_manifest(struct fetch *fetch, const struct descriptor *descriptor,
			  struct error *err)
{
	cleanup_manifest struct registry_manifest manifest = REGISTRY_MANIFEST_INIT;
	struct digest digest;
	int ret = digest_parse(descriptor->digest, &digest, err);

	if (ret == 0)
		ret = repository_get_manifest(fetch->repository, digest.text, &manifest, err);
	if (ret == 0 && media_type_is_index(manifest.media_type))
		return error_set(err, ERROR_UNSUPPORTED, 0, "%s is an index inside of an index",
				 digest.text);
	return ret < 0 ? ret : take_manifest(fetch, &manifest, err);
}

static int take_index(struct fetch *fetch, const struct registry_manifest *bytes,
		      const char *platform, bool all, struct error *err)
{
	const struct descriptor *chosen = NULL;
	struct image_index *index = NULL;
	int ret = image_index_decode("index", strbuf_text(&bytes->bytes), bytes->bytes.size,
				     &fetch->arena, &index, err);

	if (ret == 0 && !all)
		ret = image_index_choose(index, platform, &chosen, err);
	if (ret == 0 && !all)
		ret = fetch_manifest(fetch, chosen, err);
	for (size_t i = 0; ret == 0 && all && i < index->manifests.count; i++)
		ret = fetch_manifest(fetch, &index->manifests.items[i], err);
	return ret < 0 ? ret : keep(fetch, bytes, err);
}

int pull_documents(struct store *store, struct registry *registry, const struct reference *name,
		   const char *platform, bool all, struct store_ref *out, struct error *err)
{
	__attribute__((cleanup(fetch_done))) struct fetch fetch = { store, NULL, name, ARENA_INIT };
	cleanup_manifest struct registry_manifest top = REGISTRY_MANIFEST_INIT;
	const char *wanted = name->digest.text[0] ? name->digest.text : name->tag;
	int ret = policy_check(name, err);

	if (ret == 0)
		ret = repository_open(registry, name, REPOSITORY_PULL, &fetch.repository, err);
	if (ret == 0)
		ret = repository_get_manifest(fetch.repository, wanted, &top, err);
	if (ret == 0)
		ret = media_type_is_index(top.media_type)
			      ? take_index(&fetch, &top, platform, all, err)
			      : take_manifest(&fetch, &top, err);
	if (ret < 0)
		return ret;
	*out = (struct store_ref){ .digest = top.digest,
				   .media_type = TAKE_PTR(top.media_type),
				   .size = top.bytes.size };
	return 0;
}
