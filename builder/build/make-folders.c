/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of WORKDIR and of the destinations of COPY. */
#include "builder/build/make-folders.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/image/snapshot.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

int trees_mode(struct store *store, const struct strv *trees, const char *path, mode_t *out,
	       struct error *err)
{
	cleanup_close int fd = snapshot_lookup(store, trees, path, NULL);
	struct stat st;

	*out = 0;
	if (fd == -ENOENT)
		return 0;
	if (fd == -ENOTDIR)
		return error_invalid(err, "\"/%s\": a part of the path is not a folder", path);
	if (fd < 0)
		return error_errno(err, -fd, "look up \"/%s\"", path);
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "stat \"/%s\"", path);
	*out = st.st_mode;
	return 0;
}

/* The same of a folder; anything else is as good as nothing. */
static int folder_mode(struct store *store, const struct strv *trees, const char *path, mode_t *out)
{
	cleanup_close int fd = snapshot_lookup(store, trees, path, NULL);
	struct stat st;

	*out = 0;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		*out = st.st_mode;
	return 0;
}

int describe_folders(struct store *store, const struct strv *trees, const char *path,
		     struct strbuf *out, struct error *err)
{
	cleanup_free char *prefix = xstrdup(path);

	for (char *slash = prefix; slash;) {
		cleanup_close int fd = -EBADF;
		struct stat st;

		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		fd = snapshot_lookup(store, trees, prefix, NULL);
		if (fd == -ENOENT || fd == -ENOTDIR)
			return 0;
		if (fd < 0 || fstat(fd, &st) < 0)
			return error_errno(err, fd < 0 ? -fd : errno, "look up \"/%s\"", prefix);
		if (!S_ISDIR(st.st_mode))
			return 0;
		strbuf_addf(out, "%s %o %u %u;", prefix, st.st_mode & 07777, st.st_uid, st.st_gid);
		if (slash)
			*slash++ = '/';
	}
	return 0;
}

int make_folders(const struct make_folders *how, const char *path, struct error *err)
{
	cleanup_free char *prefix = xstrdup(path);

	if (strcmp(path, ".") == 0)
		return 0;
	for (char *slash = prefix; slash;) {
		struct tar_entry entry = { .path = prefix,
					   .mode = S_IFDIR | 0755,
					   .uid = how->uid,
					   .gid = how->gid,
					   .mtime = how->mtime };
		mode_t mode;
		int ret;

		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		if (how->independent)
			ret = folder_mode(how->store, how->trees, prefix, &mode);
		else
			ret = trees_mode(how->store, how->trees, prefix, &mode, err);
		if (ret == 0 && mode && !S_ISDIR(mode))
			ret = error_invalid(err, "\"/%s\" is not a folder", prefix);
		if (ret == 0 && !mode)
			ret = layer_writer_add(how->writer, &entry, NULL, err);
		if (ret < 0)
			return ret;
		if (slash)
			*slash++ = '/';
	}
	return 0;
}
