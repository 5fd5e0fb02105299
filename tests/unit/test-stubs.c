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

static void write_file(const char *path, const char *text, int flags)
{
	cleanup_close int fd = openat(root_fd, path, O_WRONLY | O_CLOEXEC | flags, 0644);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
}

static void make_file(const char *path, const char *text)
{
	write_file(path, text, O_CREAT | O_EXCL);
}

static void fill_file(const char *path, const char *text)
{
	write_file(path, text, 0);
}

static bool is_a(const char *path, mode_t type)
{
	struct stat st;

	return fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == type;
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
	CHECK_INT(symlinkat("../run/stub.conf", root_fd, "etc/resolv.conf"), 0);
	CHECK_INT(utimensat(root_fd, "etc", old, 0), 0);
	CHECK_INT(utimensat(root_fd, "var", old, 0), 0);

	CHECK_INT(stubs_make(&stubs, root_fd, "/etc/hosts", S_IFREG, NULL), 0);
	CHECK_INT(stubs_make(&stubs, root_fd, "/etc/networks", S_IFREG, NULL), 0);
	CHECK_INT(stubs_make(&stubs, root_fd, "/etc/resolv.conf", S_IFREG, NULL), 0);
	CHECK_INT(stubs_make(&stubs, root_fd, "/proc", S_IFDIR, NULL), 0);
	CHECK_INT(stubs_make(&stubs, root_fd, "/proc/hidden", S_IFDIR, NULL), 0);
	CHECK_INT(stubs_make_for(&stubs, root_fd, "/link/a/b", "/", NULL), 0);
	CHECK_INT(stubs_make_for(&stubs, root_fd, "/link/a/c", "/proc/self/exe", NULL), 0);
	CHECK_INT(stubs_make(&stubs, root_fd, "/etc/hosts/none", S_IFDIR, NULL), 0);
	CHECK_INT(stubs.count, 7);
	CHECK(is_a("etc/networks", S_IFREG));
	CHECK(is_a("run/stub.conf", S_IFREG));
	CHECK(is_a("proc", S_IFDIR));
	CHECK(!exists("proc/hidden"));
	CHECK(is_a("var/a/b", S_IFDIR));
	CHECK(is_a("var/a/c", S_IFREG));
	CHECK_INT(mtime_of("etc"), 1000);
	CHECK_INT(mtime_of("var"), 1000);

	fill_file("var/a/c", "kept");
	stubs_remove(&stubs);

	CHECK(exists("etc/hosts"));
	CHECK(!exists("etc/networks"));
	CHECK(exists("etc/resolv.conf"));
	CHECK(!exists("run"));
	CHECK(!exists("proc"));
	CHECK(!exists("var/a/b"));
	CHECK(exists("var/a/c"));
	CHECK_INT(mtime_of("etc"), 1000);
}

/* However soon: the folder is changed in the same tick of the clock as the stub is made. */
static void test_changed_folder(void)
{
	cleanup_stubs struct stubs stubs = STUBS_INIT;
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	CHECK_INT(mkdirat(root_fd, "opt", 0755), 0);
	CHECK_INT(utimensat(root_fd, "opt", old, 0), 0);
	CHECK_INT(stubs_make(&stubs, root_fd, "/opt/stub", S_IFREG, NULL), 0);
	make_file("opt/user", "x");
	stubs_remove(&stubs);
	CHECK(!exists("opt/stub"));
	CHECK(mtime_of("opt") > 1000);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "stubs are removed and folders get their time back", test_stubs },
		{ "a folder that the command changed keeps its new time", test_changed_folder },
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
