/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of a repository: get, look for, put, delete. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/registry/registry-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "spec/descriptor.h"
#include "spec/json-table.h"

#define SCHEMA_1 "application/vnd.docker.distribution.manifest.v1+"

static const char accept[] = "Accept: " MEDIA_TYPE_MANIFEST ", " MEDIA_TYPE_INDEX
			     ", " MEDIA_TYPE_DOCKER_MANIFEST ", " MEDIA_TYPE_DOCKER_LIST;

void registry_manifest_done(struct registry_manifest *manifest)
{
	free(manifest->media_type);
	strbuf_done(&manifest->bytes);
}

/* What a document is, by what it says of itself. */
struct manifest_head {
	int32_t schema_version;
	const char *media_type;
	const char *manifests, *layers, *config, *fs_layers; /* NULL = it has none */
};

/* clang-format off */
static const struct json_field head_fields[] = {
	JSON_I32(struct manifest_head, "schemaVersion", schema_version),
	JSON_STRING(struct manifest_head, "mediaType", media_type),
	JSON_RAW(struct manifest_head, "config", config),
	JSON_RAW(struct manifest_head, "layers", layers),
	JSON_RAW(struct manifest_head, "manifests", manifests),
	JSON_RAW(struct manifest_head, "fsLayers", fs_layers),
};
static const struct json_object head_object = JSON_TABLE(struct manifest_head, head_fields);
/* clang-format on */

static bool is_index_type(const char *media_type)
{
	return strcmp(media_type, MEDIA_TYPE_INDEX) == 0 ||
	       strcmp(media_type, MEDIA_TYPE_DOCKER_LIST) == 0;
}

static bool is_manifest_type(const char *media_type)
{
	return strcmp(media_type, MEDIA_TYPE_MANIFEST) == 0 ||
	       strcmp(media_type, MEDIA_TYPE_DOCKER_MANIFEST) == 0;
}

/*
 * The same bytes must not be an index to one reader and a manifest to another: the type is the one
 * that the document gives, and what it has must fit.
 */
static int check_type(const struct transport_response *response, char **out, struct error *err)
{
	const char *header = transport_header(&response->headers, "content-type", 0);
	cleanup_free char *sent =
		xstrndup(header ? header : "", strcspn(header ? header : "", "; "));
	cleanup_arena struct arena arena = ARENA_INIT;
	struct manifest_head head = { .schema_version = 0 };
	const struct json_source source = { .name = "manifest",
					    .text = strbuf_text(&response->body),
					    .size = response->body.size,
					    .max_size = REGISTRY_MANIFEST_MAX,
					    .flags = JSON_LAST_WINS };
	const char *type;
	int ret = json_decode(&source, &head_object, &arena, &head, err);

	if (ret < 0)
		return ret;
	type = head.media_type && *head.media_type ? head.media_type : sent;
	if (head.schema_version == 1 || head.fs_layers ||
	    strncmp(type, SCHEMA_1, strlen(SCHEMA_1)) == 0)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the image has a manifest of schema 1, which is obsolete: push it "
				 "again with a newer program");
	if (!is_index_type(type) && !is_manifest_type(type))
		type = head.manifests ? MEDIA_TYPE_INDEX : MEDIA_TYPE_MANIFEST;
	if (is_index_type(type) ? head.layers || head.config : head.manifests != NULL)
		return error_invalid(err, "the manifest is an index at the same time");
	*out = xstrdup(type);
	return 0;
}

struct get_manifest {
	const char *name;
	struct registry_manifest *out;
};

static int get_from(struct repository *repository, const struct endpoint *endpoint, void *context,
		    struct error *err)
{
	const struct get_manifest *get = context;
	struct registry_manifest *out = get->out;
	cleanup_free char *target = endpoint_target(endpoint, "manifests", get->name);
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_call struct call call;
	struct digest digest;
	int ret;

	call_prepare(repository, endpoint, "GET", target, &call);
	call.request.max = REGISTRY_MANIFEST_MAX;
	strv_add(&call.headers, accept);
	ret = call_make(repository->registry, &call, &response, err);
	if (ret == 0 && response.status != 200)
		ret = call_refused(&call, &response, err);
	if (ret < 0)
		return ret;
	digest_of(strbuf_text(&response.body), response.body.size, &digest);
	if (strncmp(get->name, "sha256:", 7) == 0 && strcmp(digest.text, get->name) != 0)
		return error_invalid(err, "the registry sent %s when asked for the manifest %s",
				     digest.text, get->name);
	ret = check_type(&response, &out->media_type, err);
	if (ret < 0)
		return ret;
	out->digest = digest;
	out->bytes = response.body;
	response.body = (struct strbuf)STRBUF_INIT;
	return 1;
}

