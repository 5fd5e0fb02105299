/* SPDX-License-Identifier: Apache-2.0 */
/* Called by whoever makes a network or starts a container, whose config.json has the paths. */
#include "builder/container/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "builder/container/record.h"
#include "builder/container/state.h"
#include "builder/image/snapshot.h"
#include "builder/loop/thread.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/syscalls.h"

static void *open_new_namespace(void *context)
{
	int *out = context;
	cleanup_free char *path = xasprintf("/proc/self/task/%ld/ns/net", syscall(SYS_gettid));

	*out = unshare(CLONE_NEWNET) < 0 ? -errno : open(path, O_RDONLY | O_CLOEXEC);
	if (*out == -1)
		*out = -errno;
	return NULL;
}

int namespace_make_net(int *out_fd, struct error *err)
{
	pthread_t thread;
	int ret = thread_start(&thread, open_new_namespace, out_fd);

	if (ret < 0)
		return error_errno(err, -ret, "start a thread");
	pthread_join(thread, NULL);
	if (*out_fd < 0)
		return error_errno(err, -*out_fd, "make a network namespace");
	return 0;
}

int namespace_attach(int ns_fd, const char *path, struct error *err)
{
	cleanup_free char *source = xasprintf("/proc/self/fd/%d", ns_fd);
	cleanup_close int file = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0 || mount(source, path, NULL, MS_BIND, NULL) < 0)
		return error_errno(err, errno, "attach a namespace at \"%s\"", path);
	return 0;
}

/* A namespace of a container that runs. */
static int open_of_other(struct store *store, const char *id, const char *kind, int *out_fd,
			 struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	struct container_state state, then;
	cleanup_free char *path = NULL;
	cleanup_close int fd = -EBADF;
	int ret = container_record_load(store, id, &other, err);

	if (ret == 0)
		ret = container_require_up(store, &other, &state, err);
	if (ret < 0)
		return ret;
	path = xasprintf("/proc/%d/ns/%s", (int)state.pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	/* had it ended meanwhile, its number could be that of any process */
	ret = container_require_up(store, &other, &then, err);
	if (ret == 0 && then.pid != state.pid)
		ret = error_set(err, ERROR_STATE, 0, "container %s was started again", other.name);
	if (ret == 0)
		*out_fd = TAKE_FD(fd);
	return ret;
}

int namespace_share(struct store *store, const char *id, const char *kind, const char *path,
		    struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret = open_of_other(store, id, kind, &fd, err);

	return ret < 0 ? ret : namespace_attach(fd, path, err);
}

/* -- folders -------------------------------------------------------------------------------------
 */

struct cloning {
	int mounts_fd; /* the mount namespace */
	const char *inside;
	int fd; /* what has come out of it, or a negative errno */
	struct error err;
};

/* Only who is in a mount namespace can clone its mounts. */
static int clone_folder(struct cloning *cloning)
{
	cleanup_close int root_fd = -EBADF, folder = -EBADF;
	int fd;

	if (unshare(CLONE_FS) < 0 || setns(cloning->mounts_fd, CLONE_NEWNS) < 0)
		return error_errno(&cloning->err, errno, "enter the mount namespace");
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); /* the container's, now */
	if (root_fd < 0)
		return error_errno(&cloning->err, errno, "open the root");
	folder = inroot_open_nofollow(root_fd, cloning->inside, O_PATH | O_DIRECTORY, true,
				      &cloning->err);
	if (folder < 0)
		return folder;
	fd = open_tree(folder, "",
		       AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? error_errno(&cloning->err, errno, "clone \"%s\"", cloning->inside) : fd;
}

static void *run_clone_folder(void *context)
{
	struct cloning *cloning = context;

	cloning->fd = clone_folder(cloning);
	return NULL;
}

int namespace_share_folder(struct store *store, const char *id, const char *inside,
			   const char *path, struct error *err)
{
	cleanup_close int mounts_fd = -EBADF, fd = -EBADF;
	struct cloning cloning = { .inside = inside, .err = ERROR_INIT };
	pthread_t thread;
	int ret = open_of_other(store, id, "mnt", &mounts_fd, err);

	if (ret < 0)
		return ret;
	cloning.mounts_fd = mounts_fd;
	/* in a thread that ends at once: we stay where we are */
	ret = thread_start(&thread, run_clone_folder, &cloning);
	if (ret < 0)
		return error_errno(err, -ret, "start a thread");
	pthread_join(thread, NULL);
	fd = cloning.fd;
	if (fd < 0) {
		if (err)
			*err = cloning.err;
		return fd;
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s\"", path);
	return snapshot_attach(fd, AT_FDCWD, path, err);
}
