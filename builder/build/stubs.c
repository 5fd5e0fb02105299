/* SPDX-License-Identifier: Apache-2.0 */
/* Mount point stubs. The executor calls this around a container. */
#include "builder/build/stubs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "builder/container/edits.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/path.h"

/* A node that cannot be made here (in a user namespace) is the runtime's to make or to bind; the
 * folder then keeps the time that it has by that. */
static int make_node(int folder_fd, const char *name, mode_t mode, dev_t number)
{
	int ret = S_ISDIR(mode) ? mkdirat(folder_fd, name, mode & 07777)
				: mknodat(folder_fd, name, mode, number);

	return ret < 0 && !S_ISCHR(mode) && !S_ISBLK(mode) ? -errno : 0;
}

static int stub_add(struct stubs *stubs, const char *path, mode_t mode, dev_t number,
		    struct error *err)
{
	const char *name;
	cleanup_close int folder_fd = inroot_parent(stubs->root_fd, path, false, &name, err);
	struct stub *stub;
	struct stat st;
	int ret;

	if (folder_fd < 0)
		return folder_fd;
	if (fstat(folder_fd, &st) < 0)
		return error_errno(err, errno, "stat the folder of \"%s\"", path);
	ret = make_node(folder_fd, name, mode, number);
	if (ret < 0)
		return error_errno(err, -ret, "make the mount point \"%s\"", path);
	ARRAY_GROW(stubs->items, stubs->count, stubs->capacity);
	stub = &stubs->items[stubs->count++];
	*stub = (struct stub){ .path = xstrdup(path),
			       .is_device = S_ISCHR(mode) || S_ISBLK(mode),
			       .times = { st.st_atim, st.st_mtim } };
	/* read again: not every file system has all of a time */
	(void)utimensat(folder_fd, ".", stub->times, 0);
	if (fstat(folder_fd, &st) < 0)
		return error_errno(err, errno, "stat the folder of \"%s\"", path);
	stub->mtime = st.st_mtim;
	return 0;
}

/* Is it in something that is mounted over the root? */
static bool is_hidden(const struct stubs *stubs, const char *path)
{
	for (size_t i = 0; i < stubs->mounted.count; i++)
		if (path_is_below(path, stubs->mounted.items[i]))
			return true;
	return false;
}

static int make_all(struct stubs *stubs, const char *destination, mode_t mode, dev_t number,
		    struct error *err)
{
	cleanup_free char *path = NULL;
	int ret = 0;

	if (is_hidden(stubs, destination) || inroot_exists(stubs->root_fd, destination) != 0)
		return 0;
	path = inroot_resolve(stubs->root_fd, destination, NULL);
	for (char *end = path; ret == 0 && end && *end;) {
		end = strchr(end + 1, '/');
		if (end)
			*end = '\0';
		if (inroot_exists(stubs->root_fd, path) == 0)
			ret = end ? stub_add(stubs, path, S_IFDIR | 0755, 0, err)
				  : stub_add(stubs, path, mode, number, err);
		if (end)
			*end = '/';
	}
	return ret;
}

static int set_root(struct stubs *stubs, int root_fd, struct error *err)
{
	if (stubs->root_fd < 0)
		stubs->root_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	return stubs->root_fd < 0 ? error_errno(err, errno, "duplicate the root's descriptor") : 0;
}

int stubs_make(struct stubs *stubs, int root_fd, const char *destination, mode_t type,
	       struct error *err)
{
	cleanup_free char *clean = path_join("/", destination);
	int ret = set_root(stubs, root_fd, err);

	if (ret == 0)
		ret = make_all(stubs, clean, type | (type == S_IFDIR ? 0755 : 0644), 0, err);
	strv_add(&stubs->mounted, clean);
	return ret;
}

int stubs_make_for(struct stubs *stubs, int root_fd, const char *destination, const char *source,
		   struct error *err)
{
	struct stat st;
	bool is_file = source && stat(source, &st) == 0 && !S_ISDIR(st.st_mode);

	return stubs_make(stubs, root_fd, destination, is_file ? S_IFREG : S_IFDIR, err);
}

static int make_device(struct stubs *stubs, int root_fd, const struct oci_device *device,
		       struct error *err)
{
	cleanup_free char *clean = path_join("/", device->path);
	const char *type = device->type ? device->type : "c";
	int ret = set_root(stubs, root_fd, err);

	if (ret < 0 || *type == 'p')
		return ret;
	return make_all(stubs, clean, *type == 'b' ? S_IFBLK | 0600 : S_IFCHR | 0600,
			makedev((unsigned int)device->major, (unsigned int)device->minor), err);
}

/* Only what is bound has a source that is a path here. */
static const char *bound_source(const struct oci_mount *mount)
{
	return mount->source && *mount->source == '/' ? mount->source : NULL;
}

int stubs_make_edits(struct stubs *stubs, int root_fd, const struct container_edits *edits,
		     struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < edits->mounts.count && ret == 0; i++)
		ret = stubs_make_for(stubs, root_fd, edits->mounts.items[i].destination,
				     bound_source(&edits->mounts.items[i]), err);
	for (size_t i = 0; i < edits->device_count && ret == 0; i++)
		ret = make_device(stubs, root_fd, &edits->devices[i].node, err);
	return ret;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Removes one stub if it is still empty, and gives its folder the time it would have without it. */
static void stub_remove(int root_fd, const struct stub *stub)
{
	const char *name;
	struct stat st, folder;
	struct timespec times[2];
	cleanup_close int folder_fd = inroot_parent(root_fd, stub->path, false, &name, NULL);

	if (folder_fd < 0 || fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstat(folder_fd, &folder) < 0)
		return;
	if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || st.st_size != 0) &&
	    !(stub->is_device && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))))
		return;
	if (unlinkat(folder_fd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		return; /* not empty: the command has put something there */

	times[0] = folder.st_atim;
	times[1] = folder.st_mtim;
	if (same_time(&folder.st_mtim, &stub->mtime))
		memcpy(times, stub->times, sizeof(times));
	(void)utimensat(folder_fd, ".", times, 0); /* cosmetic: the time of a folder */
}

void stubs_remove(struct stubs *stubs)
{
	for (size_t i = stubs->count; i > 0; i--)
		stub_remove(stubs->root_fd, &stubs->items[i - 1]);
}

void stubs_done(struct stubs *stubs)
{
	for (size_t i = 0; i < stubs->count; i++)
		free(stubs->items[i].path);
	free(stubs->items);
	strv_done(&stubs->mounted);
	cleanup_close_fd(&stubs->root_fd);
	*stubs = (struct stubs)STUBS_INIT;
}
