/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths. Files are covered with the host's /dev/null, opened before the
 * container's own could be (CVE-2025-31133), folders with one empty read-only tmpfs that all of
 * them share. What does not exist needs no mask. Fds stay open until init_sweep_fds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/inroot.h"
#include "lib/syscalls.h"
#include "runtime/init/mounts.h"

struct masks {
	int null_fd;  /* a mount of /dev/null, attached once; clones come from it */
	int empty_fd; /* the same for the empty folder */
};

/* The host's node: masks are applied before pivot_root, so this path is not the image's. */
static int open_null(struct error *err)
{
	int fd = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(err, errno, "open the host's /dev/null");
	if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
		return error_set(err, ERROR_UNSUPPORTED, 0, "the host's /dev/null is not 1:3");
	return fd;
}

/* Labelled as the other mounts are: programs may look into it, and find nothing. */
static int make_empty(const struct init *init, struct error *err)
{
	const char *data[] = { "mode=0555", NULL, NULL };
	char label[512];

	if (init->plan->mount_label) {
		(void)snprintf(label, sizeof(label), "%s=%s", init->plan->mount_context,
			       init->plan->mount_label);
		data[1] = label;
	}
	return error_prefix(err,
			    fs_context_mount("tmpfs", NULL, data,
					     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						     MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
					     err),
			    "an empty folder for masking");
}

/* The first one of a kind is used itself, the next ones are clones of it. */
static int cover(int *kind_fd, int fresh, int target, struct error *err)
{
	int clone;

	if (fresh >= 0) {
		*kind_fd = fresh;
		return mount_attach(fresh, target, err);
	}
	clone = open_tree(*kind_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone < 0)
		return error_errno(err, errno, "clone the masking mount");
	return mount_attach(clone, target, err);
}

static int mask_file(struct masks *masks, int target, struct error *err)
{
	int fresh = -EBADF;

	if (masks->null_fd < 0) {
		fresh = open_null(err);
		if (fresh < 0)
			return fresh;
	}
	return cover(&masks->null_fd, fresh, target, err);
}

static int mask_folder(const struct init *init, struct masks *masks, int target, struct error *err)
{
	int fresh = -EBADF;

	if (masks->empty_fd < 0) {
		fresh = make_empty(init, err);
		if (fresh < 0)
			return fresh;
	}
	return cover(&masks->empty_fd, fresh, target, err);
}

static int mask_path(struct init *init, struct masks *masks, const char *path, struct error *err)
{
	int target = inroot_open(init->root_fd, path, O_PATH, 0, NULL);
	struct stat status;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return error_errno(err, -target, "open \"%s\"", path);
	if (fstat(target, &status) < 0)
		return error_errno(err, errno, "look at \"%s\"", path);
	return S_ISDIR(status.st_mode) ? mask_folder(init, masks, target, err)
				       : mask_file(masks, target, err);
}

/* A bind of the path onto itself, read-only; the flags that it has stay. */
static int make_readonly(struct init *init, const char *path, struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int target = inroot_open(init->root_fd, path, O_PATH, 0, NULL), clone;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return error_errno(err, -target, "open \"%s\"", path);
	clone = open_tree(target, "",
			  AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone < 0 || mount_setattr(clone, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "make \"%s\" read-only", path);
	return mount_attach(clone, target, err);
}

int masks_apply(struct init *init, struct error *err)
{
	struct masks masks = { -EBADF, -EBADF };
	size_t count = 0;
	int ret = 0;

	for (const char *const *path = init->plan->readonly_paths; *path && ret == 0; path++) {
		ret = error_prefix(err, make_readonly(init, *path, err), "read-only path \"%s\"",
				   *path);
		if (ret == 0 && ++count % INIT_SWEEP_EVERY == 0)
			ret = init_sweep_fds(init, err);
	}
	for (const char *const *path = init->plan->masked_paths; *path && ret == 0; path++) {
		ret = error_prefix(err, mask_path(init, &masks, *path, err), "masked path \"%s\"",
				   *path);
		if (ret == 0 && ++count % INIT_SWEEP_EVERY == 0) {
			ret = init_sweep_fds(init, err);
			masks = (struct masks){ -EBADF, -EBADF }; /* made anew */
		}
	}
	return ret;
}
