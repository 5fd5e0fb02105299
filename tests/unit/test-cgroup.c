/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/cgroup: finding the mount, and (as root) making, killing and removing real cgroups. */
#include "runtime/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"
#include "tests/unit/check.h"

/* Writes text to a file and searches it as if it were mountinfo. */
static char *find_in(const char *text)
{
	char path[64], *found = NULL;

	(void)snprintf(path, sizeof(path), "/tmp/orlop-mountinfo.%d", (int)getpid());
	CHECK_INT(io_replace_file(AT_FDCWD, path, text, strlen(text), 0600, IO_NO_SYNC, NULL), 0);
	CHECK_INT(cgroup_find_mount(path, &found, NULL), 0);
	(void)unlink(path);
	return found;
}

static void check_found(const char *text, const char *expected)
{
	cleanup_free char *found = find_in(text);

	CHECK_STR(found, expected);
}

static void test_find(void)
{
	check_found("27 1 254:0 / / rw - ext4 /dev/vda rw\n"
		    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
		    "41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n",
		    "/sys/fs/cgroup/unified");
	check_found("1 2 0:1 / /a\\040b\\134c rw - cgroup2 none rw,nsdelegate", "/a b\\c");
	check_found("1 2 0:1 / /x rw - cgroup none rw\n", NULL);
	check_found("", NULL);
	check_found(" - cgroup2 \n", NULL);
	check_found("1 2 - cgroup2 x\n", NULL);
}

static void test_words(void)
{
	CHECK(cgroup_has_word("cpu io memory\n", "cpu"));
	CHECK(cgroup_has_word("cpu io memory\n", "memory"));
	CHECK(!cgroup_has_word("cpuset io memory\n", "cpu"));
	CHECK(!cgroup_has_word("xcpu", "cpu"));
	CHECK(!cgroup_has_word("", "cpu"));
}

static bool can_make(char **mount)
{
	return geteuid() == 0 && cgroup_find_mount(NULL, mount, NULL) == 0 && *mount &&
	       access(*mount, W_OK) == 0;
}

static struct plan plan_for(char path[64])
{
	(void)snprintf(path, 64, "/orlop-test-%d/a/b", (int)getpid());
	return (struct plan){ .cgroup = { .manager = CGROUP_FS, .path = path } };
}

static void remove_parents(const char *mount)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/orlop-test-%d/a", mount, (int)getpid());
	CHECK_INT(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	CHECK_INT(rmdir(path), 0);
}

static pid_t sleeper_in(const struct cgroup *cgroup)
{
	char text[16];
	pid_t pid = fork();

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	CHECK_INT(io_write_kernel_file(cgroup->fd, "cgroup.procs", text, NULL), 0);
	return pid;
}

static void test_life(void)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT, again = CGROUP_INIT;
	cleanup_free char *mount = NULL;
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	char path[64];
	struct plan plan = plan_for(path);
	int status = 0;
	pid_t pid;

	if (!can_make(&mount))
		CHECK_SKIP("cgroups cannot be made here");
	CHECK_INT(cgroup_locate(&plan, &cgroup, NULL), 0);
	CHECK_STR(cgroup.path, path);
	CHECK_INT(cgroup_prepare(&cgroup, &plan, NULL), 0);
	CHECK(cgroup.made && cgroup.fd >= 0);
	pid = sleeper_in(&cgroup);
	CHECK_INT(cgroup_pids(&cgroup, &pids, &count, NULL), 0);
	CHECK_INT(count, 1);
	CHECK(count == 1 && pids[0] == pid);

	/* a second container must not share it */
	CHECK_INT(cgroup_locate(&plan, &again, NULL), 0);
	CHECK_ERROR(cgroup_prepare(&again, &plan, &err), EEXIST, "1 process(es) found");

	CHECK_INT(cgroup_freeze(&cgroup, true, NULL), 0);
	CHECK(cgroup_is_frozen(&cgroup));
	CHECK_INT(cgroup_freeze(&cgroup, false, NULL), 0);
	CHECK(!cgroup_is_frozen(&cgroup));
	CHECK(!cgroup_remove_empty(&cgroup));

	CHECK_INT(mkdirat(cgroup.fd, "sub", 0755), 0);
	CHECK_INT(mkdirat(cgroup.fd, "sub/deeper", 0755), 0);
	CHECK_INT(cgroup_kill(&cgroup, NULL), 0);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(WTERMSIG(status), SIGKILL);
	CHECK_INT(cgroup_remove(&cgroup, NULL), 0);
	CHECK_INT(cgroup_remove(&cgroup, NULL), 0); /* gone is fine */
	remove_parents(mount);
}

static uint64_t number_of(int dirfd, const char *path)
{
	struct stat status;

	CHECK_INT(fstatat(dirfd, path, &status, AT_EMPTY_PATH), 0);
	return status.st_ino;
}

/* A record of somebody whose hierarchy began two folders deeper, and of one that ends with nothing.
 */
