/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selecting and walking sources, called by the COPY and ADD steps: once to hash, once to copy, or
 * both at once. A walk holds one fd per level and the names of the folders it is in, not the tree.
 */
#include "builder/context/select.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "builder/context/patterns.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define WALK_DEPTH_MAX 500 /* folders; each holds a descriptor */

/* The names in a folder, sorted. */
static int read_names(int folder_fd, struct strv *out, struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	if (fd < 0)
		return error_errno(err, errno, "open a folder");
	dir = fdopendir(fd);
	if (!dir) {
		int saved = errno;

		close(fd);
		return error_errno(err, saved, "read a folder");
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(out, entry->d_name);
	if (errno)
		return error_errno(err, errno, "read a folder");
	strv_sort(out);
	return 0;
}

/* -- finding -------------------------------------------------------------------------------------
 */

void source_list_done(struct source_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		free(list->items[i].name);
	}
	free(list->items);
	*list = (struct source_list){ NULL, 0, 0 };
}

static int not_found(const char *name, const char *why, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, 0, "\"/%s\": not found%s", name, why);
}

/* Where the path really is, relative to the root: the kernel has followed the symlinks. */
static int real_path(int root_fd, int fd, char **out, struct error *err)
{
	char link[64], root[PATH_MAX], path[PATH_MAX];
	ssize_t root_size, size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", root_fd);
	root_size = readlink(link, root, sizeof(root));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	if (root_size < 0 || size < 0)
		return error_errno(err, errno, "read %s", link);
	path[size] = '\0';
	if (root_size == 1) /* "/" */
		root_size = 0;
	if (size < root_size || memcmp(path, root, (size_t)root_size) != 0 ||
	    (path[root_size] && path[root_size] != '/'))
		return error_set(err, ERROR_STATE, 0, "the folder was moved while it was read");
	*out = xstrdup(path[root_size] ? path + root_size + 1 : ".");
	return 0;
}

static int stop_at_first(void *context, const struct source_entry *entry, struct error *err)
{
	(void)entry;
	(void)err;
	*(bool *)context = true;
	return -ECANCELED;
}

/* An ignored folder may hold what is not ignored: 1, 0 or negative. */
static int has_included(const struct select_root *root, const struct source *source,
			struct error *err)
{
	bool found = false;
	int ret;

	if (!source->is_folder || !root->ignore->has_inclusions)
		return 0;
	ret = select_walk(root, source, NULL, stop_at_first, &found, err);
	return found ? 1 : ret;
}

/* name: clean, relative. Appends it; absent or ignored is -ENOENT (with the message). */
static int add_source(const struct select_root *root, const char *name, struct source_list *out,
		      struct error *err)
{
	cleanup_free char *real = NULL;
	cleanup_close int fd = inroot_open(root->fd, name, O_PATH, 0, NULL);
	struct source source;
	struct stat st;
	int ret;

	if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR)
		return error_errno(err, -fd, "open \"/%s\"", name);
	if (fd < 0)
		return not_found(name, "", err);
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "stat \"/%s\"", name);
	ret = real_path(root->fd, fd, &real, err);
	if (ret < 0)
		return ret;
	source = (struct source){ real, (char *)path_base(name), S_ISDIR(st.st_mode) };
	if (ignore_check_path(root->ignore, name, NULL) ||
	    ignore_check_path(root->ignore, real, NULL)) {
		ret = has_included(root, &source, err);
		if (ret <= 0)
			return ret < 0 ? ret
				       : not_found(name, " (it is excluded by .dockerignore)", err);
	}
	ARRAY_GROW(out->items, out->count, out->capacity);
	out->items[out->count++] =
		(struct source){ TAKE_PTR(real), xstrdup(path_base(name)), S_ISDIR(st.st_mode) };
	return 0;
}

/* The components of a source with wildcards. */
struct wildcard {
	const struct select_root *root;
	struct strv parts;
	struct source_list *out;
};

static int match_part(struct wildcard *wildcard, const char *base, size_t part, struct error *err);

/* base/name matched the part before: go on with the next one, or take it. */
static int match_child(struct wildcard *wildcard, const char *base, const char *name, size_t next,
		       struct error *err)
{
	cleanup_free char *path =
		strcmp(base, ".") == 0 ? xstrdup(name) : xasprintf("%s/%s", base, name);
	int ret;

	if (next < wildcard->parts.count)
		return match_part(wildcard, path, next, err);
	ret = add_source(wildcard->root, path, wildcard->out, err);
	return ret == -ENOENT ? 0 : ret; /* ignored, or a symlink to nothing */
}

/* What stands before the first wildcard may be a symlink; what a wildcard matched is not followed.
 */
static int open_folder(int root_fd, const char *path, bool follow)
{
	if (follow)
		return inroot_open(root_fd, path, O_PATH | O_DIRECTORY, 0, NULL);
	return inroot_open_nofollow(root_fd, path, O_PATH | O_DIRECTORY, false, NULL);
}

