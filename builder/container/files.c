/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Called by cp. In a container each path is looked up inside of its root and then used by
 * descriptors alone: its processes may exchange folders for symlinks while we copy.
 */
#include "builder/container/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/container/tree-copy.h"
#include "builder/image/layer.h"
#include "builder/image/unpack.h"
#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/inroot.h"
#include "lib/path.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define LINKS_MAX 40 /* as the kernel has it */

/* By its first process; which it still must be afterwards, lest the pid is another's. */
static int open_running(struct container *container, pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/root", (int)pid);
	cleanup_close int fd = open(path, FOLDER_FLAGS);
	struct container_state state;

	if (fd < 0)
		return -errno;
	container_state_get(container->store, &container->record, &state);
	container_unlock(container);
	return state.pid == pid ? TAKE_FD(fd) : -ESRCH;
}

int container_open_root(struct container *container, struct error *err)
{
	struct container_state state;
	int ret, fd;

	container_state_get(container->store, &container->record, &state);
	if (container_is_up(&state) && state.pid > 0) {
		fd = open_running(container, state.pid);
	} else {
		ret = container_mount_rootfs(container, err);
		if (ret < 0)
			return ret;
		fd = open(container->rootfs, FOLDER_FLAGS);
		fd = fd < 0 ? -errno : fd;
	}
	return fd < 0 ? error_errno(err, -fd, "open the root of container %s",
				    container->record.name)
		      : fd;
}

/* -- places --------------------------------------------------------------------------------------
 */

/* Something by the folder that it is in. */
struct found {
	int folder_fd;
	char *name; /* "." = the folder itself */
	bool contents, slash;
	bool exists;
	struct stat st;
};

static void found_done(struct found *found)
{
	cleanup_close_fd(&found->folder_fd);
	free(found->name);
}

static int open_place(const struct file_place *place, const char *path, struct error *err)
{
	int fd = place->root_fd >= 0 ? inroot_open(place->root_fd, path, FOLDER_FLAGS, 0, err)
				     : open(path, FOLDER_FLAGS);

	return fd < 0 && place->root_fd < 0 ? error_errno(err, errno, "open folder \"%s\"", path)
					    : fd;
}

/* In a container ".." ends at its root. */
static char *clean_path(const struct file_place *place)
{
	return place->root_fd >= 0 ? path_join("/", place->path) : path_clean(place->path);
}

/* "a/b/", "a/b/.": what the end of a path says, which cleaning it would take away. Of a folder that
 * has no name to be called by ("/", "..") the contents count, too. */
static void read_end(const char *path, const char *clean, struct found *out)
{
	static const char *const nameless[] = { "/", ".", ".." };
	size_t size = strlen(path);

	out->slash = size > 1 && path[size - 1] == '/';
	out->contents = size >= 2 && strcmp(path + size - 2, "/.") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(nameless); i++)
		out->contents |= strcmp(path_base(clean), nameless[i]) == 0;
}

/* follow: also a symlink in the last component. */
static int find(const struct file_place *place, bool follow, struct found *out, struct error *err)
{
	cleanup_free char *clean = clean_path(place), *parent = NULL;
	cleanup_close int whole = -EBADF;

	out->folder_fd = -EBADF;
	read_end(place->path, clean, out);
	/* a folder, also behind a symlink when that is asked for */
	if (follow || out->slash || out->contents)
		whole = open_place(place, clean, NULL);
	if (whole >= 0) {
		out->folder_fd = TAKE_FD(whole);
		out->name = xstrdup(".");
	} else {
		parent = path_parent(clean);
		out->folder_fd = open_place(place, parent, err);
		out->name = xstrdup(path_base(clean));
	}
	if (out->folder_fd < 0)
		return out->folder_fd;
	out->exists = fstatat(out->folder_fd, out->name, &out->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!out->exists && errno != ENOENT)
		return error_errno(err, errno, "stat \"%s\"", place->path);
	return 0;
}

/* One step: the symlink's target, from the folder that it is in. Folders are looked up by the
 * kernel as they are written, for ".." behind a symlink is not what the text says. Owned. */
static char *next_target(const struct found *link, const char *path)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(link->folder_fd, link->name, target, sizeof(target) - 1);
	const char *slash = strrchr(path, '/');

	if (size <= 0)
		return NULL;
	target[size] = '\0';
	if (*target == '/')
		return xstrdup(target);
	return xasprintf("%.*s/%s", slash ? (int)(slash - path) : 1, slash ? path : ".", target);
}

