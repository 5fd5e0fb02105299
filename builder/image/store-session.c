/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of a store: its locks, what a session holds, and what dead ones leave. What a killed
 * process has made lies in its own folder below tmp/ and is swept by the next session once nobody
 * holds the lease.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/spawn.h"

#define LEASE_MAX ((size_t)16 << 20)
#define REMOVAL_WAIT_MS 1000

/* -- locks and sessions -------------------------------------------------------------------------
 */

static int flock_wait(int fd, int operation)
{
	int ret;

	do
		ret = flock(fd, operation);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

int store_lock(struct store *store, int operation, struct error *err)
{
	int ret;

	pthread_mutex_lock(&store->mutex);
	ret = flock_wait(store->lock_fd, operation);
	if (ret == 0)
		return 0;
	pthread_mutex_unlock(&store->mutex);
	return error_errno(err, -ret, "lock the store \"%s\"", store->path);
}

void store_unlock(struct store *store)
{
	(void)flock_wait(store->lock_fd, LOCK_UN); /* cannot fail on an fd that we hold */
	pthread_mutex_unlock(&store->mutex);
}

bool store_lease_is_live(struct store *store, const char *session)
{
	cleanup_free char *name = xasprintf("leases/%s", session);
	cleanup_close int fd = openat(store->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	/* who cannot be asked is alive: what it holds must not go */
	if (fd < 0)
		return errno != ENOENT;
	return flock_wait(fd, LOCK_EX | LOCK_NB) < 0;
}

int store_each_name(struct store *store, const char *folder, store_name_fn call, void *context,
		    struct error *err)
{
	int fd = openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "read \"%s\"", folder);
	while ((errno = 0, d = readdir(dir))) {
		int ret;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		ret = call(store, d->d_name, context, err);
		if (ret < 0)
			return ret;
	}
	return errno ? error_errno(err, errno, "read \"%s\"", folder) : 0;
}

/* Move a dead session's folder into ours; both are deleted when we end. */
static int sweep_scratch(struct store *store, const char *name, void *context, struct error *err)
{
	cleanup_free char *from = xasprintf("tmp/%s", name);
	cleanup_free char *to = xasprintf("tmp/%s/swept-%s", store->session, name);

	(void)context;
	(void)err;
	if (strcmp(name, store->session) == 0 || store_lease_is_live(store, name))
		return 0;
	if (renameat(store->fd, from, store->fd, to) < 0)
		log_debug("cannot sweep \"%s\": %m", from);
	return 0;
}

void store_session_bury(struct store *store, const char *session)
{
	cleanup_free char *lease = xasprintf("leases/%s", session);

	if (store->bury && strcmp(session, store->session) != 0 &&
	    faccessat(store->fd, lease, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !store_lease_is_live(store, session))
		store->bury(store, session);
}

static int bury_session(struct store *store, const char *name, void *context, struct error *err)
{
	(void)context;
	(void)err;
	store_session_bury(store, name);
	return 0;
}

static int sweep_lease(struct store *store, const char *name, void *context, struct error *err)
{
	cleanup_free char *lease = xasprintf("leases/%s", name);
	bool *any = context;

	(void)err;
	if (strcmp(name, store->session) != 0 && !store_lease_is_live(store, name)) {
		(void)unlinkat(store->fd, lease, 0); /* dead; another sweeper may have been first */
		*any = true;
	}
	return 0;
}

static int sweep_step_lock(struct store *store, const char *name, void *context, struct error *err)
{
	cleanup_free char *path = xasprintf("steps/%s", name);
	const char *dot = strchr(name, '.');

	(void)context;
	(void)err;
	if (dot && strcmp(dot, ".lock") == 0)
		store_step_lock_sweep(store, path);
	return 0;
}

/* In this order: processes, what they write to, what leads to them. */
static void sweep(struct store *store)
{
	bool any = false;

	(void)store_each_name(store, "leases", bury_session, NULL, NULL);
	(void)store_each_name(store, "tmp", sweep_scratch, NULL, NULL);
	(void)store_each_name(store, "leases", sweep_lease, &any, NULL);
	if (any) /* else there are none, and many records to look through */
		(void)store_each_name(store, "steps", sweep_step_lock, NULL, NULL);
}

static bool is_first_of_boot(const struct store *store)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return store->reach &&
	       (io_read_file(store->fd, STORE_BOOT_NAME, sizeof(store->boot), &text, NULL) < 0 ||
		strcmp(text.data, store->boot) != 0);
}

/*
 * After a power cut a layer or a blob may have its name and not its content: names are journaled,
 * content that nobody had synced is not. Only what was synced has a record or a ref that leads to
 * it. All else goes before somebody makes the same again and finds it there. Failing means to try
 * again in the next session.
 */
static void forget_unsynced(struct store *store)
{
	struct store_collected collected = { 0, 0, STRV_INIT };
	struct error err = { 0 };
	int ret = store_collect_locked(store, store->reach, &collected, &err);

	strv_done(&collected.names);
	if (ret == 0)
		ret = store_replace(store, STORE_BOOT_NAME, store->boot, strlen(store->boot), &err);
	if (ret < 0)
		log_debug("cannot look for what was not synced: %s", err.msg);
	else
		log_debug("first session since the boot: %zu layers and %zu blobs go, which "
			  "nothing leads to",
			  collected.layers, collected.blobs);
}

static int start_session(struct store *store, struct error *err)
{
	unsigned char random[8];
	cleanup_free char *lease = NULL;
	cleanup_free char *scratch = NULL;
	cleanup_close int fd = -EBADF;
	bool first = is_first_of_boot(store);
	int wait = first || store->patient ? 0 : LOCK_NB;
	bool alone = flock_wait(store->lock_fd, LOCK_EX | wait) == 0;

	if (!alone && flock_wait(store->lock_fd, LOCK_SH) < 0)
		return error_errno(err, errno, "lock the store \"%s\"", store->path);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return error_errno(err, errno, "get random bytes");
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(store->session + 2 * i, 3, "%02x", random[i]);
	lease = xasprintf("leases/%s", store->session);
	scratch = xasprintf("tmp/%s", store->session);
	fd = openat(store->fd, lease, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || flock_wait(fd, LOCK_EX | LOCK_NB) < 0 ||
	    mkdirat(store->fd, scratch, 0700) < 0)
		return error_errno(err, errno, "start a session in the store \"%s\"", store->path);
	if (alone)
		sweep(store);
	__atomic_store_n(&store->lease_fd, TAKE_FD(fd), __ATOMIC_RELEASE);
	if (alone && first)
		forget_unsynced(store);
	return 0;
}

int store_session(struct store *store, struct error *err)
{
	int ret = 0;

	/* also called with the lock held, when the session exists */
	if (__atomic_load_n(&store->lease_fd, __ATOMIC_ACQUIRE) >= 0)
		return 0;
	pthread_mutex_lock(&store->mutex);
	if (store->lease_fd < 0) {
		ret = start_session(store, err);
		(void)flock_wait(store->lock_fd, LOCK_UN);
	}
	pthread_mutex_unlock(&store->mutex);
	return ret;
}

/* -- holding ------------------------------------------------------------------------------------
 */

int store_hold_line(struct store *store, const char *line, struct error *err)
{
	cleanup_free char *text = NULL;
	int ret;

	if (strv_contains(&store->held, line))
		return 0;
	text = xasprintf("%s\n", line);
	ret = io_write_all(store->lease_fd, text, strlen(text));
	if (ret < 0)
		return error_errno(err, -ret, "write the lease of the session");
	strv_add(&store->held, line);
	return 0;
}

int store_lease_note(struct store *store, const char *name, const char *value, struct error *err)
{
	cleanup_free char *line = xasprintf("%s %s", name, value);
	int ret = store_session(store, err);

	if (ret == 0)
		ret = store_lock(store, LOCK_SH, err);
	if (ret < 0)
		return ret;
	ret = store_hold_line(store, line, err);
	store_unlock(store);
	return ret;
}

char *store_lease_read(struct store *store, const char *session, const char *name)
{
	cleanup_free char *path = xasprintf("leases/%s", session);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t size = strlen(name);
	char *rest, *line;

	if (io_read_file(store->fd, path, LEASE_MAX, &text, NULL) < 0)
		return NULL;
	rest = text.data;
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, name, size) == 0 && line[size] == ' ')
			return xstrdup(line + size + 1);
	return NULL;
}

