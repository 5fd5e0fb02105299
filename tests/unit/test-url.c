/* SPDX-License-Identifier: Apache-2.0 */
/* What decides where credentials go. */
#include "builder/registry/url.h"

#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void test_escape(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	url_escape("a b&c=%/~", &out);
	CHECK_STR(strbuf_text(&out), "a%20b%26c%3D%25%2F~");
}

static void test_place(void)
{
	CHECK(url_is_at("https://a:1/x", "https", "a:1"));
	CHECK(!url_is_at("https://a:1@b/x", "https", "a:1"));
	CHECK(!url_is_at("http://a:1/x", "https", "a:1"));
	CHECK(url_same_origin("https://a/x", "https://A/y?z"));
	CHECK(!url_same_origin("https://a/x", "https://a:444/x"));
	CHECK(!url_same_origin("a", "a"));
}

static void test_loopback(void)
{
	static const char *const here[] = { "localhost", "LOCALHOST:80/x", "127.0.0.1:5000",
					    "127.9.9.9", "[::1]",	   "[::1]:443/v2/" };
	static const char *const elsewhere[] = {
		"",	"local", "localhost.evil",    "127.0.0.1.evil", "128.0.0.1",
		"[::1", "[::2]", "localhost:1@evil/", "[::1]@evil",	"127.0.0.1@evil:1"
	};

	for (size_t i = 0; i < ARRAY_SIZE(here); i++)
		CHECK(url_is_loopback(here[i]));
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		CHECK(!url_is_loopback(elsewhere[i]));
}

CHECK_MAIN({ "escapes", test_escape }, { "places and origins", test_place },
	   { "loopback addresses, and what only begins like one", test_loopback })
