/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip that gives the same bytes on any machine and with any number of threads: a member for each
 * MiB of input, without time and name, by one compressor at one level.
 */
#ifndef BUILDER_IMAGE_GZIP_H
#define BUILDER_IMAGE_GZIP_H

#include <stdint.h>

#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "lib/error.h"

/** What another release with other bytes must not be taken for. */
#define GZIP_VARIANT "gzip6"

/** A layer's tar stream, compressed, to fd; digest and size of what was written. File work for any
 *  thread; it starts threads of its own. */
int gzip_layer(struct store *store, const char *layer, int fd, struct digest *out_digest,
	       uint64_t *out_size, struct error *err);

#endif
