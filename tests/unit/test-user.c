/* SPDX-License-Identifier: Apache-2.0 */
/* Users of a root filesystem. */
#include "builder/container/user.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "tests/unit/check.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment\n\n"
			     "www:x:33:34:www:/var/www:/bin/false\n"
			     "1000:x:7:8::/odd:\n"
			     "broken:x:-1:zz::/:\n"
			     "short:x:50:51\n";
static const char group[] =
	"root:x:0:\nadm:x:4:www,other\nweb:x:99:xwww\nlogs:x:98:www\nbad:x:y:www\n";

static char top[] = "/tmp/orlop-test-user-XXXXXX";

static int open_root(void)
{
	int fd;

	strcpy(top + strlen(top) - 6, "XXXXXX");
	CHECK(mkdtemp(top));
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(mkdirat(fd, "etc", 0755), 0);
	CHECK_INT(io_replace_file(fd, "etc/passwd", passwd, sizeof(passwd) - 1, 0644, IO_NO_SYNC,
				  NULL),
		  0);
	CHECK_INT(
		io_replace_file(fd, "etc/group", group, sizeof(group) - 1, 0644, IO_NO_SYNC, NULL),
		0);
	return fd;
}

static void check_user(int root, const char *text, uint32_t uid, uint32_t gid, size_t groups,
		       const char *home)
{
	cleanup_user struct user user = { 0 };
	struct error err = ERROR_INIT;

	CHECK_INT(user_resolve(root, text, &user, &err), 0);
	CHECK_STR(err.msg, ""); /* an absent database is no failure to be told */
	CHECK_INT(user.uid, uid);
	CHECK_INT(user.gid, gid);
	CHECK_INT(user.group_count, groups);
	CHECK_STR(user.home, home);
}

static void test_resolve(void)
{
	cleanup_close int root = open_root();

	check_user(root, "", 0, 0, 0, "/root");
	check_user(root, "www", 33, 34, 2, "/var/www");
	check_user(root, "33", 33, 34, 2, "/var/www");
	check_user(root, "www:adm", 33, 4, 0, "/var/www");
	check_user(root, "www:77", 33, 77, 0, "/var/www");
	check_user(root, ":adm", 0, 4, 0, "/root");
	check_user(root, "4242", 4242, 0, 0, "/");
	check_user(root, "4242:4243", 4242, 4243, 0, "/");
	check_user(root, "1000", 7, 8, 0, "/odd"); /* a name of digits wins over the number */
	check_user(root, "short", 50, 51, 0, "/");
	CHECK_INT(path_remove_tree(AT_FDCWD, top, NULL), 0);
}

static void test_refused(void)
{
	cleanup_close int root = open_root();
	struct user user = { 0 };

	CHECK_ERROR(user_resolve(root, "nobody", &user, &err), ENOENT,
		    "user \"nobody\" is not in the image's /etc/passwd");
	CHECK_ERROR(user_resolve(root, "www:nogroup", &user, &err), ENOENT,
		    "group \"nogroup\" is not in the image's /etc/group");
	CHECK_ERROR(user_resolve(root, "broken", &user, &err), EINVAL, "no valid ids");
	CHECK_ERROR(user_resolve(root, "-1", &user, &err), ENOENT, "user \"-1\"");
	CHECK_ERROR(user_resolve(root, "4294967295", &user, &err), ENOENT, "user");
	CHECK_INT(unlinkat(root, "etc/passwd", 0), 0);
	CHECK_INT(symlinkat("/proc/self/environ", root, "etc/passwd"), 0);
	check_user(root, "5", 5, 0, 0, "/"); /* the link leads nowhere inside the root */
	CHECK_INT(unlinkat(root, "etc/passwd", 0), 0);
	CHECK_INT(mkfifoat(root, "etc/passwd", 0644), 0);
	CHECK_ERROR(user_resolve(root, "www", &user, &err), EINVAL, "not a regular file");
	CHECK_INT(path_remove_tree(AT_FDCWD, top, NULL), 0);
}

CHECK_MAIN({ "names, numbers and both", test_resolve },
	   { "unknown names and hostile files", test_refused })
