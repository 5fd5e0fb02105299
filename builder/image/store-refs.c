/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images: refs/DOMAIN/PATH.../:TAG holds the top descriptor. A folder's name never starts
 * with a colon and a tag's always does, so names can't collide whatever they nest. Images without
 * a name are refs/:untagged/HEX of the top digest.
 */
#include "builder/image/store.h"

#include <dirent.h>
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
#include "lib/path.h"
#include "spec/descriptor.h"

#define UNTAGGED ":untagged"
#define REF_MAX 65536
#define RETRIES 16

void store_ref_done(struct store_ref *ref)
{
	free(ref->media_type);
	ref->media_type = NULL;
}

void store_refs_done(struct store_refs *refs)
{
	for (size_t i = 0; i < refs->count; i++)
		store_ref_done(&refs->items[i]);
	free(refs->items);
	*refs = (struct store_refs){ NULL, 0, 0 };
}

static char *ref_path(const struct reference *name)
{
	return xasprintf("refs/%s/:%s", name->name, name->tag);
}

static char *untagged_path(const struct digest *top)
{
	return xasprintf("refs/" UNTAGGED "/%s", digest_hex(top));
}

/* 1 read, 0 not there */
static int read_ref(struct store *store, const char *path, struct store_ref *out, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct descriptor *descriptor = NULL;
	int ret = io_read_file(store->fd, path, REF_MAX, &text, NULL);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return 0;
	if (ret < 0)
		return error_errno(err, -ret, "read \"%s/%s\"", store->path, path);
	ret = descriptor_decode(path, strbuf_text(&text), text.size, &arena, &descriptor, err);
	if (ret == 0)
		ret = digest_parse(descriptor->digest, &out->digest, err);
	if (ret < 0)
		return ret;
	out->media_type = xstrdup(descriptor->media_type ? descriptor->media_type : "");
	out->size = descriptor->size;
	return 1;
}

int store_ref_get(struct store *store, const struct reference *name, struct store_ref *out,
		  struct error *err)
{
	cleanup_free char *path = ref_path(name);
	struct store_ref ref = { .name = *name };
	int ret = read_ref(store, path, &ref, err);

	if (ret == 1)
		*out = ref;
	return ret;
}

/* -- writing ------------------------------------------------------------------------------------
 */

static int make_folders(struct store *store, const char *path, struct error *err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		cleanup_free char *folder = xstrndup(path, (size_t)(slash - path));

		if (mkdirat(store->fd, folder, 0755) < 0 && errno != EEXIST)
			return errno == ENOENT ? -ENOENT
					       : error_errno(err, errno, "create \"%s\"", folder);
	}
	return 0;
}

/* A concurrent removal of the last neighbour may take the folder away again: then once more. */
static int rename_into_refs(struct store *store, const char *from, const char *path,
			    struct error *err)
{
	for (int i = 0; i < RETRIES; i++) {
		int ret = make_folders(store, path, err);

		if (ret < 0 && ret != -ENOENT)
			return ret;
		if (ret == 0 && renameat(store->fd, from, store->fd, path) == 0)
			return 0;
		if (ret == 0 && errno != ENOENT)
			break;
	}
	return error_errno(err, errno, "write \"%s/%s\"", store->path, path);
}

/* Who was told that the image has this name finds it after a power cut, too. The journal has
 * folders that were made for it before. */
static int sync_name(struct store *store, const char *path, struct error *err)
{
	cleanup_free char *folder = path_parent(path);
	cleanup_close int fd = openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;				  /* somebody has removed it again */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL)) /* there are file systems without */
		return error_errno(err, errno, "sync \"%s/%s\"", store->path, folder);
	return 0;
}

/* The descriptor goes to the disk before it gets its name; with everything else that is new. */
static int write_ref(struct store *store, const char *path, const struct store_ref *target,
		     struct error *err)
{
	const struct descriptor descriptor = { .media_type = target->media_type,
					       .digest = target->digest.text,
					       .size = target->size };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char scratch[STORE_NAME_SIZE];
	int ret;

	descriptor_write(&descriptor, JSON_COMPACT, &text);
	strbuf_addc(&text, '\n');
	ret = store_scratch_file(store, text.data, text.size, scratch, err);
	if (ret < 0)
		return ret;
	store->dirty = true;
	ret = store_commit(store, err);
	if (ret == 0)
		ret = store_lock(store, LOCK_SH, err);
	if (ret < 0)
		return ret;
	if (store_blob_exists(store, &target->digest))
		ret = rename_into_refs(store, scratch, path, err);
	else
		ret = error_set(err, ERROR_NOT_FOUND, ENOENT,
				"image %s was removed from the store meanwhile",
				target->digest.text);
	store_unlock(store);
	return ret < 0 ? ret : sync_name(store, path, err);
}

/* Does any name but the one given lead to this image? */
static int has_other_name(struct store *store, const struct digest *top,
			  const struct reference *except, struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret = store_ref_list(store, &refs, err);

	for (size_t i = 0; ret == 0 && i < refs.count; i++) {
		const struct reference *name = &refs.items[i].name;

		if (digest_equal(&refs.items[i].digest, top) &&
		    (strcmp(name->name, except->name) != 0 || strcmp(name->tag, except->tag) != 0))
			return 1;
	}
	return ret;
}

