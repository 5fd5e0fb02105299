/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that may be gzip or zstd, as a reader of blocks: what is compressed comes out plain,
 * what is not as it is. Checksum and length of every gzip member are checked, which libarchive
 * leaves out.
 */
#ifndef BUILDER_IMAGE_DECOMPRESS_H
#define BUILDER_IMAGE_DECOMPRESS_H

#include <sys/types.h>

struct decompress;

/** Where bytes come from: read(2) in other words; a negative errno on failure, 0 at the end. */
struct byte_source {
	ssize_t (*read)(void *context, void *buffer, size_t size);
	void *context;
};

/** Reads from fd, which stays the caller's, from where it stands. */
struct decompress *decompress_open(int fd);
/** Reads from a source, which is copied. */
struct decompress *decompress_source(const struct byte_source *source);
void decompress_free(struct decompress *stream);

/** The next block, valid until the next call: its size, 0 at the end, -1 with *out_why on failure
 *  (a text that lasts as long as the stream). */
ssize_t decompress_read(struct decompress *stream, const void **out_data, const char **out_why);

/** The errno with which the source failed; 0 = it did not. Tells a file that cannot be read from
 * one that is damaged. */
int decompress_errno(const struct decompress *stream);

#endif
