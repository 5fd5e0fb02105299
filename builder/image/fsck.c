/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder fsck, its part that reads the store; cmd-fsck.c prints. */
#include "builder/image/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/content-list.h"
#include "builder/image/image.h"
#include "builder/image/layer.h"
#include "builder/image/store-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

#define READ_SIZE (256 * 1024)

/* A check on its way. */
struct check {
	struct fsck *fsck;
	struct strv needs;  /* "layers/ID" and "blobs/sha256/HEX", and at the same index ... */
	struct strv owners; /* ... the image that needs it */
	bool unreadable;    /* an image cannot be read: what it needs is not known */
	char *buffer;
};

void fsck_add(struct fsck *fsck, const char *name, char *text, enum fsck_repair repair)
{
	ARRAY_GROW(fsck->items, fsck->count, fsck->capacity);
	fsck->items[fsck->count++] = (struct fsck_problem){ xstrdup(name), text, repair };
}

void fsck_done(struct fsck *fsck)
{
	for (size_t i = 0; i < fsck->count; i++) {
		free(fsck->items[i].name);
		free(fsck->items[i].text);
	}
	free(fsck->items);
	fsck->items = NULL;
	fsck->count = fsck->capacity = 0;
}

static void tell(const struct check *check, const char *name)
{
	if (check->fsck->progress)
		check->fsck->progress(check->fsck->context, name);
}

/* The image that needs this, NULL = none. */
static const char *owner_of(const struct check *check, const char *name)
{
	for (size_t i = 0; i < check->needs.count; i++)
		if (strcmp(check->needs.items[i], name) == 0)
			return check->owners.items[i];
	return NULL;
}

static bool is_damaged(const struct fsck *fsck, const char *name)
{
	for (size_t i = 0; i < fsck->count; i++)
		if (strcmp(fsck->items[i].name, name) == 0)
			return true;
	return false;
}

/* What is wrong with something that images may need. */
static void add_damage(struct check *check, const char *name, const struct error *err)
{
	const char *owner = owner_of(check, name);
	char text[1024];

	error_text(err, text, sizeof(text));
	if (owner)
		fsck_add(check->fsck, name,
			 xasprintf("%s (image %s needs it: build, import or load that again)", text,
				   owner),
			 FSCK_NONE);
	else if (check->unreadable)
		fsck_add(check->fsck, name,
			 xasprintf("%s (perhaps of an image that cannot be read)", text),
			 FSCK_NONE);
	else
		fsck_add(check->fsck, name, xstrdup(text), FSCK_REMOVE);
}

/* -- images --------------------------------------------------------------------------------------
 */

static char *name_of(const struct store_ref *ref)
{
	struct strbuf text = STRBUF_INIT;

	if (!ref->name.name[0])
		return xasprintf("%.19s", ref->digest.text);
	reference_familiar(&ref->name, true, &text);
	return strbuf_take(&text);
}

/* Are the layers that it lacks known to be in a registry, from where they come when they are
 * needed?
 */
