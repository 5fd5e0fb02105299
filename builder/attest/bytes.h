/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file that nobody vouches for, and numbers in them: nothing is read outside. */
#ifndef BUILDER_ATTEST_BYTES_H
#define BUILDER_ATTEST_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t size;
};

/** size bytes from at on; false = they are not all there. */
static inline bool bytes_slice(struct bytes bytes, size_t at, size_t size, struct bytes *out)
{
	if (at > bytes.size || size > bytes.size - at)
		return false;
	*out = (struct bytes){ bytes.data + at, size };
	return true;
}

/** The numbers of a file's format; 0 where the bytes have come to an end. */
static inline uint32_t bytes_be32(struct bytes bytes, size_t at)
{
	struct bytes number;
	uint32_t value = 0;

	if (bytes_slice(bytes, at, sizeof(value), &number))
		memcpy(&value, number.data, sizeof(value));
	return be32toh(value);
}

static inline uint32_t bytes_le32(struct bytes bytes, size_t at)
{
	return __builtin_bswap32(bytes_be32(bytes, at));
}

static inline uint16_t bytes_be16(struct bytes bytes, size_t at)
{
	struct bytes number;
	uint16_t value = 0;

	if (bytes_slice(bytes, at, sizeof(value), &number))
		memcpy(&value, number.data, sizeof(value));
	return be16toh(value);
}

#endif
