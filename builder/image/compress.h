/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers compressed so that the bytes are the same on any machine and with any number of threads: a
 * gzip member or a zstd frame for each MiB of input, without time and name, by one compressor at
 * one level. What is made is remembered, so that a second output compresses nothing.
 */
#ifndef BUILDER_IMAGE_COMPRESS_H
#define BUILDER_IMAGE_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "spec/descriptor.h"

enum compression_kind { COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_NONE, COMPRESSION_KINDS };

struct compression {
	enum compression_kind kind;
	int level;
};

/*
 * libdeflate's level for gzip: the highest that is two and a half times as fast as zlib's level 6
 * whatever the input, in about the same size (docs/performance.md). With another one our layers
 * have other digests.
 */
#define COMPRESSION_GZIP_LEVEL 4

/** gzip at its usual level: what is sent when nobody says something else. */
#define COMPRESSION_DEFAULT                                                                        \
	{                                                                                          \
		COMPRESSION_GZIP, COMPRESSION_GZIP_LEVEL                                           \
	}

/** "gzip", "zstd" or "uncompressed", and a level (0-9, 0-22) or NULL; else ERROR_USAGE. */
int compression_parse(const char *name, const char *level, struct compression *out,
		      struct error *err);
/** Of a layer so compressed, by the names of OCI or of docker (which has none for zstd: NULL). */
const char *compression_media_type(const struct compression *compression, bool docker);
/** Is a layer of this media type compressed so (whatever the level)? */
bool compression_matches(const struct compression *compression, const char *media_type);

/** A blob of the store's. */
struct packed_layer {
	struct digest digest;
	uint64_t size;
};

/** As what this layer (its id) was compressed before. Its blob need not be there any more. */
bool packed_recall(struct store *store, const char *layer, const struct compression *compression,
		   struct packed_layer *out);
/** Compress a layer that was made here into the store's blobs, held. For any thread; it starts
 *  threads of its own. at_once: how many layers the caller packs side by side, which share the
 *  processors; it is read while they are packed, and changed atomically; NULL = this one alone. */
int packed_make(struct store *store, const char *layer, const struct compression *compression,
		const unsigned int *at_once, struct packed_layer *out, struct error *err);
/** The same of a blob of the store, whatever it is compressed as; it is recalled by its digest's
 *  hex, which for a plain tar is what the layer of that diffID is recalled by. */
int packed_again(struct store *store, const struct digest *blob,
		 const struct compression *compression, const unsigned int *at_once,
		 struct packed_layer *out, struct error *err);

#endif
