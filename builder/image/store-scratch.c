/* SPDX-License-Identifier: Apache-2.0 */
/* What a session is making, and how it gets its name: by one rename of something complete. */
#include "builder/image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"

int store_scratch_name(struct store *store, char out_name[STORE_NAME_SIZE], struct error *err)
{
	int ret = store_session(store, err);

	if (ret == 0)
		snprintf(out_name, STORE_NAME_SIZE, "tmp/%s/%u", store->session,
			 __atomic_add_fetch(&store->made, 1, __ATOMIC_RELAXED));
	return ret;
}

int store_scratch(struct store *store, char out_name[STORE_NAME_SIZE], int *out_fd,
		  struct error *err)
{
	int fd, ret = store_scratch_name(store, out_name, err);

	if (ret < 0)
		return ret;
	if (mkdirat(store->fd, out_name, 0755) < 0)
		return error_errno(err, errno, "create \"%s/%s\"", store->path, out_name);
	if (!out_fd)
		return 0;
	fd = openat(store->fd, out_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open \"%s/%s\"", store->path, out_name);
	*out_fd = fd;
	return 0;
}

int store_scratch_open(struct store *store, char out_name[STORE_NAME_SIZE], int *out_fd,
		       struct error *err)
{
	int fd, ret = store_scratch_name(store, out_name, err);

	if (ret < 0)
		return ret;
	fd = openat(store->fd, out_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "create \"%s/%s\"", store->path, out_name);
	*out_fd = fd;
	return 0;
}

int store_scratch_file(struct store *store, const void *data, size_t size,
		       char out_name[STORE_NAME_SIZE], struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret = store_scratch_name(store, out_name, err);

	if (ret < 0)
		return ret;
	fd = openat(store->fd, out_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ret = fd < 0 ? -errno : io_write_all(fd, data, size);
	if (ret < 0)
		return error_errno(err, -ret, "write \"%s/%s\"", store->path, out_name);
	return 0;
}

int store_publish_file(struct store *store, const char *name, const char *target, struct error *err)
{
	if (renameat(store->fd, name, store->fd, target) == 0)
		return 0;
	if (errno == ENOENT) { /* the store is older than the folder */
		cleanup_free char *folder = path_parent(target);

		if (mkdirat(store->fd, folder, 0700) < 0 && errno != EEXIST)
			return error_errno(err, errno, "create \"%s/%s\"", store->path, folder);
		if (renameat(store->fd, name, store->fd, target) == 0)
			return 0;
	}
	return error_errno(err, errno, "rename \"%s\" to \"%s\"", name, target);
}

int store_replace(struct store *store, const char *target, const void *data, size_t size,
		  struct error *err)
{
	cleanup_close int fd = -EBADF;
	char scratch[STORE_NAME_SIZE];
	int ret = store_scratch_open(store, scratch, &fd, err);

	if (ret < 0)
		return ret;
	ret = io_write_all(fd, data, size);
	if (ret < 0)
		return error_errno(err, -ret, "write \"%s/%s\"", store->path, target);
	return store_publish_file(store, scratch, target, err);
}

int store_publish(struct store *store, const char *name, const char *target, struct error *err)
{
	int ret = store_session(store, err);

	if (ret == 0)
		ret = store_lock(store, LOCK_SH, err);
	if (ret < 0)
		return ret;
	ret = store_hold_line(store, target, err);
	if (ret == 0 && renameat2(store->fd, name, store->fd, target, RENAME_NOREPLACE) == 0)
		store->dirty = true;
	else if (ret == 0 && errno != EEXIST)
		ret = error_errno(err, errno, "rename \"%s\" to \"%s\"", name, target);
	store_unlock(store);
	return ret;
}

int store_discard(struct store *store, const char *name, struct error *err)
{
	char scratch[STORE_NAME_SIZE];
	int ret = store_scratch_name(store, scratch, err);

	if (ret < 0)
		return ret;
	if (renameat(store->fd, name, store->fd, scratch) < 0)
		return error_errno(err, errno, "remove \"%s/%s\"", store->path, name);
	return 0;
}
