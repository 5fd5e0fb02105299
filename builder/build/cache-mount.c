/* SPDX-License-Identifier: Apache-2.0 */
/* Cache mounts in the store, called by run-mounts.c. */
#include "builder/build/cache-mount.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/cache-import.h"
#include "builder/build/copy-target.h"
#include "builder/build/copy.h"
#include "builder/image/snapshot.h"
#include "builder/loop/fiber.h"
#include "lib/cleanup.h"
#include "lib/path.h"

#define FOLDER "mounts"
#define DATA "data"
#define LOCK_LIMIT_MS 1000 /* the kernel tells of a dying process just before it unlocks */
#define PRIVATE_MAX 1000   /* builders that have the same private cache at once */

/* One that other owners or seeds were asked for is another one. Where nothing may come from other
 * builds all are new, and go with the session. */
char *cache_mount_name(const struct engine *engine, const struct step_mount *mount,
		       const char *seed)
{
	const char *space =
		strv_env_get(engine->graph->options->build_args, "BUILDKIT_CACHE_MOUNT_NS");
	struct key_builder builder;
	struct cache_key key;
	char owner[64];

	snprintf(owner, sizeof(owner), "%o %u %u", mount->mode, mount->uid, mount->gid);
	key_begin(&builder, "cache mount");
	key_add(&builder, "namespace", space ? space : "");
	key_add(&builder, "id", mount->id);
	key_add(&builder, "owner", owner);
	key_add(&builder, "seed", seed);
	key_add(&builder, "source", *seed ? mount->source : NULL);
	key_finish(&builder, &key, NULL);
	if (engine->store->apart)
		return xasprintf("tmp/%s/cache-%s", engine->store->session, key.hex);
	return xasprintf(FOLDER "/%s", key.hex);
}

static int make_folder(struct store *store, const char *name, struct error *err)
{
	if (mkdirat(store->fd, name, 0711) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create \"%s/%s\"", store->path, name);
	return 0;
}

static int open_lock(struct store *store, const char *name, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/lock", name);
	int ret, fd;

	do {
		ret = make_folder(store, FOLDER, err);
		if (ret == 0)
			ret = make_folder(store, name, err);
		if (ret < 0)
			return ret;
		fd = openat(store->fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == ENOENT); /* a prune was faster */
	return fd < 0 ? error_errno(err, errno, "open \"%s/%s\"", store->path, path) : fd;
}

/* An fd that is readable when somebody has closed this file, and with it given back the lock. */
static int watch_lock(int fd)
{
	cleanup_close int notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (notify_fd < 0 || inotify_add_watch(notify_fd, path, IN_CLOSE_WRITE) < 0)
		return -errno;
	return TAKE_FD(notify_fd);
}

/* Wait for a lock as long as the build is not to stop. */
static int wait_lock(struct engine *engine, int fd, int operation, struct error *err)
{
	static const char note[] = "waiting for a cache mount that another step uses";
	cleanup_close int notify_fd = -EBADF;
	bool watched = false;
	char events[1024];
	int ret = 0;

	while (ret == 0 && flock(fd, operation | LOCK_NB) < 0) {
		struct pollfd fds[] = { { .fd = engine->stop_fd, .events = POLLIN },
					{ .fd = notify_fd, .events = POLLIN } };

		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, errno, "lock a cache mount");
		if (watched) {
			(void)fiber_poll(fds, ARRAY_SIZE(fds), LOCK_LIMIT_MS);
			(void)!read(notify_fd, events, sizeof(events)); /* all is asked anew */
		} else {
			notify_fd = watch_lock(fd); /* and a last look at the lock */
			watched = true;
			engine_event(engine, EVENT_NOTE, engine->running, note, strlen(note));
		}
		ret = engine_check_cancel(engine, err);
	}
	return ret;
}

static bool is_held(const struct cache_mount *held, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(held[i].name, name) == 0)
			return true;
	return false;
}

