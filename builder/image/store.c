/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a store, sessions and what they hold, scratch folders, publishing, commit. Everything
 * visible appears by one rename; what a killed process leaves lies in its own folder below tmp/ and
 * is swept by the next session once nobody holds the lease.
 */
#include "builder/image/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "builder/image/store-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "spec/json-table.h"

#define DEFAULT_PATH "/var/lib/orlop"
#define FORMAT_NAME "format"
#define LOCK_NAME "lock"
#define BOOT_NAME "boot" /* of the session that last looked for what was not synced */
#define SMALL_FILE_MAX 65536
#define LEASE_MAX ((size_t)16 << 20)
#define REMOVAL_WAIT_MS 1000

static const char *const store_folders[] = { "blobs", "blobs/sha256", "layers", "refs",
					     "steps", "leases",	      "tmp",	"containers",
					     "lists", "stat",	      "builds" };

/* the file "format": what must be equal for a store to be usable */
struct store_format {
	int64_t version;
	const char *xattr;
	const char *id_map;
};

/* Its "xattr". */
static const char *const marks_names[] = {
	[OVERLAY_MARKS_TRUSTED] = "trusted",
	[OVERLAY_MARKS_USER] = "user",
	[OVERLAY_MARKS_PLAIN] = "none",
};

/* clang-format off */
static const struct json_field format_fields[] = {
	JSON_I64(struct store_format, "version", version, .flags = JSON_REQUIRED),
	JSON_STRING(struct store_format, "xattr", xattr, .flags = JSON_REQUIRED),
	JSON_STRING(struct store_format, "idMap", id_map, .flags = JSON_REQUIRED),
};
/* clang-format on */
static const struct json_object format_object = JSON_TABLE(struct store_format, format_fields);

char *store_default_path(const char *option)
{
	const char *path = option && option[0] ? option : getenv("ORLOP_STORE");
	const char *home;

	if (path && path[0])
		return path_absolute(path);
	if (proc_is_privileged())
		return xstrdup(DEFAULT_PATH);
	path = getenv("XDG_DATA_HOME");
	if (path && path[0] == '/')
		return path_join(path, "orlop");
	home = getenv("HOME");
	return path_join(home && home[0] == '/' ? home : "/", ".local/share/orlop");
}

/* -- format -------------------------------------------------------------------------------------
 */

/* "0 0 4294967295;..." of /proc/self/uid_map and, behind "/", gid_map */
static int read_id_map(struct strbuf *out, struct error *err)
{
	static const char *const files[] = { "/proc/self/uid_map", "/proc/self/gid_map" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		int ret = io_read_file(AT_FDCWD, files[i], SMALL_FILE_MAX, &text, err);
		bool blank = true;

		if (ret < 0)
			return ret;
		if (i)
			strbuf_addc(out, '/');
		for (size_t k = 0; k < text.size; k++) {
			char c = text.data[k] == '\n' ? ';' : text.data[k];

			if (c != ' ' || !blank)
				strbuf_addc(out, c);
			blank = c == ' ' || c == ';';
		}
	}
	return 0;
}

/* An overlay takes the marks of trees for its own: what they hide would show again. */
static bool misreads_marks(const struct store *store)
{
	struct statfs fs;

	return store->marks != OVERLAY_MARKS_PLAIN && fstatfs(store->fd, &fs) == 0 &&
	       fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

static int check_format(const struct store *store, const struct store_format *have,
			const struct store_format *want, struct error *err)
{
	if (have->version != want->version)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the store \"%s\" has format %lld, this program knows %lld: use "
				 "another with --store DIR",
				 store->path, (long long)have->version, (long long)want->version);
	if (strcmp(have->xattr, want->xattr) != 0 || strcmp(have->id_map, want->id_map) != 0)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the store \"%s\" was made in another user namespace (ids \"%s\", "
				 "here \"%s\"): use another with --store DIR",
				 store->path, have->id_map, want->id_map);
	if (misreads_marks(store))
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the store \"%s\" was made on another file system: on an overlay "
				 "its layers cannot be read: use another with --store DIR",
				 store->path);
	return 0;
}

