/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of eight words, a lane a stream, for x86's AVX2 and for AVX-512, which rotates and
 * combines three operands in one instruction. Called by sha256-stream.c.
 */
#include "builder/image/sha256-lanes.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>

/* FIPS 180-4, 4.2.2 */
static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

#define ADD(a, b) _mm256_add_epi32(a, b)
#define XOR(a, b) _mm256_xor_si256(a, b)
#define SHIFT(a, n) _mm256_srli_epi32(a, n)

/* Words 0 to 7, or 8 to 15, of a chunk: row i of the rectangle is lane i's, and shall be word i's.
 */
#define TRANSPOSE(r)                                                                               \
	do {                                                                                       \
		__m256i t[8], u[8];                                                                \
                                                                                                   \
		for (int i = 0; i < 8; i += 2) {                                                   \
			t[i] = _mm256_unpacklo_epi32((r)[i], (r)[i + 1]);                          \
			t[i + 1] = _mm256_unpackhi_epi32((r)[i], (r)[i + 1]);                      \
		}                                                                                  \
		for (int i = 0; i < 8; i += 4) {                                                   \
			u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);                              \
			u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);                          \
			u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);                      \
			u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);                      \
		}                                                                                  \
		for (int i = 0; i < 4; i++) {                                                      \
			(r)[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);                  \
			(r)[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);              \
		}                                                                                  \
	} while (0)

/* The same function for two processors, which differ in how they do ROTATE, XOR3, CHOOSE and
 * MAJORITY. */
#define DEFINE_LANES(name, processor)                                                              \
	__attribute__((target(processor))) static void name(                                       \
		uint32_t states[8][8], const unsigned char *const data[8], size_t chunks)          \
	{                                                                                          \
		const __m256i order = _mm256_broadcastsi128_si256(                                 \
			_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));                   \
		__m256i s[8], w[16];                                                               \
                                                                                                   \
		for (int i = 0; i < 8; i++)                                                        \
			s[i] = _mm256_loadu_si256((const __m256i *)(const void *)states[i]);       \
		for (size_t chunk = 0; chunk < chunks; chunk++) {                                  \
			__m256i a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5],        \
				g = s[6], h = s[7];                                                \
                                                                                                   \
			for (int i = 0; i < 16; i++)                                               \
				w[i] = _mm256_shuffle_epi8(                                        \
					_mm256_loadu_si256(                                        \
						(const __m256i *)(const void *)(data[i & 7] +      \
										64 * chunk +       \
										32 * (i >> 3))),   \
					order);                                                    \
			TRANSPOSE(w);                                                              \
			TRANSPOSE(w + 8);                                                          \
			for (int i = 0; i < 64; i++) {                                             \
				__m256i t1, t2, *x = &w[i & 15];                                   \
                                                                                                   \
				if (i >= 16) {                                                     \
					__m256i y = w[(i + 1) & 15], z = w[(i + 14) & 15];         \
                                                                                                   \
					y = XOR3(ROTATE(y, 7), ROTATE(y, 18), SHIFT(y, 3));        \
					z = XOR3(ROTATE(z, 17), ROTATE(z, 19), SHIFT(z, 10));      \
					*x = ADD(ADD(*x, y), ADD(w[(i + 9) & 15], z));             \
				}                                                                  \
				t1 = ADD(ADD(h, *x), _mm256_set1_epi32((int)constants[i]));        \
				t1 = ADD(t1, XOR3(ROTATE(e, 6), ROTATE(e, 11), ROTATE(e, 25)));    \
				t1 = ADD(t1, CHOOSE(e, f, g));                                     \
				t2 = XOR3(ROTATE(a, 2), ROTATE(a, 13), ROTATE(a, 22));             \
				t2 = ADD(t2, MAJORITY(a, b, c));                                   \
				h = g, g = f, f = e, e = ADD(d, t1);                               \
				d = c, c = b, b = a, a = ADD(t1, t2);                              \
			}                                                                          \
			s[0] = ADD(s[0], a), s[1] = ADD(s[1], b), s[2] = ADD(s[2], c);             \
			s[3] = ADD(s[3], d), s[4] = ADD(s[4], e), s[5] = ADD(s[5], f);             \
			s[6] = ADD(s[6], g), s[7] = ADD(s[7], h);                                  \
		}                                                                                  \
		for (int i = 0; i < 8; i++)                                                        \
			_mm256_storeu_si256((__m256i *)(void *)states[i], s[i]);                   \
	}

#define ROTATE(a, n) _mm256_or_si256(SHIFT(a, n), _mm256_slli_epi32(a, 32 - (n)))
#define XOR3(a, b, c) XOR(XOR(a, b), c)
#define CHOOSE(e, f, g) XOR(g, _mm256_and_si256(e, XOR(f, g)))
#define MAJORITY(a, b, c)                                                                          \
	_mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)))
DEFINE_LANES(add_avx2, "avx2")

#undef ROTATE
#undef XOR3
#undef CHOOSE
#undef MAJORITY
#define ROTATE(a, n) _mm256_ror_epi32(a, n)
#define XOR3(a, b, c) _mm256_ternarylogic_epi32(a, b, c, 0x96)
#define CHOOSE(e, f, g) _mm256_ternarylogic_epi32(e, f, g, 0xca)
#define MAJORITY(a, b, c) _mm256_ternarylogic_epi32(a, b, c, 0xe8)
DEFINE_LANES(add_avx512, "avx2,avx512f,avx512vl")

/* Instructions for sha256 itself: one stream is as fast with them as eight without. */
static bool has_sha(void)
{
	unsigned int a, b = 0, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1U << 29));
}

sha256_lanes_fn *sha256_lanes_nth(size_t n)
{
	if (__builtin_cpu_supports("avx512vl") && n-- == 0)
		return add_avx512;
	return __builtin_cpu_supports("avx2") && n == 0 ? add_avx2 : NULL;
}

sha256_lanes_fn *sha256_lanes_find(void)
{
	return has_sha() ? NULL : sha256_lanes_nth(0);
}

#else

sha256_lanes_fn *sha256_lanes_nth(size_t n)
{
	(void)n;
	return NULL;
}

sha256_lanes_fn *sha256_lanes_find(void)
{
	return NULL;
}

#endif