static int match_part(struct wildcard *wildcard, const char *base, size_t part, struct error *err)
{
	cleanup_close int fd = open_folder(wildcard->root->fd, base, part == 0);
	cleanup_strv struct strv names = STRV_INIT;
	struct pattern *pattern;
	int ret;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return error_errno(err, -fd, "open \"/%s\"", base);
	ret = pattern_compile(wildcard->parts.items[part], PATTERN_WILDCARD, &pattern, err);
	if (ret < 0)
		return ret;
	ret = read_names(fd, &names, err);
	for (size_t i = 0; i < names.count && ret == 0; i++)
		if (pattern_matches(pattern, names.items[i]))
			ret = match_child(wildcard, base, names.items[i], part + 1, err);
	pattern_free(pattern);
	return ret;
}

/* An escaped character of a name without wildcards is that character. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

/* The path of the components before the first wildcard, which are taken off the list. */
static char *take_literals(struct strv *parts)
{
	cleanup_strbuf struct strbuf base = STRBUF_INIT;

	while (!pattern_has_wildcards(parts->items[0])) {
		unescape(parts->items[0]);
		strbuf_addf(&base, "%s%s", base.size ? "/" : "", parts->items[0]);
		strv_remove(parts, 0);
	}
	if (!base.size)
		strbuf_addc(&base, '.');
	return strbuf_take(&base);
}

int select_sources(const struct select_root *root, const char *name, struct source_list *out,
		   struct error *err)
{
	cleanup_free char *clean = path_join("/", name);
	struct wildcard wildcard = { .root = root, .out = out };
	cleanup_free char *base = NULL;
	int ret;

	if (!pattern_has_wildcards(clean)) {
		unescape(clean);
		return add_source(root, clean[1] ? clean + 1 : ".", out, err);
	}
	strv_split(&wildcard.parts, clean + 1, '/');
	base = take_literals(&wildcard.parts);
	ret = match_part(&wildcard, base, 0, err);
	strv_done(&wildcard.parts);
	return ret;
}

int select_source(const struct select_root *root, const char *name, struct source_list *out,
		  struct error *err)
{
	cleanup_free char *clean = path_join("/", name);

	return add_source(root, clean[1] ? clean + 1 : ".", out, err);
}

int select_exists(const struct select_root *root, const struct source *folder, const char *path,
		  struct error *err)
{
	cleanup_free char *full = NULL;
	cleanup_close int fd = -EBADF;

	if (pattern_has_wildcards(path))
		return 0;
	full = strcmp(folder->path, ".") == 0 ? xstrdup(path)
					      : xasprintf("%s/%s", folder->path, path);
	unescape(full);
	fd = inroot_open_nofollow(root->fd, full, O_PATH, true, NULL);
	if (fd == -ELOOP) /* the walk will not follow it either; O_PATH opens a last one */
		return not_found(
			full, " (a symlink is in the way, which --parents does not follow)", err);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return not_found(full, "", err);
	if (fd < 0)
		return error_errno(err, -fd, "open \"/%s\"", full);
	return ignore_check_path(root->ignore, full, NULL) && !root->ignore->has_inclusions
		       ? not_found(full, " (it is excluded by .dockerignore)", err)
		       : 0;
}

/* -- walking -------------------------------------------------------------------------------------
 */

struct walk {
	const struct select_root *root;
	const struct source *source;
	const struct ignore *excludes;
	source_visit_fn visit;
	void *context;
	struct strbuf path; /* below the source */
	int depth;
};

/* A folder on the way down. */
struct folder {
	struct folder *parent; /* NULL: the source itself */
	struct ignore_state ignore, excludes;
	bool visited; /* an ignored one is visited only before something that is not */
	int fd;
	struct source_entry entry; /* as its parent saw it */
	size_t path_size;
};

/* Visit the ignored folders above, so that what is in them has a place. */
static int visit_parents(struct walk *walk, struct folder *folder, struct error *err)
{
	char saved;
	int ret;

	if (!folder || folder->visited)
		return 0;
	ret = visit_parents(walk, folder->parent, err);
	if (ret < 0)
		return ret;
	folder->visited = true;
	saved = walk->path.data[folder->path_size];
	walk->path.data[folder->path_size] = '\0';
	folder->entry.path = walk->path.data;
	ret = walk->visit(walk->context, &folder->entry, err);
	walk->path.data[folder->path_size] = saved;
	return ret;
}

static int walk_folder(struct walk *walk, struct folder *folder, struct error *err);

static int walk_into(struct walk *walk, struct folder *parent, struct folder *folder,
		     struct error *err)
{
	int ret;

	folder->parent = parent;
	folder->path_size = walk->path.size;
	folder->fd = openat(folder->entry.folder_fd, folder->entry.name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder->fd < 0)
		return error_errno(err, errno, "open \"%s\"", strbuf_text(&walk->path));
	ret = walk_folder(walk, folder, err);
	close(folder->fd);
	return ret;
}

