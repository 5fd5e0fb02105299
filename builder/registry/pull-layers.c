/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of an image, a fiber each and a few at once: the blob comes into a file, and a thread
 * unpacks it from there while it comes. What is unpacked stays in a scratch folder until the
 * digests of the blob and of what is behind its compression are right. A layer whose archive leaves
 * out parent folders is unpacked once more when those below are there, because it takes them from
 * there.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/decompress.h"
#include "builder/image/layer.h"
#include "builder/image/unpack.h"
#include "builder/loop/fiber.h"
#include "builder/registry/pull-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

#define LAYERS_AT_ONCE 6

struct pull {
	struct store *store;
	struct registry *registry;
	const struct image *image;
	const struct pull_events *events;
	struct fibers *fibers;
	struct layer_job *jobs;
	size_t count, running, living;
	struct fiber_queue changed; /* a job has ended or has come further */
	uint64_t total;
	int ret;     /* the first failure */
	bool failed; /* the same, for transfers that are under way */
	struct error err;
};

struct layer_job {
	struct pull *pull;
	size_t index;
	const struct descriptor *descriptor;
	struct digest blob, diff_id, chain;
	bool present; /* it was in the store */
	bool done;
	char *tree; /* when done */

	struct incoming_blob incoming;
	bool has_blob; /* the store has it: nothing is to be fetched */
	uint64_t received;
	struct feed *feed;
	bool fetched; /* its fiber has ended */
	int fetch_ret;
	struct error fetch_err;

	struct layer_draft draft;
	struct strv lowers;
	struct unpack_result result;
	struct digest plain;
	int unpack_ret;
	struct error unpack_err;
};

static void tell_progress(const struct pull *pull)
{
	uint64_t current = 0;

	if (!pull->events || !pull->events->progress)
		return;
	for (size_t i = 0; i < pull->count; i++)
		current += pull->jobs[i].received;
	pull->events->progress(pull->events->context, current, pull->total);
}

/* -- fetching ------------------------------------------------------------------------------------
 */

static void take_progress(void *context, uint64_t done, uint64_t total)
{
	struct layer_job *job = context;

	(void)total;
	job->received = done;
	feed_advance(job->feed, done);
	tell_progress(job->pull);
}

/* A fiber. */
static void run_fetch(void *context)
{
	struct layer_job *job = context;
	struct pull *pull = job->pull;
	const struct registry_blob blob = { .digest = job->blob,
					    .size = job->descriptor->size,
					    .progress = take_progress,
					    .progress_context = job,
					    .unwanted = &pull->failed };

	job->fetch_ret = origin_get_blob(pull->store, pull->registry, &blob, job->incoming.fd,
					 &job->fetch_err);
	feed_end(job->feed, job->fetch_ret < 0);
	job->fetched = true;
	pull->living--;
	fiber_wake(&pull->changed);
}

/* The store has it. */
static int read_blob(struct layer_job *job, struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(&job->blob));

	job->has_blob = true;
	job->incoming.fd = openat(job->pull->store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (job->incoming.fd < 0)
		return error_errno(err, errno, "open \"%s\" of the store", path);
	job->feed = feed_new(job->incoming.fd);
	feed_advance(job->feed, job->descriptor->size);
	feed_end(job->feed, false);
	job->fetched = true;
	return 0;
}

static int start_fetch(struct layer_job *job, struct error *err)
{
	struct pull *pull = job->pull;
	int ret = store_hold_blob(pull->store, &job->blob, err);

	if (ret == 0)
		ret = incoming_open(pull->store, &job->blob, &job->incoming, err);
	if (ret != 0)
		return ret < 0 ? ret : read_blob(job, err);
	job->feed = feed_new(job->incoming.fd);
	ret = fibers_start(pull->fibers, run_fetch, job, err);
	if (ret == 0)
		pull->living++;
	else
		job->fetched = true;
	return ret;
}

/* -- unpacking -----------------------------------------------------------------------------------
 */

