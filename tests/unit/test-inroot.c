/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups inside a hostile root: nothing planted in it leads outside. */
#include "lib/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

static char top[] = "/tmp/orlop-test-inroot-XXXXXX";

/* top/root with hostile links, top/outside that must stay untouched */
static int make_root(void)
{
	int fd;

	CHECK(mkdtemp(top));
	CHECK_INT(chdir(top), 0);
	CHECK_INT(mkdir("root", 0755), 0);
	CHECK_INT(mkdir("outside", 0755), 0);
	CHECK_INT(mkdir("root/etc", 0755), 0);
	CHECK_INT(symlink("../../../../../../outside", "root/up"), 0);
	CHECK_INT(symlink("/tmp", "root/abs"), 0);
	CHECK_INT(symlink("/proc/self/root", "root/magic"), 0);
	CHECK_INT(symlink("nowhere", "root/dangling"), 0);
	CHECK_INT(symlink("etc", "root/inside"), 0);
	CHECK_INT(mkfifo("root/fifo", 0644), 0);
	fd = open("root/etc/hosts", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHECK_INT(write(fd, "127.0.0.1\n", 10), 10);
	(void)close(fd);
	return open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void remove_root(void)
{
	CHECK_INT(chdir("/"), 0);
	CHECK_INT(path_remove_tree(AT_FDCWD, top, NULL), 0);
	strcpy(top + strlen(top) - 6, "XXXXXX");
}

static void test_open(void)
{
	cleanup_close int root = make_root();
	cleanup_close int fd = inroot_open(root, "/inside/hosts", O_RDONLY, 0, NULL);
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	CHECK(fd >= 0);
	CHECK_INT(inroot_open(root, "up", O_PATH, 0, NULL), -ENOENT);
	CHECK_INT(inroot_open(root, "../outside", O_PATH, 0, NULL), -ENOENT);
	CHECK_INT(inroot_open(root, "magic/etc", O_PATH, 0, NULL), -ENOENT);
	CHECK_INT(inroot_open_nofollow(root, "inside/hosts", O_PATH, true, NULL), -ELOOP);
	CHECK_INT(inroot_exists(root, "/etc/hosts"), 1);
	CHECK_INT(inroot_exists(root, "/etc/hosts/x"), 0);
	CHECK_INT(inroot_read_file(root, "etc/hosts", 100, &buf, NULL), 0);
	CHECK_STR(buf.data, "127.0.0.1\n");
	CHECK_ERROR(inroot_read_file(root, "etc/hosts", 3, &buf, &err), EFBIG,
		    "read \"etc/hosts\"");
	CHECK_ERROR(inroot_read_file(root, "fifo", 3, &buf, &err), EINVAL, "not a regular file");
	remove_root();
}

static void test_mkdir(void)
{
	cleanup_close int root = make_root();
	cleanup_close int a = inroot_mkdir_all(root, "/inside/a/b", 0750, 3, 4, NULL);
	struct stat status;

	CHECK(a >= 0);
	CHECK_INT(stat("root/etc/a/b", &status), 0);
	if (geteuid() == 0)
		CHECK_INT(status.st_uid, 3);
	CHECK_INT(access("outside/x", F_OK), -1);
	bool made = false;
	cleanup_close int fresh = inroot_open_or_make(root, "/inside/fresh", &made, NULL);
	CHECK(fresh >= 0 && made);
	cleanup_close int again = inroot_open_or_make(root, "/inside/fresh", &made, NULL);
	CHECK(again >= 0 && !made);
	CHECK_INT(inroot_mkdir_all(root, "etc/hosts/x", 0755, (uid_t)-1, (gid_t)-1, NULL),
		  -ENOTDIR);
	remove_root();
}

/* Images bring links to what only exists at run time (/etc/resolv.conf -> ../run/...). */
static void test_dangling(void)
{
	cleanup_close int root = make_root();
	cleanup_close int a = -EBADF, b = -EBADF, c = -EBADF;
	bool made = false;

	CHECK_INT(mkdir("root/run", 0755), 0);
	CHECK_INT(symlink("../run/./resolve/../stub/conf", "root/etc/conf"), 0);
	CHECK_INT(symlink("../../../../outside/file", "root/etc/climbing"), 0);
	CHECK_INT(symlink("loop", "root/loop"), 0);
	a = inroot_mkdir_all(root, "abs/x/y", 0755, (uid_t)-1, (gid_t)-1, NULL);
	CHECK(a >= 0);
	CHECK_INT(access("root/tmp/x/y", F_OK), 0);
	b = inroot_open_or_make(root, "dangling/z", &made, NULL);
	CHECK(b >= 0 && !made);
	CHECK_INT(access("root/nowhere/z", F_OK), 0);
	c = inroot_make_file(root, "/etc/conf", 0640, NULL);
	CHECK(c >= 0);
	CHECK_INT(access("root/run/stub/conf", F_OK), 0);
	(void)close(c);
	c = inroot_make_file(root, "/etc/climbing", 0640, NULL);
	CHECK(c >= 0);
	CHECK_INT(access("root/outside/file", F_OK), 0);
	CHECK_INT(access("outside/file", F_OK), -1);
	CHECK_INT(inroot_make_file(root, "/etc/hosts", 0640, NULL), -EEXIST);
	CHECK_INT(inroot_make_file(root, "/etc/hosts/x", 0640, NULL), -ENOTDIR);
	CHECK_INT(inroot_make_file(root, "/loop", 0640, NULL), -ELOOP);
	CHECK_INT(inroot_mkdir_all(root, "loop/x", 0755, (uid_t)-1, (gid_t)-1, NULL), -ELOOP);
	remove_root();
}

static void test_parent(void)
{
	cleanup_close int root = make_root();
	const char *name = NULL;
	cleanup_close int fd = inroot_parent(root, "/new/folder/file", true, &name, NULL);

	CHECK(fd >= 0);
	CHECK_STR(name, "file");
	CHECK_INT(faccessat(fd, ".", F_OK, 0), 0);
	CHECK_INT(access("root/new/folder", F_OK), 0);
	CHECK_INT(inroot_parent(root, "/", true, &name, NULL), -EINVAL);
	CHECK_INT(inroot_parent(root, "etc/..", true, &name, NULL), -EINVAL);
	CHECK_INT(inroot_parent(root, "missing/x", false, &name, NULL), -ENOENT);
	remove_root();
}

CHECK_MAIN({ "opening stays inside", test_open }, { "folders are made inside", test_mkdir },
	   { "links to what is not there yet are followed inside", test_dangling },
	   { "the folder of a new entry", test_parent })