static int set_name(struct store *store, const struct reference *name,
		    const struct store_ref *target, struct error *err)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref previous = { .size = 0 };
	cleanup_free char *path = ref_path(name);
	int ret = store_ref_get(store, name, &previous, NULL);

	if (ret == 1 && digest_equal(&previous.digest, &target->digest))
		return 0;
	if (ret == 1) {
		ret = has_other_name(store, &previous.digest, name, err);
		/* its last name goes to another image: keep it listed, before it has none; one
		 * whose documents are gone is no loss */
		if (ret == 0 && store_blob_exists(store, &previous.digest))
			ret = store_ref_set(store, NULL, &previous, err);
		if (ret < 0)
			return ret;
	}
	ret = write_ref(store, path, target, err);
	if (ret < 0)
		return ret;
	return store_untagged_remove(store, &target->digest, err);
}

int store_ref_set(struct store *store, const struct reference *name, const struct store_ref *target,
		  struct error *err)
{
	cleanup_free char *path = NULL;
	int ret;

	if (name) {
		ret = set_name(store, name, target, err);
		return ret < 0 ? ret : store_commit(store, err);
	}
	path = untagged_path(&target->digest);
	if (faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return store_commit(store, err);
	return write_ref(store, path, target, err);
}

int store_ref_remove(struct store *store, const struct reference *name, struct error *err)
{
	cleanup_free char *path = ref_path(name);

	if (unlinkat(store->fd, path, 0) < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? -ENOENT
			       : error_errno(err, errno, "remove \"%s/%s\"", store->path, path);
	/* folders that became empty; the first that is not ends it */
	for (;;) {
		char *slash = strrchr(path, '/');

		if (!slash)
			return 0;
		*slash = '\0';
		if (strcmp(path, "refs") == 0 || unlinkat(store->fd, path, AT_REMOVEDIR) < 0)
			return 0;
	}
}

int store_untagged_remove(struct store *store, const struct digest *top, struct error *err)
{
	cleanup_free char *path = untagged_path(top);

	if (unlinkat(store->fd, path, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
		return error_errno(err, errno, "remove \"%s/%s\"", store->path, path);
	return 0;
}

/* -- listing ------------------------------------------------------------------------------------
 */

struct ref_walk {
	struct store_refs *refs;
	const char *folder; /* below refs/ */
	bool strict;	    /* a damaged one is an error */
};

static int add_ref(struct store *store, const char *path, const struct reference *name,
		   const struct ref_walk *walk, struct error *err)
{
	struct store_ref ref = { .name = *name };
	struct store_refs *refs = walk->refs;
	struct error problem = ERROR_INIT;
	int ret = read_ref(store, path, &ref, &problem);

	if (ret < 0 && walk->strict)
		return error_set(err, problem.code, problem.errnum, "%s", problem.msg);
	if (ret < 0)
		log_warning("%s", problem.msg);
	if (ret != 1)
		return 0; /* also when it was removed since the folder was read */
	ARRAY_GROW(refs->items, refs->count, refs->capacity);
	refs->items[refs->count++] = ref;
	return 0;
}

static int walk_name(struct store *store, const char *name, void *context, struct error *err)
{
	struct ref_walk *walk = context;
	cleanup_free char *below =
		xasprintf("%s%s%s", walk->folder, walk->folder[0] ? "/" : "", name);
	cleanup_free char *path = xasprintf("refs/%s", below);
	struct ref_walk deeper = { walk->refs, below, walk->strict };
	struct reference reference = { "", "", { "" } };

	if (strcmp(walk->folder, UNTAGGED) == 0)
		return add_ref(store, path, &reference, walk, err);
	if (name[0] != ':' || strcmp(below, UNTAGGED) == 0)
		return store_each_name(store, path, walk_name, &deeper, err);
	if (strlen(walk->folder) > REFERENCE_NAME_MAX || strlen(name + 1) > REFERENCE_TAG_MAX)
		return 0; /* not made by us */
	memcpy(reference.name, walk->folder, strlen(walk->folder) + 1);
	memcpy(reference.tag, name + 1, strlen(name));
	return add_ref(store, path, &reference, walk, err);
}

static int compare_refs(const void *a, const void *b)
{
	const struct store_ref *x = a, *y = b;
	int order;

	if (!x->name.name[0] != !y->name.name[0])
		return x->name.name[0] ? -1 : 1;
	order = strcmp(x->name.name, y->name.name);
	if (!order)
		order = strcmp(x->name.tag, y->name.tag);
	return order ? order : strcmp(x->digest.text, y->digest.text);
}

static int list_refs(struct store *store, bool strict, struct store_refs *out, struct error *err)
{
	struct ref_walk walk = { out, "", strict };
	int ret = store_each_name(store, "refs", walk_name, &walk, err);

	if (ret == 0 && out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_refs);
	return ret;
}

int store_ref_list(struct store *store, struct store_refs *out, struct error *err)
{
	return list_refs(store, false, out, err);
}

int store_ref_list_all(struct store *store, struct store_refs *out, struct error *err)
{
	return list_refs(store, true, out, err);
}
