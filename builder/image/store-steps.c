/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of build steps: key -> layer. A record is written before the layer's data is surely on
 * the disk; until the next commit its name carries the id of this boot, so that it counts for all
 * builders as long as the page cache lives and for nobody after a power failure.
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
#include "spec/json-table.h"

#define RECORD_MAX (64 * 1024 * 1024) /* a key manifest names every file of a COPY */

#define USED_GRAIN 3600 /* seconds: how exactly the last use is known */

struct record_document {
	const char *layer;
	int64_t created;
	const char *list;
	const char *manifest;
	const char *info;
};

/* clang-format off */
static const struct json_field record_fields[] = {
	JSON_STRING(struct record_document, "layer", layer),
	JSON_I64(struct record_document, "created", created),
	JSON_STRING(struct record_document, "list", list),
	JSON_RAW(struct record_document, "manifest", manifest),
	JSON_RAW(struct record_document, "info", info),
};
/* clang-format on */
static const struct json_object record_object = JSON_TABLE(struct record_document, record_fields);

void step_record_done(struct step_record *record)
{
	free(record->manifest);
	free(record->info);
	record->manifest = record->info = NULL;
}

static int decode_record(const char *name, const struct strbuf *text, struct step_record *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct json_source source = {
		.name = name, .text = text->data, .size = text->size, .max_size = RECORD_MAX
	};
	struct record_document document = { .created = 0 };
	int ret = json_decode(&source, &record_object, &arena, &document, NULL);

	if (ret < 0 || (document.layer && !digest_is_hex(document.layer)) ||
	    (document.list && !digest_is_hex(document.list)))
		return -EINVAL;
	*out = (struct step_record){ .created = document.created };
	if (document.layer)
		memcpy(out->layer, document.layer, LAYER_ID_SIZE);
	if (document.list)
		memcpy(out->list, document.list, LAYER_ID_SIZE);
	if (document.manifest)
		out->manifest = xstrdup(document.manifest);
	if (document.info)
		out->info = xstrdup(document.info);
	return 0;
}

/* 1 there and usable, 0 not, negative errno: not to be told now */
static int read_record(struct store *store, const char *name, struct step_record *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(store->fd, name, RECORD_MAX, &text, NULL);

	if (ret == -ENOENT)
		return 0;
	if (ret < 0) {
		log_debug("step record \"%s\" cannot be read: %s", name, strerror(-ret));
		return ret;
	}
	if (!text.size || decode_record(name, &text, out) < 0) {
		log_debug("step record \"%s\" is damaged and ignored", name);
		return 0;
	}
	return 1;
}

int store_step_find(struct store *store, const char *key, struct step_record *out)
{
	cleanup_free char *name = xasprintf("steps/%s", key);
	cleanup_free char *provisional = xasprintf("%s.%s", name, store->boot);

	int ret = read_record(store, name, out);

	return ret != 0 ? ret : read_record(store, provisional, out);
}

/* The time of a record is that of its last use; an old one is renewed. */
static void mark_used(struct store *store, const char *name)
{
	struct stat st;

	if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtim.tv_sec + USED_GRAIN < time(NULL))
		(void)utimensat(store->fd, name, NULL, AT_SYMLINK_NOFOLLOW); /* a hint for prune */
}

struct each_step {
	store_step_fn call;
	void *context;
};

static int call_step(struct store *store, const char *name, void *context, struct error *err)
{
	const struct each_step *each = context;
	cleanup_step_record struct step_record record = { .manifest = NULL };
	cleanup_free char *path = xasprintf("steps/%s", name);
	cleanup_free char *key = xstrndup(name, strcspn(name, "."));
	struct stat st;

	(void)err;
	if (!digest_is_hex(key) ||
	    (name[DIGEST_HEX] && strcmp(name + DIGEST_HEX + 1, store->boot)) ||
	    fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    read_record(store, path, &record) <= 0)
		return 0;
	return each->call(each->context, path, &record, st.st_mtim.tv_sec);
}

int store_step_each(struct store *store, store_step_fn call, void *context)
{
	struct each_step each = { call, context };

	return store_each_name(store, "steps", call_step, &each, NULL);
}