int repository_get_manifest(struct repository *repository, const char *name,
			    struct registry_manifest *out, struct error *err)
{
	struct get_manifest get = { name, out };
	int ret;

	*out = (struct registry_manifest)REGISTRY_MANIFEST_INIT;
	ret = repository_each(repository, name, get_from, &get, err);
	return ret < 0 ? ret : 0;
}

struct has_manifest {
	const char *name;
	struct digest *out;
};

static int has_from(struct repository *repository, const struct endpoint *endpoint, void *context,
		    struct error *err)
{
	const struct has_manifest *has = context;
	cleanup_free char *target = endpoint_target(endpoint, "manifests", has->name);
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_call struct call call;
	const char *digest;
	int ret;

	call_prepare(repository, endpoint, "HEAD", target, &call);
	strv_add(&call.headers, accept);
	ret = call_make(repository->registry, &call, &response, err);
	if (ret < 0 || response.status == 404)
		return ret;
	if (response.status != 200)
		return call_refused(&call, &response, err);
	digest = transport_header(&response.headers, "docker-content-digest", 0);
	*has->out = (struct digest){ "" };
	if (strncmp(has->name, "sha256:", 7) == 0)
		digest = has->name;
	if (digest && digest_parse(digest, has->out, err) < 0)
		return error_prefix(err, -EINVAL, "the registry's digest of %s", has->name);
	return 1;
}

int repository_has_manifest(struct repository *repository, const char *name,
			    struct digest *out_digest, struct error *err)
{
	struct has_manifest has = { name, out_digest };

	return repository_each(repository, name, has_from, &has, err);
}

/* Another digest means that other bytes have arrived. */
static int check_answer(const struct transport_response *response, const void *data, size_t size,
			struct error *err)
{
	const char *said = transport_header(&response->headers, "docker-content-digest", 0);
	const char *warning = transport_header(&response->headers, "warning", 0);
	struct digest digest;

	if (warning)
		log_warning("the registry says: %.200s", warning);
	digest_of(data, size, &digest);
	if (said && strncmp(said, "sha256:", 7) == 0 && strcmp(said, digest.text) != 0)
		return error_invalid(err, "the registry made %s of the manifest %s", said,
				     digest.text);
	return 0;
}

int repository_put_manifest(struct repository *repository, const char *name, const char *media_type,
			    const void *data, size_t size, struct error *err)
{
	const struct endpoint *endpoint = repository_own(repository);
	cleanup_free char *target = endpoint_target(endpoint, "manifests", name);
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_call struct call call;
	int ret;

	call_prepare(repository, endpoint, "PUT", target, &call);
	call.request.max = REGISTRY_MANIFEST_MAX;
	call.request.has_body = true;
	call.request.data = data;
	call.request.size = size;
	strv_addf(&call.headers, "Content-Type: %s", media_type);
	ret = call_make(repository->registry, &call, &response, err);
	if (ret == 0 && response.status != 201 && response.status != 200)
		ret = call_refused(&call, &response, err);
	return ret < 0 ? ret : check_answer(&response, data, size, err);
}

static int remove_named(struct repository *repository, const char *kind, const char *name,
			struct error *err)
{
	const struct endpoint *endpoint = repository_own(repository);
	cleanup_free char *target = endpoint_target(endpoint, kind, name);
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_call struct call call;
	int ret;

	call_prepare(repository, endpoint, "DELETE", target, &call);
	call.request.max = REGISTRY_MANIFEST_MAX;
	ret = call_make(repository->registry, &call, &response, err);
	if (ret == 0 && (response.status < 200 || response.status > 299))
		ret = call_refused(&call, &response, err);
	return ret;
}

int repository_delete_manifest(struct repository *repository, const char *name, struct error *err)
{
	return remove_named(repository, "manifests", name, err);
}

int repository_delete_blob(struct repository *repository, const struct digest *digest,
			   struct error *err)
{
	return remove_named(repository, "blobs", digest->text, err);
}
