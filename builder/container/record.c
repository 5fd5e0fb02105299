/* SPDX-License-Identifier: Apache-2.0 */
/* Container records in the store. */
#include "builder/container/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "spec/json-table.h"

/* What record.json holds; the same members under the names of the document. */
struct document {
	const char *id;
	const char *name;
	const char *image;
	const char *image_id;
	const char *created;
	struct json_strings args;
	bool exited;
	int32_t exit_status;
};

/* clang-format off */
static const struct json_field document_fields[] = {
	JSON_STRING(struct document, "id", id, .flags = JSON_REQUIRED),
	JSON_STRING(struct document, "name", name),
	JSON_STRING(struct document, "image", image),
	JSON_STRING(struct document, "imageId", image_id),
	JSON_STRING(struct document, "created", created),
	JSON_STRINGS(struct document, "args", args),
	JSON_BOOL(struct document, "exited", exited),
	JSON_I32(struct document, "exitStatus", exit_status),
};
static const struct json_object document_object = JSON_TABLE(struct document, document_fields);
/* clang-format on */

void container_record_done(struct container_record *record)
{
	free(record->name);
	free(record->image);
	free(record->image_id);
	free(record->created);
	strv_done(&record->args);
	*record = (struct container_record){ 0 };
}

int container_id_make(char id[CONTAINER_ID_SIZE], struct error *err)
{
	unsigned char bytes[(CONTAINER_ID_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_errno(err, errno, "getrandom");
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static char *make_timestamp(void)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return xasprintf("%s.%09ldZ", text, now.tv_nsec);
}

static bool name_is_valid(const char *name)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t size = strlen(name);

	return size > 0 && size <= 128 && strchr(first, name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       size;
}

/* The link's target, by which a name knows its container. */
static char *name_target(const char *id)
{
	return xasprintf("../containers/%s", id);
}

/* names/NAME by symlink(2), which is whole or not there: of two at once one wins. */
static int reserve_name(struct store *store, const struct container_record *record,
			struct error *err)
{
	cleanup_free char *path = xasprintf("names/%s", record->name);
	cleanup_free char *target = name_target(record->id);

	if (mkdirat(store->fd, "names", 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s/names\"", store->path);
	if (symlinkat(target, store->fd, path) == 0)
		return 0;
	if (errno == EEXIST)
		return error_set(err, ERROR_EXISTS, 0,
				 "the container name \"%s\" is already in use", record->name);
	return error_errno(err, errno, "create \"%s/%s\"", store->path, path);
}

/* Only its own: another container may have taken the name meanwhile. */
static void release_if_own(struct store *store, const char *name, const char *id)
{
	cleanup_free char *path = xasprintf("names/%s", name);
	cleanup_free char *target = name_target(id);
	char text[CONTAINER_ID_SIZE + 32];
	ssize_t size = readlinkat(store->fd, path, text, sizeof(text));

	if (size == (ssize_t)strlen(target) && memcmp(text, target, (size_t)size) == 0)
		(void)unlinkat(store->fd, path, 0); /* it was there just now */
}

void container_name_release(struct store *store, const char *id)
{
	int fd = openat(store->fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_LNK)
			release_if_own(store, entry->d_name, id);
}

int container_record_save(struct store *store, const struct container_record *record,
			  struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s/record.json", record->id);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct document document = {
		.id = record->id,
		.name = record->name,
		.image = record->image,
		.image_id = record->image_id,
		.created = record->created,
		.args = { record->args.items, record->args.count, false },
		.exited = record->exited,
		.exit_status = record->exit_status,
	};

	json_encode(&document_object, &document, JSON_COMPACT, &text);
	return io_replace_file(store->fd, path, text.data, text.size, 0600, IO_NO_SYNC, err);
}

static int fill_folder(struct store *store, const struct image *image,
		       const struct container_record *record, const char *folder, struct error *err)
{
	static const char *const folders[] = { "bundle", "rootfs" };
	cleanup_free char *holds_path = xasprintf("%s/holds", folder);
	cleanup_strbuf struct strbuf holds = STRBUF_INIT;
	int ret;

	if (mkdirat(store->fd, folder, 0700) < 0)
		return error_errno(err, errno, "mkdir \"%s/%s\"", store->path, folder);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		cleanup_free char *path = xasprintf("%s/%s", folder, folders[i]);

		if (mkdirat(store->fd, path, 0700) < 0)
			return error_errno(err, errno, "mkdir \"%s/%s\"", store->path, path);
	}
	ret = image_holds(store, image, &holds, err);
	if (ret == 0)
		ret = io_replace_file(store->fd, holds_path, strbuf_text(&holds), holds.size, 0600,
				      IO_NO_SYNC, err);
	return ret < 0 ? ret : container_record_save(store, record, err);
}

int container_record_create(struct store *store, const struct image *image,
			    struct container_record *record, char **out_folder, struct error *err)
{
	cleanup_free char *folder = xasprintf("containers/%s", record->id);
	int ret;

	if (*record->name && !name_is_valid(record->name))
		return error_invalid(err,
				     "invalid container name \"%s\": letters, digits, _ . - are "
				     "allowed, the first must be a letter or digit",
				     record->name);
	record->created = make_timestamp();
	ret = fill_folder(store, image, record, folder, err);
	if (ret == 0 && *record->name)
		ret = reserve_name(store, record, err);
	if (ret < 0) {
		(void)path_remove_tree(store->fd, folder, NULL); /* what there is of it */
		return ret;
	}
	*out_folder = TAKE_PTR(folder);
	return 0;
}

/* The name first: one without a container would be lost for ever. */
int container_record_remove(struct store *store, const struct container_record *record,
			    struct error *err)
{
	cleanup_free char *folder = xasprintf("containers/%s", record->id);

	if (*record->name)
		release_if_own(store, record->name, record->id);
	return path_remove_tree(store->fd, folder, err);
}
