/* SPDX-License-Identifier: Apache-2.0 */
/* Container records in the store. */
#include "builder/container/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/container/names.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/path.h"
#include "spec/json-table.h"

#define RECORD_MAX ((size_t)16 << 20)
#define NAME_ATTEMPTS 100

/* clang-format off */
static const struct json_field mount_fields[] = {
	JSON_STRING(struct container_mount, "type", type, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_mount, "name", name),
	JSON_STRING(struct container_mount, "source", source, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_mount, "target", target, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_mount, "options", options),
	JSON_BOOL(struct container_mount, "readOnly", read_only),
	JSON_BOOL(struct container_mount, "anonymous", anonymous),
};
static const struct json_object mount_object = JSON_TABLE(struct container_mount, mount_fields);

static const struct json_field port_fields[] = {
	JSON_STRING(struct container_port, "hostAddress", host_address, .flags = JSON_REQUIRED),
	JSON_U16(struct container_port, "host", host),
	JSON_U16(struct container_port, "container", container),
	JSON_STRING(struct container_port, "protocol", protocol, .flags = JSON_REQUIRED),
	JSON_U16(struct container_port, "chosen", chosen),
};
static const struct json_object port_object = JSON_TABLE(struct container_port, port_fields);

static const struct json_field record_fields[] = {
	JSON_STRING(struct container_record, "name", name, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_record, "image", image, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_record, "imageId", image_id, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_record, "topDigest", top_digest, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_record, "topType", top_type, .flags = JSON_REQUIRED),
	JSON_U64(struct container_record, "topSize", top_size),
	JSON_STRING(struct container_record, "platform", platform),
	JSON_STRING(struct container_record, "created", created, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_record, "runtime", runtime, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct container_record, "trees", trees),
	JSON_STRINGS(struct container_record, "args", args),
	JSON_STRING(struct container_record, "hostname", hostname, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_record, "network", network, .flags = JSON_REQUIRED),
	JSON_STRING(struct container_record, "pidOf", pid_of),
	JSON_STRING(struct container_record, "ipcOf", ipc_of),
	JSON_BOOL(struct container_record, "ipcShareable", ipc_shareable),
	JSON_STRING(struct container_record, "cgroupParent", cgroup_parent),
	JSON_BOOL(struct container_record, "terminal", terminal),
	JSON_BOOL(struct container_record, "interactive", interactive),
	JSON_BOOL(struct container_record, "remove", remove),
	JSON_OBJECTS(struct container_record, "ports", ports, &port_object),
	JSON_OBJECTS(struct container_record, "mounts", mounts, &mount_object),
	JSON_STRINGS(struct container_record, "links", links),
	JSON_STRINGS(struct container_record, "hosts", hosts),
	JSON_STRINGS(struct container_record, "nameServers", name_servers),
	JSON_STRINGS(struct container_record, "searches", searches),
	JSON_STRINGS(struct container_record, "resolverOptions", resolver_options),
	JSON_STRINGS(struct container_record, "groups", groups),
	JSON_STRING(struct container_record, "stopSignal", stop_signal),
	JSON_U32(struct container_record, "stopTimeout", stop_timeout),
	JSON_STRING(struct container_record, "detachKeys", detach_keys),
	JSON_MAP(struct container_record, "labels", labels),
	JSON_RAW(struct container_record, "config", config),
	JSON_RAW(struct container_record, "hostConfig", host_config),
	JSON_STRING(struct container_record, "started", started),
	JSON_STRING(struct container_record, "finished", finished),
	JSON_BOOL(struct container_record, "exited", exited),
	JSON_I32(struct container_record, "exitStatus", exit_status),
	JSON_BOOL(struct container_record, "oomKilled", oom_killed),
	JSON_STRING(struct container_record, "error", error),
	JSON_STRING(struct container_record, "address", address),
	JSON_STRING(struct container_record, "gateway", gateway),
	JSON_BOOL(struct container_record, "monitored", monitored),
	JSON_I32(struct container_record, "monitorPid", monitor_pid),
	JSON_U64(struct container_record, "monitorStart", monitor_start),
};
static const struct json_object record_object = JSON_TABLE(struct container_record, record_fields);
/* clang-format on */

void container_record_done(struct container_record *record)
{
	arena_done(&record->arena);
	*record = (struct container_record){ .arena = ARENA_INIT };
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

	json_encode(&record_object, record, JSON_COMPACT, &text);
	return io_replace_file(store->fd, path, text.data, text.size, 0600, IO_NO_SYNC, err);
}

int container_record_load(struct store *store, const char *id, struct container_record *out,
			  struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s/record.json", id);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = path };
	int ret = strlen(id) < CONTAINER_ID_SIZE
			  ? io_read_file(store->fd, path, RECORD_MAX, &text, NULL)
			  : -ENOENT;

	if (ret == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, 0, "no such container: %s", id);
	if (ret < 0)
		return error_errno(err, -ret, "read \"%s/%s\"", store->path, path);
	source.text = strbuf_text(&text);
	source.size = text.size;
	*out = (struct container_record){ .arena = ARENA_INIT };
	ret = json_decode(&source, &record_object, &out->arena, out, err);
	if (ret < 0) {
		container_record_done(out);
		return ret;
	}
	memcpy(out->id, id, strlen(id) + 1);
	return 0;
}

static int fill_folder(struct store *store, const struct image *image, const char *folder,
		       struct error *err)
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
	return ret < 0 ? ret
		       : io_replace_file(store->fd, holds_path, strbuf_text(&holds), holds.size,
					 0600, IO_NO_SYNC, err);
}

