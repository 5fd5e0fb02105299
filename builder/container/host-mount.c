/* SPDX-License-Identifier: Apache-2.0 */
/* Called by mount, umount, rm, and by whoever mounts a container's root. */
#include "builder/container/host-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/snapshot.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/spawn.h"
#include "lib/syscalls.h"

#define FOLDER "mounted"
#define NAME_MAX_SIZE 4096

char *host_mount_path(struct store *store, const char *id)
{
	return xasprintf("%s/" FOLDER "/%s/root", store->path, id);
}

char *host_mount_name(struct store *store, const char *id)
{
	cleanup_free char *path = xasprintf(FOLDER "/%s/name", id);
	struct strbuf text = STRBUF_INIT;

	(void)io_read_file(store->fd, path, NAME_MAX_SIZE, &text, NULL); /* "" says it, too */
	return strbuf_take(&text);
}

bool host_mount_is_there(struct store *store, const char *id)
{
	cleanup_free char *path = host_mount_path(store, id);
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int host_mount_clone(struct store *store, const char *id)
{
	cleanup_free char *path = host_mount_path(store, id);
	int fd;

	if (!host_mount_is_there(store, id))
		return -ENOENT;
	fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int list_one(struct store *store, const char *name, void *context, struct error *err)
{
	(void)err;
	if (host_mount_is_there(store, name))
		strv_add(context, name);
	return 0;
}

int host_mount_list(struct store *store, struct strv *out_ids, struct error *err)
{
	int ret = store_each_name(store, FOLDER, list_one, out_ids, err);

	strv_sort(out_ids);
	return ret;
}

/* One at a time. */
static int lock_folder(struct store *store, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret;

	if (mkdirat(store->fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s/" FOLDER "\"", store->path);
	fd = openat(store->fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open \"%s/" FOLDER "\"", store->path);
	do
		ret = flock(fd, LOCK_EX);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? error_errno(err, errno, "lock \"%s/" FOLDER "\"", store->path)
		       : TAKE_FD(fd);
}

static int make_folder(struct store *store, const struct host_mount *mount, struct error *err)
{
	cleanup_free char *folder = xasprintf(FOLDER "/%s", mount->id);
	cleanup_free char *root = xasprintf("%s/root", folder),
			  *name = xasprintf("%s/name", folder);
	cleanup_free char *holds = xasprintf("%s/holds.%s", folder, store->boot);
	int ret = 0;

	if ((mkdirat(store->fd, folder, 0700) < 0 && errno != EEXIST) ||
	    (mkdirat(store->fd, root, 0700) < 0 && errno != EEXIST))
		return error_errno(err, errno, "mkdir \"%s/%s\"", store->path, root);
	if (mount->holds)
		ret = io_replace_file(store->fd, holds, strbuf_text(mount->holds),
				      mount->holds->size, 0600, IO_NO_SYNC, err);
	return ret < 0 ? ret
		       : io_replace_file(store->fd, name, mount->name, strlen(mount->name), 0600,
					 IO_NO_SYNC, err);
}

static int remove_folder(struct store *store, const char *id, struct error *err)
{
	cleanup_free char *folder = xasprintf(FOLDER "/%s", id);

	/* nothing is mounted there any more, and rmdir would see it if it were */
	return path_remove_tree(store->fd, folder, err);
}

int host_mount_make(struct store *store, const struct host_mount *mount, struct error *err)
{
	cleanup_close int lock_fd = lock_folder(store, err);
	cleanup_free char *path = host_mount_path(store, mount->id);
	int ret;

	if (lock_fd < 0)
		return lock_fd;
	if (host_mount_is_there(store, mount->id))
		return 0;
	ret = make_folder(store, mount, err);
	if (ret == 0)
		ret = snapshot_attach(mount->mount_fd, AT_FDCWD, path, err);
	if (ret < 0)
		(void)remove_folder(store, mount->id, NULL);
	return ret;
}

int host_mount_end(struct store *store, const char *id, bool lazy, struct error *err)
{
	cleanup_close int lock_fd = lock_folder(store, err);
	cleanup_free char *path = host_mount_path(store, id);
	cleanup_free char *folder = xasprintf(FOLDER "/%s", id);

	if (lock_fd < 0)
		return lock_fd;
	if (faccessat(store->fd, folder, F_OK, 0) < 0)
		return -ENOENT;
	while (host_mount_is_there(store, id))
		if (umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) < 0)
			return error_errno(err, errno, "unmount \"%s\"%s", path,
					   errno == EBUSY ? " (somebody uses it; --force does not "
							    "wait for them)"
							  : "");
	return remove_folder(store, id, err);
}

int host_mount_end_elsewhere(struct store *store, const char *id, struct error *err)
{
	char *argv[] = { (char *)"orlop-builder", (char *)"--store",  store->path, (char *)"umount",
			 (char *)"--force",	  (char *)"--ignore", (char *)id,  NULL };
	cleanup_free char *folder = xasprintf(FOLDER "/%s", id);
	struct spawn spawn = SPAWN_INIT;
	int status = 0, ret;

	if (faccessat(store->fd, folder, F_OK, 0) < 0)
		return 0;
	spawn.path = "/proc/self/exe";
	spawn.argv = argv;
	spawn.mounts_fd = store->host_mounts_fd;
	spawn.root_fd = store->host_root_fd;
	ret = spawn_run(&spawn, &status, err);
	if (ret == 0 && status != 0)
		return error_set(err, ERROR_SYSTEM, 0, "unmount \"%s/%s/root\": exit status %d",
				 store->path, folder, status);
	return ret;
}
