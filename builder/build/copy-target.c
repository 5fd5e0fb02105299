/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Destinations of COPY and ADD, called by step-copy.c. A destination is resolved in the root
 * filesystem once (its symlinks are followed, inside the root). A folder source puts its contents
 * there; a file goes into it if it is a folder, or is it. Whatever exists keeps its kind: a folder
 * is not replaced by a file, nor the other way round.
 */
#include "builder/build/copy-target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/image-times.h"
#include "builder/build/make-folders.h"
#include "builder/build/pending.h"
#include "builder/build/place.h"
#include "builder/image/entry.h"
#include "builder/image/folder-times.h"
#include "builder/image/snapshot.h"
#include "builder/image/unpack.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"

struct target {
	struct copy *copy;
	const struct strv *trees;
	char *path;	/* resolved, relative */
	bool is_folder; /* written so, or it is one */
	bool made;	/* folders were made */

	struct layer_writer *writer; /* copy_to_layer */
	char *fresh; /* a folder that is new, with a slash: nothing exists below it */

	int root_fd; /* copy_to_mount */
	struct folder_times folders;
};

static void target_done(struct target *target)
{
	folder_times_done(&target->folders);
	free(target->path);
	free(target->fresh);
	layer_writer_free(target->writer);
	cleanup_close_fd(&target->root_fd);
}

static struct make_folders folders_of(const struct target *target)
{
	const struct copy *copy = target->copy;

	return (struct make_folders){ .store = copy->engine->store,
				      .trees = target->trees,
				      .writer = target->writer,
				      .uid = copy->set_owner ? copy->uid : 0,
				      .gid = copy->set_owner ? copy->gid : 0,
				      .mtime = copy->now,
				      .independent = copy->step->link };
}

static int resolve(struct target *target, struct error *err)
{
	const struct copy *copy = target->copy;
	const char *wanted = copy->step->target;
	struct store *store = copy->engine->store;
	mode_t mode;
	int ret;

	if (copy->step->link) {
		target->path = path_clean(wanted[1] ? wanted + 1 : ".");
		target->is_folder = wanted[strlen(wanted) - 1] == '/';
		return 0;
	}
	ret = snapshot_resolve(store, target->trees, wanted, &target->path, err);
	if (ret == 0)
		ret = trees_mode(store, target->trees, target->path, &mode, err);
	if (ret < 0)
		return error_prefix(err, ret, "destination \"%s\"", wanted);
	target->is_folder = S_ISDIR(mode) || wanted[strlen(wanted) - 1] == '/';
	if (!mode)
		target->fresh = xasprintf("%s/", target->path);
	return 0;
}

/* Several files need a folder; what is no folder and would have to be one is found before. */
static int begin_path(struct target *target, const struct copy_source *source, char **out_folder,
		      char **out_path, struct error *err)
{
	bool archive = source->archive_fd >= 0;

	if (source->is_folder || archive) {
		*out_folder = xstrdup(target->path);
		*out_path = xstrdup(target->path);
		return 0;
	}
	if (!target->is_folder && target->copy->source_count > 1)
		return error_invalid(err,
				     "with more than one source the destination must be a "
				     "folder and end with a slash: \"%s\"",
				     target->copy->step->target);
	if (!target->is_folder) {
		*out_path = xstrdup(target->path);
		*out_folder = path_parent(target->path);
		return 0;
	}
	*out_folder = xstrdup(target->path);
	*out_path = strcmp(target->path, ".") == 0 ? xstrdup(source->name)
						   : xasprintf("%s/%s", target->path, source->name);
	return 0;
}

/* -- into a layer --------------------------------------------------------------------------------
 */

static int layer_begin(void *context, const struct copy_source *source, char **out_path,
		       struct error *err)
{
	struct target *target = context;
	struct make_folders how = folders_of(target);
	cleanup_free char *folder = NULL;
	int ret = begin_path(target, source, &folder, out_path, err);

	if (ret < 0 || target->made)
		return ret;
	target->made = true;
	return make_folders(&how, folder, err);
}

