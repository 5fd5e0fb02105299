/* SPDX-License-Identifier: Apache-2.0 */
/* builder/build/stubs: what a runtime left behind goes, what a command made stays. */
#include "builder/build/stubs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "tests/unit/check.h"

static char root_path[] = "/tmp/orlop-test-stubs-XXXXXX";
static int root_fd;

static void make_file(const char *path, const char *text)
{
	cleanup_close int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
}

static bool exists(const char *path)
{
	struct stat st;

	return fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static long long mtime_of(const char *path)
{
	struct stat st;

	CHECK_INT(fstatat(root_fd, path, &st, 0), 0);
	return st.st_mtim.tv_sec;
}

static void test_stubs(void)
{
	cleanup_stubs struct stubs stubs = STUBS_INIT;
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	CHECK_INT(mkdirat(root_fd, "etc", 0755), 0);
	CHECK_INT(mkdirat(root_fd, "var", 0755), 0);
	CHECK_INT(symlinkat("var", root_fd, "link"), 0);
	make_file("etc/hosts", "");
	CHECK_INT(utimensat(root_fd, "etc", old, 0), 0);
	CHECK_INT(utimensat(root_fd, "var", old, 0), 0);

	CHECK_INT(stubs_note(&stubs, root_fd, "/etc/hosts", NULL), 0);
	CHECK_INT(stubs_note(&stubs, root_fd, "/etc/resolv.conf", NULL), 0);
	CHECK_INT(stubs_note(&stubs, root_fd, "/proc", NULL), 0);
	CHECK_INT(stubs_note(&stubs, root_fd, "/link/a/b", NULL), 0);
	CHECK_INT(stubs_note(&stubs, root_fd, "/link/a/c", NULL), 0);
	CHECK_INT(stubs.count, 5);

	make_file("etc/resolv.conf", "");
	CHECK_INT(mkdirat(root_fd, "proc", 0755), 0);
	CHECK_INT(mkdirat(root_fd, "var/a", 0755), 0);
	CHECK_INT(mkdirat(root_fd, "var/a/b", 0755), 0);
	make_file("var/a/c", "kept");
	stubs_remove(&stubs);

	CHECK(exists("etc/hosts"));
	CHECK(!exists("etc/resolv.conf"));
	CHECK(!exists("proc"));
	CHECK(!exists("var/a/b"));
	CHECK(exists("var/a/c"));
	CHECK_INT(mtime_of("etc"), 1000);
}

static void test_younger_folder(void)
{
	cleanup_stubs struct stubs stubs = STUBS_INIT;
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	CHECK_INT(mkdirat(root_fd, "opt", 0755), 0);
	CHECK_INT(utimensat(root_fd, "opt", old, 0), 0);
	CHECK_INT(stubs_note(&stubs, root_fd, "/opt/stub", NULL), 0);
	make_file("opt/stub", "");
	usleep(60000);
	make_file("opt/user", "x");
	stubs_remove(&stubs);
	CHECK(!exists("opt/stub"));
	CHECK(mtime_of("opt") > 1000);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "stubs are removed and folders get their time back", test_stubs },
		{ "a folder that the command changed keeps its new time", test_younger_folder },
	};
	int failed;

	umask(0);
	if (!mkdtemp(root_path))
		return 99;
	root_fd = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	failed = check_run(tests, ARRAY_SIZE(tests));
	close(root_fd);
	(void)path_remove_tree(AT_FDCWD, root_path, NULL);
	return failed;
}