/* 1 there and held, 0 not there */
static int hold_name(struct store *store, const char *name, const char *witness, struct error *err)
{
	int ret = store_session(store, err);

	if (ret == 0)
		ret = store_lock(store, LOCK_SH, err);
	if (ret < 0)
		return ret;
	if (faccessat(store->fd, witness, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		ret = store_hold_line(store, name, err);
		ret = ret < 0 ? ret : 1;
	} else if (errno != ENOENT) {
		ret = error_errno(err, errno, "look up \"%s\"", name);
	}
	store_unlock(store);
	return ret;
}

int store_hold_layer(struct store *store, const char *id, struct error *err)
{
	cleanup_free char *name = xasprintf("layers/%s", id);
	cleanup_free char *witness = xasprintf("layers/%s/meta.json", id);

	if (!digest_is_hex(id))
		return error_invalid(err, "\"%.100s\" is not the id of a layer", id);
	return hold_name(store, name, witness, err);
}

int store_hold_blob(struct store *store, const struct digest *digest, struct error *err)
{
	cleanup_free char *name = xasprintf("blobs/sha256/%s", digest_hex(digest));

	return hold_name(store, name, name, err);
}

/* -- the end ------------------------------------------------------------------------------------
 */

/*
 * Deleting twenty thousand files may take a minute on some file systems, and nobody waits for it:
 * rm does it, with our lease, so that it counts as live until the end. What it leaves is swept
 * later.
 */
static int start_removal(struct store *store, char *scratch, char *lease, int *out_pidfd)
{
	cleanup_close int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct spawn_fd fds[] = {
		{ null_fd, 0 }, { null_fd, 1 }, { null_fd, 2 }, { store->lease_fd, 3 }
	};
	char *argv[] = { (char *)"rm", (char *)"-rf", (char *)"--one-file-system",
			 (char *)"--", scratch,	      lease,
			 NULL };
	struct spawn spawn = SPAWN_INIT;
	pid_t pid;

	if (null_fd < 0)
		return -errno;
	spawn.path = "rm";
	spawn.search = true;
	spawn.argv = argv;
	spawn.cwd_fd = store->fd;
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	spawn.new_session = true;
	return spawn_start(&spawn, &pid, out_pidfd, NULL);
}

void store_session_end(struct store *store)
{
	cleanup_free char *scratch = xasprintf("tmp/%s", store->session);
	cleanup_free char *lease = xasprintf("leases/%s", store->session);
	struct pollfd removal = { .fd = -EBADF, .events = POLLIN };

	/* all of it is best effort: what stays is swept by the next session */
	if (unlinkat(store->fd, scratch, AT_REMOVEDIR) < 0 &&
	    start_removal(store, scratch, lease, &removal.fd) == 0) {
		(void)poll(&removal, 1, REMOVAL_WAIT_MS);
		(void)close(removal.fd);
		return;
	}
	(void)path_remove_tree(store->fd, scratch, NULL);
	(void)unlinkat(store->fd, lease, 0);
}