/* Does an entry go well with what is there? */
static int check_replaced(struct target *target, const struct tar_entry *entry, struct error *err)
{
	bool is_folder = S_ISDIR(entry->mode);
	mode_t mode;
	int ret;

	if (target->fresh && strncmp(entry->path, target->fresh, strlen(target->fresh)) == 0)
		return 0;
	ret = trees_mode(target->copy->engine->store, target->trees, entry->path, &mode, err);
	if (ret < 0)
		return ret;
	if (!mode && is_folder) {
		free(target->fresh);
		target->fresh = xasprintf("%s/", entry->path);
	}
	if (mode && is_folder && !S_ISDIR(mode))
		return error_invalid(err, "cannot copy to non-directory: \"/%s\"", entry->path);
	if (mode && !is_folder && S_ISDIR(mode))
		return error_invalid(err, "cannot replace directory \"/%s\" with a file",
				     entry->path);
	return 0;
}

static int layer_entry(void *context, const struct tar_entry *entry,
		       const struct layer_source *source, struct error *err)
{
	struct target *target = context;
	int ret = 0;

	if (target->trees->count && !target->copy->step->link)
		ret = check_replaced(target, entry, err);
	return ret < 0 ? ret : layer_writer_add(target->writer, entry, source, err);
}

int copy_to_layer(struct engine *engine, struct step *step, struct copy *copy,
		  struct layer_draft *out, struct digest *content, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	struct layer_writer_options options = { .lowers = &trees,
						.mtime = copy->now,
						.independent = step->copy.link,
						.subsecond = engine->graph->options->subsecond,
						.times = image_times_at_once(engine, step) };
	cleanup_with(target_done) struct target target = { .copy = copy,
							   .trees = &trees,
							   .root_fd = -EBADF };
	struct copy_sink sink = { layer_begin, layer_entry, &target };
	int ret = engine_trees(engine, step->stage, &trees, err);

	if (ret == 0)
		ret = resolve(&target, err);
	if (ret == 0)
		ret = layer_writer_create(engine->store, &options, &target.writer, err);
	if (ret == 0)
		ret = copy_run(copy, &sink, content, err);
	if (ret == 0)
		ret = layer_writer_finish(target.writer, out, err);
	if (ret == 0)
		layer_writer_usage(target.writer, &copy->usage);
	return ret;
}

/* -- into a mount --------------------------------------------------------------------------------
 */

/* The folder for an archive or a file, made if it is missing. */
static int mount_folder(struct target *target, const char *path, struct error *err)
{
	struct make_folders how = folders_of(target);

	return inroot_mkdir_all(target->root_fd, path, 0755, how.uid, how.gid, err);
}

static int mount_begin(void *context, const struct copy_source *source, char **out_path,
		       struct error *err)
{
	struct target *target = context;
	const struct copy *copy = target->copy;
	struct unpack_options options = { .keep_root = true,
					  .subsecond = copy->engine->graph->options->subsecond,
					  .set_owner = copy->set_owner,
					  .uid = copy->uid,
					  .gid = copy->gid };
	cleanup_free char *folder = NULL;
	cleanup_close int path_fd = -EBADF;
	cleanup_close int fd = -EBADF;
	int ret = begin_path(target, source, &folder, out_path, err);

	if (ret < 0)
		return ret;
	path_fd = mount_folder(target, folder, err);
	if (path_fd < 0)
		return path_fd;
	if (source->archive_fd < 0)
		return 0;
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open \"/%s\"", folder);
	ret = unpack_archive(source->archive_fd, fd, &options, NULL, err);
	return error_prefix(err, ret, "unpack \"%s\"", source->name);
}

/* Make room for an entry: folders stay, anything else goes. */
static int clear_place(int folder_fd, const char *name, const struct tar_entry *entry,
		       bool *out_exists, struct error *err)
{
	struct stat st;

	*out_exists = false;
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "stat \"/%s\"", entry->path);
	*out_exists = S_ISDIR(st.st_mode) && S_ISDIR(entry->mode);
	if (*out_exists)
		return 0;
	if (S_ISDIR(entry->mode))
		return error_invalid(err, "cannot copy to non-directory: \"/%s\"", entry->path);
	if (S_ISDIR(st.st_mode))
		return error_invalid(err, "cannot replace directory \"/%s\" with a file",
				     entry->path);
	if (unlinkat(folder_fd, name, 0) < 0)
		return error_errno(err, errno, "replace \"/%s\"", entry->path);
	return 0;
}