/* In a thread. */
static void unpack(void *context)
{
	struct layer_job *job = context;
	struct store *store = job->pull->store;
	const struct byte_source source = { feed_read, job->feed };
	const struct unpack_options options = {
		.whiteouts = true,
		.marks = store->marks,
		.store = store,
		.lowers = job->lowers.count ? &job->lowers : NULL,
		.plain_max = unpack_plain_max(job->descriptor->size),
	};
	cleanup_close int folder_fd = -EBADF, tree_fd = -EBADF;
	struct error *err = &job->unpack_err;
	int ret = store_scratch(store, job->draft.name, &folder_fd, err);

	if (ret == 0 && mkdirat(folder_fd, "tree", 0755) < 0)
		ret = error_errno(err, errno, "create a layer's tree");
	if (ret == 0) {
		tree_fd = openat(folder_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ret = tree_fd < 0 ? error_errno(err, errno, "open a layer's tree") : 0;
	}
	if (ret == 0)
		ret = unpack_stream(&source, tree_fd, &options, &job->result, &job->plain, err);
	job->unpack_ret = ret;
}

/* From the whole file. */
static void unpack_again(struct layer_job *job)
{
	job->unpack_err = (struct error)ERROR_INIT;
	feed_free(job->feed);
	job->feed = feed_new(job->incoming.fd);
	feed_advance(job->feed, job->descriptor->size);
	feed_end(job->feed, false);
	fiber_offload(unpack, job);
}

static int take(struct error *err, const struct error *why, int ret)
{
	if (err)
		*err = *why;
	return ret;
}

static void wait_fetched(struct layer_job *job)
{
	while (!job->fetched)
		fiber_wait(&job->pull->changed);
}

/* Fetch and unpack; then the blob is the store's, and the tree waits. */
static int fetch(struct layer_job *job, struct error *err)
{
	struct pull *pull = job->pull;
	int ret = start_fetch(job, err);

	if (ret < 0)
		return ret;
	/* while it comes, or where threads are rare when it has come */
	if (job->fetched || !fiber_offload_waiting(unpack, job)) {
		wait_fetched(job);
		fiber_offload(unpack, job);
	}
	wait_fetched(job);
	if (job->fetch_ret < 0)
		return take(err, &job->fetch_err, job->fetch_ret);
	if (job->unpack_ret < 0 && !job->has_blob)
		unpack_again(job); /* it may have begun again under the reader */
	if (job->unpack_ret < 0)
		return take(err, &job->unpack_err, job->unpack_ret);
	return job->has_blob ? 0 : incoming_publish(pull->store, &job->blob, &job->incoming, err);
}

/* -- one layer -----------------------------------------------------------------------------------
 */

/* Until all below are there. */
static int wait_for_lowers(struct layer_job *job, struct error *err)
{
	struct pull *pull = job->pull;

	for (size_t i = 0; i < job->index; i++) {
		while (!pull->jobs[i].done && pull->ret == 0)
			fiber_wait(&pull->changed);
		if (pull->ret < 0)
			return error_set(err, ERROR_CANCELLED, ECANCELED, "another layer failed");
		if (pull->jobs[i].tree)
			strv_add(&job->lowers, pull->jobs[i].tree);
	}
	return 0;
}

static int publish(struct layer_job *job, struct error *err)
{
	struct layer_info tar = { .diff_id = job->plain, .size = job->result.plain };
	char id[LAYER_ID_SIZE];
	int ret;

	if (!digest_equal(&job->plain, &job->diff_id))
		return error_invalid(err, "its contents are %s, the configuration says %s",
				     job->plain.text, job->diff_id.text);
	ret = wait_for_lowers(job, err);
	if (ret == 0 && job->result.parents && job->index > 0) {
		unpack_again(job);
		ret = job->unpack_ret;
		if (ret < 0)
			return take(err, &job->unpack_err, ret);
	}
	if (ret == 0)
		ret = layer_publish_unpacked(job->pull->store, &job->draft, &tar,
					     job->result.parents ? &job->chain : NULL, err);
	if (ret == 0)
		ret = layer_find(job->pull->store, &job->diff_id, &job->chain, id, err);
	if (ret < 0)
		return ret;
	job->tree = layer_tree(id);
	return 0;
}

static int make_layer(struct layer_job *job, struct error *err)
{
	struct pull *pull = job->pull;
	int ret;

	while (pull->running >= LAYERS_AT_ONCE && pull->ret == 0)
		fiber_wait(&pull->changed);
	if (pull->ret < 0)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "another layer failed");
	pull->running++;
	ret = fetch(job, err);
	pull->running--;
	fiber_wake(&pull->changed);
	return ret < 0 ? ret : publish(job, err);
}

