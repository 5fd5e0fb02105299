/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc: what a create, run or delete left that was killed. The intent was written before anything was
 * made, and whoever works on a container holds its lock: a folder that nobody has locked and whose
 * container never came to be is an orphan. Containers that have ended are not; they are their
 * owner's to delete.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/strv.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/verbs.h"

/* Between the folder and its lock a create needs microseconds. */
#define NEW_SECONDS 2

static bool is_new(int dirfd)
{
	struct stat status;

	return fstat(dirfd, &status) == 0 && time(NULL) - status.st_mtime < NEW_SECONDS;
}

static int remove_orphan(const struct runtime_globals *globals, const char *id, int dirfd,
			 const struct record *record, struct error *err)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	int ret;

	if (!record)
		return record_remove(globals, id, dirfd, err);
	ret = record_open_cgroup(record, &cgroup, err);
	return ret < 0 ? ret : verb_destroy(globals, dirfd, record, &cgroup, err);
}

/* A state that cannot be read: an orphan when it is certain that nothing of it runs. */
static int collect_broken(const struct runtime_globals *globals, const char *id, int dirfd,
			  bool remove, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	struct error why = ERROR_INIT;
	struct salvage salvage;
	int ret = salvage_read(dirfd, id, &arena, &salvage, err);

	if (ret < 0)
		return ret;
	ret = record_open_cgroup(&salvage.record, &cgroup, err);
	if (ret == 0 && salvage_check(&salvage, &cgroup, &why) < 0)
		return error_set(err, ERROR_STATE, 0,
				 "the state cannot be read, and %s (delete --force removes it)",
				 why.msg);
	if (ret == 0 && remove)
		ret = remove_orphan(globals, id, dirfd, &salvage.record, err);
	return ret < 0 ? ret : 1;
}

/* 1: an orphan, removed unless that was not asked for; 0: none. */
static int collect(const struct runtime_globals *globals, const char *id, bool remove,
		   struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_close int dirfd = -EBADF;
	struct record record;
	int ret = record_lock(globals, id, 0, &dirfd, NULL);
	bool is_empty;

	if (ret < 0)
		return 0; /* somebody is at work, or it is gone, or no container's name */
	ret = record_read_at(dirfd, id, &arena, &record, err);
	if (ret == -EBADMSG)
		return collect_broken(globals, id, dirfd, remove, err);
	is_empty = ret == -ENOENT;
	if (ret < 0 && !is_empty)
		return ret;
	if (is_empty ? is_new(dirfd) : record_status(globals, &record) != CONTAINER_CREATING)
		return 0;
	ret = remove ? remove_orphan(globals, id, dirfd, is_empty ? NULL : &record, err) : 0;
	return ret < 0 ? ret : 1;
}

static int list_folders(const struct runtime_globals *globals, struct strv *out, struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	bool shared;
	int ret = record_open_root(globals, &dir, &shared, err);

	if (ret < 0 || !dir)
		return ret;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' &&
		    (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
			strv_add(out, entry->d_name);
	strv_sort(out);
	return 0;
}

int container_gc(const struct runtime_globals *globals, bool remove, struct strv *out,
		 struct error *err)
{
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = list_folders(globals, &ids, err);

	for (size_t i = 0; i < ids.count; i++) {
		struct error why = ERROR_INIT;
		char text[sizeof(why.msg) + 256];
		int found = collect(globals, ids.items[i], remove, &why);

		if (found > 0)
			strv_add(out, ids.items[i]);
		if (found >= 0)
			continue;
		(void)error_prefix(&why, found, "container \"%s\"", ids.items[i]);
		if (ret == 0 && err)
			*err = why;
		else
			log_warning("%s", error_text(&why, text, sizeof(text)));
		ret = ret == 0 ? found : ret;
	}
	return ret;
}
