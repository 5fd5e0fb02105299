/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what is in the store, and choosing what goes. Nothing here takes the store's lock: what
 * is used between the choice and the removal is kept by store_prune.
 */
#include "builder/build/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/journal.h"
#include "builder/image/image.h"
#include "builder/image/layer.h"
#include "lib/cleanup.h"

static const char *const kind_names[USAGE_KINDS + 1] = {
	[USAGE_IMAGE] = "image", [USAGE_STEP] = "step", [USAGE_MOUNT] = "mount",
	[USAGE_LOG] = "log",	 [USAGE_STAT] = "stat", [USAGE_NOTE] = "note",
	[USAGE_KINDS] = NULL,
};

const char *usage_kind_name(enum usage_kind kind)
{
	return kind_names[kind];
}

/* -- reading -------------------------------------------------------------------------------------
 */

struct reading {
	struct usage *usage;
	struct store *store;
	struct strv needed;  /* sorted; by images with names, containers, builders */
	struct strv reached; /* the same, also by images without a name */
	const char *folder;
	enum usage_kind kind;
};

static struct usage_item *add_item(struct usage *usage, enum usage_kind kind, const char *name)
{
	struct usage_item *item;

	ARRAY_GROW(usage->items, usage->count, usage->capacity);
	item = &usage->items[usage->count++];
	*item = (struct usage_item){ .kind = kind, .name = arena_strdup(&usage->arena, name) };
	return item;
}

/* An image without a name keeps its layers, but only until it goes itself. */
static int reach_named(struct store *store, const struct store_ref *ref, struct strv *holds,
		       struct error *err)
{
	return ref->name.name[0] ? image_reach(store, ref, holds, err) : 0;
}

static int add_step(void *context, const char *name, const struct step_record *record, time_t used)
{
	struct reading *reading = context;
	struct usage_item *item = add_item(reading->usage, USAGE_STEP, name);
	cleanup_free char *layer = xasprintf("layers/%s", record->layer);
	struct layer_info info;

	item->used = used;
	step_info_decode(record->info, &reading->usage->arena, &item->info);
	if (!record->layer[0])
		return 0;
	item->layer = arena_strdup(&reading->usage->arena, record->layer);
	item->in_use = strv_contains_sorted(&reading->needed, layer);
	if (layer_load(reading->store, record->layer, &info, NULL) == 0)
		item->size = info.size;
	return 0;
}

/* "steps/KEY" of each step that a build made or took from the cache. */
static void add_uses(struct store *store, uint64_t number, struct strv *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct journal_build build;

	if (!journal_read(store, number, &arena, &build))
		return;
	for (size_t i = 0; i < build.steps.count; i++) {
		const struct journal_step *step = &build.steps.items[i];

		if (step->key && step->state &&
		    (strcmp(step->state, "done") == 0 || strcmp(step->state, "cached") == 0))
			strv_addf(out, "steps/%s", step->key);
	}
}

void usage_count_uses(struct store *store, struct usage *usage)
{
	cleanup_strv struct strv uses = STRV_INIT;
	size_t builds = 0;
	cleanup_free uint64_t *numbers = journal_list(store, &builds);

	for (size_t i = 0; i < builds; i++)
		add_uses(store, numbers[i], &uses);
	strv_sort(&uses);
	for (size_t i = 0; i < usage->count; i++) {
		struct usage_item *item = &usage->items[i];
		size_t first = 0, last = uses.count;

		while (first < last) { /* the first that is not before it */
			size_t middle = first + (last - first) / 2;

			if (strcmp(uses.items[middle], item->name) < 0)
				first = middle + 1;
			else
				last = middle;
		}
		while (first + item->uses < uses.count &&
		       strcmp(uses.items[first + item->uses], item->name) == 0)
			item->uses++;
	}
}

uint64_t usage_folder_size(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	uint64_t size = 0;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		size += (uint64_t)st.st_blocks * 512;
		if (S_ISDIR(st.st_mode))
			size += usage_folder_size(fd, entry->d_name);
	}
	return size;
}

/* Layers of an image that have not come yet come from where its origins say. */
static bool is_origin_needed(const struct reading *reading, const char *name)
{
	cleanup_free char *blob = xasprintf("blobs/sha256/%s", name);

	return strv_contains_sorted(&reading->reached, blob);
}

