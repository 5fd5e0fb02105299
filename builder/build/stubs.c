/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount point stubs. The executor calls this around a container. A folder keeps the time that the
 * command itself gave it: the old time comes back only if nothing but the stub changed it, which
 * shows in the folder not being younger than its stubs.
 */
#include "builder/build/stubs.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/container/edits.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/path.h"

/* The stub and its folder may be stamped by two clock ticks; at least 10 ms apart at HZ=100. */
#define STUB_TICKS_NS 20000000LL

static long long nanoseconds(const struct timespec *time)
{
	return time->tv_sec * 1000000000LL + time->tv_nsec;
}

static int stub_add(struct stubs *stubs, const char *path, struct error *err)
{
	const char *name;
	struct stat st;
	cleanup_close int parent_fd = -EBADF;
	struct stub *stub;

	ARRAY_GROW(stubs->items, stubs->count, stubs->capacity);
	stub = &stubs->items[stubs->count];
	*stub = (struct stub){ .path = xstrdup(path) };
	stubs->count++;

	parent_fd = inroot_parent(stubs->root_fd, path, false, &name, NULL);
	if (parent_fd < 0)
		return 0; /* missing as well: noted by itself */
	if (fstat(parent_fd, &st) < 0)
		return error_errno(err, errno, "stat the folder of \"%s\"", path);
	stub->times[0] = st.st_atim;
	stub->times[1] = st.st_mtim;
	stub->parent_exists = true;
	return 0;
}

static bool stub_is_noted(const struct stubs *stubs, const char *path)
{
	for (size_t i = 0; i < stubs->count; i++)
		if (strcmp(stubs->items[i].path, path) == 0)
			return true;
	return false;
}

int stubs_note(struct stubs *stubs, int root_fd, const char *destination, struct error *err)
{
	cleanup_free char *clean = path_join("/", destination);

	if (stubs->root_fd < 0) {
		stubs->root_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
		if (stubs->root_fd < 0)
			return error_errno(err, errno, "duplicate the root's descriptor");
	}
	for (char *end = clean; end && end[1];) {
		int exists;

		end = strchr(end + 1, '/');
		if (end)
			*end = '\0';
		exists = inroot_exists(stubs->root_fd, clean);
		if (exists == 0 && !stub_is_noted(stubs, clean)) {
			int ret = stub_add(stubs, clean, err);

			if (ret < 0)
				return ret;
		}
		if (end)
			*end = '/';
	}
	return 0;
}

int stubs_note_edits(struct stubs *stubs, int root_fd, const struct container_edits *edits,
		     struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < edits->mounts.count && ret == 0; i++)
		ret = stubs_note(stubs, root_fd, edits->mounts.items[i].destination, err);
	for (size_t i = 0; i < edits->device_count && ret == 0; i++) {
		size_t before = stubs->count;

		ret = stubs_note(stubs, root_fd, edits->devices[i].node.path, err);
		if (stubs->count > before) /* the node itself comes last */
			stubs->items[stubs->count - 1].is_device = true;
	}
	return ret;
}

/* Removes one stub if it is still empty, and gives its folder the time it would have without it. */
static void stub_remove(int root_fd, const struct stub *stub)
{
	const char *name;
	struct stat st, parent;
	struct timespec times[2];
	cleanup_close int parent_fd = inroot_parent(root_fd, stub->path, false, &name, NULL);

	if (parent_fd < 0 || fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstat(parent_fd, &parent) < 0)
		return;
	if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || st.st_size != 0) &&
	    !(stub->is_device && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))))
		return;
	if (unlinkat(parent_fd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		return; /* not empty: the command has put something there */

	times[0] = parent.st_atim;
	times[1] = parent.st_mtim;
	if (stub->parent_exists &&
	    nanoseconds(&parent.st_mtim) <= nanoseconds(&st.st_ctim) + STUB_TICKS_NS)
		memcpy(times, stub->times, sizeof(times));
	(void)utimensat(parent_fd, ".", times, 0); /* cosmetic: the time of a folder */
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
	cleanup_close_fd(&stubs->root_fd);
	*stubs = (struct stubs)STUBS_INIT;
}
