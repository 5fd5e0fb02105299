/* SPDX-License-Identifier: Apache-2.0 */
/* builder/build: keys, history texts, modes. */
#include "builder/build/cache-key.h"
#include "builder/build/chmod.h"
#include "builder/build/plan-history.h"
#include "lib/cleanup.h"
#include "spec/image-config.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <sys/stat.h>

/* A key of two components and a list. */
static struct cache_key key(const char *a, const char *b, const char *const *list, size_t count)
{
	struct key_builder builder;
	struct cache_key out;

	key_begin(&builder, "test");
	key_add(&builder, "a", a);
	key_add(&builder, "b", b);
	key_add_list(&builder, "list", list, count);
	key_finish(&builder, &out, NULL);
	return out;
}

static void test_keys(void)
{
	static const char *const list[] = { "x", "y" }, *const joined[] = { "xy" };
	struct cache_key keys[] = {
		key("1", "2", list, 2),	   key("1", "2", list, 1), key("1", "2", joined, 1),
		key("12", "", list, 2),	   key("1", "", list, 2),  key("1", NULL, list, 2),
		key("", "12", list, 2),	   key("2", "1", list, 2), key("1", "absent", list, 2),
		key("1", "text", list, 2),
	};
	struct cache_key again = key("1", "2", list, 2);

	CHECK_STR(again.hex, keys[0].hex);
	CHECK_INT(strlen(again.hex), 64);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (size_t j = i + 1; j < ARRAY_SIZE(keys); j++)
			CHECK(strcmp(keys[i].hex, keys[j].hex) != 0);
}

/* A change of the key's form must be meant: caches of users are lost by it. */
static void test_key_is_stable(void)
{
	static const char *const list[] = { "x", "y" };
	struct key_builder builder;
	struct cache_key out;
	cleanup_free char *manifest = NULL;

	key_begin(&builder, "test");
	key_add(&builder, "a", "quote \"");
	key_add(&builder, "none", NULL);
	key_add_list(&builder, "list", list, 2);
	key_finish(&builder, &out, &manifest);
	CHECK_STR(manifest, "{\"format\":\"2\",\"kind\":\"test\",\"a\":\"quote \\\"\","
			    "\"none\":null,\"list\":[\"x\",\"y\"]}");
	CHECK_STR(out.hex, "8e4b97ac27bfc81d1f8030d9ed4eb6bef46eaeaaef9dc86c45260dbf6ee95b49");
}

static const char *duration(int64_t ns)
{
	static char text[64];
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	history_add_duration(&buf, ns);
	snprintf(text, sizeof(text), "%s", strbuf_text(&buf));
	return text;
}

static void test_durations(void)
{
	CHECK_STR(duration(0), "0s");
	CHECK_STR(duration(1), "1ns");
	CHECK_STR(duration(1500), "1.5\xC2\xB5s");
	CHECK_STR(duration(500000000), "500ms");
	CHECK_STR(duration(1000000000), "1s");
	CHECK_STR(duration(1500000000), "1.5s");
	CHECK_STR(duration(90000000000), "1m30s");
	CHECK_STR(duration(3600000000000), "1h0m0s");
	CHECK_STR(duration(3661001000000), "1h1m1.001s");
}

static void test_lists(void)
{
	static const char *const items[] = { "a b", "c\"d" };
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	history_add_list(&buf, items, 2);
	strbuf_addc(&buf, ' ');
	history_add_quoted(&buf, items, 2);
	history_add_quoted(&buf, items, 0);
	CHECK_STR(strbuf_text(&buf), "[a b c\"d] [\"a b\" \"c\\\"d\"][]");
}

static mode_t changed(const char *text, mode_t mode)
{
	struct chmod chmod;

	CHECK_INT(chmod_parse(text, &chmod, NULL), 0);
	return chmod_apply(&chmod, mode);
}

static void test_modes(void)
{
	CHECK_INT(changed("0644", S_IFREG | 0777), 0644);
	CHECK_INT(changed("4755", S_IFREG | 0), 04755);
	CHECK_INT(changed("u=rwX,go=rX", S_IFREG | 0600), 0644);
	CHECK_INT(changed("u=rwX,go=rX", S_IFREG | 0700), 0755);
	CHECK_INT(changed("u=rwX,go=rX", S_IFDIR | 0), 0755);
	CHECK_INT(changed("a+x", S_IFREG | 0644), 0755);
	CHECK_INT(changed("+x", S_IFREG | 0644), 0755);
	CHECK_INT(changed("g-w,o=", S_IFREG | 0666), 0640);
	CHECK_INT(changed("u+s,g+s", S_IFREG | 0755), 06755);
	CHECK_INT(changed("+t", S_IFDIR | 0777), 01777);
	CHECK_INT(changed("u=rw-x+x", S_IFREG | 0), 0700 - 0);
	CHECK_INT(changed("u-s", S_IFREG | 04755), 0755);
	CHECK_INT(changed("g=u,o=g", S_IFREG | 0741), 0777);
	CHECK_INT(changed("o=u-x", S_IFREG | 0750), 0756);
	CHECK_INT(changed("g+o", S_IFREG | 0604), 0644);
}

static void test_bad_modes(void)
{
	static const char *const bad[] = { "8",	   "0x1", "77777", "u",	   "u=q", "=+,",
					   "u=r,", "",	  "q=r",   "g=ux", "g=xu" };
	struct chmod chmod;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_ERROR(chmod_parse(bad[i], &chmod, &err), EINVAL, "--chmod");
}

CHECK_MAIN({ "keys tell components apart", test_keys },
	   { "a key's form is stable", test_key_is_stable },
	   { "durations as Go prints them", test_durations },
	   { "lists as Go prints them", test_lists }, { "modes, octal and symbolic", test_modes },
	   { "bad modes are errors", test_bad_modes })