/*
 * Can the file system hold overlayfs's marks? One that is an overlay itself takes no whiteouts, a
 * tmpfs may have no xattrs.
 */
static bool holds_marks(const struct store *store)
{
	cleanup_free char *name = xasprintf("tmp/marks-%d", (int)getpid());
	cleanup_close int fd = -EBADF;
	bool holds;

	if (mkdirat(store->fd, name, 0700) < 0)
		return true; /* what is wrong there is found by others */
	fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	holds = fd < 0 || (overlay_make_whiteout(store->marks, fd, "gone") == 0 &&
			   overlay_set_opaque(store->marks, fd) == 0);
	(void)path_remove_tree(store->fd, name, NULL); /* else it is swept with the sessions */
	return holds;
}

static int make_store(struct store *store, struct store_format *format, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(store_folders); i++)
		/* nobody else's: a layer's set-id programs must not be for every user to run */
		if (mkdirat(store->fd, store_folders[i], 0700) < 0 && errno != EEXIST)
			return error_errno(err, errno, "create \"%s/%s\"", store->path,
					   store_folders[i]);
	if (!holds_marks(store))
		store->marks = OVERLAY_MARKS_PLAIN;
	format->xattr = marks_names[store->marks];
	json_encode(&format_object, format, JSON_COMPACT, &text);
	strbuf_addc(&text, '\n');
	return io_replace_file(store->fd, FORMAT_NAME, text.data, text.size, 0644, IO_SYNC, err);
}

static int open_format(struct store *store, struct error *err)
{
	cleanup_strbuf struct strbuf ids = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct store_format want = { STORE_VERSION, marks_names[store->marks], NULL };
	struct store_format have = { 0, NULL, NULL };
	struct json_source source = { .name = "format" };
	int ret = read_id_map(&ids, err);

	if (ret < 0)
		return ret;
	want.id_map = strbuf_text(&ids);
	ret = io_read_file(store->fd, FORMAT_NAME, SMALL_FILE_MAX, &text, err);
	if (ret == -ENOENT)
		return make_store(store, &want, err);
	if (ret < 0)
		return ret;
	source.text = text.data;
	source.size = text.size;
	ret = json_decode(&source, &format_object, &arena, &have, err);
	if (ret < 0)
		return error_prefix(err, ret, "store \"%s\"", store->path);
	if (strcmp(have.xattr, marks_names[OVERLAY_MARKS_PLAIN]) == 0) {
		store->marks = OVERLAY_MARKS_PLAIN;
		want.xattr = have.xattr;
	}
	return check_format(store, &have, &want, err);
}

static void read_boot(struct store *store)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, NULL) < 0)
		strbuf_adds(&text, "unknown");
	snprintf(store->boot, sizeof(store->boot), "%.*s", (int)strcspn(text.data, "\n"),
		 text.data);
}

/* An existing folder that is neither empty nor a store is somebody's: leave it alone. */
static int check_folder(struct store *store, struct error *err)
{
	int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (faccessat(store->fd, FORMAT_NAME, F_OK, 0) == 0 ||
	    faccessat(store->fd, "layers", F_OK, 0) == 0)
		return 0;
	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' && strcmp(d->d_name, "lost+found") != 0 &&
		    strcmp(d->d_name, "blobs") != 0)
			return error_invalid(err, "\"%s\" is not empty and not a store",
					     store->path);
	return 0;
}

int store_open(const char *path, struct store *out, struct error *err)
{
	cleanup_store struct store store = STORE_INIT;
	int ret;

	store.path = xstrdup(path);
	store.marks = proc_is_privileged() ? OVERLAY_MARKS_TRUSTED : OVERLAY_MARKS_USER;
	ret = path_mkdir_all(path, 0711, err);
	if (ret < 0)
		return ret;
	store.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store.fd < 0)
		return error_errno(err, errno, "open the store \"%s\"", path);
	ret = check_folder(&store, err);
	if (ret == 0)
		ret = open_format(&store, err);
	if (ret < 0)
		return ret;
	store.lock_fd = openat(store.fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store.lock_fd < 0)
		return error_errno(err, errno, "open the lock of the store \"%s\"", path);
	read_boot(&store);
	*out = store;
	store = (struct store)STORE_INIT;
	return 0;
}

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

