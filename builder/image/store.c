/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a store, its format and the end. Everything visible appears by one rename of
 * something complete.
 */
#include "builder/image/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
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
#include "lib/userns.h"
#include "spec/json-table.h"

#define DEFAULT_PATH "/var/lib/orlop"
#define FORMAT_NAME "format"
#define LOCK_NAME "lock"
#define SMALL_FILE_MAX 65536

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

/* What a file system says for ever, not one that is full or failing today. */
static bool is_refused(int ret)
{
	return ret < 0 && ret != -ENOSPC && ret != -EDQUOT && ret != -EIO && ret != -ENOMEM;
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
	holds = fd < 0 || (!is_refused(overlay_make_whiteout(store->marks, fd, "gone")) &&
			   !is_refused(overlay_set_opaque(store->marks, fd)));
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
	int ret = userns_read_maps(getpid(), &ids, err);

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
	store_read_boot(&store);
	*out = store;
	store = (struct store)STORE_INIT;
	return 0;
}

static void end_guard(struct store *store)
{
	if (store->guard <= 0)
		return;
	(void)kill(store->guard, SIGKILL);
	(void)proc_wait(store->guard, NULL, NULL);
	store->guard = 0;
}

void store_close(struct store *store)
{
	end_guard(store);
	store_sync_done(store);
	if (store->lease_fd >= 0)
		store_session_end(store);
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

int store_check_stop(const struct store *store, struct error *err)
{
	struct pollfd stop = { .fd = store->stop_fd, .events = POLLIN };

	if (store->stop_fd >= 0 && poll(&stop, 1, 0) > 0)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "stopped");
	return 0;
}

uint64_t store_free_space(const struct store *store, uint64_t *out_total)
{
	struct statvfs now = { .f_bavail = 0 };
	bool known = fstatvfs(store->fd, &now) == 0;

	if (out_total)
		*out_total = known ? (uint64_t)now.f_blocks * now.f_frsize : 0;
	return known ? (uint64_t)now.f_bavail * now.f_frsize : 0;
}