static int write_contents(int fd, const struct tar_entry *entry, const struct layer_source *source,
			  struct error *err)
{
	char buffer[65536];
	uint64_t left = entry->size;

	while (left) {
		size_t want = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		ssize_t n = source->fd >= 0 ? read(source->fd, buffer, want)
					    : source->read(source->context, buffer, want, err);

		if (n < 0 && source->fd >= 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, n < 0 ? errno : EIO, "read \"/%s\"", entry->path);
		if (source->content)
			source->content(source->context, buffer, (size_t)n);
		if (io_write_all(fd, buffer, (size_t)n) < 0)
			return error_errno(err, errno, "write \"/%s\"", entry->path);
		left -= (uint64_t)n;
	}
	return 0;
}

static int mount_link(struct target *target, int folder_fd, const char *name,
		      const struct tar_entry *entry, struct error *err)
{
	const char *first_name;
	cleanup_close int first_fd =
		inroot_parent(target->root_fd, entry->target, false, &first_name, err);

	if (first_fd < 0)
		return first_fd;
	if (linkat(first_fd, first_name, folder_fd, name, 0) < 0)
		return error_errno(err, errno, "link \"/%s\"", entry->path);
	return 0;
}

static int mount_entry(void *context, const struct tar_entry *entry,
		       const struct layer_source *source, struct error *err)
{
	struct target *target = context;
	const char *name;
	cleanup_close int folder_fd = inroot_parent(target->root_fd, entry->path, true, &name, err);
	cleanup_close int fd = -EBADF;
	bool exists;
	int ret;

	if (folder_fd < 0)
		return folder_fd;
	ret = clear_place(folder_fd, name, entry, &exists, err);
	if (ret == 0 && entry->target && !S_ISLNK(entry->mode))
		return mount_link(target, folder_fd, name, entry, err);
	if (ret == 0 && !exists)
		ret = entry_create(folder_fd, name, entry, &fd, err);
	if (ret == 0 && source && fd >= 0)
		ret = write_contents(fd, entry, source, err);
	if (ret == 0)
		ret = entry_set_metadata(folder_fd, name, fd, entry, err);
	if (ret == 0 && S_ISDIR(entry->mode))
		folder_times_add(&target->folders, entry);
	return ret;
}

int copy_to_folder(struct copy *copy, int folder_fd, struct error *err)
{
	static const struct strv nothing = STRV_INIT;
	cleanup_with(target_done) struct target target = { .copy = copy,
							   .trees = &nothing,
							   .path = xstrdup("."),
							   .is_folder = true,
							   .root_fd = -EBADF };
	struct copy_sink sink = { mount_begin, mount_entry, &target };
	struct digest content;
	int ret;

	target.root_fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target.root_fd < 0)
		return error_errno(err, errno, "open a folder");
	ret = copy_run(copy, &sink, &content, err);
	return ret < 0 ? ret : folder_times_set(&target.folders, target.root_fd, false, err);
}

int copy_to_mount(struct engine *engine, struct step *step, struct copy *copy,
		  struct digest *content, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_place struct place place = { .store = engine->store,
					     .subsecond = engine->graph->options->subsecond };
	cleanup_with(target_done) struct target target = { .copy = copy,
							   .trees = &trees,
							   .root_fd = -EBADF };
	struct copy_sink sink = { mount_begin, mount_entry, &target };
	int ret = 0;

	if (!copy->step->link) /* else on nothing */
		ret = engine_trees(engine, step->stage, &trees, err);
	if (ret == 0)
		ret = resolve(&target, err);
	if (ret == 0)
		ret = place_make(&place, &trees, err);
	if (ret < 0)
		return ret;
	target.root_fd = open(place.rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target.root_fd < 0)
		return error_errno(err, errno, "open \"%s\"", place.rootfs);
	ret = copy_run(copy, &sink, content, err);
	if (ret == 0)
		ret = folder_times_set(&target.folders, target.root_fd, false, err);
	cleanup_close_fd(&target.root_fd);
	return ret < 0 ? ret : pending_take(engine, step, &place, &trees, err);
}
