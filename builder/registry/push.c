/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tag first, by which the registry and its credentials are found out; then layers and the
 * configuration side by side, then the manifest; an index comes last of all. What the tag stands
 * for already is not put again: registries sync a manifest to their disk, which takes longer than
 * to ask for all of its blobs.
 */
#include "builder/registry/push.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/compress.h"
#include "builder/image/image-variant.h"
#include "builder/image/layer.h"
#include "builder/loop/fiber.h"
#include "builder/registry/origins.h"
#include "builder/registry/pull.h"
#include "builder/registry/transfer-file.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "spec/image-index.h"

#define SENT_AT_ONCE 4
#define PACKED_AT_ONCE 4 /* two digests each: enough to be made in lanes */

static const struct compression compression = COMPRESSION_DEFAULT;

struct push {
	struct store *store;
	struct registry *registry;
	struct repository *repository;
	const struct reference *name;
	const struct push_events *events;
	struct fiber_queue changed;
	size_t sending, living;
	struct strv busy;      /* digests of the blobs that somebody asks for or sends */
	struct strv there;     /* of those that the registry has, as far as it is known */
	bool as_it_is;	       /* nothing is to be compressed */
	unsigned int packing;  /* layers; atomic */
	bool sent;	       /* the registry did not have all of it */
	struct digest present; /* what the tag stands for there; "" = nothing, or not known */
	int ret;	       /* the first failure */
	struct error err;
};

/* A blob of a manifest. */
struct push_job {
	struct push *push;
	const struct descriptor *descriptor;
	bool is_layer;		  /* else it is the configuration */
	const char *layer;	  /* its id here, to be compressed; NULL: it goes as it is */
	bool from_blob;		  /* layer is its diffID: the stream is that of the plain blob */
	struct packed_layer blob; /* what goes */
};

/* -- compressing ---------------------------------------------------------------------------------
 */

struct pack_call {
	struct push_job *job;
	struct error *err;
	int ret;
};

/* In a thread. */
static void pack(void *context)
{
	struct pack_call *call = context;
	struct push_job *job = call->job;
	struct push *push = job->push;
	struct digest plain = { "" };

	if (job->from_blob)
		(void)digest_parse(job->descriptor->digest, &plain, NULL); /* it has been */
	call->ret = job->from_blob ? packed_again(push->store, &plain, &compression, &push->packing,
						  &job->blob, call->err)
				   : packed_make(push->store, job->layer, &compression,
						 &push->packing, &job->blob, call->err);
}

static int pack_once(struct push_job *job, struct error *err)
{
	struct push *push = job->push;
	struct pack_call call = { job, err, 0 };

	while (push->packing >= PACKED_AT_ONCE)
		fiber_wait(&push->changed);
	(void)__atomic_add_fetch(&push->packing, 1, __ATOMIC_RELAXED);
	fiber_offload(pack, &call);
	(void)__atomic_sub_fetch(&push->packing, 1, __ATOMIC_RELAXED);
	fiber_wake(&push->changed);
	return call.ret;
}

/* -- one blob ------------------------------------------------------------------------------------
 */

/* Repositories of the same registry that are known to have it, by their paths there. */
static void find_mounts(const struct push *push, const struct digest *digest, struct strv *out)
{
	size_t host = strcspn(push->name->name, "/");
	cleanup_strv struct strv names = STRV_INIT;

	origins_list(push->store, digest, &names);
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], push->name->name, host + 1) == 0)
			strv_add(out, names.items[i] + host + 1);
}

/* Where a large blob that breaks off goes on, locked; -EBADF: a small one begins again. 1: another
 * process had it meanwhile. */
static int open_note(const struct push *push, const struct registry_blob *blob, char *name,
		     int *out_fd, struct error *err)
{
	cleanup_free char *what = xasprintf("%s@%s", push->name->name, blob->digest.text);
	struct digest key;

	if (blob->size <= REGISTRY_CHUNK)
		return 0;
	digest_of(what, strlen(what), &key);
	snprintf(name, STORE_NAME_SIZE, "uploads/%s", digest_hex(&key));
	return transfer_file_open(push->store, name, NULL, out_fd, err);
}

/* It stays when the next process has something to go on with. */
static void close_note(const struct push *push, const char *name, int fd, int ret)
{
	struct stat st;

	if (fd >= 0 && (ret >= 0 || (fstat(fd, &st) == 0 && st.st_size == 0)))
		(void)unlinkat(push->store->fd, name, 0); /* it only takes place */
}

