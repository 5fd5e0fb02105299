/* SPDX-License-Identifier: Apache-2.0 */
/* See entry-list.h: a merge sort whose runs lie behind each other in one scratch file. Called by
 * layer-compare.c. */
#include "builder/image/entry-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/image/layer-entries.h"
#include "builder/image/tar-write.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define RUN_BUFFER ((size_t)64 << 10)

/* An entry as it lies in memory and in the file; path, target and xattrs follow, the first two with
 * their NUL. */
struct record {
	uint64_t size;
	int64_t mtime;
	uint64_t device;
	uint32_t mode, uid, gid, mtime_nsec;
	uint32_t path_size, target_size; /* 0 = it has none */
	uint64_t xattr_size;
};

/* What is being read of a run: the record on top, whole, behind what is used up. */
struct run {
	off_t next, end; /* in the file */
	struct strbuf buffer;
	size_t used;
	bool has;
};

struct entry_list {
	struct store *store;
	size_t memory;
	int fd; /* -EBADF: all fits into memory */
	off_t end;
	struct strbuf bytes; /* records that are in no run yet */
	size_t *offsets;
	size_t count, capacity, given;
	struct run *runs;
	size_t run_count, run_capacity;
	struct strbuf current; /* the record that was given last */
};

static const char *top(const struct run *run)
{
	return run->buffer.data + run->used;
}

static size_t record_size(const struct record *record)
{
	return sizeof(*record) + record->path_size + record->target_size + record->xattr_size;
}

static const char *record_path(const char *record)
{
	return record + sizeof(struct record);
}

/* -- reading a layer -----------------------------------------------------------------------------
 */

static void add_xattrs(const struct tar_entry *entry, struct strbuf *out)
{
	cleanup_strv struct strv texts = STRV_INIT;

	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		strbuf_addf(&text, "%s=", xattr->name);
		for (size_t j = 0; j < xattr->size; j++)
			strbuf_addf(&text, "%02x", ((const unsigned char *)xattr->value)[j]);
		strv_add(&texts, text.data);
	}
	strv_sort(&texts);
	for (size_t i = 0; i < texts.count; i++)
		strbuf_add(out, texts.items[i], strlen(texts.items[i]) + 1);
}

static int compare_offsets(const void *a, const void *b, void *bytes)
{
	const char *base = bytes;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(record_path(base + x), record_path(base + y));

	return order ? order : (x > y) - (x < y); /* in the order of the tar */
}

static void sort(struct entry_list *list)
{
	if (list->count)
		qsort_r(list->offsets, list->count, sizeof(*list->offsets), compare_offsets,
			list->bytes.data);
}

static int open_file(struct entry_list *list, struct error *err)
{
	char name[STORE_NAME_SIZE];
	int ret;

	if (list->fd >= 0)
		return 0;
	ret = store_scratch_open(list->store, name, &list->fd, err);
	if (ret == 0)
		(void)unlinkat(list->store->fd, name, 0); /* if not now, with the session */
	return ret;
}

/* All that is in memory becomes a run. */
static int spill(struct entry_list *list, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct run run = { .next = list->end };
	int ret = open_file(list, err);

	sort(list);
	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		const char *bytes = list->bytes.data + list->offsets[i];
		struct record record;

		memcpy(&record, bytes, sizeof(record));
		strbuf_add(&out, bytes, record_size(&record));
		if (out.size < RUN_BUFFER && i + 1 < list->count)
			continue;
		ret = io_write_all(list->fd, out.data, out.size);
		if (ret < 0)
			return error_errno(err, -ret, "write the entries of a layer");
		list->end += (off_t)out.size;
		strbuf_truncate(&out, 0);
	}
	run.end = list->end;
	ARRAY_GROW(list->runs, list->run_count, list->run_capacity);
	list->runs[list->run_count++] = run;
	strbuf_truncate(&list->bytes, 0);
	list->count = 0;
	return ret;
}

static int add_entry(void *context, const struct tar_entry *entry, void *contents,
		     struct error *err)
{
	struct entry_list *list = context;
	cleanup_strbuf struct strbuf xattrs = STRBUF_INIT;
	struct record record = { .size = entry->size,
				 .mtime = entry->mtime,
				 .device = entry->device,
				 .mode = entry->mode,
				 .uid = entry->uid,
				 .gid = entry->gid,
				 .mtime_nsec = entry->mtime_nsec,
				 .path_size = (uint32_t)strlen(entry->path) + 1 };

	(void)contents; /* nobody reads them here */
	if (entry->target)
		record.target_size = (uint32_t)strlen(entry->target) + 1;
	add_xattrs(entry, &xattrs);
	record.xattr_size = xattrs.size;
	ARRAY_GROW(list->offsets, list->count, list->capacity);
	list->offsets[list->count++] = list->bytes.size;
	strbuf_add(&list->bytes, &record, sizeof(record));
	strbuf_add(&list->bytes, entry->path, record.path_size);
	strbuf_add(&list->bytes, entry->target ? entry->target : "", record.target_size);
	strbuf_add(&list->bytes, strbuf_text(&xattrs), xattrs.size);
	return list->bytes.size < list->memory ? 0 : spill(list, err);
}

