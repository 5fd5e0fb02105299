/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collection: what no image, step record, container or live session needs is renamed away under
 * the exclusive lock and deleted when our session ends. Errors make it keep more, never less.
 */
#include "builder/image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

#define HOLDS_MAX (16 * 1024 * 1024)
#define TRANSFER_KEPT (24 * 60 * 60) /* seconds since something came */

struct collection {
	struct strv needed; /* names relative to the store, sorted */
	struct store_collected *out;
	const char *folder; /* being looked through */
};

static int add_lines(struct store *store, const char *name, struct collection *collection,
		     struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(store->fd, name, HOLDS_MAX, &text, NULL);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return 0;
	if (ret < 0)
		return error_errno(err, -ret, "read \"%s/%s\"", store->path, name);
	if (text.size)
		strv_split(&collection->needed, text.data, '\n');
	return 0;
}

static int need_lease(struct store *store, const char *name, void *context, struct error *err)
{
	cleanup_free char *lease = xasprintf("leases/%s", name);

	if (strcmp(name, store->session) != 0 && !store_lease_is_live(store, name))
		return 0;
	return add_lines(store, lease, context, err);
}

static int need_container(struct store *store, const char *name, void *context, struct error *err)
{
	cleanup_free char *holds = xasprintf("containers/%s/holds", name);

	return add_lines(store, holds, context, err);
}

/* Until the machine, or the store's file system, is started again: then nothing is mounted. */
static int need_mounted(struct store *store, const char *name, void *context, struct error *err)
{
	cleanup_free char *holds = xasprintf("mounted/%s/holds.%s", name, store->boot);

	return add_lines(store, holds, context, err);
}

static bool ends_with(const char *name, const char *dot, const char *suffix)
{
	return dot > name && strcmp(dot + 1, suffix) == 0;
}

/* KEY, KEY.BOOT or KEY.lock; those of an earlier boot mean nothing any more */
static int need_step(struct store *store, const char *name, void *context, struct error *err)
{
	struct collection *collection = context;
	cleanup_step_record struct step_record record = { .manifest = NULL };
	cleanup_free char *path = xasprintf("steps/%s", name);
	cleanup_free char *key = xstrndup(name, strcspn(name, "."));
	const char *dot = strchr(name, '.');
	int ret;

	if (dot && ends_with(name, dot, "lock")) {
		store_step_lock_sweep(store, path);
		return 0;
	}
	if (dot && !ends_with(name, dot, store->boot)) {
		(void)unlinkat(store->fd, path, 0);
		return 0;
	}
	ret = store_step_find(store, key, &record);
	if (ret < 0)
		return error_errno(err, -ret, "read \"%s/%s\"", store->path, path);
	if (ret == 1 && record.layer[0])
		strv_addf(&collection->needed, "layers/%s", record.layer);
	if (record.list[0])
		strv_addf(&collection->needed, "lists/%s", record.list);
	return 0;
}

static int need_refs(struct store *store, store_reach_fn reach, struct collection *collection,
		     struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret = store_ref_list_all(store, &refs, err);

	for (size_t i = 0; ret == 0 && i < refs.count; i++)
		ret = reach(store, &refs.items[i], &collection->needed, err);
	return ret;
}

static int collect_name(struct store *store, const char *name, void *context, struct error *err)
{
	struct collection *collection = context;
	cleanup_free char *path = xasprintf("%s/%s", collection->folder, name);
	char scratch[STORE_NAME_SIZE];
	int ret;

	if (strv_contains_sorted(&collection->needed, path))
		return 0;
	ret = store_scratch_name(store, scratch, err);
	if (ret < 0)
		return ret;
	if (renameat(store->fd, path, store->fd, scratch) < 0)
		return error_errno(err, errno, "remove \"%s/%s\"", store->path, path);
	if (strcmp(collection->folder, "lists") == 0)
		return 0; /* nobody knows of them */
	if (digest_is_hex(name))
		strv_addf(&collection->out->names, "sha256:%s", name);
	if (strcmp(collection->folder, "layers") == 0)
		collection->out->layers++;
	else
		collection->out->blobs++;
	return 0;
}

struct transfers {
	const char *folder;
	time_t oldest;
};

/* What is left of a pull or push that broke off, and that nobody has gone on with. Whoever waits
 * for its lock sees that the name is gone (registry/transfer-file.c). */
