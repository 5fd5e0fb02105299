/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs into a repository: nothing when it is there, a mount when another repository of the
 * registry has it, else one PUT, which every registry knows. A large one that breaks off is sent
 * in chunks from then on, and after each failure the registry is asked how much it has.
 */
#include <stdlib.h>
#include <string.h>

#include "builder/registry/registry-internal.h"
#include "builder/registry/url.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/number.h"

#define CHUNK ((uint64_t)16 << 20)
#define ANSWER_MAX ((uint64_t)1 << 20)

struct upload {
	struct repository *repository;
	const struct endpoint *endpoint;
	const struct registry_blob *blob;
	const struct registry_source *source;
	char *scope;	/* with what a mount needs; NULL = the usual */
	char *location; /* where the registry wants it; NULL = nowhere yet */
	uint64_t sent;	/* of which it is sure */
	uint64_t chunk;
};

static void upload_done(struct upload *upload)
{
	free(upload->scope);
	free(upload->location);
}

static void prepare(struct upload *upload, const char *method, const char *target, struct call *out)
{
	call_prepare(upload->repository, upload->endpoint, method, target, out);
	out->request.max = ANSWER_MAX;
	if (upload->scope) {
		free(out->scope);
		out->scope = xstrdup(upload->scope);
	}
}

/* -- is it there? --------------------------------------------------------------------------------
 */

static int has_from(struct repository *repository, const struct endpoint *endpoint, void *context,
		    struct error *err)
{
	const struct digest *digest = context;
	cleanup_free char *target = endpoint_target(endpoint, "blobs", digest->text);
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_call struct call call;
	int ret;

	call_prepare(repository, endpoint, "HEAD", target, &call);
	ret = call_make(repository->registry, &call, &response, err);
	if (ret < 0 || response.status == 404)
		return ret;
	return response.status == 200 ? 1 : call_refused(&call, &response, err);
}

int repository_has_blob(struct repository *repository, const struct digest *digest,
			struct error *err)
{
	struct digest wanted = *digest;

	return repository_each(repository, digest->text, has_from, &wanted, err);
}

/* -- where it goes -------------------------------------------------------------------------------
 */

/* The Location of an answer, which must be the registry's own or without our secrets. */
static int take_location(struct upload *upload, const struct call *call,
			 const struct transport_response *response, struct error *err)
{
	const char *location = transport_header(&response->headers, "location", 0);
	cleanup_free char *name = call_name(call);
	const char *minimum = transport_header(&response->headers, "oci-chunk-min-length", 0);
	uint64_t least;
	char *url;

	if (!location)
		return error_invalid(err, "%s: the answer has no Location", name);
	url = transport_resolve(upload->repository->registry->transport, strchr(name, ' ') + 1,
				location);
	if (!url)
		return error_invalid(err, "%s: the answer has a Location that is no URL", name);
	if (strncmp(url, "http:", 5) == 0 && !upload->endpoint->server->allows_http) {
		free(url);
		return error_invalid(err, "%s: the answer leads to plain http", name);
	}
	free(upload->location);
	upload->location = url;
	if (minimum && number_parse_u64(minimum, &least) == 0 && least > upload->chunk)
		upload->chunk = least;
	return 0;
}

/* POST: 1 = mounted from there, 0 = there is a Location now. from may be NULL. */
static int begin(struct upload *upload, const char *from, struct error *err)
{
	cleanup_strbuf struct strbuf query = STRBUF_INIT;
	cleanup_free char *target = NULL;
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_call struct call call;
	int ret;

	if (from) {
		strbuf_addf(&query, "?mount=%s&from=", upload->blob->digest.text);
		url_escape(from, &query);
	}
	target = xasprintf("%s/blobs/uploads/%s", upload->endpoint->path, strbuf_text(&query));
	prepare(upload, "POST", target, &call);
	call.request.has_body = true;
	call.request.data = "";
	ret = call_make(upload->repository->registry, &call, &response, err);
	if (ret < 0 || (from && response.status == 201))
		return ret < 0 ? ret : 1;
	if (response.status != 202)
		return call_refused(&call, &response, err);
	upload->sent = 0;
	return take_location(upload, &call, &response, err);
}

/* 1 mounted, 0 not; a Location may be there already then. Failing is no reason not to send it. */
static int mount(struct upload *upload, struct error *err)
{
	const struct strv *mounts = upload->source->mounts;
	const char *path = upload->endpoint->path;

	for (size_t i = 0; mounts && i < mounts->count; i++) {
		struct error why = ERROR_INIT;
		int ret;

		if (strcmp(mounts->items[i], path) == 0)
			continue;
		upload->scope = xasprintf("repository:%s:pull,push repository:%s:pull", path,
					  mounts->items[i]);
		ret = begin(upload, mounts->items[i], &why);
		free(upload->scope);
		upload->scope = NULL;
		if (ret == 1)
			return 1;
		if (ret == 0)
			return 0; /* the others will not have it either: use what we got */
		if (why.code == ERROR_CANCELLED) {
			*err = why;
			return ret;
		}
		log_debug("mount from %s: %s", mounts->items[i], why.msg);
	}
	return 0;
}

/* -- sending -------------------------------------------------------------------------------------
 */