/* -- giving them in order ------------------------------------------------------------------------
 */

/* Have this many bytes of a run on top. */
static int need(struct entry_list *list, struct run *run, size_t size, struct error *err)
{
	if (run->buffer.size - run->used >= size)
		return 0;
	if (run->used) {
		memmove(run->buffer.data, run->buffer.data + run->used,
			run->buffer.size - run->used);
		strbuf_truncate(&run->buffer, run->buffer.size - run->used);
		run->used = 0;
	}
	while (run->buffer.size < size) {
		size_t want =
			size - run->buffer.size > RUN_BUFFER ? size - run->buffer.size : RUN_BUFFER;
		ssize_t got;

		if ((off_t)want > run->end - run->next)
			want = (size_t)(run->end - run->next);
		strbuf_reserve(&run->buffer, want);
		got = pread(list->fd, run->buffer.data + run->buffer.size, want, run->next);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_errno(err, got < 0 ? errno : EIO,
					   "read the entries of a layer again");
		run->buffer.size += (size_t)got;
		run->next += got;
	}
	return 0;
}

/* The record on top of a run. */
static int load(struct entry_list *list, struct run *run, struct error *err)
{
	struct record record;
	int ret;

	run->has = run->next < run->end || run->buffer.size > run->used;
	if (!run->has)
		return 0;
	ret = need(list, run, sizeof(record), err);
	if (ret < 0)
		return ret;
	memcpy(&record, top(run), sizeof(record));
	return need(list, run, record_size(&record), err);
}

static void take_record(struct entry_list *list, const char *bytes)
{
	struct record record;

	memcpy(&record, bytes, sizeof(record));
	strbuf_truncate(&list->current, 0);
	strbuf_add(&list->current, bytes, record_size(&record));
}

/* The run that has the least path; of equal ones the first, whose part of the tar is earlier. */
static struct run *least(struct entry_list *list)
{
	struct run *found = NULL;

	for (size_t i = 0; i < list->run_count; i++) {
		struct run *run = &list->runs[i];

		if (run->has &&
		    (!found || strcmp(record_path(top(run)), record_path(top(found))) < 0))
			found = run;
	}
	return found;
}

/* The path on top of all; NULL = there is none. */
static const char *peek(struct entry_list *list)
{
	struct run *run;

	if (!list->run_count)
		return list->given < list->count
			       ? record_path(list->bytes.data + list->offsets[list->given])
			       : NULL;
	run = least(list);
	return run ? record_path(top(run)) : NULL;
}

static int pop(struct entry_list *list, struct error *err)
{
	struct record record;
	struct run *run;

	if (!list->run_count) {
		take_record(list, list->bytes.data + list->offsets[list->given++]);
		return 0;
	}
	run = least(list);
	take_record(list, top(run));
	memcpy(&record, top(run), sizeof(record));
	run->used += record_size(&record);
	return load(list, run, err);
}

static void give(const struct entry_list *list, struct listed_entry *out)
{
	const char *text = record_path(list->current.data);
	struct record record;

	memcpy(&record, list->current.data, sizeof(record));
	*out = (struct listed_entry){ .path = text,
				      .target = record.target_size ? text + record.path_size : NULL,
				      .mode = record.mode,
				      .uid = record.uid,
				      .gid = record.gid,
				      .size = record.size,
				      .mtime = record.mtime,
				      .mtime_nsec = record.mtime_nsec,
				      .device = record.device,
				      .xattrs = text + record.path_size + record.target_size,
				      .xattr_size = record.xattr_size };
}

int entry_list_next(struct entry_list *list, struct listed_entry *out, struct error *err)
{
	const char *path = peek(list);
	int ret;

	if (!path)
		return 0;
	do {
		ret = pop(list, err);
		if (ret < 0)
			return ret;
		path = peek(list);
	} while (path && strcmp(path, record_path(list->current.data)) == 0);
	give(list, out);
	return 1;
}

int entry_list_read(struct store *store, const char *id, const struct digest *blob, size_t memory,
		    struct entry_list **out, struct error *err)
{
	struct entry_list *list = xzalloc(sizeof(*list));
	int ret;

	*list = (struct entry_list){ .store = store,
				     .fd = -EBADF,
				     .memory = memory ? memory : ENTRY_LIST_MEMORY };
	*out = list;
	ret = layer_each_entry(store, id, blob, add_entry, list, err);
	if (ret < 0)
		return ret;
	if (!list->run_count) {
		sort(list);
		return 0;
	}
	ret = list->count ? spill(list, err) : 0;
	strbuf_done(&list->bytes);
	for (size_t i = 0; ret == 0 && i < list->run_count; i++)
		ret = load(list, &list->runs[i], err);
	return ret;
}

void entry_list_free(struct entry_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->run_count; i++)
		strbuf_done(&list->runs[i].buffer);
	free(list->runs);
	free(list->offsets);
	strbuf_done(&list->bytes);
	strbuf_done(&list->current);
	cleanup_close_fd(&list->fd);
	free(list);
}
