/* SPDX-License-Identifier: Apache-2.0 */
/* What is known about one container, and about all below the state directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/exit-record.h"
#include "runtime/lifecycle/record.h"

/* {"exit": ...}, when somebody saw the end. */
static const char *read_extension(const struct runtime_globals *globals, const char *id,
				  struct arena *arena)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *folder = xasprintf("%s/%s", globals->root, id);
	cleanup_close int dirfd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error why = ERROR_INIT;
	struct exit_record record;
	int ret = dirfd < 0 ? -errno : exit_record_read(dirfd, arena, &record, &why);

	if (ret < 0 && ret != -ENOENT)
		log_debug("the end of \"%s\": %s", id, why.msg);
	if (ret < 0)
		return NULL;
	strbuf_adds(&text, "{\"exit\":");
	exit_record_print(&record, JSON_COMPACT, &text);
	strbuf_addc(&text, '}');
	return arena_strdup(arena, strbuf_text(&text));
}

static void fill_info(const struct runtime_globals *globals, const struct record *record,
		      enum container_status status, struct arena *arena, struct container_info *out)
{
	*out = (struct container_info){
		.id = record->id,
		.bundle = record->bundle,
		.rootfs = record->rootfs ? record->rootfs : "",
		.created = record->created ? record->created : "",
		.owner = record->owner,
		.annotations = record->annotations,
		.status = status,
	};
	out->pid = out->status == CONTAINER_STOPPED ? 0 : record->pid;
	if (out->status == CONTAINER_STOPPED)
		out->extension = read_extension(globals, record->id, arena);
}

int container_load_info(const struct runtime_globals *globals, const char *id, struct arena *arena,
			struct container_info *out, struct error *err)
{
	struct record record;
	int ret = record_read(globals, id, arena, &record, err);

	if (ret == 0)
		fill_info(globals, &record, record_status(globals, &record), arena, out);
	return ret;
}

static int compare_ids(const void *a, const void *b)
{
	const struct container_info *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static int read_entry(int rootfd, const char *id, bool shared, struct arena *arena,
		      struct record *out, struct error *err)
{
	cleanup_close int dirfd = -EBADF;
	int ret;

	if (!shared)
		return record_read_below(rootfd, id, arena, out, err);
	ret = record_open_below(rootfd, id, true, &dirfd, err);
	return ret < 0 ? ret : record_read_at(dirfd, id, arena, out, err);
}

int container_list(const struct runtime_globals *globals, struct arena *arena,
		   struct container_info **out, size_t *out_count, struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	struct container_info *list = NULL;
	size_t count = 0, capacity = 0;
	bool shared;
	int ret = record_open_root(globals, &dir, &shared, err);

	*out = NULL;
	*out_count = 0;
	if (ret < 0 || !dir)
		return ret;
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct error why = ERROR_INIT;
		struct record record;

		if (entry->d_name[0] == '.' ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		if (read_entry(dirfd(dir), entry->d_name, shared, arena, &record, &why) < 0) {
			log_debug("list: \"%s\": %s", entry->d_name, why.msg);
			continue;
		}
		ARRAY_GROW(list, count, capacity);
		fill_info(globals, &record, record_status_below(dirfd(dir), &record), arena,
			  &list[count++]);
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_ids);
	*out = list;
	*out_count = count;
	return 0;
}
