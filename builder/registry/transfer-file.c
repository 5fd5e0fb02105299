/* SPDX-License-Identifier: Apache-2.0 */
/* Called by pull-blob.c and push.c. */
#include "builder/registry/transfer-file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

#define WAIT_MS 100

/* 1 = ours now; 0 = another process has it. It may be renamed or removed between open and lock. */
static int try_open(struct store *store, const char *name, int *out_fd, struct error *err)
{
	for (;;) {
		cleanup_close int fd =
			openat(store->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		struct stat ours, there;

		if (fd < 0)
			return error_errno(err, errno, "open \"%s/%s\"", store->path, name);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return 0;
		if (fstat(fd, &ours) == 0 &&
		    fstatat(store->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    ours.st_ino == there.st_ino) {
			*out_fd = TAKE_FD(fd);
			return 1;
		}
	}
}

static int check_wanted(struct store *store, const bool *unwanted, struct error *err)
{
	if (unwanted && *unwanted)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "nobody wants the blob any more");
	return store_check_stop(store, err);
}

/*
 * One transfers, the others wait: for its end, whichever that is. A lock cannot be polled.
 * Processes may hold and want blobs in any order: who waits here holds up nobody, because each blob
 * has a fiber of its own that has no other lock.
 */
int transfer_file_open(struct store *store, const char *name, const bool *unwanted, int *out_fd,
		       struct error *err)
{
	cleanup_free char *folder = xstrndup(name, strcspn(name, "/"));
	struct pollfd stop = { .fd = store->stop_fd, .events = POLLIN };
	bool waited = false;
	int ret;

	if (mkdirat(store->fd, folder, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create \"%s/%s\"", store->path, folder);
	ret = try_open(store, name, out_fd, err);
	while (ret == 0) {
		waited = true;
		(void)fiber_poll(&stop, 1, WAIT_MS); /* a wait that ends early does no harm */
		ret = check_wanted(store, unwanted, err);
		if (ret == 0)
			ret = try_open(store, name, out_fd, err);
	}
	return ret < 0 ? ret : waited;
}