static int take_name(struct store *store, struct container_record *record, struct error *err)
{
	struct error why = ERROR_INIT;
	int ret = -EEXIST;

	if (record->name && *record->name)
		return reserve_name(store, record, err);
	for (unsigned int i = 0; i < NAME_ATTEMPTS && ret < 0; i++) {
		record->name = name_make(&record->arena, i);
		ret = reserve_name(store, record, &why);
		if (ret < 0 && why.code != ERROR_EXISTS)
			break;
	}
	if (ret < 0 && err)
		*err = why;
	return ret;
}

/* Names are for people to type and for other containers to resolve. */
static int check_name(const char *name, struct error *err)
{
	if (!name || !*name || name_is_valid(name))
		return 0;
	return error_invalid(err,
			     "invalid container name \"%s\": letters, digits, _ . - are "
			     "allowed, the first must be a letter or digit",
			     name);
}

int container_record_create(struct store *store, const struct image *image,
			    struct container_record *record, char **out_folder, struct error *err)
{
	cleanup_free char *folder = xasprintf("containers/%s", record->id);
	char now[CLOCK_TEXT_SIZE];
	int ret = check_name(record->name, err);

	if (ret < 0)
		return ret;
	record->created = arena_strdup(&record->arena, clock_text(now));
	/* the folder first: a name without a container would be lost for ever */
	ret = fill_folder(store, image, folder, err);
	if (ret == 0)
		ret = take_name(store, record, err);
	if (ret == 0)
		ret = container_record_save(store, record, err);
	if (ret < 0) {
		/* what there is of it */
		container_name_release(store, record->id);
		(void)path_remove_tree(store->fd, folder, NULL);
		return ret;
	}
	*out_folder = TAKE_PTR(folder);
	return 0;
}

int container_rename(struct store *store, struct container_record *record, const char *name,
		     struct error *err)
{
	cleanup_free char *old = xstrdup(record->name);
	int ret = check_name(*name ? name : "-", err);

	if (ret < 0)
		return ret;
	record->name = arena_strdup(&record->arena, name);
	ret = reserve_name(store, record, err);
	if (ret < 0)
		return ret;
	ret = container_record_save(store, record, err);
	release_if_own(store, ret < 0 ? name : old, record->id);
	return ret;
}

/* -- finding -------------------------------------------------------------------------------------
 */

/* names/NAME is a link to ../containers/ID */
static bool id_of_name(struct store *store, const char *name, char id[CONTAINER_ID_SIZE])
{
	cleanup_free char *path = xasprintf("names/%s", name);
	char text[CONTAINER_ID_SIZE + 32];
	ssize_t size;
	const char *slash;

	if (!name_is_valid(name))
		return false;
	size = readlinkat(store->fd, path, text, sizeof(text) - 1);
	if (size <= 0)
		return false;
	text[size] = '\0';
	slash = strrchr(text, '/');
	if (!slash || strlen(slash + 1) != CONTAINER_ID_SIZE - 1)
		return false;
	memcpy(id, slash + 1, CONTAINER_ID_SIZE);
	return true;
}

static int add_id(struct store *store, const char *name, void *context, struct error *err)
{
	(void)store;
	(void)err;
	if (strlen(name) == CONTAINER_ID_SIZE - 1)
		strv_add(context, name);
	return 0;
}

int container_list(struct store *store, struct strv *out_ids, struct error *err)
{
	int ret = store_each_name(store, "containers", add_id, out_ids, err);

	strv_sort(out_ids);
	return ret;
}

static int find_id(struct store *store, const char *word, char id[CONTAINER_ID_SIZE],
		   struct error *err)
{
	cleanup_strv struct strv ids = STRV_INIT;
	size_t found = 0;
	int ret;

	if (id_of_name(store, word, id))
		return 0;
	ret = container_list(store, &ids, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; *word && i < ids.count; i++)
		if (strncmp(ids.items[i], word, strlen(word)) == 0 && found++ == 0)
			memcpy(id, ids.items[i], CONTAINER_ID_SIZE);
	if (found > 1)
		return error_invalid(err, "\"%s\" begins the ids of %zu containers", word, found);
	if (!found)
		return error_set(err, ERROR_NOT_FOUND, 0, "no such container: %s", word);
	return 0;
}

int container_record_find(struct store *store, const char *word, struct container_record *out,
			  struct error *err)
{
	char id[CONTAINER_ID_SIZE];
	int ret = find_id(store, word, id, err);

	return ret < 0 ? ret : container_record_load(store, id, out, err);
}

bool container_exists(struct store *store, const char *word)
{
	char id[CONTAINER_ID_SIZE];

	return find_id(store, word, id, NULL) == 0;
}

int container_lock(struct store *store, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s", id);
	cleanup_close int fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no such container: %s", id);
	if (fd < 0)
		return error_errno(err, errno, "open \"%s/%s\"", store->path, path);
	do
		ret = flock(fd, LOCK_EX);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return error_errno(err, errno, "lock \"%s/%s\"", store->path, path);
	/* it may have been removed while we waited */
	if (faccessat(store->fd, path, F_OK, 0) < 0)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no such container: %s", id);
	return TAKE_FD(fd);
}

/* The name first: one without a container would be lost for ever. Then all of the folder at once;
 * it is deleted when our session ends, or after it. */
int container_record_remove(struct store *store, const struct container_record *record,
			    struct error *err)
{
	cleanup_free char *folder = xasprintf("containers/%s", record->id);
	struct error why = ERROR_INIT;
	int ret;

	if (record->name && *record->name)
		release_if_own(store, record->name, record->id);
	ret = store_discard(store, folder, &why);
	if (ret == -ENOENT)
		return 0; /* the session that made it was buried meanwhile */
	if (ret < 0 && err)
		*err = why;
	return ret;
}