/* Links to folders are found as folders; those to files go on here, inside of the root. */
static int follow_links(const struct file_place *place, struct found *found, struct error *err)
{
	cleanup_free char *path = clean_path(place);

	for (unsigned int left = LINKS_MAX; S_ISLNK(found->st.st_mode); left--) {
		char *target = left ? next_target(found, path) : NULL;
		char *slash;

		if (!target)
			return error_errno(err, left ? ENOENT : ELOOP, "copy \"%s\"", place->path);
		free(path);
		path = target;
		slash = strrchr(path, '/');
		found_done(found);
		*slash = '\0';
		found->folder_fd = open_place(place, *path ? path : "/", err);
		*slash = '/';
		found->name = xstrdup(slash + 1);
		if (found->folder_fd < 0)
			return found->folder_fd;
		/* folders were not found here; ".." would be looked up from it, out of the root */
		if (!*found->name || strcmp(found->name, ".") == 0 ||
		    strcmp(found->name, "..") == 0)
			return error_errno(err, ELOOP, "copy \"%s\"", place->path);
		if (fstatat(found->folder_fd, found->name, &found->st, AT_SYMLINK_NOFOLLOW) < 0)
			return error_errno(err, errno, "copy \"%s\"", place->path);
	}
	return 0;
}

static int find_source(const struct file_place *place, bool follow, struct found *out,
		       struct error *err)
{
	int ret = find(place, follow, out, err);

	if (ret == 0 && !out->exists)
		return error_errno(err, ENOENT, "copy \"%s\"", place->path);
	if (ret == 0 && (out->slash || out->contents) && !S_ISDIR(out->st.st_mode))
		return error_errno(err, ENOTDIR, "copy \"%s\"", place->path);
	return ret == 0 && follow ? follow_links(place, out, err) : ret;
}

/* The name it shall have: its own, in a folder that is there. */
static const char *name_of(const struct file_place *place, char **clean)
{
	*clean = clean_path(place);
	return path_base(*clean);
}

/* -- copying -------------------------------------------------------------------------------------
 */

static int copy_into(const struct tree_copy *copy, const struct found *from,
		     const struct file_place *from_place, const struct found *to, struct error *err)
{
	cleanup_close int folder = openat(to->folder_fd, to->name, FOLDER_FLAGS | O_NOFOLLOW);
	cleanup_free char *clean = NULL;

	if (folder < 0)
		return error_errno(err, errno, "open the target");
	if (from->contents)
		return tree_copy(copy, from->folder_fd, from->name, folder, ".", err);
	return tree_copy(copy, from->folder_fd, from->name, folder, name_of(from_place, &clean),
			 err);
}

int files_copy(const struct file_copy *options, const struct file_place *from_place,
	       const struct file_place *to_place, struct error *err)
{
	const struct tree_copy copy = { .set_owner = !options->archive,
					.uid = options->uid,
					.gid = options->gid,
					.keep_folders = true,
					.no_replace = true };
	__attribute__((cleanup(found_done))) struct found from = { .folder_fd = -EBADF };
	__attribute__((cleanup(found_done))) struct found to = { .folder_fd = -EBADF };
	int ret = find_source(from_place, options->follow, &from, err);

	/* a target that is a symlink to a folder is that folder */
	if (ret == 0)
		ret = find(to_place, true, &to, err);
	if (ret < 0)
		return ret;
	if (to.exists && S_ISDIR(to.st.st_mode))
		return copy_into(&copy, &from, from_place, &to, err);
	if ((to.slash || to.contents) || (to.exists && S_ISDIR(from.st.st_mode)))
		return error_errno(err, to.exists ? ENOTDIR : ENOENT, "copy to \"%s\"",
				   to_place->path);
	if (to.exists && S_ISLNK(to.st.st_mode))
		return error_errno(err, ELOOP, "copy to \"%s\"", to_place->path);
	return tree_copy(&copy, from.folder_fd, from.name, to.folder_fd, to.name, err);
}

int files_write_tar(struct store *store, const struct file_copy *options,
		    const struct file_place *from_place, int fd, struct error *err)
{
	static const struct tree_copy copy = { .set_owner = false };
	__attribute__((cleanup(found_done))) struct found from = { .folder_fd = -EBADF };
	cleanup_close int folder = -EBADF;
	cleanup_free char *clean = NULL;
	const char *name = name_of(from_place, &clean);
	char scratch[STORE_NAME_SIZE];
	int ret = find_source(from_place, options->follow, &from, err);

	if (from.contents)
		name = ".";
	if (ret == 0)
		ret = store_scratch(store, scratch, &folder, err);
	if (ret == 0)
		ret = tree_copy(&copy, from.folder_fd, from.name, folder, name, err);
	return ret < 0 ? ret : layer_write_flat(store, folder, NULL, fd, err);
}

int files_read_tar(struct store *store, int fd, const struct file_place *to_place,
		   struct error *err)
{
	const struct unpack_options options = { .marks = store->marks,
						.keep_root = true,
						.keep_folders = true };
	cleanup_free char *clean = clean_path(to_place);
	cleanup_close int folder = open_place(to_place, clean, err);

	return folder < 0 ? folder : unpack_archive(fd, folder, &options, NULL, err);
}