static bool is_lazy(struct store *store, const struct image *image)
{
	struct digest chain = { "" };

	if (!image->manifest || !image->config)
		return false;
	for (size_t i = 0; i < image->manifest->layers.count; i++) {
		cleanup_free char *origin = NULL;
		struct digest diff_id, blob;
		char id[LAYER_ID_SIZE];

		if (digest_parse(image->config->rootfs->diff_ids.items[i], &diff_id, NULL) < 0 ||
		    digest_parse(image->manifest->layers.items[i].digest, &blob, NULL) < 0)
			return false;
		layer_chain(&chain, &diff_id, &chain);
		origin = xasprintf("origins/%s", digest_hex(&blob));
		if (layer_find(store, &diff_id, &chain, id, NULL) != 1 &&
		    faccessat(store->fd, origin, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
	}
	return true;
}

static int check_ref(struct store *store, const struct store_ref *ref, struct check *check)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_strv struct strv layers = STRV_INIT, holds = STRV_INIT;
	cleanup_free char *name = name_of(ref);
	cleanup_free char *label = xasprintf("image %s", name);
	struct error err = ERROR_INIT;
	int ret = image_load_ref(store, ref, &image, &err);

	tell(check, label);
	check->fsck->images++;
	check->unreadable |= ret < 0;
	if (ret == 0)
		ret = image_layers(store, &image, &layers, &err);
	if (ret < 0 && !is_lazy(store, &image)) {
		char text[1024];

		fsck_add(check->fsck, label, xstrdup(error_text(&err, text, sizeof(text))),
			 FSCK_NONE);
	}
	(void)image_reach(store, ref, &holds, NULL); /* never fails */
	for (size_t i = 0; i < holds.count; i++) {
		strv_add(&check->needs, holds.items[i]);
		strv_add(&check->owners, name);
	}
	return 0;
}

static int check_refs(struct store *store, struct check *check, struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret = store_ref_list_all(store, &refs, err);

	if (ret < 0) { /* one that cannot be read is a problem, not the end */
		char text[1024];

		fsck_add(check->fsck, "refs", xstrdup(error_text(err, text, sizeof(text))),
			 FSCK_NONE);
		*err = (struct error)ERROR_INIT;
		ret = store_ref_list(store, &refs, err);
	}
	for (size_t i = 0; i < refs.count && ret == 0; i++)
		ret = check_ref(store, &refs.items[i], check);
	return ret;
}

/* -- blobs ---------------------------------------------------------------------------------------
 */

static int hash_file(struct check *check, int fd, struct digest *out, struct error *err)
{
	cleanup_hasher struct hasher hasher = HASHER_INIT;

	hasher_start(&hasher);
	for (;;) {
		ssize_t n = read(fd, check->buffer, READ_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read it");
		if (n == 0)
			break;
		hasher_add(&hasher, check->buffer, (size_t)n);
	}
	hasher_finish(&hasher, out);
	return 0;
}

static int check_blob(struct store *store, const char *name, void *context, struct error *err)
{
	struct check *check = context;
	cleanup_free char *path = xasprintf("blobs/sha256/%s", name);
	cleanup_close int fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct error problem = ERROR_INIT;
	struct digest digest;
	int ret = 0;

	(void)err;
	if (fd < 0 && errno == ENOENT)
		return 0;
	tell(check, path);
	check->fsck->blobs++;
	if (fd < 0)
		ret = error_errno(&problem, errno, "open it");
	if (ret == 0)
		ret = hash_file(check, fd, &digest, &problem);
	if (ret == 0 && strcmp(digest_hex(&digest), name) != 0)
		ret = error_invalid(&problem, "it is damaged: its bytes are %s", digest.text);
	if (ret < 0)
		add_damage(check, path, &problem);
	return 0;
}

/* -- layers --------------------------------------------------------------------------------------
 */

static int drop(void *context, const void *data, size_t size, struct error *err)
{
	(void)context;
	(void)data;
	(void)size;
	(void)err;
	return 0;
}

/* A layer whose stream is a registry's blob has no headers to make it from: the blob is checked, of
 * the tree only that it is there. */
static int check_layer_files(struct store *store, const char *name, struct error *err)
{
	cleanup_free char *headers = xasprintf("layers/%s/headers.zst", name);
	cleanup_free char *tree = layer_tree(name);
	struct layer_info info;

	if (faccessat(store->fd, headers, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return layer_stream(store, name, drop, NULL, err);
	if (faccessat(store->fd, tree, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "open \"%s\"", tree);
	return layer_load(store, name, &info, err);
}

static int check_layer(struct store *store, const char *name, void *context, struct error *err)
{
	struct check *check = context;
	cleanup_free char *path = xasprintf("layers/%s", name);
	struct error problem = ERROR_INIT;

	(void)err;
	tell(check, path);
	check->fsck->layers++;
	if (check_layer_files(store, name, &problem) < 0 &&
	    faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		add_damage(check, path, &problem);
	return 0;
}

/* -- records -------------------------------------------------------------------------------------
 */

/* KEY and KEY.BOOT; locks and those of an earlier boot are none. */
static int check_record(struct store *store, const char *name, void *context, struct error *err)
{
	struct check *check = context;
	cleanup_step_record struct step_record record = { .manifest = NULL };
	cleanup_free char *path = xasprintf("steps/%s", name);
	cleanup_free char *key = xstrndup(name, strcspn(name, "."));
	cleanup_free char *layer = NULL, *meta = NULL;

	(void)err;
	if (name[strlen(key)] && strcmp(name + strlen(key) + 1, store->boot) != 0)
		return 0;
	tell(check, path);
	check->fsck->records++;
	if (!digest_is_hex(key) || store_step_find(store, key, &record) <= 0) {
		if (faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			fsck_add(check->fsck, path, xstrdup("it is no record, or damaged"),
				 FSCK_REMOVE);
		return 0;
	}
	if (!record.layer[0])
		return 0;
	layer = xasprintf("layers/%s", record.layer);
	meta = xasprintf("%s/meta.json", layer);
	if (faccessat(store->fd, meta, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		fsck_add(check->fsck, path, xasprintf("its layer %.12s is gone", record.layer),
			 FSCK_REMOVE);
	else if (is_damaged(check->fsck, layer)) /* else a build would take it */
		fsck_add(check->fsck, path, xasprintf("its layer %.12s is damaged", record.layer),
			 FSCK_REMOVE);
	return 0;
}

static int check_list(struct store *store, const char *name, void *context, struct error *err)
{
	struct check *check = context;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = xasprintf("lists/%s", name);

	(void)err;
	tell(check, path);
	if (!digest_is_hex(name) || content_list_read(store, name, &text, NULL) < 0)
		fsck_add(check->fsck, path, xstrdup("it is damaged (build --why needs it)"),
			 FSCK_REMOVE);
	return 0;
}

int fsck_run(struct store *store, struct fsck *fsck, struct error *err)
{
	struct check check = { .fsck = fsck, .buffer = xmalloc(READ_SIZE) };
	int ret = check_refs(store, &check, err);

	if (ret == 0)
		ret = store_each_name(store, "blobs/sha256", check_blob, &check, err);
	if (ret == 0)
		ret = store_each_name(store, "layers", check_layer, &check, err);
	if (ret == 0)
		ret = store_each_name(store, "steps", check_record, &check, err);
	if (ret == 0)
		ret = store_each_name(store, "lists", check_list, &check, err);
	strv_done(&check.needs);
	strv_done(&check.owners);
	free(check.buffer);
	return ret;
}

int fsck_repair(struct store *store, struct fsck *fsck, size_t *out_left, struct error *err)
{
	*out_left = 0;
	/* the last ones are the records: what leads to something goes before it */
	for (size_t i = fsck->count; i-- > 0;) {
		int ret;

		if (fsck->items[i].repair == FSCK_NONE) {
			++*out_left;
			continue;
		}
		ret = store_discard(store, fsck->items[i].name, err);
		if (ret < 0 && ret != -ENOENT)
			return ret;
	}
	return 0;
}
