/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: made aside and renamed into place whole, removed by a rename. */
#include "builder/container/volume-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/container/record.h"
#include "builder/container/tree-copy.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "spec/json-table.h"

#define FOLDER "volumes"
#define DOCUMENT_MAX ((size_t)1 << 20)

/* clang-format off */
static const struct json_field volume_fields[] = {
	JSON_STRING(struct volume, "created", created, .flags = JSON_REQUIRED),
	JSON_MAP(struct volume, "labels", labels),
	JSON_BOOL(struct volume, "anonymous", anonymous),
};
static const struct json_object volume_object = JSON_TABLE(struct volume, volume_fields);
/* clang-format on */

void volume_done(struct volume *volume)
{
	arena_done(&volume->arena);
	*volume = (struct volume){ .arena = ARENA_INIT };
}

bool volume_name_is_valid(const char *name)
{
	static const char rest[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t size = strlen(name);

	return size >= 2 && size <= 255 && strspn(name, rest) == size && !strchr("_.-", name[0]);
}

static int check_name(const char *name, struct error *err)
{
	return volume_name_is_valid(name)
		       ? 0
		       : error_invalid(err,
				       "invalid volume name \"%s\": two or more letters, digits, "
				       "_ . -, the first a letter or digit",
				       name);
}

const char *volume_path(const struct store *store, const char *name, struct arena *arena)
{
	return arena_printf(arena, "%s/" FOLDER "/%s/_data", store->path, name);
}

/* In scratch, complete. */
static int prepare(struct store *store, const struct volume *volume, const char *scratch,
		   int folder_fd, struct error *err)
{
	char now[CLOCK_TEXT_SIZE];
	struct volume document = *volume;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (mkdirat(folder_fd, "_data", 0755) < 0)
		return error_errno(err, errno, "mkdir \"%s/%s/_data\"", store->path, scratch);
	document.created = clock_text(now);
	json_encode(&volume_object, &document, JSON_COMPACT, &text);
	return io_replace_file(folder_fd, "volume.json", text.data, text.size, 0600, IO_NO_SYNC,
			       err);
}

int volume_make(struct store *store, const struct volume *volume, struct error *err)
{
	cleanup_free char *path = xasprintf(FOLDER "/%s", volume->name);
	cleanup_close int folder_fd = -EBADF;
	char scratch[STORE_NAME_SIZE];
	int ret = check_name(volume->name, err);

	if (ret < 0 || faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return ret;
	ret = store_scratch(store, scratch, &folder_fd, err);
	if (ret == 0)
		ret = prepare(store, volume, scratch, folder_fd, err);
	if (ret < 0)
		return ret;
	if (mkdirat(store->fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s/" FOLDER "\"", store->path);
	if (renameat2(store->fd, scratch, store->fd, path, RENAME_NOREPLACE) == 0)
		return 1;
	return errno == EEXIST ? 0 : error_errno(err, errno, "create \"%s/%s\"", store->path, path);
}

int volume_load(struct store *store, const char *name, struct volume *out, struct error *err)
{
	cleanup_free char *path = xasprintf(FOLDER "/%s/volume.json", name);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = path };
	int ret = volume_name_is_valid(name)
			  ? io_read_file(store->fd, path, DOCUMENT_MAX, &text, NULL)
			  : -ENOENT;

	if (ret == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, 0, "no such volume: %s", name);
	if (ret < 0)
		return error_errno(err, -ret, "read \"%s/%s\"", store->path, path);
	*out = (struct volume){ .arena = ARENA_INIT };
	source.text = strbuf_text(&text);
	source.size = text.size;
	ret = json_decode(&source, &volume_object, &out->arena, out, err);
	out->name = arena_strdup(&out->arena, name);
	return ret;
}

static int add_name(struct store *store, const char *name, void *context, struct error *err)
{
	(void)store;
	(void)err;
	if (volume_name_is_valid(name))
		strv_add(context, name);
	return 0;
}

int volume_list(struct store *store, struct strv *out, struct error *err)
{
	int ret = store_each_name(store, FOLDER, add_name, out, err);

	strv_sort(out);
	return ret;
}

int volume_used(struct store *store, struct strv *out, struct error *err)
{
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = container_list(store, &ids, err);

	for (size_t i = 0; i < ids.count && ret == 0; i++) {
		cleanup_container_record struct container_record record = { .arena = ARENA_INIT };

		/* being made, or removed: whoever makes it makes its volumes after the record */
		if (container_record_load(store, ids.items[i], &record, NULL) < 0)
			continue;
		for (size_t k = 0; k < record.mounts.count; k++)
			if (record.mounts.items[k].name)
				strv_add(out, record.mounts.items[k].name);
	}
	strv_sort(out);
	return ret;
}

int volume_remove(struct store *store, const char *name, struct error *err)
{
	cleanup_free char *path = xasprintf(FOLDER "/%s", name);
	cleanup_strv struct strv used = STRV_INIT;
	int ret = volume_name_is_valid(name) ? volume_used(store, &used, err) : -ENOENT;

	if (ret == 0 && strv_contains(&used, name))
		return error_set(err, ERROR_STATE, 0, "volume %s is in use by a container", name);
	if (ret == 0)
		ret = store_discard(store, path, err);
	return ret == -ENOENT ? error_set(err, ERROR_NOT_FOUND, 0, "no such volume: %s", name)
			      : ret;
}

/* By another container than the one that is being made: it may have the folder mounted, which must
 * stay the one that it is. */
static bool is_shared(struct store *store, const char *name)
{
	cleanup_strv struct strv used = STRV_INIT;
	size_t count = 0;

	if (volume_used(store, &used, NULL) < 0)
		return true;
	for (size_t i = 0; i < used.count; i++)
		count += strcmp(used.items[i], name) == 0;
	return count > 1;
}

int volume_fill(struct store *store, const char *name, int root_fd, const char *target,
		struct error *err)
{
	static const struct tree_copy copy = { .marks = NULL };
	cleanup_free char *folder = xasprintf(FOLDER "/%s", name);
	cleanup_close int folder_fd =
		openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int from = inroot_open(root_fd, target, O_RDONLY | O_DIRECTORY, 0, NULL);
	char scratch[STORE_NAME_SIZE];
	int ret;

	if (folder_fd < 0)
		return error_errno(err, errno, "open \"%s/%s\"", store->path, folder);
	if (from < 0 || !tree_is_empty(folder_fd, "_data"))
		return 0;
	if (is_shared(store, name)) {
		ret = tree_copy(&copy, from, ".", folder_fd, "_data", err);
		return error_prefix(err, ret, "fill volume %s from \"%s\"", name, target);
	}
	ret = store_scratch(store, scratch, NULL, err);
	if (ret == 0)
		ret = tree_copy(&copy, from, ".", store->fd, scratch, err);
	if (ret < 0)
		return error_prefix(err, ret, "fill volume %s from \"%s\"", name, target);
	/* whole or not at all; somebody else may have put something there meanwhile */
	if (renameat(store->fd, scratch, folder_fd, "_data") < 0 && errno != ENOTEMPTY &&
	    errno != EEXIST)
		return error_errno(err, errno, "fill volume %s", name);
	return 0;
}