/* 1: it is there without being sent. */
static int send_blob(struct push *push, const struct digest *digest, uint64_t size,
		     struct error *err)
{
	const struct registry_blob blob = { .digest = *digest, .size = size };
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(digest));
	cleanup_strv struct strv mounts = STRV_INIT;
	cleanup_close int fd = -EBADF, note = -EBADF;
	struct registry_source source = { .mounts = &mounts };
	char name[STORE_NAME_SIZE];
	int ret = pull_blob(push->store, push->registry, digest, size, err);

	if (ret < 0)
		return ret;
	fd = openat(push->store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open \"%s\" of the store", path);
	source.fd = fd;
	find_mounts(push, digest, &mounts);
	ret = open_note(push, &blob, name, &note, err);
	if (ret < 0)
		return ret;
	source.note = note >= 0 ? &note : NULL;
	source.missing = ret == 0; /* or else it may have been sent meanwhile */
	ret = repository_put_blob(push->repository, &blob, &source, err);
	close_note(push, name, note, ret);
	if (ret >= 0)
		origins_add(push->store, digest, push->name->name);
	return ret;
}

static int send_missing(struct push_job *job, struct error *err)
{
	struct push *push = job->push;
	int ret = 0;

	push->sent = true; /* or mounted: the manifest goes, too, so that it is seen to have it */
	if (job->layer && !store_blob_exists(push->store, &job->blob.digest))
		ret = pack_once(job, err);
	while (push->sending >= SENT_AT_ONCE)
		fiber_wait(&push->changed);
	push->sending++;
	if (ret == 0 && push->ret == 0)
		ret = send_blob(push, &job->blob.digest, job->blob.size, err);
	push->sending--;
	return ret;
}

/* A blob that several layers or images are is asked for once: true when it is known to be there. */
static bool begin_blob(struct push *push, const struct digest *digest)
{
	while (push->ret == 0 && strv_contains(&push->busy, digest->text))
		fiber_wait(&push->changed);
	if (strv_contains(&push->there, digest->text))
		return true;
	strv_add(&push->busy, digest->text);
	return false;
}

static void end_blob(struct push *push, const struct digest *digest, bool is_there)
{
	strv_drop(&push->busy, digest->text);
	if (is_there)
		strv_add(&push->there, digest->text);
	fiber_wake(&push->changed);
}

/* A blob that the registry has need not even be made. 1: it has it. */
static int push_blob(struct push_job *job, struct error *err)
{
	struct push *push = job->push;
	struct digest digest;
	int ret = 0;

	if (job->layer && !packed_recall(push->store, job->layer, &compression, &job->blob))
		ret = pack_once(job, err);
	if (ret < 0)
		return ret;
	digest = job->blob.digest;
	if (begin_blob(push, &digest))
		return 1;
	if (push->ret == 0)
		ret = repository_has_blob(push->repository, &digest, err);
	if (ret == 0 && push->ret == 0)
		ret = send_missing(job, err);
	end_blob(push, &digest, ret >= 0 && push->ret == 0);
	return ret;
}

/* A fiber. */
static void run_job(void *context)
{
	struct push_job *job = context;
	struct push *push = job->push;
	struct error err = ERROR_INIT;
	int ret = push->ret == 0 ? push_blob(job, &err) : 0;

	if (ret < 0 && push->ret == 0) {
		push->ret = error_prefix(&err, ret, "%s %.19s",
					 job->is_layer ? "layer" : "configuration",
					 job->descriptor->digest);
		push->err = err;
	}
	if (push->ret == 0 && job->is_layer && push->events && push->events->layer)
		push->events->layer(push->events->context, job->blob.digest.text, ret == 1);
	push->living--;
	fiber_wake(&push->changed);
}

/* -- a manifest ----------------------------------------------------------------------------------
 */

struct blobs_run {
	struct push *push;
	struct push_job *jobs;
	size_t count;
};

/* In a fiber. */
static void run_blobs(void *context)
{
	struct blobs_run *run = context;
	struct push *push = run->push;

	for (size_t i = 0; push->ret == 0 && i < run->count; i++) {
		push->ret = fibers_start(fibers_current(), run_job, &run->jobs[i], &push->err);
		if (push->ret == 0)
			push->living++;
	}
	while (push->living)
		fiber_wait(&push->changed);
}

static int push_jobs(struct push *push, struct push_job *jobs, size_t count, struct error *err)
{
	struct blobs_run run = { push, jobs, count };
	struct fibers *fibers = NULL;
	int ret = fibers_create(&fibers, err);

	if (ret == 0)
		ret = fibers_start(fibers, run_blobs, &run, err);
	if (ret == 0)
		fibers_run(fibers);
	fibers_free(fibers);
	if (ret == 0 && push->ret < 0) {
		ret = push->ret;
		*err = push->err;
	}
	return ret;
}

