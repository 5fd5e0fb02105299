/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text, and the walks over trusted host paths. */
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void test_clean(void)
{
	static const char *const cases[][2] = {
		{ "", "." },
		{ ".", "." },
		{ "/", "/" },
		{ "//a///b/", "/a/b" },
		{ "/a/./b/../c", "/a/c" },
		{ "/../../x", "/x" },
		{ "a/../..", ".." },
		{ "../../x/..", "../.." },
		{ "./a", "a" },
		{ "a/b/../../c", "c" },
		{ "/a/..", "/" },
		{ "..a/.b", "..a/.b" },
		{ "../a/../../b", "../../b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *clean = path_clean(cases[i][0]);

		CHECK_STR(clean, cases[i][1]);
	}
}

static void test_parts(void)
{
	cleanup_free char *joined = path_join("/a/b", "../c");
	cleanup_free char *absolute = path_join("/a/b", "/c");
	cleanup_free char *parent = path_parent("/a/b");
	cleanup_free char *top = path_parent("/a");
	cleanup_free char *none = path_parent("a");

	CHECK_STR(joined, "/a/c");
	CHECK_STR(absolute, "/c");
	CHECK_STR(parent, "/a");
	CHECK_STR(top, "/");
	CHECK_STR(none, ".");
	CHECK_STR(path_base("/a/b"), "b");
	CHECK_STR(path_base("b"), "b");
	CHECK(path_is_below("/a/b", "/a") && path_is_below("/a", "/a") && path_is_below("/a", "/"));
	CHECK(!path_is_below("/ab", "/a"));
}

static void test_put(void)
{
	char path[9];

	CHECK(path_put(path, sizeof(path), "/a", "/b", "c"));
	CHECK_STR(path, "/a/bc");
	CHECK(path_put(path, sizeof(path), "", "12345678", ""));
	CHECK_STR(path, "12345678");
	CHECK(!path_put(path, sizeof(path), "/", "1234567", "8"));
	CHECK_STR(path, "");
	CHECK(!path_put(path, 1, "", "", "a"));
	CHECK(path_put(path, 1, "", "", ""));
}

static void test_trees(void)
{
	char top[] = "/tmp/orlop-test-path-XXXXXX";
	cleanup_free char *deep = NULL, *link = NULL, *kept = NULL;
	cleanup_close int fd = -EBADF;

	CHECK(mkdtemp(top));
	deep = xasprintf("%s/tree/a/b/c", top);
	link = xasprintf("%s/tree/a/link", top);
	kept = xasprintf("%s/kept", top);
	CHECK_INT(path_mkdir_all(deep, 0755, NULL), 0);
	CHECK_INT(path_mkdir_all(deep, 0755, NULL), 0);
	CHECK_INT(mkdir(kept, 0755), 0);
	CHECK_INT(symlink(kept, link), 0);
	fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(path_remove_tree(fd, "tree", NULL), 0);
	CHECK_INT(path_remove_tree(fd, "tree", NULL), 0); /* absent is fine */
	CHECK_INT(access(kept, F_OK), 0);		  /* the link was not followed */
	CHECK_INT(rmdir(kept), 0);
	CHECK_INT(rmdir(top), 0);
}

CHECK_MAIN({ "paths are cleaned lexically", test_clean },
	   { "join, parent, base, below", test_parts },
	   { "pieces go into their room, or none does", test_put },
	   { "trees are made and removed without following links", test_trees })