static int collect_transfer(struct store *store, const char *name, void *context, struct error *err)
{
	const struct transfers *transfers = context;
	cleanup_free char *path = xasprintf("%s/%s", transfers->folder, name);
	cleanup_close int fd = openat(store->fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct stat ours, there;

	(void)err;
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &ours) < 0 ||
	    ours.st_mtim.tv_sec >= transfers->oldest ||
	    fstatat(store->fd, path, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
	    ours.st_ino != there.st_ino)
		return 0;
	if (unlinkat(store->fd, path, 0) < 0)
		log_debug("cannot remove \"%s\": %m", path); /* it only takes place */
	return 0;
}

/* What is needed for another reason than that a step may want it. */
static int need_users(struct store *store, store_reach_fn reach, struct collection *collection,
		      struct error *err)
{
	int ret = need_refs(store, reach, collection, err);

	if (ret == 0)
		ret = store_each_name(store, "leases", need_lease, collection, err);
	if (ret == 0)
		ret = store_each_name(store, "containers", need_container, collection, err);
	if (ret == 0)
		ret = store_each_name(store, "mounted", need_mounted, collection, err);
	return ret;
}

int store_collect_locked(struct store *store, store_reach_fn reach, struct store_collected *out,
			 struct error *err)
{
	static const char *const folders[] = { "layers", "blobs/sha256", "lists" };
	struct collection collection = { .needed = STRV_INIT, .out = out };
	struct transfers pulls = { "ingest", time(NULL) - TRANSFER_KEPT };
	struct transfers pushes = { "uploads", pulls.oldest };
	int ret = need_users(store, reach, &collection, err);

	if (ret == 0)
		ret = store_each_name(store, "steps", need_step, &collection, err);
	strv_sort(&collection.needed);
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(folders); i++) {
		collection.folder = folders[i];
		ret = store_each_name(store, folders[i], collect_name, &collection, err);
	}
	if (ret == 0)
		ret = store_each_name(store, pulls.folder, collect_transfer, &pulls, err);
	if (ret == 0)
		ret = store_each_name(store, pushes.folder, collect_transfer, &pushes, err);
	strv_done(&collection.needed);
	return ret;
}

/* -- pruning -------------------------------------------------------------------------------------
 */

/* The lock of a folder that has one: 1 with the fd or without a lock, 0 it is in use. */
static int lock_folder(struct store *store, const char *name, int *out_fd)
{
	cleanup_free char *path = xasprintf("%s/lock", name);
	cleanup_close int fd = openat(store->fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	*out_fd = TAKE_FD(fd);
	return 1;
}

/* 1 removed, 0 it stays. */
static int remove_condemned(struct store *store, const struct store_condemned *item,
			    struct error *err)
{
	cleanup_close int lock_fd =
		-EBADF; /* until it is gone: who waits for it then looks again */
	struct stat st;
	int ret;

	if (fstatat(store->fd, item->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 1 : error_errno(err, errno, "stat \"%s\"", item->name);
	if (st.st_mtim.tv_sec != item->used ||
	    (S_ISDIR(st.st_mode) && !lock_folder(store, item->name, &lock_fd)))
		return 0;
	ret = store_discard(store, item->name, err);
	return ret < 0 && ret != -ENOENT ? ret : 1;
}

int store_prune(struct store *store, const struct store_condemned *items, size_t count,
		store_reach_fn reach, struct store_collected *out, size_t *out_kept,
		struct error *err)
{
	int ret = store_session(store, err);

	*out_kept = 0;
	if (ret == 0)
		ret = store_lock(store, LOCK_EX, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < count && ret >= 0; i++) {
		ret = remove_condemned(store, &items[i], err);
		*out_kept += ret == 0;
	}
	if (ret >= 0)
		ret = store_collect_locked(store, reach, out, err);
	store_unlock(store);
	return ret < 0 ? ret : 0;
}

int store_needed(struct store *store, store_reach_fn reach, struct strv *out, struct error *err)
{
	struct collection collection = { .needed = STRV_INIT };
	int ret = need_users(store, reach, &collection, err);

	strv_sort(&collection.needed);
	strv_done(out);
	*out = collection.needed;
	return ret;
}

int store_collect(struct store *store, store_reach_fn reach, struct store_collected *out,
		  struct error *err)
{
	size_t kept;

	return store_prune(store, NULL, 0, reach, out, &kept, err);
}