static void test_origin(void)
{
	cleanup_cgroup struct cgroup made = CGROUP_INIT, seen = CGROUP_INIT, gone = CGROUP_INIT;
	cleanup_free char *mount = NULL;
	char path[64];
	struct plan plan = plan_for(path);

	if (!can_make(&mount))
		CHECK_SKIP("cgroups cannot be made here");
	CHECK_INT(cgroup_locate(&plan, &made, NULL), 0);
	CHECK_INT(made.origin, number_of(AT_FDCWD, mount));
	CHECK_INT(cgroup_prepare(&made, &plan, NULL), 0);
	seen.origin = number_of(made.fd, "..");
	seen.mount = xstrdup("/nothing/is/mounted/there");
	seen.path = xstrdup("/b");
	CHECK_INT(cgroup_open(&seen, NULL), 0);
	CHECK(seen.fd >= 0 && number_of(seen.fd, "") == number_of(made.fd, ""));
	CHECK_INT(cgroup_remove(&seen, NULL), 0);
	CHECK(faccessat(made.fd, "cgroup.procs", F_OK, 0) < 0);

	gone.origin = UINT64_MAX;
	gone.mount = xstrdup(mount);
	gone.path = xstrdup(path);
	if (made.origin == 1) {
		CHECK_INT(cgroup_open(&gone, NULL), 0);
		CHECK(!gone.elsewhere);
	} else {
		CHECK_ERROR(cgroup_open(&gone, &err), EBUSY, "cannot be seen from here");
		CHECK(gone.elsewhere);
	}
	CHECK(gone.fd < 0);
	CHECK_STR(gone.path, "");
	CHECK_INT(cgroup_remove(&gone, NULL), 0);
	remove_parents(mount);
}

static void test_limits(void)
{
	static const struct plan_cgroup_write writes[] = {
		{ .file = "nothing.max", .value = "1", .controller = "nothing" },
	};
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	cleanup_free char *mount = NULL;
	char path[64];
	struct plan plan = plan_for(path);

	if (!can_make(&mount))
		CHECK_SKIP("cgroups cannot be made here");
	plan.cgroup.writes = writes;
	plan.cgroup.write_count = 1;
	plan.cgroup.limits_asked = true;
	CHECK_INT(cgroup_locate(&plan, &cgroup, NULL), 0);
	CHECK_INT(cgroup_prepare(&cgroup, &plan, NULL), 0);
	CHECK_ERROR(cgroup_apply(&cgroup, &plan, &err), EOPNOTSUPP, "controller \"nothing\"");
	CHECK_INT(cgroup_remove(&cgroup, NULL), 0);
	remove_parents(mount);
}

static void test_managers(void)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	struct plan plan = { .cgroup = { .manager = CGROUP_DISABLED, .path = "/x" } };

	CHECK_INT(cgroup_locate(&plan, &cgroup, NULL), 0);
	CHECK_STR(cgroup.path, "");
	CHECK_INT(cgroup_prepare(&cgroup, &plan, NULL), 0);
	CHECK_INT(cgroup.fd, -EBADF);
	CHECK_INT(cgroup_remove(&cgroup, NULL), 0);
}

/* What a manager has written itself is written over, in the file that there is. */
static void test_settle(void)
{
	struct plan_cgroup_write writes[] = {
		{ .file = "io.bfq.weight",
		  .value = "500",
		  .instead = "io.weight",
		  .instead_value = "4950" },
		{ .file = "cpu.max", .value = "12345 100000" },
		{ .file = "hugetlb.2MB.max", .value = "2097152" },
	};
	const struct plan_cgroup plan = { .writes = writes, .write_count = 3 };
	static const char *const expected[] = { "500", "12345 100000", "others" };
	struct cgroup cgroup = CGROUP_INIT;
	char folder[] = "/tmp/orlop-settle.XXXXXX";

	CHECK(mkdtemp(folder));
	cgroup.manager = CGROUP_SYSTEMD;
	cgroup.fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < 3; i++)
		CHECK_INT(io_replace_file(cgroup.fd, writes[i].file, "others", 6, 0600, IO_NO_SYNC,
					  NULL),
			  0);
	cgroup_settle(&cgroup, &plan);
	for (size_t i = 0; i < 3; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		CHECK_INT(io_read_file(cgroup.fd, writes[i].file, 100, &text, NULL), 0);
		CHECK(strncmp(strbuf_text(&text), expected[i], strlen(expected[i])) == 0);
		CHECK_INT(unlinkat(cgroup.fd, writes[i].file, 0), 0);
	}
	cgroup_done(&cgroup);
	CHECK_INT(rmdir(folder), 0);
}

CHECK_MAIN({ "the cgroup2 mount is found among others", test_find },
	   { "controllers are whole words", test_words },
	   { "a cgroup is made, frozen, killed and removed", test_life },
	   { "a recorded cgroup is found from elsewhere", test_origin },
	   { "a missing controller is named", test_limits },
	   { "disabled makes nothing", test_managers },
	   { "what the manager has written is written over", test_settle })
