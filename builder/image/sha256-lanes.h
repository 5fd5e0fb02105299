/* SPDX-License-Identifier: Apache-2.0 */
/* The block function of sha256 for eight streams at once. */
#ifndef BUILDER_IMAGE_SHA256_LANES_H
#define BUILDER_IMAGE_SHA256_LANES_H

#include <stddef.h>
#include <stdint.h>

/** states[word][lane] by so many chunks of 64 bytes of each lane. */
typedef void sha256_lanes_fn(uint32_t states[8][8], const unsigned char *const data[8],
			     size_t chunks);

/** The n-th that this processor can do, best first; NULL: there is no n-th. */
sha256_lanes_fn *sha256_lanes_nth(size_t n);

/** The best of them; NULL: there is none, or one stream alone is as fast. */
sha256_lanes_fn *sha256_lanes_find(void);

#endif