static void tell(void *context, uint64_t sent)
{
	struct upload *upload = context;
	const struct registry_blob *blob = upload->blob;

	if (blob->progress)
		blob->progress(blob->progress_context, upload->sent + sent, blob->size);
}

static void set_body(struct upload *upload, uint64_t size, struct call *call)
{
	const struct registry_source *source = upload->source;

	call->request.has_body = true;
	call->request.data = source->data ? (const char *)source->data + upload->sent : NULL;
	call->request.fd = source->fd;
	call->request.offset = upload->sent;
	call->request.size = size;
	call->request.progress = tell;
	call->request.progress_context = upload;
	strv_add(&call->headers, "Content-Type: application/octet-stream");
}

/* PUT what is left and the digest: one try. */
static int finish(struct upload *upload, struct transport_response *response, struct error *err)
{
	cleanup_free char *url =
		xasprintf("%s%cdigest=%s", upload->location,
			  strchr(upload->location, '?') ? '&' : '?', upload->blob->digest.text);
	cleanup_call struct call call;
	int ret;

	prepare(upload, "PUT", url, &call);
	set_body(upload, upload->blob->size - upload->sent, &call);
	ret = call_try(upload->repository->registry, &call, response, err);
	if (ret == 0 && response->status != 201 && response->status != 204)
		ret = call_refused(&call, response, err);
	return ret;
}

/* "0-N" or "bytes=0-N": N + 1 bytes are there; nothing is said: none. */
static uint64_t range_end(const char *range)
{
	const char *dash = range ? strchr(range, '-') : NULL;
	uint64_t last;

	return dash && number_parse_u64(dash + 1, &last) == 0 && last < UINT64_MAX && last
		       ? last + 1
		       : 0;
}

/* The next chunk: one try. */
static int send_chunk(struct upload *upload, struct transport_response *response, struct error *err)
{
	uint64_t left = upload->blob->size - upload->sent;
	uint64_t size = left < upload->chunk ? left : upload->chunk;
	cleanup_free char *url = xstrdup(upload->location);
	cleanup_call struct call call;
	int ret;

	prepare(upload, "PATCH", url, &call);
	set_body(upload, size, &call);
	strv_addf(&call.headers, "Content-Range: %llu-%llu", (unsigned long long)upload->sent,
		  (unsigned long long)(upload->sent + size - 1));
	ret = call_try(upload->repository->registry, &call, response, err);
	if (ret == 0 && response->status != 202 && response->status != 204)
		ret = call_refused(&call, response, err);
	if (ret == 0)
		ret = take_location(upload, &call, response, err);
	if (ret == 0)
		upload->sent += size;
	return ret;
}

/* How much has arrived? An upload that the registry has forgotten begins again. */
static int ask_range(struct upload *upload, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_free char *url = xstrdup(upload->location);
	cleanup_call struct call call;
	uint64_t end;
	int ret;

	prepare(upload, "GET", url, &call);
	ret = call_make(upload->repository->registry, &call, &response, err);
	if (ret < 0)
		return ret;
	end = range_end(transport_header(&response.headers, "range", 0));
	if (response.status != 204 || end > upload->blob->size)
		return begin(upload, NULL, err);
	upload->sent = end;
	if (transport_header(&response.headers, "location", 0))
		return take_location(upload, &call, &response, err);
	return 0;
}

static int send_chunks(struct upload *upload, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	struct registry *registry = upload->repository->registry;
	unsigned int tries = 0;
	int ret = 0;

	for (;;) {
		bool last = upload->sent == upload->blob->size;

		ret = last ? finish(upload, &response, err) : send_chunk(upload, &response, err);
		if (ret == 0 && last)
			return 0;
		if (ret == 0) {
			tries = 0;
			continue;
		}
		/* 416: it has more, or less, than we think */
		if (ret < 0 && response.status == 416 && !response.passing &&
		    tries++ < REGISTRY_TRIES)
			ret = 1;
		else
			ret = call_may_retry(registry, &response, ret, tries++, err);
		if (ret < 0)
			return ret;
		ret = ask_range(upload, err);
		if (ret < 0)
			return ret;
	}
}

static int send_all(struct upload *upload, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	struct registry *registry = upload->repository->registry;

	for (unsigned int tries = 0;; tries++) {
		int ret = upload->location ? 0 : begin(upload, NULL, err);

		if (ret < 0)
			return ret;
		ret = finish(upload, &response, err);
		if (ret == 0)
			return 0;
		ret = call_may_retry(registry, &response, ret, tries, err);
		if (ret < 0)
			return ret;
		free(upload->location); /* what it has of it nobody knows */
		upload->location = NULL;
		if (upload->blob->size > upload->chunk) {
			ret = begin(upload, NULL, err);
			return ret < 0 ? ret : send_chunks(upload, err);
		}
	}
}

int repository_put_blob(struct repository *repository, const struct registry_blob *blob,
			const struct registry_source *source, struct error *err)
{
	__attribute__((cleanup(upload_done))) struct upload upload = {
		.repository = repository,
		.endpoint = repository_own(repository),
		.blob = blob,
		.source = source,
		.chunk = CHUNK,
	};
	struct digest digest = blob->digest;
	int ret = has_from(repository, upload.endpoint, &digest, err);

	if (ret == 0)
		ret = mount(&upload, err);
	return ret != 0 ? ret : send_all(&upload, err);
}
