/* SPDX-License-Identifier: Apache-2.0 */
/* See output-flat.h. Called by export, unpack, and build --output. */
#include "builder/image/output-flat.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/layer.h"
#include "builder/image/snapshot.h"
#include "builder/image/unpack.h"
#include "builder/loop/thread.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"

int output_tar(struct store *store, const struct image *image, int fd, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int mount_fd = -EBADF;
	cleanup_close int root_fd = -EBADF;
	int ret = image_trees(store, image, &trees, err);

	if (ret == 0)
		ret = snapshot_mount(store, &trees, NULL, 0, &mount_fd, err);
	if (ret < 0)
		return ret;
	root_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_errno(err, errno, "open the root of image %.19s", image->id.text);
	return layer_write_flat(store, root_fd, NULL, fd, err);
}

/* -- a folder: the archive goes through a pipe to who unpacks it ---------------------------------
 */

struct unpacking {
	int from, folder_fd;
	struct unpack_options options;
	struct error err;
	int ret;
};

/* A thread. It reads to the end, so that the writer ends in every case. */
static void *unpack(void *context)
{
	struct unpacking *unpacking = context;
	char rest[4096];

	unpacking->ret = unpack_archive(unpacking->from, unpacking->folder_fd, &unpacking->options,
					NULL, &unpacking->err);
	while (read(unpacking->from, rest, sizeof(rest)) > 0)
		;
	return NULL;
}

static int start_thread(pthread_t *out, struct unpacking *unpacking, struct error *err)
{
	int ret = thread_start(out, unpack, unpacking);

	return ret < 0 ? error_errno(err, -ret, "start a thread") : 0;
}

static int pour(struct store *store, const struct image *image, struct unpacking *unpacking,
		struct error *err)
{
	cleanup_close int from = -EBADF, to = -EBADF;
	pthread_t thread;
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	unpacking->from = from = ends[0];
	to = ends[1];
	ret = start_thread(&thread, unpacking, err);
	if (ret < 0)
		return ret;
	ret = output_tar(store, image, to, err);
	cleanup_close_fd(&to); /* its end of the file */
	pthread_join(thread, NULL);
	if (ret == 0 && unpacking->ret < 0) {
		ret = unpacking->ret;
		*err = unpacking->err;
	}
	return ret;
}

static int fill_folder(struct store *store, const struct image *image, const char *path,
		       bool keep_owners, struct error *err)
{
	cleanup_close int folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct unpacking unpacking = { .folder_fd = folder_fd,
				       .options = { .marks = store->marks,
						    .keep_root = true,
						    .keep_folders = true,
						    .set_owner = !keep_owners,
						    .uid = getuid(),
						    .gid = getgid() },
				       .err = ERROR_INIT };

	if (folder_fd < 0)
		return error_errno(err, errno, "open folder \"%s\"", path);
	return pour(store, image, &unpacking, err);
}

/* Made beside it, and swapped when all is there: a failure leaves the old one. A symlink stays, it
 * is what it leads to that is replaced; and what is no folder is not ours to delete. */
static int replace_folder(struct store *store, const struct image *image, const char *name,
			  bool keep_owners, struct error *err)
{
	cleanup_free char *path = realpath(name, NULL), *part = NULL;
	cleanup_close int old_fd = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	int ret;

	if (old_fd < 0)
		return error_errno(err, errno, "open folder \"%s\"", name);
	part = xasprintf("%s.part-%d", path, (int)getpid());
	if (mkdir(part, 0755) < 0)
		return error_errno(err, errno, "make folder \"%s\"", part);
	ret = fill_folder(store, image, part, keep_owners, err);
	if (ret == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_EXCHANGE) < 0)
		ret = error_errno(err, errno, "swap \"%s\" and \"%s\"", part, path);
	(void)path_remove_tree(AT_FDCWD, part, NULL); /* ours, or what was there */
	return ret;
}

int output_folder(struct store *store, const struct image *image, const char *path,
		  const struct output_folder_options *options, struct error *err)
{
	cleanup_free char *clean = path_clean(path);
	bool made = mkdir(clean, 0755) == 0;

	if (!made && errno != EEXIST)
		return error_errno(err, errno, "make folder \"%s\"", clean);
	return options->exact && !made
		       ? replace_folder(store, image, clean, options->keep_owners, err)
		       : fill_folder(store, image, clean, options->keep_owners, err);
}
