/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs from a repository. A transfer that breaks off goes on where it was, as long as something
 * comes each time; the digest is made by a thread of its own while the bytes come.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/hash-queue.h"
#include "builder/registry/registry-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"

#define READ_SIZE (256 * 1024)

struct download {
	struct repository *repository;
	const struct registry_blob *blob;
	int fd;
	uint64_t done; /* bytes that the file has and queue knows */
	uint64_t best; /* the most that this has been: only what is beyond it is progress */
	struct hash_queue *queue;
};

static void tell(const struct download *download)
{
	const struct registry_blob *blob = download->blob;

	if (blob->progress)
		blob->progress(blob->progress_context, download->done, blob->size);
}

static int start_over(struct download *download, struct error *err)
{
	hash_queue_free(download->queue);
	download->queue = hash_queue_new();
	download->done = 0;
	if (ftruncate(download->fd, 0) < 0 || lseek(download->fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "empty the file of a download");
	return 0;
}

/* -- what an earlier try has left ----------------------------------------------------------------
 */

static void hash_file(void *context)
{
	struct download *download = context;
	cleanup_free char *buffer = xmalloc(READ_SIZE);
	ssize_t n;

	while ((n = pread(download->fd, buffer, READ_SIZE, (off_t)download->done)) > 0) {
		hash_queue_add(download->queue, buffer, (size_t)n);
		download->done += (uint64_t)n;
	}
}

static int take_over(struct download *download, struct error *err)
{
	struct stat st;

	if (fstat(download->fd, &st) < 0)
		return error_errno(err, errno, "look at the file of a download");
	if (st.st_size == 0 || (uint64_t)st.st_size > download->blob->size)
		return start_over(download, err);
	download->queue = hash_queue_new();
	fiber_offload(hash_file, download);
	if (lseek(download->fd, (off_t)download->done, SEEK_SET) < 0)
		return error_errno(err, errno, "continue a download");
	log_debug("%s: %llu bytes are there", download->blob->digest.text,
		  (unsigned long long)download->done);
	return 0;
}

/* -- the transfer --------------------------------------------------------------------------------
 */

/* Does the answer begin where we are? A server that knows no ranges begins at the beginning. */
static int begin(void *context, long status, const struct strv *headers, struct error *err)
{
	struct download *download = context;
	const char *range = transport_header(headers, "content-range", 0);
	cleanup_free char *first = NULL;
	uint64_t start;

	if (status == 206) {
		if (!range || strncmp(range, "bytes ", 6) != 0)
			return error_invalid(err, "the registry sent a part without its range");
		first = xstrndup(range + 6, strcspn(range + 6, "-"));
		if (number_parse_u64(first, &start) < 0 || start != download->done)
			return error_invalid(err, "the registry sent another part (%s)", range);
		return 0;
	}
	return status >= 200 && status < 300 && download->done ? start_over(download, err) : 0;
}

static int take(void *context, const void *data, size_t size, struct error *err)
{
	struct download *download = context;
	int ret;

	if (download->blob->unwanted && *download->blob->unwanted)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "nobody wants the blob any more");
	if (size > download->blob->size - download->done)
		return error_invalid(err, "the blob %s is longer than its %llu bytes",
				     download->blob->digest.text,
				     (unsigned long long)download->blob->size);
	ret = io_write_all(download->fd, data, size);
	if (ret < 0)
		return error_errno(err, -ret, "write a blob");
	hash_queue_add(download->queue, data, size);
	download->done += size;
	tell(download);
	return 0;
}

static int try_once(struct download *download, const struct endpoint *endpoint,
		    struct transport_response *response, struct error *err)
{
	const struct registry_blob *blob = download->blob;
	cleanup_free char *target = endpoint_target(endpoint, "blobs", blob->digest.text);
	cleanup_call struct call call;
	int ret;

	call_prepare(download->repository, endpoint, "GET", target, &call);
	call.request.max = blob->size;
	call.request.begin = begin;
	call.request.sink = take;
	call.request.context = download;
	if (download->done)
		strv_addf(&call.headers, "Range: bytes=%llu-", (unsigned long long)download->done);
	ret = call_try(download->repository->registry, &call, response, err);
	if (ret < 0 || (response->status >= 200 && response->status < 300))
		return ret;
	if (response->status != 416 || !download->done)
		return call_refused(&call, response, err);
	(void)start_over(download, NULL); /* there is less than we have */
	response->passing = true;	  /* from the beginning it may go better */
	return call_refused(&call, response, err);
}

/* Until all is there; what came counts, so that a slow line is no reason to give up. An empty blob
 * needs no transfer. */
static int transfer(struct download *download, const struct endpoint *endpoint, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	unsigned int tries = 0;

	while (download->done < download->blob->size) {
		int ret = try_once(download, endpoint, &response, err);

		if (ret == 0 && download->done < download->blob->size)
			return error_invalid(err, "the blob %s is shorter than its %llu bytes",
					     download->blob->digest.text,
					     (unsigned long long)download->blob->size);
		if (ret == 0)
			continue;
		if (download->done > download->best) {
			download->best = download->done;
			tries = 0;
		}
		ret = call_may_retry(download->repository->registry, &response, ret, tries++, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* -- a blob --------------------------------------------------------------------------------------
 */

static int check(struct download *download, struct error *err)
{
	struct digest digest;

	hash_queue_finish(download->queue, &digest);
	if (digest_equal(&digest, &download->blob->digest))
		return 1;
	(void)start_over(download, NULL);
	return error_invalid(err, "the registry's blob %s is %s", download->blob->digest.text,
			     digest.text);
}

static int get_from(struct repository *repository, const struct endpoint *endpoint, void *context,
		    struct error *err)
{
	struct download *download = context;
	bool resumed = download->done > 0;
	int ret = transfer(download, endpoint, err);

	(void)repository;
	if (ret == 0)
		ret = check(download, err);
	if (ret < 0 && resumed && download->done == 0) {
		/* what was there may have been the bad part */
		ret = transfer(download, endpoint, err);
		if (ret == 0)
			ret = check(download, err);
	}
	return ret;
}

int repository_get_blob(struct repository *repository, const struct registry_blob *blob, int fd,
			struct error *err)
{
	struct download download = { .repository = repository, .blob = blob, .fd = fd };
	int ret = take_over(&download, err);

	if (ret == 0) {
		tell(&download);
		ret = repository_each(repository, blob->digest.text, get_from, &download, err);
	}
	hash_queue_free(download.queue);
	return ret < 0 ? ret : 0;
}

int repository_read_blob(struct repository *repository, const struct registry_blob *blob,
			 size_t max, struct strbuf *out, struct error *err)
{
	cleanup_close int fd = memfd_create("blob", MFD_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "make room for a blob");
	if (blob->size > max)
		return error_invalid(err, "the blob %s is longer than %zu bytes", blob->digest.text,
				     max);
	ret = repository_get_blob(repository, blob, fd, err);
	if (ret < 0)
		return ret;
	ret = lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_rest(fd, max, out);
	return ret < 0 ? error_errno(err, -ret, "read a blob") : 0;
}
