/* SPDX-License-Identifier: Apache-2.0 */
/* builder/context/patterns and ignore: the rules of .dockerignore. */
#include "builder/context/ignore.h"

#include <errno.h>
#include <time.h>

#include "builder/context/patterns.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

static bool matches(const char *text, const char *path)
{
	struct pattern *pattern;
	bool found;

	if (pattern_compile(text, PATTERN_IGNORE, &pattern, NULL) < 0)
		return false;
	found = pattern_matches(pattern, path);
	pattern_free(pattern);
	return found;
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {
		{ "a", "a", true },
		{ "a", "ab", false },
		{ "*.md", "README.md", true },
		{ "*.md", "doc/README.md", false },
		{ "*/*.md", "doc/README.md", true },
		{ "**/*.md", "README.md", true },
		{ "**/*.md", "a/b/README.md", true },
		{ "**.md", "a/b.md", true },
		{ "doc/**", "doc/a/b", true },
		{ "doc/**", "doc", false },
		{ "doc/**/x", "doc/x", true },
		{ "doc/**/x", "doc/a/b/x", true },
		{ "doc/**/x", "doc/ax", false },
		{ "a**b", "ab", true },
		{ "a**b", "axb", false },
		{ "a?c", "abc", true },
		{ "a?c", "a/c", false },
		{ "?", "\xC3\xA4", true },
		{ "[a-c]x", "bx", true },
		{ "[^a-c]x", "bx", false },
		{ "[^a-c]x", "dx", true },
		{ "[\\]]", "]", true },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
		{ "a.b$", "a.b$", true },
		{ "a.b", "axb", false },
		{ "**", "any/thing", true },
		{ "*", "any/thing", false },
		{ "**foo", "xfoo", true },
		{ "**/foo", "xfoo", false },
		{ "**/foo", "foo", true },
		{ "doc/*.md", "doc/x.md", true },
		{ "doc/*.md", "doc/x.mdx", false },
		{ "ab*ab", "ab", false },
		{ "ab*ab", "abab", true },
		{ "ab*ab", "ab/ab", false },
		{ "\\*a*\\?", "*ab?", true },
		{ "\\*a*\\?", "*ab", false },
		{ "\xC3\xA4*\xF7\xBF\xBF\xBF", "\xC3\xA4x\xF7\xBF\xBF\xBF", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (matches(cases[i].pattern, cases[i].path) != cases[i].match) {
			printf("# pattern %s path %s\n", cases[i].pattern, cases[i].path);
			CHECK_INT(!cases[i].match, cases[i].match);
		}
}

static void test_bad_patterns(void)
{
	static const char *const bad[] = { "[", "[a", "a\\", "[]a]", "[a-", "[z-a]", "[-]" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pattern *pattern;

		CHECK_ERROR(pattern_compile(bad[i], PATTERN_IGNORE, &pattern, &err), EINVAL,
			    "syntax error in pattern");
	}
}

static bool ignored(const char *file, const char *path)
{
	cleanup_ignore struct ignore ignore = IGNORE_INIT;

	CHECK_INT(ignore_add_file(&ignore, ".dockerignore", file, NULL), 0);
	return ignore_check_path(&ignore, path, NULL);
}

static void test_files(void)
{
	static const char file[] = "\xEF\xBB\xBF# comment\n\n /node_modules/ \r\n*.log\n"
				   "!keep.log\n  !  sub/../dir/keep  \ndir\n!dir/in\n #x\n";

	CHECK(ignored(file, "node_modules"));
	CHECK(ignored(file, "node_modules/a/b"));
	CHECK(!ignored(file, "src/node_modules"));
	CHECK(ignored(file, "a.log"));
	CHECK(!ignored(file, "keep.log"));
	CHECK(ignored(file, "dir"));
	CHECK(ignored(file, "dir/x"));
	CHECK(!ignored(file, "dir/in"));
	CHECK(!ignored(file, "dir/in/deep"));
	CHECK(ignored(file, "dir/keep"));
	CHECK(ignored(file, "#x"));
	CHECK(!ignored(file, "comment"));
}

/* A line becomes a pattern, and the matcher reads that again. */
static void test_leading_slash(void)
{
	CHECK(ignored("/ a\n", "a"));
	CHECK(!ignored("/ a\n", " a"));
	CHECK(ignored("*\n!/ a\n", "a"));
	CHECK(!ignored("*\n!/ a\n", " a"));
	CHECK(!ignored("*\n/!a\n", "a"));
	CHECK(!ignored("/ /a\n", "a"));
	CHECK(ignored("\xC2\xA0\xE2\x80\x83 a\xE3\x80\x80\n", "a"));
	CHECK(ignored("a\x80\n", "a\x80"));
}

static void test_order(void)
{
	CHECK(!ignored("*\n!a\n", "a"));
	CHECK(ignored("!a\n*\n", "a"));
	CHECK(ignored("**\n!a/*.c\na/b.c\n", "a/b.c"));
	CHECK(!ignored("**\n!a/*.c\na/b.c\n", "a/c.c"));
}

static void test_errors(void)
{
	cleanup_ignore struct ignore ignore = IGNORE_INIT;

	CHECK_ERROR(ignore_add_file(&ignore, ".dockerignore", "a\n[x\n", &err), EINVAL,
		    ".dockerignore:2: syntax error");
	CHECK_ERROR(ignore_add(&ignore, "!", &err), EINVAL, "illegal exclusion");
}

static void test_linear(void)
{
	cleanup_free char *path = xmalloc(100001);
	clock_t start = clock();

	memset(path, 'a', 100000);
	path[100000] = '\0';
	CHECK(!matches("**/*a*a*a*a*a*a*a*a*b", path));
	CHECK(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void test_wildcards(void)
{
	struct pattern *pattern;

	CHECK(pattern_has_wildcards("a*"));
	CHECK(!pattern_has_wildcards("a\\*"));
	CHECK_INT(pattern_compile("**", PATTERN_WILDCARD, &pattern, NULL), 0);
	CHECK(pattern_matches(pattern, "abc"));
	CHECK(!pattern_matches(pattern, "a/c"));
	pattern_free(pattern);
}

CHECK_MAIN({ "patterns match as moby's do", test_patterns },
	   { "broken patterns are errors", test_bad_patterns },
	   { "comments, slashes and blanks of a file", test_files },
	   { "a leading slash, then blanks", test_leading_slash },
	   { "the last match decides", test_order }, { "errors name the line", test_errors },
	   { "matching is linear", test_linear },
	   { "wildcards of sources stay in a component", test_wildcards })
