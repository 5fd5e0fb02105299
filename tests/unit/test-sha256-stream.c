/* SPDX-License-Identifier: Apache-2.0 */
/* builder/image/sha256-stream.c: any number of streams, in lanes and one by one, have OpenSSL's
 * digest. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "builder/image/sha256-stream.h"

#include <openssl/sha.h>
#include <string.h>

#include "builder/image/sha256-lanes.h"
#include "tests/unit/check.h"

#define CHUNKS 5
#define SIZE (CHUNKS * SHA256_CHUNK)

static unsigned char data[SHA256_LANES][2 * SIZE + 13];

static void check_streams(size_t count)
{
	struct sha256_stream streams[SHA256_LANES], *pointers[SHA256_LANES];
	const void *bytes[SHA256_LANES];
	struct digest digest, wanted;

	for (size_t i = 0; i < count; i++) {
		sha256_stream_start(&streams[i]);
		pointers[i] = &streams[i];
	}
	for (size_t half = 0; half < 2; half++) {
		for (size_t i = 0; i < count; i++)
			bytes[i] = data[i] + half * SIZE;
		sha256_streams_add(pointers, bytes, count, SIZE);
	}
	for (size_t i = 0; i < count; i++) {
		sha256_stream_finish(&streams[i], data[i] + (size_t)2 * SIZE, 13, &digest);
		digest_of(data[i], sizeof(data[i]), &wanted);
		CHECK_STR(digest.text, wanted.text);
	}
}

static void test_counts(void)
{
	uint32_t x = 7;

	for (size_t i = 0; i < sizeof(data); i++)
		((unsigned char *)data)[i] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
	for (size_t count = 1; count <= SHA256_LANES; count++)
		check_streams(count);
}

/* Whatever a processor has does what OpenSSL's own function does, also where that is preferred. */
static void test_processors(void)
{
	const unsigned char *bytes[SHA256_LANES];
	uint32_t states[8][SHA256_LANES];
	sha256_lanes_fn *add;
	SHA256_CTX one;

	for (size_t i = 0; i < SHA256_LANES; i++)
		bytes[i] = data[i];
	for (size_t n = 0; (add = sha256_lanes_nth(n)); n++) {
		memset(states, 5, sizeof(states));
		add(states, bytes, CHUNKS);
		for (size_t lane = 0; lane < SHA256_LANES; lane++) {
			memset(one.h, 5, sizeof(one.h));
			for (size_t i = 0; i < CHUNKS; i++)
				SHA256_Transform(&one, data[lane] + i * SHA256_CHUNK);
			for (size_t word = 0; word < 8; word++)
				CHECK_INT(states[word][lane], one.h[word]);
		}
	}
}

CHECK_MAIN({ "one to eight streams", test_counts }, { "all kinds of lanes", test_processors })
