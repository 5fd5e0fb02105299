/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/lifecycle/record: ids, the lock, state.json and the status derived from it. */
#include "runtime/lifecycle/record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "tests/unit/check.h"

static char root[64];
static struct runtime_globals globals;

static void begin(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/orlop-record.%d", (int)getpid());
	globals = (struct runtime_globals){ .root = root };
}

static void end(void)
{
	CHECK_INT(path_remove_tree(AT_FDCWD, root, NULL), 0);
}

static struct record example(void)
{
	return (struct record){ .version = RECORD_VERSION,
				.id = "c1",
				.bundle = "/b",
				.created = "2026-01-01T00:00:00Z",
				.manager = "cgroupfs",
				.cgroup_mount = "/sys/fs/cgroup",
				.cgroup_path = "/orlop/c1",
				.namespaces = 1U << NS_PID | 1U << NS_MOUNT };
}

static void test_ids(void)
{
	static const char *const good[] = { "a", "A-b_c+d.e", "...", "0" };
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "\xc3\xa4", "a\n", "a:b" };
	char longest[300];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK_INT(record_check_id(good[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_ERROR(record_check_id(bad[i], &err), EINVAL, "invalid container ID format");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	CHECK_ERROR(record_check_id(longest, &err), EINVAL, "invalid container ID format");
}

static void test_reserve(void)
{
	cleanup_close int dirfd = -EBADF, again = -EBADF;

	begin();
	CHECK_INT(record_reserve(&globals, "c1", &dirfd, NULL), 0);
	CHECK_ERROR(record_reserve(&globals, "c1", &again, &err), EEXIST, "already exists");
	CHECK_ERROR(record_lock(&globals, "c1", 0, &again, &err), EBUSY, "is locked by process");
	CHECK_ERROR(record_lock(&globals, "c2", 0, &again, &err), ENOENT, "does not exist");
	cleanup_close_fd(&dirfd);
	CHECK_INT(record_lock(&globals, "c1", 0, &again, NULL), 0);
	CHECK_INT(record_remove(&globals, "c1", again, NULL), 0);
	CHECK_ERROR(record_lock(&globals, "c1", 0, &dirfd, &err), ENOENT, "does not exist");
	end();
}

/* What is written is read the quick way; what is not as we write it gets the decoder's verdict, and
 * the same values. */
static void test_forms(void)
{
	static const struct {
		const char *text;
		int ret;
	} forms[] = {
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/"
		  "b\",\"annotations\":{\"k\":\"v\"},\"pid\":7}\n",
		  0 },
		{ "{ \"id\": \"c1\", \"version\": 1, \"pid\": 7, \"annotations\": { \"k\": \"v\" "
		  "}, \"bundle\": \"/b\" }",
		  0 },
		{ "{\"version\":1,\"id\":\"\\u00631\",\"bundle\":\"\\/"
		  "b\",\"annotations\":{\"\\u006b\":\"v\"},\"pid\":7}",
		  0 },
		{ "{\"version\":1,\"new\":[{\"a\":null}],\"id\":\"c1\",\"bundle\":\"/"
		  "b\",\"annotations\":{\"k\":\"v\"},\"pid\":7}",
		  0 },
		{ "{\"version\":1,\"id\":\"c1\",\"annotations\":{\"k\":\"v\"},\"pid\":7}",
		  -EBADMSG },
		{ "{\"version\":01,\"id\":\"c1\",\"bundle\":\"/b\"}", -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b\",\"pid\":2147483648}", -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b\",\"owner\":4294967296}",
		  -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"\xff\"}", -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b\",\"rootless\":tru}", -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b\",\"pid\":7} {", -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b", -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b\",", -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b\",\"annotations\":{\"k\":1}}",
		  -EBADMSG },
		{ "{\"version\":1,\"id\":\"c1\",\"bundle\":\"/b\",\"annotations\":{\"k\":\"v\","
		  "\"k\":\"v\"}}",
		  -EBADMSG },
		{ "{\"version\":2,\"id\":\"c1\",\"bundle\":\"/b\"}", -EOPNOTSUPP },
		{ "{\"version\":1,\"id\":\"c2\",\"bundle\":\"/b\"}", -EINVAL },
	};
	cleanup_close int dirfd = -EBADF;

	begin();
	CHECK_INT(record_reserve(&globals, "c1", &dirfd, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		cleanup_arena struct arena arena = ARENA_INIT;
		struct record got;

		CHECK_INT(io_replace_file(dirfd, RECORD_STATE, forms[i].text, strlen(forms[i].text),
					  0600, IO_NO_SYNC, NULL),
			  0);
		CHECK_INT(record_read_at(dirfd, "c1", &arena, &got, NULL), forms[i].ret);
		if (forms[i].ret < 0)
			continue;
		CHECK_STR(got.bundle, "/b");
		CHECK_INT(got.pid, 7);
		CHECK_STR(json_map_get(&got.annotations, "k"), "v");
	}
	CHECK_INT(record_remove(&globals, "c1", dirfd, NULL), 0);
	end();
}

static void test_round(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct json_pair pairs[] = { { "k", "v/\"w\"" } };
	struct record record = example(), got;
	cleanup_close int dirfd = -EBADF;

	begin();
	record.annotations = (struct json_map){ .items = pairs, .count = 1 };
	CHECK_INT(record_reserve(&globals, "c1", &dirfd, NULL), 0);
	CHECK_ERROR(record_read(&globals, "c1", &arena, &got, &err), ENOENT, "does not exist");
	CHECK_INT(record_write(dirfd, &record, NULL), 0);
	CHECK_INT(record_read(&globals, "c1", &arena, &got, NULL), 0);
	CHECK_INT(record_status(&globals, &got), CONTAINER_CREATING);
	record.pid = 7;
	record.start_time = 18446744073709551615ULL;
	record.pidfd_inode = 18446744073709551614ULL;
	CHECK_INT(record_write_next(dirfd, &record, NULL), 0);
	CHECK_INT(record_read_at(dirfd, "c1", &arena, &got, NULL), 0);
	CHECK_INT(got.pid, 0); /* not before it is published */
	CHECK_INT(record_publish(dirfd, NULL), 0);
	CHECK_INT(record_read_at(dirfd, "c1", &arena, &got, NULL), 0);
	CHECK_STR(got.bundle, "/b");
	CHECK_STR(got.cgroup_path, "/orlop/c1");
	CHECK_STR(json_map_get(&got.annotations, "k"), "v/\"w\"");
	CHECK_INT(got.pid, 7);
	CHECK(got.start_time == 18446744073709551615ULL);
	CHECK(got.pidfd_inode == 18446744073709551614ULL);
	CHECK_INT(got.namespaces, record.namespaces);
	end();
}

static void test_damaged(void)
{
	static const char *const texts[] = { "{", "[]", "{\"version\":1}",
					     "{\"version\":9,\"id\":\"c1\",\"bundle\":\"/\"}" };
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_close int dirfd = -EBADF;
	struct record got;

	begin();
	CHECK_INT(record_reserve(&globals, "c1", &dirfd, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct error err = ERROR_INIT;

		CHECK_INT(io_replace_file(dirfd, RECORD_STATE, texts[i], strlen(texts[i]), 0600,
					  IO_NO_SYNC, NULL),
			  0);
		CHECK(record_read(&globals, "c1", &arena, &got, &err) < 0);
		CHECK(strstr(err.msg, "c1") != NULL);
	}
	/* killed before its first word */
	CHECK_INT(io_replace_file(dirfd, RECORD_STATE, "", 0, 0600, IO_NO_SYNC, NULL), 0);
	CHECK_ERROR(record_read(&globals, "c1", &arena, &got, &err), ENOENT, "does not exist");
	end();
}

/* A process of ours as the container's. */
static void test_status(void)
{
	struct record record = example();
	cleanup_close int dirfd = -EBADF;
	pid_t pid = fork();

	begin();
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	record.cgroup_path = "";
	record.pid = pid;
	CHECK_INT(proc_start_time(pid, &record.start_time, NULL), 0);
	CHECK_INT(record_reserve(&globals, "c1", &dirfd, NULL), 0);
	CHECK_INT(record_status(&globals, &record), CONTAINER_RUNNING);
	CHECK_INT(mkfifoat(dirfd, RECORD_FIFO, 0600), 0);
	CHECK_INT(record_status(&globals, &record), CONTAINER_CREATED);
	CHECK_INT(renameat(dirfd, RECORD_FIFO, dirfd, RECORD_STARTED), 0);
	CHECK_INT(record_status(&globals, &record), CONTAINER_RUNNING);
	record.start_time++; /* the number is another process's by now */
	CHECK_INT(record_status(&globals, &record), CONTAINER_STOPPED);
	record.start_time--;
	CHECK_INT(kill(pid, SIGKILL), 0);
	siginfo_t info;
	CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_INT(record_status(&globals, &record), CONTAINER_STOPPED); /* a zombie */
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK_INT(record_status(&globals, &record), CONTAINER_STOPPED);
	CHECK_INT(record_remove(&globals, "c1", dirfd, NULL), 0);
	end();
}

/* Where the kernel numbers its processes, that is asked alone; what outlives it has no number. */
static void test_inode(void)
{
	struct record record = example();
	cleanup_close int memory = open("/dev/shm", O_RDONLY | O_CLOEXEC);
	cleanup_close int elsewhere = open("/proc", O_RDONLY | O_CLOEXEC), pidfd = -EBADF;
	struct statfs fs;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	pidfd = pidfd_open(pid, 0);
	CHECK_INT(record_set_process(&record, elsewhere, pid, pidfd, NULL), 0);
	CHECK(record.pid == pid && record.start_time > 0 && record.pidfd_inode == 0);
	CHECK(record_is_alive(&record));
	if (memory >= 0 && fstatfs(memory, &fs) == 0 && fs.f_type == TMPFS_MAGIC) {
		CHECK_INT(record_set_process(&record, memory, pid, pidfd, NULL), 0);
		CHECK(record.pidfd_inode == proc_pidfd_inode(pidfd));
	}
	record.pidfd_inode = proc_pidfd_inode(pidfd);
	if (record.pidfd_inode) {
		record.start_time++; /* nobody asks */
		CHECK(record_is_alive(&record));
		record.start_time--;
		record.pidfd_inode++; /* the pid is another process's by now */
		CHECK(!record_is_alive(&record));
		record.pidfd_inode--;
	}
	CHECK_INT(kill(pid, SIGKILL), 0);
	CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK(!record_is_alive(&record)); /* a zombie */
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK(!record_is_alive(&record));
	CHECK_INT(record_set_process(&record, elsewhere, pid, -EBADF, NULL), -ESRCH);
}

static void test_cgroup_path(void)
{
	struct record record = example();
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;

	record_cgroup(&record, &cgroup);
	CHECK_STR(cgroup.path, "/orlop/c1");
	CHECK_INT(cgroup.manager, CGROUP_FS);
	cgroup_done(&cgroup);
	record.cgroup_path = "/"; /* killing there would kill the host */
	record.manager = "disabled";
	record_cgroup(&record, &cgroup);
	CHECK_STR(cgroup.path, "");
	CHECK_INT(cgroup.manager, CGROUP_DISABLED);
}

CHECK_MAIN({ "ids are names of harmless letters", test_ids },
	   { "an id is reserved once, locked, and removed", test_reserve },
	   { "state.json reads back what was written", test_round },
	   { "as we write it and as others would", test_forms },
	   { "damaged state names the container", test_damaged },
	   { "the status follows from pid, start time and fifo", test_status },
	   { "a process is known by the inode of its pidfd", test_inode },
	   { "a recorded cgroup is never the root", test_cgroup_path })
