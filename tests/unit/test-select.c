/* SPDX-License-Identifier: Apache-2.0 */
/* builder/context/context and select: what a source means, and that it stays inside the root. */
#include "builder/context/select.h"

#include <fcntl.h>
#include <unistd.h>

#include "builder/context/context.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

static char base[] = "/tmp/orlop-test-select-XXXXXX";
static int root_fd;

static void make_file(const char *path, const char *text)
{
	cleanup_close int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
}

static void make_tree(void)
{
	static const char *const folders[] = { "src", "src/sub", "empty", "z" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		CHECK_INT(mkdirat(root_fd, folders[i], 0755), 0);
	make_file("a.txt", "a");
	make_file("b.txt", "bb");
	make_file("src/main.c", "m");
	make_file("src/sub/deep.c", "d");
	make_file("src/sub/deep.o", "o");
	make_file("we*rd", "w");
	CHECK_INT(symlinkat("src/main.c", root_fd, "link"), 0);
	CHECK_INT(symlinkat("/etc/passwd", root_fd, "out"), 0);
	CHECK_INT(symlinkat("../../../../etc", root_fd, "z/up"), 0);
	CHECK_INT(symlinkat("src", root_fd, "folder"), 0);
}

static const char *selected(const char *name, const struct ignore *ignore)
{
	static char text[1024];
	struct select_root root = { root_fd, ignore };
	cleanup_source_list struct source_list list = { NULL, 0, 0 };
	struct error err = ERROR_INIT;
	int ret = select_sources(&root, name, &list, &err);

	if (ret < 0)
		return error_text(&err, text, sizeof(text));
	text[0] = '\0';
	for (size_t i = 0; i < list.count; i++)
		sprintf(text + strlen(text), "%s%s=%s%s", i ? " " : "", list.items[i].name,
			list.items[i].path, list.items[i].is_folder ? "/" : "");
	return text;
}

static void test_names(void)
{
	CHECK_STR(selected("a.txt", NULL), "a.txt=a.txt");
	CHECK_STR(selected("/src/", NULL), "src=src/");
	CHECK_STR(selected(".", NULL), ".=./");
	CHECK_STR(selected("../a.txt", NULL), "a.txt=a.txt");
	CHECK_STR(selected("link", NULL), "link=src/main.c");
	CHECK_STR(selected("folder/sub", NULL), "sub=src/sub/");
	CHECK_STR(selected("we\\*rd", NULL), "we*rd=we*rd");
	CHECK_STR(selected("nothing", NULL), "\"/nothing\": not found");
	CHECK_STR(selected("a.txt/x", NULL), "\"/a.txt/x\": not found");
}

static void test_inside(void)
{
	CHECK_STR(selected("out", NULL), "\"/out\": not found");
	CHECK_STR(selected("z/up/passwd", NULL), "\"/z/up/passwd\": not found");
	CHECK_STR(selected("z/up/*", NULL), "");
}

static void test_wildcards(void)
{
	CHECK_STR(selected("*.txt", NULL), "a.txt=a.txt b.txt=b.txt");
	CHECK_STR(selected("s*/*.c", NULL), "main.c=src/main.c");
	CHECK_STR(selected("*/sub", NULL), "sub=src/sub/");
	CHECK_STR(selected("folder/s*", NULL), "sub=src/sub/");
	CHECK_STR(selected("src/../src/*/deep.*", NULL),
		  "deep.c=src/sub/deep.c deep.o=src/sub/deep.o");
	CHECK_STR(selected("no*thing", NULL), "");
	CHECK(strstr(selected("[", NULL), "syntax error in pattern") != NULL);
}

static int visit(void *context, const struct source_entry *entry, struct error *err)
{
	(void)err;
	strbuf_addf(context, "%s%s%s ", entry->path, S_ISDIR(entry->st.st_mode) ? "/" : "",
		    entry->link ? "@" : "");
	return 0;
}

static const char *walked(const char *name, const struct ignore *ignore,
			  const struct ignore *excludes)
{
	static char text[1024];
	struct select_root root = { root_fd, ignore };
	cleanup_source_list struct source_list list = { NULL, 0, 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	CHECK_INT(select_sources(&root, name, &list, NULL), 0);
	CHECK_INT(list.count, 1);
	CHECK_INT(select_walk(&root, &list.items[0], excludes, visit, &out, NULL), 0);
	snprintf(text, sizeof(text), "%s", strbuf_text(&out));
	return text;
}

static void test_walk(void)
{
	CHECK_STR(walked(".", NULL, NULL),
		  "a.txt b.txt empty/ folder@ link@ out@ src/ src/main.c src/sub/ src/sub/deep.c "
		  "src/sub/deep.o we*rd z/ z/up@ ");
	CHECK_STR(walked("folder", NULL, NULL), "main.c sub/ sub/deep.c sub/deep.o ");
	CHECK_STR(walked("a.txt", NULL, NULL), " ");
}

static void test_ignored(void)
{
	cleanup_ignore struct ignore ignore = IGNORE_INIT, excludes = IGNORE_INIT;

	CHECK_INT(ignore_add_file(&ignore, "i", "*\n!src/sub/deep.c\n!a.txt\n", NULL), 0);
	CHECK_STR(walked(".", &ignore, NULL), "a.txt src/ src/sub/ src/sub/deep.c ");
	CHECK_STR(walked("src", &ignore, NULL), "sub/ sub/deep.c ");
	CHECK(strstr(selected("b.txt", &ignore), "excluded by .dockerignore") != NULL);
	CHECK_STR(selected("*.txt", &ignore), "a.txt=a.txt");
	CHECK_INT(ignore_add(&excludes, "**/*.o", NULL), 0);
	CHECK_STR(walked("src", NULL, &excludes), "main.c sub/ sub/deep.c ");
}

static int open_folder_context(struct context *context, const char *dockerfile, struct error *error)
{
	const struct location location = { .kind = LOCATION_FOLDER, .text = base };
	const struct context_options options = { .location = &location,
						 .cancel_fd = -EBADF,
						 .dockerfile = dockerfile };

	return context_open(context, &options, error);
}

static void test_context(void)
{
	cleanup_context struct context context = CONTEXT_INIT;
	cleanup_free char *missing = NULL, *given = path_join(base, "other");

	CHECK_ERROR(open_folder_context(&context, NULL, &err), ENOENT, "no Dockerfile");
	context_close(&context);
	CHECK_INT(symlinkat("/etc/passwd", root_fd, "Dockerfile"), 0);
	CHECK(open_folder_context(&context, NULL, NULL) < 0);
	context_close(&context);
	CHECK_INT(unlinkat(root_fd, "Dockerfile", 0), 0);
	make_file("Dockerfile", "FROM a\n");
	make_file(".dockerignore", "b.txt\n");
	CHECK_INT(open_folder_context(&context, NULL, NULL), 0);
	CHECK_STR(strbuf_text(&context.dockerfile), "FROM a\n");
	CHECK(ignore_check_path(&context.ignore, "b.txt", NULL));
	context_close(&context);
	make_file("other", "FROM b\n");
	make_file("other.dockerignore", "a.txt\n");
	CHECK_INT(open_folder_context(&context, given, NULL), 0);
	CHECK_STR(context.dockerfile_name, "other");
	CHECK(ignore_check_path(&context.ignore, "a.txt", NULL));
	CHECK(!ignore_check_path(&context.ignore, "b.txt", NULL));
}

static struct location located;

static const char *locate(const char *text, bool is_context)
{
	static struct arena arena = ARENA_INIT;
	static char buffer[400];
	static struct error error;

	error = (struct error)ERROR_INIT;
	if (location_parse(text, is_context, &arena, &located, &error) < 0)
		return error.msg;
	snprintf(buffer, sizeof(buffer), "%d %s %s %s %s%s", located.kind, located.text,
		 located.ref ? located.ref : "-", located.subdir ? located.subdir : "-",
		 located.commit ? located.commit : "-", located.keep_git_dir ? " keep" : "");
	return buffer;
}

static void test_locations(void)
{
	/* kinds: 0 folder, 1 stdin, 2 http, 3 git, 4 image */
	CHECK_STR(locate("dir/x", true), "0 dir/x - - -");
	CHECK_STR(locate("a@b/c:d", true), "0 a@b/c:d - - -");
	CHECK_STR(locate("-", true), "1 - - - -");
	CHECK_STR(locate("-", false), "0 - - - -");
	CHECK_STR(locate("https://h/x.tar#y", true), "2 https://h/x.tar#y - - -");
	CHECK_STR(locate("https://h/x.git", true), "3 https://h/x.git -  -");
	CHECK_STR(locate("https://h/x.git#v1:a/../b", true), "3 https://h/x.git v1 b -");
	CHECK_STR(locate("https://h/x.git#:../..", true), "3 https://h/x.git -  -");
	CHECK_STR(locate("https://h/x.git?ref=a%2Fb&subdir=s&commit=abc&keep-git-dir", true),
		  "3 https://h/x.git a/b s abc keep");
	CHECK_STR(locate("https://h/x.git?tag=v%2", true), "3 https://h/x.git v%2  -");
	CHECK_STR(locate("git@h.org:u/r.git#main", false), "3 git@h.org:u/r.git main  -");
	CHECK_STR(locate("ssh://h/r", false), "3 ssh://h/r -  -");
	CHECK_STR(locate("github.com/u/r", true), "3 https://github.com/u/r -  -");
	CHECK_STR(locate("github.com/u/r", false), "0 github.com/u/r - - -");
	CHECK_STR(locate("docker-image://a:b", true), "4 a:b - - -");
	CHECK(strstr(locate("git://h/r?x=y", true), "unexpected query") != NULL);
	CHECK(strstr(locate("git://h/r#--output=x", true), "git could take") != NULL);
	CHECK(strstr(locate("git://h/r#a b", true), "git could take") != NULL);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "names, symlinks and escapes", test_names },
		{ "nothing leads out of the root", test_inside },
		{ "wildcards match per component, sorted", test_wildcards },
		{ "folders are walked in order", test_walk },
		{ "ignored things are left out, their folders only if empty", test_ignored },
		{ "locations: folders, URLs, repositories", test_locations },
		{ "a context finds its Dockerfile and ignore file", test_context },
	};
	int failed;

	if (!mkdtemp(base))
		return 99;
	root_fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	make_tree();
	failed = check_run(tests, ARRAY_SIZE(tests));
	close(root_fd);
	(void)path_remove_tree(AT_FDCWD, base, NULL);
	return failed;
}