static int read_link(struct source_entry *entry, char *buffer, size_t size, struct error *err)
{
	ssize_t length;

	if (!S_ISLNK(entry->st.st_mode))
		return 0;
	length = readlinkat(entry->folder_fd, entry->name, buffer, size - 1);
	if (length < 0)
		return error_errno(err, errno, "read the symlink \"%s\"", entry->name);
	buffer[length] = '\0';
	entry->link = buffer;
	return 0;
}

/* One name of a folder. */
static int walk_entry(struct walk *walk, struct folder *parent, const char *name, struct error *err)
{
	struct folder folder = { .fd = -EBADF };
	struct source_entry *entry = &folder.entry;
	cleanup_free char *full = NULL;
	char link[PATH_MAX];
	bool ignored, is_folder;
	int ret = 0;

	*entry = (struct source_entry){ .folder_fd = parent->fd, .name = name };
	if (fstatat(parent->fd, name, &entry->st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\"", strbuf_text(&walk->path));
	if (S_ISSOCK(entry->st.st_mode))
		return 0;
	is_folder = S_ISDIR(entry->st.st_mode);
	entry->path = strbuf_text(&walk->path);
	full = strcmp(walk->source->path, ".") == 0
		       ? xstrdup(entry->path)
		       : xasprintf("%s/%s", walk->source->path, entry->path);
	ignored = ignore_check(walk->root->ignore, &parent->ignore, full, &folder.ignore);
	ignored |= ignore_check(walk->excludes, &parent->excludes, entry->path, &folder.excludes);
	if (!ignored) {
		ret = visit_parents(walk, parent, err);
		if (ret == 0)
			ret = read_link(entry, link, sizeof(link), err);
		if (ret == 0)
			ret = walk->visit(walk->context, entry, err);
		folder.visited = true;
	}
	if (ret == 0 && is_folder &&
	    (!folder.ignore.ignored || ignore_may_include_in(walk->root->ignore, full)) &&
	    (!folder.excludes.ignored || ignore_may_include_in(walk->excludes, entry->path)))
		ret = walk_into(walk, parent, &folder, err);
	ignore_state_done(&folder.ignore);
	ignore_state_done(&folder.excludes);
	return ret;
}

static int walk_folder(struct walk *walk, struct folder *folder, struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	size_t size = walk->path.size;
	int ret;

	if (++walk->depth > WALK_DEPTH_MAX)
		return error_invalid(err, "folders nest more than %d deep", WALK_DEPTH_MAX);
	ret = read_names(folder->fd, &names, err);
	for (size_t i = 0; i < names.count && ret == 0; i++) {
		strbuf_addf(&walk->path, "%s%s", size ? "/" : "", names.items[i]);
		ret = walk_entry(walk, folder, names.items[i], err);
		strbuf_truncate(&walk->path, size);
	}
	walk->depth--;
	return ret;
}

static int walk_file(struct walk *walk, int folder_fd, const char *name, struct error *err)
{
	struct ignore_state excluded;
	struct source_entry entry = { .folder_fd = folder_fd, .name = name, .path = "" };
	bool skip = ignore_check(walk->excludes, NULL, walk->source->name, &excluded);

	ignore_state_done(&excluded);
	if (skip)
		return 0;
	if (fstatat(folder_fd, name, &entry.st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"/%s\"", walk->source->path);
	if (S_ISDIR(entry.st.st_mode) || S_ISLNK(entry.st.st_mode))
		return error_set(err, ERROR_STATE, 0, "\"/%s\" changed while it was read",
				 walk->source->path);
	return S_ISSOCK(entry.st.st_mode) ? 0 : walk->visit(walk->context, &entry, err);
}

int select_walk(const struct select_root *root, const struct source *source,
		const struct ignore *excludes, source_visit_fn visit, void *context,
		struct error *err)
{
	struct walk walk = { .root = root,
			     .source = source,
			     .excludes = excludes,
			     .visit = visit,
			     .context = context };
	struct folder top = { .visited = true, .fd = -EBADF };
	cleanup_close int fd = -EBADF;
	const char *name;
	int ret;

	if (!source->is_folder) {
		fd = inroot_parent(root->fd, source->path, false, &name, err);
		return fd < 0 ? fd : walk_file(&walk, fd, name, err);
	}
	fd = inroot_open_nofollow(root->fd, source->path, O_RDONLY | O_DIRECTORY, true, err);
	if (fd < 0)
		return error_prefix(err, fd, "\"/%s\"", source->path);
	(void)ignore_check_path(root->ignore, source->path, &top.ignore); /* the state has it */
	top.fd = fd;
	ret = walk_folder(&walk, &top, err);
	ignore_state_done(&top.ignore);
	strbuf_done(&walk.path);
	return ret;
}