static int add_name(struct store *store, const char *name, void *context, struct error *err)
{
	struct reading *reading = context;
	cleanup_free char *path = xasprintf("%s/%s", reading->folder, name);
	struct usage_item *item;
	struct stat st;

	(void)err;
	if (fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (reading->kind == USAGE_LOG && !S_ISDIR(st.st_mode)))
		return 0;
	item = add_item(reading->usage, reading->kind, path);
	item->used = st.st_mtim.tv_sec;
	item->size = S_ISDIR(st.st_mode) ? usage_folder_size(store->fd, path)
					 : (uint64_t)st.st_blocks * 512;
	if (reading->kind == USAGE_LOG) { /* a build that still runs has no document yet */
		cleanup_free char *document = xasprintf("%s/build.json", path);

		item->in_use = faccessat(store->fd, document, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	} else if (reading->kind == USAGE_NOTE) {
		item->in_use = is_origin_needed(reading, name);
	}
	return 0;
}

static const struct json_map *copy_labels(const struct image *image, struct arena *arena)
{
	const struct json_map *labels =
		image->config->config ? &image->config->config->labels : NULL;
	struct json_map *copy = arena_alloc(arena, sizeof(*copy));

	for (size_t i = 0; labels && i < labels->count; i++)
		json_map_set(copy, arena, labels->items[i].key, labels->items[i].value);
	return copy;
}

/* Does a record lead to this layer? */
static bool is_recorded(const struct usage *usage, const char *id)
{
	for (size_t i = 0; i < usage->count; i++)
		if (usage->items[i].layer && strcmp(usage->items[i].layer, id) == 0)
			return true;
	return false;
}

/* Bytes of the layers that neither an image with a name nor a step has. */
static uint64_t own_size(const struct reading *reading, const struct image *image)
{
	const struct json_strings *diff_ids = &image->config->rootfs->diff_ids;
	uint64_t size = 0;

	for (size_t i = 0; i < diff_ids->count && i < image->manifest->layers.count; i++) {
		const char *id = strchr(diff_ids->items[i], ':') + 1;
		cleanup_free char *name = xasprintf("layers/%s", id);

		if (!strv_contains_sorted(&reading->needed, name) &&
		    !is_recorded(reading->usage, id))
			size += image->manifest->layers.items[i].size;
	}
	return size;
}

/* An image without a name, unused since it lost that. */
static void add_image(struct reading *reading, const struct store_ref *ref)
{
	struct usage_item *item = add_item(reading->usage, USAGE_IMAGE, ref->digest.text);
	cleanup_free char *path = xasprintf("refs/:untagged/%s", digest_hex(&ref->digest));
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct stat st;

	if (fstatat(reading->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		item->used = st.st_mtim.tv_sec;
	if (image_load_ref(reading->store, ref, &image, NULL) < 0)
		return; /* damaged: it is of no use to anybody */
	item->size = own_size(reading, &image);
	item->labels = copy_labels(&image, &reading->usage->arena);
}

static int add_images(struct reading *reading, struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret = store_ref_list(reading->store, &refs, err);

	for (size_t i = 0; i < refs.count && ret == 0; i++)
		if (!refs.items[i].name.name[0])
			add_image(reading, &refs.items[i]);
	return ret;
}

static int compare_items(const void *a, const void *b)
{
	const struct usage_item *left = a, *right = b;

	if (left->used != right->used)
		return left->used < right->used ? -1 : 1;
	return strcmp(left->name, right->name);
}

int usage_read(struct store *store, struct usage *out, struct error *err)
{
	static const struct {
		enum usage_kind kind;
		const char *folder;
	} folders[] = { { USAGE_MOUNT, "mounts" },
			{ USAGE_LOG, "builds" },
			{ USAGE_STAT, "stat" },
			{ USAGE_NOTE, "origins" },
			{ USAGE_NOTE, "packed" } };
	struct reading reading = { .usage = out, .store = store };
	int ret = store_needed(store, reach_named, &reading.needed, err);

	if (ret == 0)
		ret = store_needed(store, image_reach, &reading.reached, err);
	if (ret == 0)
		ret = store_step_each(store, add_step, &reading);
	for (size_t i = 0; i < ARRAY_SIZE(folders) && ret == 0; i++) {
		reading.kind = folders[i].kind;
		reading.folder = folders[i].folder;
		ret = store_each_name(store, folders[i].folder, add_name, &reading, err);
	}
	if (ret == 0)
		ret = add_images(&reading, err);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_items);
	strv_done(&reading.needed);
	strv_done(&reading.reached);
	return ret;
}

void usage_done(struct usage *usage)
{
	arena_done(&usage->arena);
	free(usage->items);
	usage->items = NULL;
	usage->count = usage->capacity = 0;
}

/* -- choosing ------------------------------------------------------------------------------------
 */

static bool has_label(const struct json_map *labels, const char *wanted)
{
	cleanup_free char *name = xstrndup(wanted, strcspn(wanted, "="));
	const char *value = strchr(wanted, '=');
	const char *have = labels ? json_map_get(labels, name) : NULL;

	return have && (!value || strcmp(value + 1, have) == 0);
}

static bool labels_match(const struct usage_item *item, const struct usage_filter *filter)
{
	size_t with = filter->labels ? filter->labels->count : 0;
	size_t without = filter->not_labels ? filter->not_labels->count : 0;

	if (item->kind != USAGE_IMAGE)
		return !with && !without; /* nothing else has labels */
	for (size_t i = 0; i < with; i++)
		if (!has_label(item->labels, filter->labels->items[i]))
			return false;
	for (size_t i = 0; i < without; i++)
		if (has_label(item->labels, filter->not_labels->items[i]))
			return false;
	return true;
}

const char *usage_id(const struct usage_item *item)
{
	const char *slash = strrchr(item->name, '/');

	return slash ? slash + 1 : item->name;
}

/* Without --all: what would be of no use to the images that there are. */
static bool is_meant(const struct usage_item *item, const struct usage_filter *filter)
{
	if (filter->kinds && !(filter->kinds & 1u << item->kind))
		return false;
	if (!filter->kinds && !filter->all && item->kind != USAGE_IMAGE && item->kind != USAGE_STEP)
		return false;
	/* the note that a COPY was made before costs nothing and saves reading the sources */
	if (item->kind == USAGE_STEP && !item->layer && !filter->all && !filter->until)
		return false;
	if (item->in_use && (item->kind != USAGE_STEP || !filter->all))
		return false;
	if (filter->until && item->used >= filter->until)
		return false;
	if (filter->id && regexec(filter->id, usage_id(item), 0, NULL, 0) != 0)
		return false;
	return labels_match(item, filter);
}

/* Does a record that stays lead to this layer? */
static bool is_kept(const struct usage *usage, const char *layer)
{
	for (size_t i = 0; i < usage->count; i++) {
		const struct usage_item *item = &usage->items[i];

		if (item->kind == USAGE_STEP && !item->doomed && item->layer &&
		    strcmp(item->layer, layer) == 0)
			return true;
	}
	return false;
}

/* What removing it frees, when those that are marked are gone. */
static uint64_t freed_by(const struct usage *usage, const struct usage_item *item)
{
	if (item->in_use || (item->layer && is_kept(usage, item->layer)))
		return 0;
	return item->size;
}

uint64_t usage_total(const struct usage *usage)
{
	uint64_t total = 0;

	for (size_t i = 0; i < usage->count; i++) {
		const struct usage_item *item = &usage->items[i];
		bool again = false;

		for (size_t j = 0; item->layer && j < i && !again; j++)
			again = usage->items[j].layer &&
				strcmp(usage->items[j].layer, item->layer) == 0;
		if (!item->in_use && !again && item->kind != USAGE_IMAGE)
			total += item->size;
	}
	return total;
}

/* As BuildKit counts: the most that is allowed, less what the disk lacks, but what is reserved. */
uint64_t usage_keep(const struct usage_limits *limits, uint64_t total)
{
	uint64_t keep = limits->max_used;

	if (limits->min_free > limits->free) {
		uint64_t missing = limits->min_free - limits->free;
		uint64_t rest = total > missing ? total - missing : 0;

		keep = keep && keep < rest ? keep : rest;
	} else if (!keep && limits->min_free) {
		keep = total; /* only the disk's room counts, and there is enough */
	}
	return keep > limits->reserved ? keep : limits->reserved;
}

uint64_t usage_select(struct usage *usage, const struct usage_filter *filter)
{
	bool limited = filter->limits.given;
	uint64_t total = limited ? usage_total(usage) : 0, freed = 0;
	uint64_t keep = limited ? usage_keep(&filter->limits, total) : 0;

	for (size_t i = 0; i < usage->count; i++) {
		struct usage_item *item = &usage->items[i];

		if (!is_meant(item, filter))
			continue;
		if (limited && total - freed <= keep)
			break;
		item->doomed = true;
		freed += freed_by(usage, item);
	}
	return freed;
}

/* -- removing ------------------------------------------------------------------------------------
 */

int usage_remove(struct store *store, const struct usage *usage, struct store_collected *collected,
		 size_t *out_kept, struct error *err)
{
	cleanup_free struct store_condemned *items =
		xreallocarray(NULL, usage->count + 1, sizeof(*items));
	size_t count = 0;
	int ret = 0;

	for (size_t i = 0; i < usage->count && ret == 0; i++) {
		const struct usage_item *item = &usage->items[i];
		struct digest top;

		if (!item->doomed)
			continue;
		if (item->kind != USAGE_IMAGE)
			items[count++] = (struct store_condemned){ item->name, item->used };
		else if (digest_parse(item->name, &top, err) == 0)
			ret = store_untagged_remove(store, &top, err);
	}
	return ret < 0 ? ret
		       : store_prune(store, items, count, image_reach, collected, out_kept, err);
}
