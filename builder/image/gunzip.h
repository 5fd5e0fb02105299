/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that may be gzip, as a reader of blocks: what is compressed comes out plain, what is not
 * as it is. Checksum and length of every member are checked, which libarchive leaves out.
 */
#ifndef BUILDER_IMAGE_GUNZIP_H
#define BUILDER_IMAGE_GUNZIP_H

#include <sys/types.h>

struct gunzip;

/** Reads from fd, which stays the caller's, from where it stands. */
struct gunzip *gunzip_new(int fd);
void gunzip_free(struct gunzip *stream);

/** The next block, valid until the next call: its size, 0 at the end, -1 with *out_why on failure
 *  (a text that lasts as long as the stream). */
ssize_t gunzip_read(struct gunzip *stream, const void **out_data, const char **out_why);

#endif
