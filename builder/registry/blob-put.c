/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs into a repository: nothing when it is there, a mount when another repository of the
 * registry has it, else one PUT, which every registry knows. A large one goes in chunks: after a
 * failure, and in the next process, the registry is asked how much it has. One that takes no chunks
 * gets all in one.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/registry/registry-internal.h"
#include "builder/registry/url.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/number.h"

#define ANSWER_MAX ((uint64_t)1 << 20)
#define LOCATION_MAX ((size_t)64 << 10)

struct upload {
	struct repository *repository;
	const struct endpoint *endpoint;
	const struct registry_blob *blob;
	const struct registry_source *source;
	char *scope;	/* with what a mount needs; NULL = the usual */
	char *location; /* where the registry wants it; NULL = nowhere yet */
	uint64_t sent;	/* of which it is sure */
	uint64_t best;	/* the most that this has been: only what is beyond it is progress */
	uint64_t chunk;
	bool whole; /* it takes no chunks */
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

static bool in_chunks(const struct upload *upload)
{
	return upload->blob->size > upload->chunk && !upload->whole;
}

/* For the next process. A note that is torn or lost costs a repetition and nothing else. */
static void write_note(const struct upload *upload)
{
	const int *note = upload->source->note;
	cleanup_free char *line = xasprintf("%s\n", upload->location);
	size_t size = in_chunks(upload) ? strlen(line) : 0;

	if (note &&
	    (pwrite(*note, line, size, 0) != (ssize_t)size || ftruncate(*note, (off_t)size) < 0))
		log_debug("cannot note an upload: %m");
}

/* Who was refused does not go on with the same: what has arrived may be what is wrong. */
static void drop_note(const struct upload *upload)
{
	if (upload->source->note && ftruncate(*upload->source->note, 0) < 0)
		log_debug("cannot drop the note of an upload: %m");
}

static char *read_note(const struct upload *upload)
{
	const int *note = upload->source->note;
	cleanup_free char *text = xzalloc(LOCATION_MAX + 1);
	ssize_t n = note ? pread(*note, text, LOCATION_MAX, 0) : 0;
	char *end = n > 0 ? strchr(text, '\n') : NULL;

	return end ? xstrndup(text, (size_t)(end - text)) : NULL;
}

/* The Location of an answer, which must be the registry's own or without our secrets. */
static int take_location(struct upload *upload, const struct call *call,
			 const struct transport_response *response, struct error *err)
{
	const char *location = transport_header(&response->headers, "location", 0);
	const char *minimum = transport_header(&response->headers, "oci-chunk-min-length", 0);
	uint64_t least;
	char *url = NULL;
	int ret = call_resolve(upload->repository->registry, call, location, &url, err);

	if (ret < 0)
		return ret;
	free(upload->location);
	upload->location = url;
	if (minimum && number_parse_u64(minimum, &least) == 0 && least > upload->chunk)
		upload->chunk = least;
	write_note(upload);
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

/*
 * How much has arrived? 1: all of it, and the blob is there. An upload that the registry has
 * forgotten, or of which it is not sure itself, begins again.
 */
static int ask_range(struct upload *upload, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	struct digest digest = upload->blob->digest;
	cleanup_free char *url = xstrdup(upload->location);
	cleanup_call struct call call;
	uint64_t end;
	int ret;

	prepare(upload, "GET", url, &call);
	ret = call_make(upload->repository->registry, &call, &response, err);
	if (ret < 0)
		return ret;
	end = range_end(transport_header(&response.headers, "range", 0));
	if (response.status != 204 || end > upload->blob->size) {
		/* the answer to the last request may be what was lost */
		ret = has_from(upload->repository, upload->endpoint, &digest, err);
		return ret == 0 ? begin(upload, NULL, err) : ret;
	}
	upload->sent = end;
	return transport_header(&response.headers, "location", 0)
		       ? take_location(upload, &call, &response, err)
		       : 0;
}

/* A refusal that is about chunks, as far as one can see. */
static bool wants_whole(const struct upload *upload, const struct transport_response *response)
{
	static const long refusals[] = { 400, 404, 405, 411, 413, 415, 501 };

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (response->status == refusals[i])
			return in_chunks(upload) && upload->sent < upload->blob->size &&
			       !response->passing;
	return false;
}

/* It has more, or less, than we think; or it knows nothing of the upload (any more). */
static bool is_lost(const struct upload *upload, const struct transport_response *response)
{
	return !response->passing && ((response->status == 416 && in_chunks(upload)) ||
				      (response->status == 404 && upload->sent > 0));
}

/* After a failed try (ret): 0 = go on, 1 = the blob is there. */
static int recover(struct upload *upload, const struct transport_response *response, int ret,
		   unsigned int *tries, struct error *err)
{
	bool ask = upload->sent > 0 || in_chunks(upload);

	if (is_lost(upload, response) && *tries < REGISTRY_TRIES) {
		++*tries;
	} else if (wants_whole(upload, response)) {
		log_debug("%s: not in chunks", upload->endpoint->server->host);
		upload->whole = true;
		return begin(upload, NULL, err);
	} else {
		ret = call_may_retry(upload->repository->registry, response, ret, (*tries)++, err);
		if (ret < 0)
			return ret;
	}
	/* what it has of a PUT that broke off nobody knows */
	return ask ? ask_range(upload, err) : begin(upload, NULL, err);
}

/* 0 = sent, 1 = it was there. */
static int send(struct upload *upload, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	unsigned int tries = 0;
	int ret = upload->location ? 0 : begin(upload, NULL, err);

	while (ret == 0) {
		bool last = !in_chunks(upload) || upload->sent == upload->blob->size;

		ret = last ? finish(upload, &response, err) : send_chunk(upload, &response, err);
		if (ret == 0 && last)
			return 0;
		if (ret == 0 && upload->sent > upload->best) {
			upload->best = upload->sent;
			tries = 0;
		} else if (ret < 0) {
			ret = recover(upload, &response, ret, &tries, err);
		}
	}
	if (ret < 0 && !response.passing && response.status >= 400 && response.status < 500)
		drop_note(upload);
	return ret;
}

/* Go on with what an earlier process has begun: 1 = the blob is there, 0 = there may be a Location
 * now. Where that was may be gone: then it begins again, so that a note never makes a push fail. */
static int take_up(struct upload *upload, struct error *err)
{
	struct error why = ERROR_INIT;
	int ret;

	upload->location = read_note(upload);
	if (!upload->location)
		return 0;
	log_debug("%s: an upload goes on", upload->blob->digest.text);
	ret = ask_range(upload, &why);
	if (ret >= 0)
		return ret;
	if (why.code == ERROR_CANCELLED) {
		*err = why;
		return ret;
	}
	log_debug("it begins again: %s", why.msg);
	free(upload->location);
	upload->location = NULL;
	upload->sent = 0;
	return 0;
}

int repository_put_blob(struct repository *repository, const struct registry_blob *blob,
			const struct registry_source *source, struct error *err)
{
	__attribute__((cleanup(upload_done))) struct upload upload = {
		.repository = repository,
		.endpoint = repository_own(repository),
		.blob = blob,
		.source = source,
		.chunk = REGISTRY_CHUNK,
	};
	struct digest digest = blob->digest;
	int ret = source->missing ? 0 : has_from(repository, upload.endpoint, &digest, err);

	if (ret == 0)
		ret = take_up(&upload, err);
	if (ret == 0 && !upload.location)
		ret = mount(&upload, err);
	return ret != 0 ? ret : send(&upload, err);
}