/* A fiber. */
static void run_layer(void *context)
{
	struct layer_job *job = context;
	struct pull *pull = job->pull;
	struct error err = ERROR_INIT;
	int ret = make_layer(job, &err);

	job->done = ret == 0;
	incoming_unlock(&job->incoming);
	if (ret < 0 && pull->ret == 0) {
		pull->failed = true;
		pull->ret = error_prefix(&err, ret, "layer %.19s", job->blob.text);
		pull->err = err;
	}
	if (ret == 0 && pull->events && pull->events->layer)
		pull->events->layer(pull->events->context, job->blob.text, false);
	pull->living--;
	fiber_wake(&pull->changed);
}

/* -- all of them ---------------------------------------------------------------------------------
 */

/* What is there, and what is not. */
static int look(struct pull *pull, struct error *err)
{
	const struct descriptor_list *layers = &pull->image->manifest->layers;
	const struct json_strings *diff_ids = &pull->image->config->rootfs->diff_ids;
	struct digest chain = { "" };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < pull->count; i++) {
		struct layer_job *job = &pull->jobs[i];
		char id[LAYER_ID_SIZE];

		*job = (struct layer_job){ .pull = pull,
					   .index = i,
					   .descriptor = &layers->items[i],
					   .incoming = { .fd = -EBADF,
							 .unwanted = &pull->failed } };
		ret = digest_parse(job->descriptor->digest, &job->blob, err);
		if (ret == 0)
			ret = digest_parse(diff_ids->items[i], &job->diff_id, err);
		if (ret < 0)
			return ret;
		layer_chain(&chain, &job->diff_id, &chain);
		job->chain = chain;
		ret = layer_find(pull->store, &job->diff_id, &chain, id, err);
		if (ret < 0)
			return ret;
		job->present = job->done = ret == 1;
		if (job->present)
			job->tree = layer_tree(id);
		else
			pull->total += job->descriptor->size;
		ret = 0;
	}
	return ret;
}

/* In a fiber. */
static void run_pull(void *context)
{
	struct pull *pull = context;

	pull->fibers = fibers_current();
	for (size_t i = 0; pull->ret == 0 && i < pull->count; i++) {
		struct layer_job *job = &pull->jobs[i];

		if (job->present) {
			if (pull->events && pull->events->layer)
				pull->events->layer(pull->events->context, job->blob.text, true);
			continue;
		}
		pull->ret = fibers_start(pull->fibers, run_layer, job, &pull->err);
		if (pull->ret == 0)
			pull->living++;
	}
	while (pull->living)
		fiber_wait(&pull->changed);
}

static void pull_done(struct pull *pull)
{
	for (size_t i = 0; i < pull->count; i++) {
		struct layer_job *job = &pull->jobs[i];

		incoming_done(&job->incoming);
		feed_free(job->feed);
		strv_done(&job->lowers);
		free(job->tree);
	}
	free(pull->jobs);
}

static int run(struct pull *pull, struct error *err)
{
	struct fibers *fibers = NULL;
	int ret;

	if (fibers_current()) {
		run_pull(pull);
		return 0;
	}
	ret = fibers_create(&fibers, err);
	if (ret == 0)
		ret = fibers_start(fibers, run_pull, pull, err);
	if (ret == 0)
		fibers_run(fibers);
	fibers_free(fibers);
	return ret;
}

int pull_layers(struct store *store, struct registry *registry, const struct image *image,
		const struct pull_events *events, struct error *err)
{
	__attribute__((cleanup(pull_done))) struct pull pull = {
		.store = store, .registry = registry, .image = image, .events = events
	};
	int ret;

	pull.count = image->manifest->layers.count;
	pull.jobs = xzalloc((pull.count + 1) * sizeof(*pull.jobs));
	ret = look(&pull, err);
	if (ret == 0 && pull.total)
		tell_progress(&pull); /* something will come */
	if (ret == 0)
		ret = run(&pull, err);
	if (ret == 0 && pull.ret < 0)
		ret = take(err, &pull.err, pull.ret);
	return ret;
}
