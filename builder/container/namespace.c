/* SPDX-License-Identifier: Apache-2.0 */
/* Called by whoever starts a container: its config.json has the paths. */
#include "builder/container/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "builder/container/record.h"
#include "builder/container/state.h"
#include "lib/cleanup.h"

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
