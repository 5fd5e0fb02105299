/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256 of several long streams side by side. Without instructions of its own for it a processor
 * hashes one stream at some 380 MB/s, because each step needs the one before; of eight streams it
 * does the same step at once, in the lanes of its vectors.
 */
#ifndef BUILDER_IMAGE_SHA256_STREAM_H
#define BUILDER_IMAGE_SHA256_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/image/digest.h"

#define SHA256_LANES 8
#define SHA256_LANES_LEAST 3 /* streams: fewer are as fast one after the other */
#define SHA256_CHUNK 64	     /* bytes: the least that can be added before the last */

struct sha256_stream {
	uint32_t state[8];
	uint64_t size;
};

void sha256_stream_start(struct sha256_stream *stream);

/** Are many streams hashed faster side by side than one after the other? */
bool sha256_streams_share(void);

/** The next bytes of each of up to SHA256_LANES streams; size (a multiple of SHA256_CHUNK) is that
 * of each. */
void sha256_streams_add(struct sha256_stream *const streams[], const void *const data[],
			size_t count, size_t size);

/** The rest, of any size, and the digest. */
void sha256_stream_finish(struct sha256_stream *stream, const void *rest, size_t size,
			  struct digest *out);

#endif
