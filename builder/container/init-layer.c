/* SPDX-License-Identifier: Apache-2.0 */
/* The tree is an overlay's upper, in which the mount points were made: so folders above them have
 * the metadata that they have in the image. */
#include "builder/container/init-layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "builder/container/edits.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/path.h"

/* An empty folder or file, or a node, if nothing is there; the folder above keeps its times. */
static int make_point(int root_fd, const char *path, mode_t type, dev_t device, struct error *err)
{
	cleanup_close int folder = -EBADF, parent = -EBADF, file = -EBADF;
	cleanup_free char *above = path_parent(path);
	struct timespec times[2];
	const char *name;
	struct stat st;
	int ret = inroot_exists(root_fd, path);

	if (ret != 0)
		return ret < 0 ? error_errno(err, -ret, "look for \"%s\"", path) : 0;
	folder = inroot_mkdir_all(root_fd, above, 0755, (uid_t)-1, (gid_t)-1, err);
	if (folder < 0)
		return folder;
	parent = inroot_parent(root_fd, path, false, &name, err);
	if (parent < 0)
		return parent;
	if (fstat(parent, &st) < 0)
		return error_errno(err, errno, "stat \"%s\"", above);
	if (S_ISREG(type))
		file = inroot_make_file(root_fd, path, 0755, err);
	else if (S_ISDIR(type) ? mkdirat(parent, name, 0755) : mknodat(parent, name, type, device))
		ret = error_errno(err, errno, "make \"%s\"", path);
	if (ret < 0 || (S_ISREG(type) && file < 0))
		return ret < 0 ? ret : file;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (utimensat(parent, ".", times, 0) < 0)
		return error_errno(err, errno, "set the time of \"%s\"", above);
	return 0;
}

static int make_standard(int root_fd, struct error *err)
{
	static const char *const folders[] = { "/proc", "/dev", "/sys" };
	static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts" };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && ret == 0; i++)
		ret = make_point(root_fd, folders[i], S_IFDIR, 0, err);
	for (size_t i = 0; i < ARRAY_SIZE(files) && ret == 0; i++)
		ret = make_point(root_fd, files[i], S_IFREG, 0, err);
	return ret;
}

static int make_mounts(const struct container_record *record, int root_fd, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < record->mounts.count && ret == 0; i++) {
		const struct container_mount *mount = &record->mounts.items[i];
		struct stat st;
		bool file = strcmp(mount->type, "bind") == 0 && stat(mount->source, &st) == 0 &&
			    !S_ISDIR(st.st_mode);

		ret = make_point(root_fd, mount->target, file ? S_IFREG : S_IFDIR, 0, err);
	}
	return ret;
}

static int make_edits(const struct container_edits *edits, int root_fd, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < edits->mounts.count && ret == 0; i++) {
		const struct oci_mount *mount = &edits->mounts.items[i];
		struct stat st;
		bool file = mount->source && stat(mount->source, &st) == 0 && !S_ISDIR(st.st_mode);

		ret = make_point(root_fd, mount->destination, file ? S_IFREG : S_IFDIR, 0, err);
	}
	for (size_t i = 0; i < edits->device_count && ret == 0; i++) {
		const struct oci_device *node = &edits->devices[i].node;
		mode_t type = node->type[0] == 'b'   ? S_IFBLK
			      : node->type[0] == 'p' ? S_IFIFO
						     : S_IFCHR;

		if (strncmp(node->path, "/dev/", 5) != 0)
			ret = make_point(
				root_fd, node->path, type | 0666,
				makedev((unsigned int)node->major, (unsigned int)node->minor), err);
	}
	return ret;
}

static int make_all(struct container *container, const struct sandbox *sandbox, bool init,
		    int root_fd, struct error *err)
{
	int ret = make_standard(root_fd, err);

	if (ret == 0)
		ret = make_mounts(&container->record, root_fd, err);
	if (ret == 0 && sandbox)
		ret = make_edits(&sandbox->edits, root_fd, err);
	if (ret == 0 && init)
		ret = make_point(root_fd, INIT_TARGET, S_IFREG, 0, err);
	return error_prefix(err, ret, "make a mount point");
}

int init_layer_make(struct container *container, const struct sandbox *sandbox, bool init,
		    struct error *err)
{
	struct store *store = container->store;
	cleanup_free char *folder = xasprintf("%s/init", container->folder);
	cleanup_close int mount_fd = -EBADF, root_fd = -EBADF;
	cleanup_strv struct strv trees = STRV_INIT;
	struct snapshot_upper upper;
	int ret;

	for (size_t i = 0; i < container->record.trees.count; i++)
		strv_add(&trees, container->record.trees.items[i]);
	if (mkdirat(store->fd, folder, 0700) < 0)
		return error_errno(err, errno, "mkdir \"%s/%s\"", store->path, folder);
	ret = snapshot_upper_create_at(store, &trees, folder, &upper, err);
	if (ret == 0)
		ret = snapshot_mount(store, &trees, &upper, 0, &mount_fd, err);
	if (ret < 0)
		return ret;
	root_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_errno(err, errno, "open the root of \"%s\"", folder);
	return make_all(container, sandbox, init, root_fd, err);
}
