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

static char *copy(const char *text)
{
	return xstrdup(text ? text : "");
}

/* {"exit": ...}, when somebody saw the end. */
static char *read_extension(const struct runtime_globals *globals, const char *id)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *folder = xasprintf("%s/%s", globals->root, id);
	cleanup_close int dirfd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error why = ERROR_INIT;
	struct exit_record record;
	int ret = dirfd < 0 ? -errno : exit_record_read(dirfd, &arena, &record, &why);

	if (ret < 0 && ret != -ENOENT)
		log_debug("the end of \"%s\": %s", id, why.msg);
	if (ret < 0)
		return NULL;
	strbuf_adds(&text, "{\"exit\":");
	exit_record_print(&record, JSON_COMPACT, &text);
	strbuf_addc(&text, '}');
	return strbuf_take(&text);
}

static void fill_info(const struct runtime_globals *globals, const struct record *record,
		      struct container_info *out)
{
	size_t count = record->annotations.count;

	*out = (struct container_info){
		.id = copy(record->id),
		.bundle = copy(record->bundle),
		.rootfs = copy(record->rootfs),
		.created = copy(record->created),
		.owner = xasprintf("%u", record->owner),
		.status = record_status(globals, record),
	};
	out->pid = out->status == CONTAINER_STOPPED ? 0 : record->pid;
	if (out->status == CONTAINER_STOPPED)
		out->extension = read_extension(globals, record->id);
	if (!count)
		return;
	out->annotations = xreallocarray(NULL, count * 2 + 1, sizeof(*out->annotations));
	for (size_t i = 0; i < count; i++) {
		out->annotations[i * 2] = copy(record->annotations.items[i].key);
		out->annotations[i * 2 + 1] = copy(record->annotations.items[i].value);
	}
	out->annotations[count * 2] = NULL;
}

int container_load_info(const struct runtime_globals *globals, const char *id,
			struct container_info *out, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct record record;
	int ret = record_read(globals, id, &arena, &record, err);

	if (ret == 0)
		fill_info(globals, &record, out);
	return ret;
}

static int compare_ids(const void *a, const void *b)
{
	const struct container_info *x = a, *y = b;

	return strcmp(x->id, y->id);
}

int container_list(const struct runtime_globals *globals, struct container_info **out,
		   size_t *out_count, struct error *err)
{
	cleanup_dir DIR *dir = opendir(globals->root);
	struct container_info *list = NULL;
	size_t count = 0, capacity = 0;

	*out = NULL;
	*out_count = 0;
	if (!dir && errno == ENOENT && globals->root_is_default)
		return 0; /* nothing was ever made here */
	if (!dir)
		return error_errno(err, errno, "open \"%s\"", globals->root);
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct error why = ERROR_INIT;

		if (entry->d_name[0] == '.' ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		ARRAY_GROW(list, count, capacity);
		if (container_load_info(globals, entry->d_name, &list[count], &why) < 0) {
			log_debug("list: \"%s\": %s", entry->d_name, why.msg);
			continue;
		}
		count++;
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_ids);
	*out = list;
	*out_count = count;
	return 0;
}

void container_info_done(struct container_info *info)
{
	for (char **item = info->annotations; item && *item; item++)
		free(*item);
	free(info->annotations);
	free(info->extension);
	free(info->id);
	free(info->bundle);
	free(info->rootfs);
	free(info->created);
	free(info->owner);
	*info = (struct container_info){ .pid = 0 };
}
