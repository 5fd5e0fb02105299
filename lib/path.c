/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text, and the two walks over trusted host paths. */
#include "lib/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"

/* Drop the last component of out (length used), not above floor. */
static size_t drop_last(const char *out, size_t used, size_t floor)
{
	while (used > floor && out[used - 1] != '/')
		used--;
	while (used > floor && out[used - 1] == '/')
		used--;
	return used;
}

char *path_clean(const char *path)
{
	bool absolute = *path == '/';
	char *out = xmalloc(strlen(path) + 2);
	size_t used = 0, floor;

	if (absolute)
		out[used++] = '/';
	floor = used;
	while (*path) {
		size_t size = strcspn(path, "/");

		if (size == 2 && path[0] == '.' && path[1] == '.' && (absolute || used > floor)) {
			used = drop_last(out, used, floor);
		} else if (size && !(size == 1 && *path == '.')) {
			if (used > (size_t)absolute)
				out[used++] = '/';
			memmove(out + used, path, size);
			used += size;
			/* leading ".." of a relative path stay: nothing may drop them */
			if (!absolute && size == 2 && path[0] == '.' && path[1] == '.')
				floor = used;
		}
		path += size;
		path += strspn(path, "/");
	}
	if (!used)
		out[used++] = '.';
	out[used] = '\0';
	return out;
}

char *path_join(const char *base, const char *path)
{
	cleanup_free char *joined = NULL;

	if (*path == '/')
		return path_clean(path);
	joined = xasprintf("%s/%s", base, path);
	return path_clean(joined);
}

bool path_put(char *out, size_t room, const char *first, const char *second, const char *third)
{
	const char *const pieces[] = { first, second, third };
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t size = strlen(pieces[i]);

		if (size >= room - used) {
			*out = '\0';
			return false;
		}
		memcpy(out + used, pieces[i], size + 1);
		used += size;
	}
	return true;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : slash && slash != path ? slash + 1 : path;
}

char *path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	if (slash == path)
		return xstrdup("/");
	return xstrndup(path, (size_t)(slash - path));
}

bool path_is_below(const char *path, const char *prefix)
{
	size_t size = strlen(prefix);

	if (size == 1 && *prefix == '/')
		return *path == '/';
	return strncmp(path, prefix, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

char *path_absolute(const char *path)
{
	cleanup_free char *cwd = NULL;

	if (*path == '/')
		return path_clean(path);
	cwd = getcwd(NULL, 0);
	return cwd ? path_join(cwd, path) : NULL;
}

int path_mkdir_all(const char *path, mode_t mode, struct error *err)
{
	cleanup_free char *clean = path_clean(path);

	for (char *slash = clean + 1;; slash++) {
		char saved;

		slash = strchrnul(slash, '/');
		saved = *slash;
		*slash = '\0';
		if (mkdir(clean, mode) < 0 && errno != EEXIST)
			return error_path(err, error_errno(err, errno, "mkdir \"%s\"", clean),
					  clean);
		if (!saved)
			break;
		*slash = saved;
	}
	return 0;
}

static int remove_children(int folder, const char *name, struct error *err)
{
	cleanup_close int copy = fcntl(folder, F_DUPFD_CLOEXEC, 3);
	cleanup_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!dir)
		return error_errno(err, errno, "read folder \"%s\"", name);
	(void)TAKE_FD(copy); /* dir owns it */
	while ((errno = 0, entry = readdir(dir))) {
		int ret;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type != DT_DIR && unlinkat(folder, entry->d_name, 0) == 0)
			continue;
		ret = path_remove_tree(folder, entry->d_name, err);
		if (ret < 0)
			return ret;
	}
	return errno ? error_errno(err, errno, "read folder \"%s\"", name) : 0;
}

int path_remove_tree(int dirfd, const char *name, struct error *err)
{
	cleanup_close int folder = -EBADF;
	int ret;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return error_errno(err, errno, "remove \"%s\"", name);
	folder = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "open \"%s\"", name);
	ret = remove_children(folder, name, err);
	if (ret < 0)
		return ret;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_errno(err, errno, "remove folder \"%s\"", name);
	return 0;
}
