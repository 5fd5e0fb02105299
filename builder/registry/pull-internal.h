/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a pull share. */
#ifndef BUILDER_REGISTRY_PULL_INTERNAL_H
#define BUILDER_REGISTRY_PULL_INTERNAL_H

#include "builder/registry/pull.h"
#include "lib/cleanup.h"

/** A blob on its way into the store. */
struct incoming_blob {
	char name[STORE_NAME_SIZE]; /* ingest/HEX, or a scratch file */
	int fd;			    /* locked */
	const bool *unwanted;	    /* becomes true when nobody wants it any more; NULL = never */
};
static inline void incoming_done(struct incoming_blob *blob)
{
	cleanup_close_fd(&blob->fd);
}

/** Somebody else may have it now. */
void incoming_unlock(struct incoming_blob *blob);

/** Open it, with what is there of it, when nobody else fetches it any more. 0: it is ours to fetch;
 *  1: the store has it now, held; -ENOENT: no registry is known to have it. */
int incoming_open(struct store *store, const struct digest *digest, struct incoming_blob *out,
		  struct error *err);
/** It is complete and right: give it its name. */
int incoming_publish(struct store *store, const struct digest *digest, struct incoming_blob *blob,
		     struct error *err);

/** repository_get_blob from the first repository that has it. */
int origin_get_blob(struct store *store, struct registry *registry,
		    const struct registry_blob *blob, int fd, struct error *err);

/** Bytes of a file that is being written, for another thread: reading waits for them. */
struct feed;
struct feed *feed_new(int fd);
void feed_free(struct feed *feed);
/** So much is there; less than before: it has begun again, and the reader fails. */
void feed_advance(struct feed *feed, uint64_t size);
/** No more will come: the reader finds the end, or fails. */
void feed_end(struct feed *feed, bool failed);
/** read of a byte_source; context: the feed. -ECANCELED when it failed. */
ssize_t feed_read(void *context, void *buffer, size_t size);

#endif
