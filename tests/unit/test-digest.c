/* SPDX-License-Identifier: Apache-2.0 */
/* builder/image/digest.c and reference.c: digests and names of images. */
#include "builder/image/digest.h"
#include "builder/image/reference.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_known(void)
{
	struct digest digest;

	digest_of("", 0, &digest);
	CHECK_STR(digest.text, EMPTY);
	digest_of("abc", 3, &digest);
	CHECK_STR(digest.text, ABC);
	CHECK_STR(digest_hex(&digest), ABC + 7);
}

static void test_streaming(void)
{
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	struct digest digest;

	hasher_start(&hasher);
	hasher_add(&hasher, "a", 1);
	hasher_add(&hasher, "bc", 2);
	CHECK_INT(hasher.size, 3);
	hasher_finish(&hasher, &digest);
	CHECK_STR(digest.text, ABC);
	CHECK_INT(hasher.size, 0);
	hasher_finish(&hasher, &digest); /* starts over by itself */
	CHECK_STR(digest.text, EMPTY);
}

static void test_fields(void)
{
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	struct digest a, b;

	hasher_start(&hasher);
	hasher_add_field(&hasher, "ab", 2);
	hasher_add_field(&hasher, "c", 1);
	hasher_finish(&hasher, &a);
	hasher_add_field(&hasher, "a", 1);
	hasher_add_field(&hasher, "bc", 2);
	hasher_finish(&hasher, &b);
	CHECK(!digest_equal(&a, &b));
}

static void test_parse(void)
{
	struct digest digest = { "" };

	CHECK_INT(digest_parse(ABC, &digest, NULL), 0);
	CHECK_STR(digest.text, ABC);
	CHECK_ERROR(digest_parse("sha512:00", &digest, &err), 95, "digest algorithm \"sha512\"");
	CHECK_ERROR(digest_parse("abc", &digest, &err), 22, "not ALGORITHM:HEX");
	CHECK_ERROR(digest_parse("sha256:ABC", &digest, &err), 22, "64 lower-case hex");
	CHECK_ERROR(digest_parse(EMPTY "0", &digest, &err), 22, "64 lower-case hex");
	CHECK_STR(digest.text, ABC);
}

static const struct {
	const char *text, *full, *familiar;
} names[] = {
	{ "debian", "docker.io/library/debian:latest", "debian" },
	{ "debian:12", "docker.io/library/debian:12", "debian:12" },
	{ "docker.io/debian", "docker.io/library/debian:latest", "debian" },
	{ "index.docker.io/library/debian", "docker.io/library/debian:latest", "debian" },
	{ "me/app", "docker.io/me/app:latest", "me/app" },
	{ "localhost/app", "localhost/app:latest", "localhost/app" },
	{ "localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1" },
	{ "quay.io/a/b_c/d--e", "quay.io/a/b_c/d--e:latest", "quay.io/a/b_c/d--e" },
	{ "[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x" },
	{ "Host/x", "Host/x:latest", "Host/x" },
	{ "docker.io/localhost/x", "docker.io/localhost/x:latest", "docker.io/localhost/x" },
	{ "a@" ABC, "docker.io/library/a@" ABC, "a@" ABC },
	{ "a:b@" ABC, "docker.io/library/a:b@" ABC, "a:b@" ABC },
	{ "a:latest@" ABC, "docker.io/library/a:latest@" ABC, "a:latest@" ABC },
};

static void test_references(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_strbuf struct strbuf full = STRBUF_INIT, familiar = STRBUF_INIT;
		struct reference reference, again;

		CHECK_INT(reference_parse(names[i].text, &reference, NULL), 0);
		reference_full(&reference, &full);
		CHECK_STR(strbuf_text(&full), names[i].full);
		reference_familiar(&reference, false, &familiar);
		CHECK_STR(strbuf_text(&familiar), names[i].familiar);
		/* what is shown can be typed */
		CHECK_INT(reference_parse(strbuf_text(&familiar), &again, NULL), 0);
		CHECK_STR(again.name, reference.name);
		CHECK_STR(again.tag, reference.tag);
	}
}

static void test_bad_references(void)
{
	static const char *const bad[] = {
		"",	  ":x",	    "a:",	   "a:-x",    "/a",	     "a/",	"a//b",
		"A",	  "a/B",    "-a",	   "a-",      "a___b",	     "a..b",	"a._b",
		"a b",	  "a@b",    "a@sha256:00", "-x.io/a", "x.io:port/a", "x..io/a", "[::1/x",
		"../etc", "a/../b", "./a",	   "a\n",     "host.io/",    ABC + 7,
	};
	char longest[400];
	struct reference reference = { "kept", "", { "" } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int ret = reference_parse(bad[i], &reference, NULL);

		CHECK_INT(ret, -22);
		if (ret != -22)
			printf("# taken: \"%s\" as \"%s\"\n", bad[i], reference.name);
	}
	memset(longest, 'a', sizeof(longest));
	longest[255 - strlen("docker.io/library/")] = '\0';
	CHECK_STR(reference.name, "kept");
	CHECK_INT(reference_parse(longest, &reference, NULL), 0);
	CHECK_INT(strlen(reference.name), REFERENCE_NAME_MAX);
	longest[strlen(longest)] = 'a';
	longest[255 - strlen("docker.io/library/") + 1] = '\0';
	CHECK_ERROR(reference_parse(longest, &reference, &err), 22, "longer than 255");
}

CHECK_MAIN({ "sha256 of known texts", test_known }, { "pieces are one message", test_streaming },
	   { "fields of a key can't run together", test_fields },
	   { "texts are checked", test_parse },
	   { "names have a full and a familiar form", test_references },
	   { "what is no name is refused", test_bad_references })
