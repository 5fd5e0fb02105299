/* SPDX-License-Identifier: Apache-2.0 */
/* A repository of a registry as a place of blobs (builder/image/blob-place.h). */
#include <stdlib.h>

#include "builder/build/cache-place.h"
#include "builder/registry/registry.h"
#include "lib/cleanup.h"

struct blob_registry {
	struct blob_place place;
	struct repository *repository;
	char *wanted; /* tag or digest of the manifest */
	struct strv
		missing; /* digests of blobs that it was asked for and has not: not asked again */
};

static struct blob_registry *registry_of(struct blob_place *place)
{
	return (struct blob_registry *)place;
}

static struct repository *repository_of(struct blob_place *place)
{
	return registry_of(place)->repository;
}

static int get_named(struct blob_place *place, const char *name, struct strbuf *out,
		     struct error *err)
{
	cleanup_manifest struct registry_manifest manifest = REGISTRY_MANIFEST_INIT;
	int ret = repository_get_manifest(repository_of(place), name, &manifest, err);

	if (ret == 0)
		strbuf_add(out, strbuf_text(&manifest.bytes), manifest.bytes.size);
	return ret;
}

static int get_manifest(struct blob_place *place, struct strbuf *out, struct error *err)
{
	return get_named(place, registry_of(place)->wanted, out, err);
}

static int get_document(struct blob_place *place, const struct digest *digest, struct strbuf *out,
			struct error *err)
{
	return get_named(place, digest->text, out, err);
}

static int get_blob(struct blob_place *place, const struct digest *digest, uint64_t size, int fd,
		    struct error *err)
{
	const struct registry_blob blob = { .digest = *digest, .size = size };

	return repository_get_blob(repository_of(place), &blob, fd, err);
}

static int has_blob(struct blob_place *place, const struct digest *digest, struct error *err)
{
	struct strv *missing = &registry_of(place)->missing;
	int ret = repository_has_blob(repository_of(place), digest, err);

	if (ret == 0 && !strv_contains(missing, digest->text))
		strv_add(missing, digest->text);
	return ret;
}

static int put_blob(struct blob_place *place, const struct digest *digest, uint64_t size, int fd,
		    struct error *err)
{
	const struct registry_blob blob = { .digest = *digest, .size = size };
	/* once: what has been sent is there, and what could not be may be */
	const struct registry_source source = {
		.fd = fd, .missing = strv_drop(&registry_of(place)->missing, digest->text)
	};
	int ret = repository_put_blob(repository_of(place), &blob, &source, err);

	return ret < 0 ? ret : 0;
}

static int put_document(struct blob_place *place, const char *media_type,
			const struct digest *digest, const struct strbuf *bytes, struct error *err)
{
	return repository_put_manifest(repository_of(place), digest->text, media_type,
				       strbuf_text(bytes), bytes->size, err);
}

static int put_manifest(struct blob_place *place, const char *media_type,
			const struct strbuf *bytes, struct error *err)
{
	return repository_put_manifest(repository_of(place), registry_of(place)->wanted, media_type,
				       strbuf_text(bytes), bytes->size, err);
}

static void close_place(struct blob_place *place)
{
	struct blob_registry *hub = registry_of(place);

	repository_close(hub->repository);
	free(hub->wanted);
	strv_done(&hub->missing);
	free(hub);
}

static const struct blob_place_kind registry_kind = {
	.get_manifest = get_manifest,
	.get_document = get_document,
	.get_blob = get_blob,
	.has_blob = has_blob,
	.put_blob = put_blob,
	.put_document = put_document,
	.put_manifest = put_manifest,
	.close = close_place,
};

int cache_registry_open(const char *ref, bool to, struct registry *registry,
			struct blob_place **out, struct error *err)
{
	struct reference name;
	struct blob_registry *hub;
	int ret = reference_parse(ref, &name, err);

	if (ret < 0)
		return ret;
	if (!registry)
		return error_set(err, ERROR_UNSUPPORTED, 0, "there is no client of registries");
	if (to && name.digest.text[0])
		return error_invalid(err, "\"%s\": what is written has a tag, no digest", ref);
	hub = xzalloc(sizeof(*hub));
	hub->place.kind = &registry_kind;
	hub->place.name = xstrdup(ref);
	hub->wanted = xstrdup(name.digest.text[0] ? name.digest.text : name.tag);
	ret = repository_open(registry, &name, to ? REPOSITORY_PUSH : REPOSITORY_PULL,
			      &hub->repository, err);
	if (ret < 0) {
		blob_place_close(&hub->place);
		return ret;
	}
	*out = &hub->place;
	return 0;
}
