/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream by OpenSSL's own block function; from three on by lanes, where the processor has them
 * and nothing better. FIPS 180-4, 6.2.2.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* EVP shows no state */
#include "builder/image/sha256-stream.h"

#include <openssl/sha.h>
#include <string.h>

#include "builder/image/sha256-lanes.h"

static void load(const struct sha256_stream *stream, SHA256_CTX *out)
{
	SHA256_Init(out);
	memcpy(out->h, stream->state, sizeof(stream->state));
	out->Nl = (uint32_t)(stream->size << 3);
	out->Nh = (uint32_t)(stream->size >> 29);
}

void sha256_stream_start(struct sha256_stream *stream)
{
	SHA256_CTX context;

	SHA256_Init(&context);
	memcpy(stream->state, context.h, sizeof(stream->state));
	stream->size = 0;
}

static void add_one(struct sha256_stream *stream, const void *data, size_t size)
{
	SHA256_CTX context;

	load(stream, &context);
	SHA256_Update(&context, data, size);
	memcpy(stream->state, context.h, sizeof(stream->state));
}

/* Lanes without a stream of their own do the first one's work again. */
static void add_lanes(sha256_lanes_fn *add, struct sha256_stream *const streams[],
		      const void *const data[], size_t count, size_t size)
{
	uint32_t states[8][SHA256_LANES];
	const unsigned char *bytes[SHA256_LANES];

	for (size_t lane = 0; lane < SHA256_LANES; lane++) {
		size_t from = lane < count ? lane : 0;

		bytes[lane] = data[from];
		for (size_t i = 0; i < 8; i++)
			states[i][lane] = streams[from]->state[i];
	}
	add(states, bytes, size / SHA256_CHUNK);
	for (size_t lane = 0; lane < count; lane++)
		for (size_t i = 0; i < 8; i++)
			streams[lane]->state[i] = states[i][lane];
}

bool sha256_streams_share(void)
{
	return sha256_lanes_find() != NULL;
}

void sha256_streams_add(struct sha256_stream *const streams[], const void *const data[],
			size_t count, size_t size)
{
	sha256_lanes_fn *add = count < SHA256_LANES_LEAST ? NULL : sha256_lanes_find();

	if (add)
		add_lanes(add, streams, data, count, size);
	for (size_t i = 0; i < count; i++) {
		if (!add)
			add_one(streams[i], data[i], size);
		streams[i]->size += size;
	}
}

void sha256_stream_finish(struct sha256_stream *stream, const void *rest, size_t size,
			  struct digest *out)
{
	unsigned char bytes[SHA256_DIGEST_LENGTH];
	SHA256_CTX context;

	load(stream, &context);
	SHA256_Update(&context, rest, size);
	SHA256_Final(bytes, &context);
	digest_from_bytes(bytes, out);
}