/* A job for each layer of a manifest, and behind them one for its configuration. */
static int plan_blobs(struct push *push, const struct image_manifest *manifest,
		      struct push_job *jobs, struct error *err)
{
	size_t layers = manifest->layers.count;

	for (size_t i = 0; i <= layers; i++) {
		struct push_job *job = &jobs[i];
		int ret;

		*job = (struct push_job){ .push = push, .is_layer = i < layers };
		job->descriptor = job->is_layer ? &manifest->layers.items[i] : manifest->config;
		job->blob.size = job->descriptor->size;
		ret = digest_parse(job->descriptor->digest, &job->blob.digest, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Is the tar here, and not from a registry? Then nobody has it as it is. */
static bool is_of_here(const struct push *push, const struct digest *blob)
{
	cleanup_strv struct strv names = STRV_INIT;

	origins_list(push->store, blob, &names);
	return names.count == 0 && store_blob_exists(push->store, blob);
}

/* What to make of a plain tar: compress the layer that was made here, or the blob when that alone
 * has the stream (another has made it, or a user without subordinate ids has loaded it: his tree
 * has not its owners). */
static int plan_plain(const struct push *push, const struct digest *diff_id,
		      const struct digest *chain, struct push_job *job, struct strv *ids,
		      struct error *err)
{
	char id[LAYER_ID_SIZE];
	int ret = layer_find(push->store, diff_id, chain, id, err);

	if (ret < 0)
		return ret;
	job->from_blob = ret == 0 || !layer_has_stream(push->store, id);
	if (job->from_blob && !is_of_here(push, diff_id))
		return 0;
	strv_add(ids, job->from_blob ? digest_hex(diff_id) : id);
	job->layer = ids->items[ids->count - 1];
	return 0;
}

/* Plain ones go compressed, so the manifest is another one; what came from a registry goes as it
 * came. */
static int plan_layers(struct push *push, const struct image *image, struct push_job *jobs,
		       struct strv *ids, struct error *err)
{
	const struct json_strings *diff_ids = &image->config->rootfs->diff_ids;
	struct digest chain = { "" };
	int ret = plan_blobs(push, image->manifest, jobs, err);

	for (size_t i = 0; ret >= 0 && i < image->manifest->layers.count; i++) {
		struct digest diff_id;

		ret = digest_parse(diff_ids->items[i], &diff_id, err);
		if (ret < 0)
			return ret;
		layer_chain(&chain, &diff_id, &chain);
		if (!push->as_it_is && digest_equal(&jobs[i].blob.digest, &diff_id))
			ret = plan_plain(push, &diff_id, &chain, &jobs[i], ids, err);
	}
	return ret < 0 ? ret : 0;
}

static void write_manifest(const struct image *image, const struct push_job *jobs,
			   struct strbuf *out)
{
	struct image_manifest manifest = *image->manifest;
	struct descriptor *layers = xreallocarray(NULL, manifest.layers.count + 1, sizeof(*layers));
	bool changed = false;

	for (size_t i = 0; i < manifest.layers.count; i++) {
		layers[i] = manifest.layers.items[i];
		if (!jobs[i].layer)
			continue;
		changed = true;
		layers[i].media_type =
			compression_media_type(&compression, manifest_is_docker(&manifest));
		layers[i].digest = jobs[i].blob.digest.text;
		layers[i].size = jobs[i].blob.size;
	}
	manifest.layers.items = layers;
	if (changed)
		image_manifest_write(&manifest, JSON_INDENT_2, out);
	else
		strbuf_add(out, image->manifest_bytes.data, image->manifest_bytes.size);
	free(layers);
}

/* With all that it refers to? */
static bool is_there(struct push *push, const char *name, const struct digest *digest)
{
	struct digest ignored;

	if (push->sent)
		return false;
	return name ? digest_equal(digest, &push->present)
		    : repository_has_manifest(push->repository, digest->text, &ignored, NULL) == 1;
}

/* name: a tag; NULL = by its digest. */
static int put_manifest(struct push *push, const char *media_type, const struct strbuf *bytes,
			const char *name, struct push_result *out, struct error *err)
{
	digest_of(strbuf_text(bytes), bytes->size, &out->digest);
	out->size = bytes->size;
	if (is_there(push, name, &out->digest))
		return 0;
	return repository_put_manifest(push->repository, name ? name : out->digest.text,
				       media_type && *media_type ? media_type : MEDIA_TYPE_MANIFEST,
				       strbuf_text(bytes), bytes->size, err);
}

static int push_one(struct push *push, const struct image *image, const char *tag,
		    struct push_result *out, struct error *err)
{
	size_t count = image->manifest->layers.count + 1;
	cleanup_free struct push_job *jobs = xzalloc(count * sizeof(*jobs));
	cleanup_strv struct strv ids = STRV_INIT;
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	int ret = plan_layers(push, image, jobs, &ids, err);

	if (ret == 0)
		ret = push_jobs(push, jobs, count, err);
	if (ret < 0)
		return ret;
	write_manifest(image, jobs, &bytes);
	return put_manifest(push, image->manifest->media_type, &bytes, tag, out, err);
}

static const char *tag_of(const struct reference *name)
{
	return name->tag[0] ? name->tag : NULL;
}

/* Then it is known how the registry is talked to, and what it has by this name: not being told is
 * no reason not to send. */
static int open_repository(struct push *push, struct error *err)
{
	const char *tag = tag_of(push->name);
	int ret = repository_open(push->registry, push->name, REPOSITORY_PUSH, &push->repository,
				  err);

	if (ret == 0 && tag &&
	    repository_has_manifest(push->repository, tag, &push->present, NULL) != 1)
		push->present = (struct digest){ "" };
	return ret;
}

static void close_repository(struct push *push)
{
	repository_close(push->repository);
	strv_done(&push->busy);
	strv_done(&push->there);
}

static int push_by(struct push *push, const struct image *image, struct push_result *out,
		   struct error *err)
{
	int ret = open_repository(push, err);

	if (ret == 0)
		ret = push_one(push, image, tag_of(push->name), out, err);
	close_repository(push);
	return ret;
}

int push_image(struct store *store, struct registry *registry, const struct image *image,
	       const struct reference *name, const struct push_events *events,
	       struct push_result *out, struct error *err)
{
	struct push push = { .store = store, .registry = registry, .name = name, .events = events };

	return push_by(&push, image, out, err);
}

int push_blobs(struct store *store, struct registry *registry, const struct image *image,
	       const struct reference *name, const struct push_events *events,
	       struct push_result *out, struct error *err)
{
	struct push push = { .store = store,
			     .registry = registry,
			     .name = name,
			     .events = events,
			     .as_it_is = true };

	return push_by(&push, image, out, err);
}

/* -- an index ------------------------------------------------------------------------------------
 */

/* What an index lists, as it is; attestations are blobs that nobody unpacks. */
static int push_listed(struct push *push, const struct descriptor *one, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free struct push_job *jobs = NULL;
	struct image_manifest *manifest = NULL;
	struct push_result ignored;
	struct digest digest;
	int ret = digest_parse(one->digest, &digest, err);

	if (ret == 0)
		ret = store_blob_get(push->store, &digest, IMAGE_DOCUMENT_MAX, &text, err);
	if (ret < 0)
		return error_suffix(err, ret, " (pull -a gets all platforms of an image)");
	ret = image_manifest_decode("manifest", strbuf_text(&text), text.size, &arena, &manifest,
				    err);
	if (ret < 0)
		return ret;
	jobs = xzalloc((manifest->layers.count + 1) * sizeof(*jobs));
	ret = plan_blobs(push, manifest, jobs, err);
	if (ret == 0)
		ret = push_jobs(push, jobs, manifest->layers.count + 1, err);
	return ret < 0 ? ret : put_manifest(push, one->media_type, &text, NULL, &ignored, err);
}

int push_index(struct store *store, struct registry *registry, const struct store_ref *index,
	       const struct reference *name, const struct push_events *events,
	       struct push_result *out, struct error *err)
{
	struct push push = { .store = store, .registry = registry, .name = name, .events = events };
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct image_index *decoded = NULL;
	int ret = store_blob_get(store, &index->digest, IMAGE_DOCUMENT_MAX, &text, err);

	if (ret == 0)
		ret = image_index_decode("index", strbuf_text(&text), text.size, &arena, &decoded,
					 err);
	if (ret == 0)
		ret = open_repository(&push, err);
	for (size_t i = 0; ret == 0 && i < decoded->manifests.count; i++)
		ret = push_listed(&push, &decoded->manifests.items[i], err);
	if (ret == 0)
		ret = put_manifest(&push, index->media_type, &text, tag_of(name), out, err);
	close_repository(&push);
	return ret;
}
