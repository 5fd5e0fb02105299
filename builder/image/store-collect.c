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
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

#define HOLDS_MAX (16 * 1024 * 1024)

struct collection {
	struct strv needed; /* names relative to the store, sorted */
	struct store_collected *out;
	const char *folder; /* being looked through */
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

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

	(void)err;
	if (dot && ends_with(name, dot, "lock"))
		return 0;
	if (dot && !ends_with(name, dot, store->boot)) {
		(void)unlinkat(store->fd, path, 0);
		return 0;
	}
	if (store_step_peek(store, key, &record) == 1 && record.layer[0])
		strv_addf(&collection->needed, "layers/%s", record.layer);
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
	const char *key = path;
	int ret;

	if (bsearch(&key, collection->needed.items, collection->needed.count,
		    sizeof(*collection->needed.items), compare_names))
		return 0;
	ret = store_scratch_name(store, scratch, err);
	if (ret < 0)
		return ret;
	if (renameat(store->fd, path, store->fd, scratch) < 0)
		return error_errno(err, errno, "remove \"%s/%s\"", store->path, path);
	if (digest_is_hex(name))
		strv_addf(&collection->out->names, "sha256:%s", name);
	if (strcmp(collection->folder, "layers") == 0)
		collection->out->layers++;
	else
		collection->out->blobs++;
	return 0;
}

static int collect(struct store *store, store_reach_fn reach, struct collection *collection,
		   struct error *err)
{
	static const char *const folders[] = { "layers", "blobs/sha256" };
	int ret = need_refs(store, reach, collection, err);

	if (ret == 0)
		ret = store_each_name(store, "leases", need_lease, collection, err);
	if (ret == 0)
		ret = store_each_name(store, "containers", need_container, collection, err);
	if (ret == 0)
		ret = store_each_name(store, "steps", need_step, collection, err);
	if (collection->needed.count)
		qsort(collection->needed.items, collection->needed.count,
		      sizeof(*collection->needed.items), compare_names);
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(folders); i++) {
		collection->folder = folders[i];
		ret = store_each_name(store, folders[i], collect_name, collection, err);
	}
	return ret;
}

int store_collect(struct store *store, store_reach_fn reach, struct store_collected *out,
		  struct error *err)
{
	struct collection collection = { .needed = STRV_INIT, .out = out };
	int ret = store_session(store, err);

	/* the lock is not recursive: nothing below may hold or publish */
	if (ret == 0)
		ret = store_lock(store, LOCK_EX, err);
	if (ret < 0)
		return ret;
	ret = collect(store, reach, &collection, err);
	store_unlock(store);
	strv_done(&collection.needed);
	return ret;
}
