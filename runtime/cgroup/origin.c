/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the path of a recorded cgroup counts from. The same path is another cgroup for whoever has
 * a cgroup namespace of his own, as the daemons of users without privilege have: /orlop/ID there is
 * below a cgroup that was delegated to them. So a record has the number of the folder that its path
 * begins at, and who looks from elsewhere finds that folder first.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runtime/cgroup/driver.h"

/* The root of the whole hierarchy: kernfs counts its folders from here on, and uses no number again
 * before the machine is started anew. */
#define HIERARCHY_ROOT 1

uint64_t cgroup_origin(const char *mount)
{
	struct stat status;

	return mount && stat(mount, &status) == 0 ? status.st_ino : 0;
}

/* (The root of a tmpfs is number 1, too.) */
static bool is_folder(int fd, uint64_t number)
{
	struct stat status;
	struct statfs fs;

	return fd >= 0 && fstat(fd, &status) == 0 && status.st_ino == number &&
	       fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

struct search {
	uint64_t number;
	int found;
};

static int visit(int dirfd, void *data)
{
	struct search *search = data;

	if (!is_folder(dirfd, search->number))
		return 0;
	search->found = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return search->found < 0 ? -errno : 1;
}

/* What can be seen from here has not the folder that the path begins at. */
static int is_elsewhere(struct cgroup *cgroup, bool sees_all, struct error *err)
{
	int ret = 0;

	/* of what can be seen all: then it is gone, and everything below it */
	if (!sees_all) {
		cgroup->elsewhere = true;
		ret = error_set(err, ERROR_STATE, 0,
				"cgroup \"%s\" is below one that cannot be seen from here: the "
				"container was created in another cgroup namespace",
				cgroup->path);
	}
	cgroup->path[0] = '\0'; /* here it would be somebody else's */
	return ret;
}

static int find_origin(struct cgroup *cgroup, struct error *err)
{
	struct search search = { .number = cgroup->origin, .found = -EBADF };
	cleanup_free char *mount = NULL;
	cleanup_close int fd = -EBADF;
	int ret = cgroup_find_mount(NULL, &mount, err);

	if (ret < 0)
		return ret;
	fd = mount ? open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	if (fd >= 0)
		(void)cgroup_walk(fd, visit, false, &search); /* what is found counts */
	if (search.found < 0)
		return is_elsewhere(cgroup, is_folder(fd, HIERARCHY_ROOT), err);
	cgroup->mount_fd = search.found;
	return 0;
}

int cgroup_open_origin(struct cgroup *cgroup, struct error *err)
{
	if (cgroup->mount_fd >= 0)
		return 0;
	cgroup->mount_fd = open(cgroup->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!cgroup->origin)
		return cgroup->mount_fd < 0 ? error_errno(err, errno, "open \"%s\"", cgroup->mount)
					    : 0;
	if (is_folder(cgroup->mount_fd, cgroup->origin))
		return 0;
	cleanup_close_fd(&cgroup->mount_fd);
	return find_origin(cgroup, err);
}
