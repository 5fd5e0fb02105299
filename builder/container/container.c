/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a container, and its root file system. */
#include "builder/container/container.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/container/host-mount.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

void container_unlock(struct container *container)
{
	cleanup_close_fd(&container->lock_fd);
}

void container_done(struct container *container)
{
	if (container->mounted)
		(void)snapshot_detach(container->rootfs, NULL); /* it goes with our namespace */
	container_unlock(container);
	container_record_done(&container->record);
	free(container->folder);
	free(container->rootfs);
	free(container->bundle);
	*container = (struct container)CONTAINER_INIT;
}

int container_relock(struct container *container, struct error *err)
{
	char id[CONTAINER_ID_SIZE];
	int fd;

	memcpy(id, container->record.id, sizeof(id));
	fd = container_lock(container->store, id, err);
	if (fd < 0)
		return fd;
	container->lock_fd = fd;
	container_record_done(&container->record);
	return container_record_load(container->store, id, &container->record, err);
}

int container_open(struct store *store, const char *word, struct container *out, struct error *err)
{
	int ret = container_record_find(store, word, &out->record, err);

	out->store = store;
	if (ret == 0)
		ret = container_relock(out, err);
	if (ret < 0)
		return ret;
	out->folder = xasprintf("containers/%s", out->record.id);
	out->rootfs = xasprintf("%s/%s/rootfs", store->path, out->folder);
	out->bundle = xasprintf("%s/%s/bundle", store->path, out->folder);
	return 0;
}

/* The image, what it lacks for mounts, and on top of it the container's own layer. */
static int mount_layers(struct container *container, int *out_fd, struct error *err)
{
	struct store *store = container->store;
	const struct json_strings *trees = &container->record.trees;
	cleanup_strv struct strv all = STRV_INIT;
	struct snapshot_upper upper;
	cleanup_free char *init = xasprintf("%s/init/upper", container->folder);
	int ret;

	for (size_t i = 0; i < trees->count; i++)
		strv_add(&all, trees->items[i]);
	if (faccessat(store->fd, init, F_OK, 0) == 0)
		strv_add(&all, init);
	(void)snprintf(upper.name, sizeof(upper.name), "%s/layer", container->folder);
	(void)snprintf(upper.upper, sizeof(upper.upper), "%s/layer/upper", container->folder);
	if (mkdirat(store->fd, upper.name, 0700) == 0)
		ret = snapshot_upper_create_at(store, &all, upper.name, &upper, err);
	else
		ret = errno == EEXIST
			      ? 0
			      : error_errno(err, errno, "mkdir \"%s/%s\"", store->path, upper.name);
	return ret < 0 ? ret : snapshot_mount(store, &all, &upper, 0, out_fd, err);
}

/* A layer is mounted once: what somebody has mounted on the host is shared. */
int container_open_rootfs(struct container *container, int *out_fd, struct error *err)
{
	int fd = host_mount_clone(container->store, container->record.id);

	if (fd == -ENOENT)
		return mount_layers(container, out_fd, err);
	if (fd < 0)
		return error_errno(err, -fd, "share the mounted root of container %s",
				   container->record.name);
	*out_fd = fd;
	return 0;
}

int container_mount_rootfs(struct container *container, struct error *err)
{
	cleanup_close int mount_fd = -EBADF;
	int ret = container_open_rootfs(container, &mount_fd, err);

	if (ret == 0)
		ret = snapshot_attach(mount_fd, AT_FDCWD, container->rootfs, err);
	container->mounted = ret == 0;
	return ret;
}
