/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content digests: sha256 through OpenSSL's EVP (which picks the CPU's instructions). A digest is
 * its text, "sha256:" and 64 lower-case hex digits, because that is how every document, file name
 * and message has it.
 */
#ifndef BUILDER_IMAGE_DIGEST_H
#define BUILDER_IMAGE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define DIGEST_HEX 64
#define DIGEST_TEXT 71 /* "sha256:" + hex */

struct digest {
	char text[DIGEST_TEXT + 1]; /* "" = none */
};

/** The 64 hex digits behind "sha256:" (borrowed); "" when there is no digest. */
const char *digest_hex(const struct digest *digest);
bool digest_equal(const struct digest *a, const struct digest *b);
/** Exactly 64 lower-case hex digits? */
bool digest_is_hex(const char *text);

/** Parse "sha256:HEX"; other algorithms are ERROR_UNSUPPORTED, other text ERROR_INVALID. */
int digest_parse(const char *text, struct digest *out, struct error *err);
/** From 64 hex digits. */
int digest_from_hex(const char *hex, struct digest *out, struct error *err);

/** From and to its 32 bytes; all zero stands for no digest. */
void digest_from_bytes(const unsigned char bytes[32], struct digest *out);
void digest_to_bytes(const struct digest *digest, unsigned char bytes[32]);

/** One-shot. */
void digest_of(const void *data, size_t size, struct digest *out);

/**
 * Streaming. hasher_start fetches the algorithm; hasher_finish gives the digest and leaves the
 * hasher ready for the next message without fetching again: keep one for many small files.
 */
struct hasher {
	void *context; /* EVP_MD_CTX; NULL = not started */
	uint64_t size; /* bytes since start or the last finish */
};

#define HASHER_INIT                                                                                \
	{                                                                                          \
		NULL, 0                                                                            \
	}

void hasher_start(struct hasher *hasher);
void hasher_add(struct hasher *hasher, const void *data, size_t size);
/** A length (8 bytes, little endian) and then the bytes: fields of a key that can't run together.
 */
void hasher_add_field(struct hasher *hasher, const void *data, size_t size);
void hasher_finish(struct hasher *hasher, struct digest *out);
void hasher_done(struct hasher *hasher);
#define cleanup_hasher __attribute__((cleanup(hasher_done)))

#endif