/* Is what we locked still in the store? A prune may have taken the folder away meanwhile. */
static bool is_current(struct store *store, const char *name, int fd)
{
	cleanup_free char *path = xasprintf("%s/lock", name);
	struct stat ours, named;

	return fstat(fd, &ours) == 0 &&
	       fstatat(store->fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

#define SESSION_SIZE 16 /* digits */

/*
 * The kernel gives back the lock of a builder that is killed at once, but the command that it ran
 * goes on until somebody ends it. So the lock's file names the session that had it alone last, and
 * who has the lock now ends what that one left.
 */
static void end_last_owner(struct store *store, int fd, int operation)
{
	char last[SESSION_SIZE + 1] = "";

	if (pread(fd, last, SESSION_SIZE, 0) == SESSION_SIZE &&
	    strspn(last, "0123456789abcdef") == SESSION_SIZE)
		store_session_bury(store, last);
	if (operation == LOCK_EX) /* failing leaves the next one as it always was */
		(void)!pwrite(fd, store->session, SESSION_SIZE, 0);
}

/* Lock the folder of this name: 1, or 0 when it is not to be waited for and held by another. */
static int lock_name(struct engine *engine, const char *name, int operation, bool wait, int *out_fd,
		     struct error *err)
{
	for (;;) {
		cleanup_close int fd = open_lock(engine->store, name, err);
		int ret = fd < 0 ? fd : 0;

		if (ret == 0 && wait)
			ret = wait_lock(engine, fd, operation, err);
		else if (ret == 0 && flock(fd, operation | LOCK_NB) < 0)
			return errno == EWOULDBLOCK || errno == EINTR
				       ? 0
				       : error_errno(err, errno, "lock a cache mount");
		if (ret < 0)
			return ret;
		if (!is_current(engine->store, name, fd))
			continue;
		end_last_owner(engine->store, fd, operation);
		/* for prune: the folder's time is that of its last use */
		(void)utimensat(engine->store->fd, name, NULL, AT_SYMLINK_NOFOLLOW);
		*out_fd = TAKE_FD(fd);
		return 1;
	}
}

/* A folder that nobody else has: KEY, KEY.1, ... */
static int lock_private(struct engine *engine, struct cache_mount *out, struct error *err)
{
	cleanup_free char *first = xstrdup(out->name);

	for (int i = 1; i < PRIVATE_MAX; i++) {
		int ret = lock_name(engine, out->name, LOCK_EX, false, &out->lock_fd, err);

		if (ret != 0)
			return ret < 0 ? ret : 0;
		free(out->name);
		out->name = xasprintf("%s.%d", first, i);
	}
	return error_set(err, ERROR_STATE, 0, "more than %d private caches in use", PRIVATE_MAX);
}

static int lock(struct engine *engine, const struct step_mount *mount,
		const struct cache_mount *held, size_t held_count, struct cache_mount *out,
		struct error *err)
{
	int ret;

	if (is_held(held, held_count, out->name))
		return 0; /* ours already */
	if (mount->sharing == RUN_MOUNT_PRIVATE)
		return lock_private(engine, out, err);
	ret = lock_name(engine, out->name, mount->sharing == RUN_MOUNT_LOCKED ? LOCK_EX : LOCK_SH,
			true, &out->lock_fd, err);
	return ret < 0 ? ret : 0;
}

/* Copy what from= and source= say into a new folder. */
static int seed_folder(struct engine *engine, const struct step_mount *mount, int folder_fd,
		       struct error *err)
{
	const struct copy_item item = { .path = mount->source, .literal = true };
	const struct step_copy step = {
		.items = &item, .item_count = 1, .target = "/", .from = mount->from
	};
	cleanup_copy struct copy copy = { .root_fd = -EBADF };
	int ret;

	if (!mount->from.stage && !mount->from.image && !mount->from.context)
		return 0;
	ret = copy_open(&copy, engine, &step, err);
	return ret < 0 ? ret : copy_to_folder(&copy, folder_fd, err);
}

/* A new folder begins with what another machine's had, else with what the mount says. */
static int fill_folder(struct engine *engine, const struct step_mount *mount, const char *name,
		       char scratch[STORE_NAME_SIZE], int *fd, struct error *err)
{
	int ret;

	do {
		cleanup_close_fd(fd);
		ret = store_scratch(engine->store, scratch, fd, err);
		if (ret == 0)
			ret = cache_fill_mount(engine, name, *fd, err);
	} while (ret == -EAGAIN); /* that cache is ignored now */
	if (ret == 0)
		ret = seed_folder(engine, mount, *fd, err);
	return ret < 0 ? ret : 0;
}

/* Made beside and renamed: a folder that is there is complete. Two that make it at once agree. */
static int make_data(struct engine *engine, const struct step_mount *mount, const char *name,
		     struct error *err)
{
	struct store *store = engine->store;
	cleanup_free char *data = xasprintf("%s/" DATA, name);
	char scratch[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	int ret;

	if (faccessat(store->fd, data, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	ret = fill_folder(engine, mount, name, scratch, &fd, err);
	if (ret < 0)
		return ret;
	if (fchown(fd, mount->uid, mount->gid) < 0 || fchmod(fd, mount->mode) < 0)
		return error_errno(err, errno, "set owner and mode of a cache mount");
	if (renameat2(store->fd, scratch, store->fd, data, RENAME_NOREPLACE) < 0 && errno != EEXIST)
		return error_errno(err, errno, "publish \"%s/%s\"", store->path, data);
	return 0;
}

int cache_mount_open(struct engine *engine, const struct step_mount *mount, const char *name,
		     const struct cache_mount *held, size_t held_count, struct cache_mount *out,
		     struct error *err)
{
	int ret;

	*out = (struct cache_mount){ .name = xstrdup(name), .lock_fd = -EBADF };
	ret = lock(engine, mount, held, held_count, out, err);
	if (ret == 0)
		ret = make_data(engine, mount, out->name, err);
	if (ret < 0) {
		cache_mount_close(out);
		return ret;
	}
	out->path = xasprintf("%s/%s/" DATA, engine->store->path, out->name);
	return 0;
}

void cache_mount_close(struct cache_mount *cache)
{
	if (cache->lock_fd >= 0) /* before those who watch hear that the file was closed */
		(void)flock(cache->lock_fd, LOCK_UN);
	cleanup_close_fd(&cache->lock_fd);
	free(cache->name);
	free(cache->path);
	*cache = (struct cache_mount){ .lock_fd = -EBADF };
}
