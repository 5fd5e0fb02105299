/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256 through OpenSSL 3. Fetching an algorithm costs about as much as hashing 200 bytes, so a
 * hasher fetches once and is used for many messages. Everything here either works or the program
 * is broken (no memory, no default provider): such failures end it.
 */
#include "builder/image/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#define PREFIX "sha256:"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)

static void must(int ok)
{
	if (ok == 1)
		return;
	fputs("orlop: OpenSSL cannot do sha256\n", stderr);
	abort();
}

static void digest_format(const unsigned char bytes[32], struct digest *out)
{
	static const char digits[] = "0123456789abcdef";
	char *p = out->text + PREFIX_SIZE;

	memcpy(out->text, PREFIX, PREFIX_SIZE);
	for (size_t i = 0; i < 32; i++) {
		*p++ = digits[bytes[i] >> 4];
		*p++ = digits[bytes[i] & 15];
	}
	*p = '\0';
}

void digest_from_bytes(const unsigned char bytes[32], struct digest *out)
{
	static const unsigned char none[32];

	out->text[0] = '\0';
	if (memcmp(bytes, none, sizeof(none)) != 0)
		digest_format(bytes, out);
}

static unsigned char digit_value(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void digest_to_bytes(const struct digest *digest, unsigned char bytes[32])
{
	const char *hex = digest_hex(digest);

	memset(bytes, 0, 32);
	for (size_t i = 0; *hex && i < 32; i++)
		bytes[i] =
			(unsigned char)(digit_value(hex[2 * i]) << 4 | digit_value(hex[2 * i + 1]));
}

const char *digest_hex(const struct digest *digest)
{
	return digest->text[0] ? digest->text + PREFIX_SIZE : "";
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

bool digest_is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIGEST_HEX && !text[DIGEST_HEX];
}

int digest_parse(const char *text, struct digest *out, struct error *err)
{
	const char *colon = strchr(text, ':');

	if (!colon || colon == text)
		return error_invalid(err, "digest \"%.200s\" is not ALGORITHM:HEX", text);
	if (strncmp(text, PREFIX, PREFIX_SIZE) != 0)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "digest algorithm \"%.*s\" (only sha256)",
				 (int)(colon - text > 64 ? 64 : colon - text), text);
	return digest_from_hex(colon + 1, out, err);
}

int digest_from_hex(const char *hex, struct digest *out, struct error *err)
{
	if (!digest_is_hex(hex))
		return error_invalid(err, "digest \"%.200s\" is not 64 lower-case hex digits", hex);
	memcpy(out->text, PREFIX, PREFIX_SIZE);
	memcpy(out->text + PREFIX_SIZE, hex, DIGEST_HEX + 1);
	return 0;
}

void digest_of(const void *data, size_t size, struct digest *out)
{
	cleanup_hasher struct hasher hasher = HASHER_INIT;

	hasher_start(&hasher);
	hasher_add(&hasher, data, size);
	hasher_finish(&hasher, out);
}

void hasher_start(struct hasher *hasher)
{
	if (hasher->context) {
		must(EVP_DigestInit_ex2(hasher->context, NULL, NULL));
	} else {
		hasher->context = EVP_MD_CTX_new();
		must(hasher->context != NULL);
		must(EVP_DigestInit_ex2(hasher->context, EVP_sha256(), NULL));
	}
	hasher->size = 0;
}

void hasher_add(struct hasher *hasher, const void *data, size_t size)
{
	must(EVP_DigestUpdate(hasher->context, data, size));
	hasher->size += size;
}

void hasher_add_field(struct hasher *hasher, const void *data, size_t size)
{
	unsigned char length[8];

	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (unsigned char)((uint64_t)size >> (8 * i));
	hasher_add(hasher, length, sizeof(length));
	hasher_add(hasher, data, size);
}

void hasher_finish(struct hasher *hasher, struct digest *out)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	must(EVP_DigestFinal_ex(hasher->context, bytes, &size));
	must(size == 32);
	digest_format(bytes, out);
	hasher_start(hasher);
}

void hasher_done(struct hasher *hasher)
{
	EVP_MD_CTX_free(hasher->context);
	hasher->context = NULL;
}
