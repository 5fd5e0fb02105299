/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files and their atomic replacement. */
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "tests/unit/check.h"

static void test_replace(void)
{
	char top[] = "/tmp/orlop-test-io-XXXXXX";
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	cleanup_close int folder = -EBADF;
	struct stat status;

	CHECK(mkdtemp(top));
	folder = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(io_replace_file(folder, "f", "one", 3, 0600, IO_NO_SYNC, NULL), 0);
	CHECK_INT(io_replace_file(folder, "f", "three", 5, 0640, IO_SYNC, NULL), 0);
	CHECK_INT(io_read_file(folder, "f", 100, &buf, NULL), 0);
	CHECK_STR(buf.data, "three");
	CHECK_INT(fstatat(folder, "f", &status, 0), 0);
	CHECK_INT(status.st_mode & 07777, 0640);
	CHECK_ERROR(io_replace_file(folder, "no/f", "x", 1, 0600, IO_NO_SYNC, &err), ENOENT,
		    "create \"no/f.");
	CHECK_ERROR(io_read_file(folder, "g", 100, &buf, &err), ENOENT, "open \"g\"");
	CHECK_INT(path_remove_tree(AT_FDCWD, top, NULL), 0);
}

static void test_limits(void)
{
	cleanup_close int fd = memfd_create("io", MFD_CLOEXEC),
			  to = memfd_create("to", MFD_CLOEXEC);
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	char data[10000] = { 0 };
	size_t copied = 0;

	CHECK_INT(io_write_all(fd, data, sizeof(data)), 0);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	CHECK_INT(io_read_rest(fd, 5000, &buf), -EFBIG);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	CHECK_INT(io_copy(fd, to, SIZE_MAX, &copied), 0);
	CHECK_INT(copied, sizeof(data));
	CHECK_INT(lseek(to, 0, SEEK_SET), 0);
	CHECK_INT(io_read_exact(to, data, 9999), 0);
	CHECK_INT(io_read_exact(to, data, 2), -ENODATA);
}

/* The message of a refused write is one line, whatever was to be written. */
static void test_kernel_file(void)
{
	CHECK_ERROR(io_write_kernel_file(AT_FDCWD, "/proc/self/comm/x", "1", &err), ENOTDIR,
		    "open \"/proc/self/comm/x\"");
	CHECK_ERROR(io_write_kernel_file(AT_FDCWD, "/dev/full", "0 0 1\n", &err), ENOSPC,
		    "write \"0 0 1\" to \"/dev/full\"");
}

CHECK_MAIN({ "a file is replaced whole, with its mode", test_replace },
	   { "reads are bounded, copies are complete", test_limits },
	   { "a refused write to the kernel is told in one line", test_kernel_file })