int store_step_get(struct store *store, const char *key, struct step_record *out, struct error *err)
{
	cleanup_free char *name = xasprintf("steps/%s", key);
	cleanup_step_record struct step_record record = { .manifest = NULL };
	bool is_final;
	int ret;

	if (store->apart || store_step_find(store, key, &record) <= 0)
		return 0;
	if (record.layer[0]) {
		ret = store_hold_layer(store, record.layer, err);
		if (ret <= 0)
			return ret;
	}
	is_final = faccessat(store->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (is_final)
		mark_used(store, name);
	else if (!strv_contains(&store->provisional, key))
		strv_add(&store->provisional, key);
	*out = record;
	record.manifest = record.info = NULL;
	return 1;
}

int store_step_put(struct store *store, const char *key, const struct step_record *record,
		   struct error *err)
{
	const struct record_document document = {
		.layer = record->layer[0] ? record->layer : NULL,
		.created = record->created,
		.list = record->list[0] ? record->list : NULL,
		.manifest = record->manifest,
		.info = record->info,
	};
	cleanup_free char *name = xasprintf("steps/%s.%s", key, store->boot);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char scratch[STORE_NAME_SIZE];
	int ret;

	if (!digest_is_hex(key))
		return error_invalid(err, "\"%.100s\" is not the key of a step", key);
	if (store->apart)
		return 0;
	json_encode(&record_object, &document, JSON_COMPACT, &text);
	strbuf_addc(&text, '\n');
	ret = store_scratch_file(store, text.data, text.size, scratch, err);
	if (ret < 0)
		return ret;
	if (renameat(store->fd, scratch, store->fd, name) < 0)
		return error_errno(err, errno, "write \"%s/%s\"", store->path, name);
	/* asked behind the rename: a sync that fails only now finds the record itself */
	if (store_is_distrusted(store))
		(void)unlinkat(store->fd, name, 0); /* it is a loss of time alone */
	else if (!strv_contains(&store->provisional, key))
		strv_add(&store->provisional, key);
	return 0;
}

/* -- locks --------------------------------------------------------------------------------------
 */

static pid_t read_owner(int fd)
{
	char text[16];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

	if (size <= 0)
		return 0;
	text[size] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/* Is what we locked still what the name leads to? The last owner may have removed it. */
static bool is_current(struct store *store, const char *name, int fd)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 &&
	       fstatat(store->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

int store_step_trylock(struct store *store, const char *key, struct step_lock *out,
		       pid_t *out_owner, struct error *err)
{
	struct step_lock lock = { .store = store };
	char text[16];
	int ret;

	if (!digest_is_hex(key))
		return error_invalid(err, "\"%.100s\" is not the key of a step", key);
	ret = store_session(store, err); /* whose lease tells that a lock may be left */
	if (ret < 0)
		return ret;
	snprintf(lock.name, sizeof(lock.name), "steps/%s.lock", key);
	for (;;) {
		cleanup_close int fd =
			openat(store->fd, lock.name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0)
			return error_errno(err, errno, "open \"%s/%s\"", store->path, lock.name);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK)
				return error_errno(err, errno, "lock \"%s\"", lock.name);
			*out_owner = read_owner(fd);
			return 0;
		}
		if (!is_current(store, lock.name, fd))
			continue;
		snprintf(text, sizeof(text), "%d\n", (int)getpid());
		if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0)
			log_debug("cannot write our pid to \"%s\": %m", lock.name);
		lock.fd = TAKE_FD(fd);
		*out = lock;
		return 1;
	}
}

void step_unlock(struct step_lock *lock)
{
	if (lock->fd < 0)
		return;
	/* removed while we hold it: whoever waits finds the name gone and makes a new one */
	(void)unlinkat(lock->store->fd, lock->name, 0);
	cleanup_close_fd(&lock->fd);
}

void store_step_lock_sweep(struct store *store, const char *name)
{
	cleanup_close int fd = openat(store->fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	/* removed while we hold it, as by step_unlock: a builder that has it open sees that */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_current(store, name, fd))
		(void)unlinkat(store->fd, name, 0); /* it only takes place */
}

int store_steps_open(struct store *store, struct error *err)
{
	int fd = openat(store->fd, "steps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, errno, "open \"%s/steps\"", store->path) : fd;
}
