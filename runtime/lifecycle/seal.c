/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process of the container can open /proc/PID/exe of whoever enters it, and write to it: that
 * would be the host's runtime binary (CVE-2019-5736). So the verbs that put a process of ours into
 * a container first run themselves again from something that cannot be written: a detached
 * read-only clone of the binary's mount (half a millisecond), else a sealed memfd.
 *
 * There is no marker in the environment: what we run from says itself whether it is sealed.
 */
#include "runtime/lifecycle/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/syscalls.h"

#define SELF "/proc/self/exe"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* A read-only mount is what our own second execution runs from, and what many hosts have. */
static bool is_sealed(void)
{
	cleanup_close int fd = -EBADF;
	struct statfs fs;
	struct statx file;
	int seals;

	if (statfs(SELF, &fs) < 0)
		return false;
	if (fs.f_flags & MS_RDONLY)
		return true;
	if (statx(AT_FDCWD, SELF, 0, 0, &file) == 0 &&
	    (file.stx_attributes & (STATX_ATTR_VERITY | STATX_ATTR_IMMUTABLE)))
		return true;
	if (fs.f_type != TMPFS_MAGIC)
		return false; /* where memfds live */
	fd = open(SELF, O_RDONLY | O_CLOEXEC);
	seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS;
}

static int clone_mount(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	cleanup_close int fd = open_tree(AT_FDCWD, SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int copy_to_memory(struct error *err)
{
	cleanup_close int from = open(SELF, O_RDONLY | O_CLOEXEC);
	cleanup_close int copy = -EBADF;
	int ret;

	if (from < 0)
		return error_errno(err, errno, "open \"%s\"", SELF);
	copy = memfd_create("orlop-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (copy < 0 && errno == EINVAL) /* before Linux 6.3: executable without being asked */
		copy = memfd_create("orlop-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0)
		return error_errno(err, errno, "create a memory file for the runtime");
	ret = io_copy(from, copy, SIZE_MAX, NULL);
	if (ret < 0)
		return error_errno(err, -ret, "copy \"%s\" to memory", SELF);
	if (fcntl(copy, F_ADD_SEALS, SEALS) < 0)
		return error_errno(err, errno, "seal the copy of \"%s\"", SELF);
	return TAKE_FD(copy);
}

int seal_self(char *const *argv, struct error *err)
{
	cleanup_close int fd = -EBADF;

	if (is_sealed())
		return 0;
	fd = clone_mount();
	if (fd < 0) { /* without CAP_SYS_ADMIN, or from a mount that is not ours */
		fd = copy_to_memory(err);
		if (fd < 0)
			return fd;
	}
	(void)execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return error_errno(err, errno, "execute the sealed copy of \"%s\"", SELF);
}

int seal_check(const struct error *unsealed, struct error *err)
{
	if (!unsealed)
		return 0;
	if (err)
		*err = *unsealed;
	return unsealed->errnum ? -unsealed->errnum : -EIO;
}