static void end_session(struct store *store)
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

void store_close(struct store *store)
{
	if (store->lease_fd >= 0)
		end_session(store);
	cleanup_close_fd(&store->host_mounts_fd);
	cleanup_close_fd(&store->host_root_fd);
	cleanup_close_fd(&store->lease_fd);
	cleanup_close_fd(&store->lock_fd);
	cleanup_close_fd(&store->fd);
	strv_done(&store->held);
	strv_done(&store->provisional);
	strv_done(&store->views);
	free(store->path);
	store->path = NULL;
}

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

	return fd >= 0 && flock_wait(fd, LOCK_EX | LOCK_NB) == -EWOULDBLOCK;
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

static int bury_session(struct store *store, const char *name, void *context, struct error *err)
{
	(void)context;
	(void)err;
	if (store->bury && strcmp(name, store->session) != 0 && !store_lease_is_live(store, name))
		store->bury(store, name);
	return 0;
}

static int sweep_lease(struct store *store, const char *name, void *context, struct error *err)
{
	cleanup_free char *lease = xasprintf("leases/%s", name);

	(void)context;
	(void)err;
	if (strcmp(name, store->session) != 0 && !store_lease_is_live(store, name))
		(void)unlinkat(store->fd, lease, 0); /* dead; another sweeper may have been first */
	return 0;
}

static bool is_first_of_boot(const struct store *store)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return store->reach &&
	       (io_read_file(store->fd, BOOT_NAME, sizeof(store->boot), &text, NULL) < 0 ||
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
		ret = store_replace(store, BOOT_NAME, store->boot, strlen(store->boot), &err);
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
	bool alone = flock_wait(store->lock_fd, LOCK_EX | (first ? 0 : LOCK_NB)) == 0;

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
	if (alone) {
		/* in this order: processes, what they write to, what leads to them */
		(void)store_each_name(store, "leases", bury_session, NULL, NULL);
		(void)store_each_name(store, "tmp", sweep_scratch, NULL, NULL);
		(void)store_each_name(store, "leases", sweep_lease, NULL, NULL);
	}
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

int store_check_stop(const struct store *store, struct error *err)
{
	struct pollfd stop = { .fd = store->stop_fd, .events = POLLIN };

	if (store->stop_fd >= 0 && poll(&stop, 1, 0) > 0)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "stopped");
	return 0;
}

/* -- commit -------------------------------------------------------------------------------------
 */

uint64_t store_free_space(const struct store *store, uint64_t *out_total)
{
	struct statvfs now = { .f_bavail = 0 };
	bool known = fstatvfs(store->fd, &now) == 0;

	if (out_total)
		*out_total = known ? (uint64_t)now.f_blocks * now.f_frsize : 0;
	return known ? (uint64_t)now.f_bavail * now.f_frsize : 0;
}

int store_commit(struct store *store, struct error *err)
{
	if (!store->dirty && !store->provisional.count)
		return 0;
	if (syncfs(store->fd) < 0)
		return error_errno(err, errno, "sync the store \"%s\"", store->path);
	for (size_t i = 0; i < store->provisional.count; i++) {
		cleanup_free char *to = xasprintf("steps/%s", store->provisional.items[i]);
		cleanup_free char *from = xasprintf("%s.%s", to, store->boot);

		/* gone: another builder that used the record has made it final */
		if (renameat(store->fd, from, store->fd, to) < 0 && errno != ENOENT)
			return error_errno(err, errno, "make the record \"%s\" final", to);
	}
	strv_done(&store->provisional);
	store->provisional = (struct strv)STRV_INIT;
	store->dirty = false;
	return 0;
}
