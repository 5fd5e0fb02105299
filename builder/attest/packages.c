/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for packages in a mounted image. No symlink is followed on the way: what a link leads to
 * is found where it is.
 */
#include "builder/attest/packages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/attest/rpm-database.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/strbuf.h"

#define FILE_MAX ((size_t)64 << 20)
#define DATABASE_MAX ((size_t)256 << 20) /* the headers of all packages; 20 MiB are common */
#define DEPTH_MAX 200			 /* a descriptor each; below are no packages */

typedef void (*read_fn)(struct packages *packages, const char *text, const char *place);

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* Is it node_modules/NAME or node_modules/@SCOPE/NAME? */
static bool is_npm_folder(const char *folder)
{
	const char *last = strrchr(folder, '/');
	const char *above = last;

	while (above && above > folder && *--above != '/')
		;
	if (!above || !last)
		return false;
	if (above[*above == '/'] == '@') {
		last = above;
		while (above > folder && *--above != '/')
			;
	}
	above += *above == '/';
	return last > above && (size_t)(last - above) == strlen("node_modules") &&
	       strncmp(above, "node_modules", strlen("node_modules")) == 0;
}

/* What a file of this name in this folder ("usr/lib") is about; NULL = nothing. */
static read_fn reader_of(const char *folder, const char *name)
{
	if (strcmp(folder, "var/lib/dpkg") == 0 && strcmp(name, "status") == 0)
		return packages_read_paragraphs;
	if (strcmp(folder, "var/lib/dpkg/status.d") == 0 && !ends_with(name, ".md5sums"))
		return packages_read_paragraphs;
	if (ends_with(folder, "lib/apk/db") && strcmp(name, "installed") == 0)
		return packages_read_apk;
	if ((ends_with(folder, ".dist-info") && strcmp(name, "METADATA") == 0) ||
	    (ends_with(folder, ".egg-info") && strcmp(name, "PKG-INFO") == 0))
		return packages_read_metadata;
	if (strcmp(name, "package-lock.json") == 0 || strcmp(name, ".package-lock.json") == 0 ||
	    strcmp(name, "npm-shrinkwrap.json") == 0)
		return packages_read_npm_lock;
	if (strcmp(name, "package.json") == 0 && is_npm_folder(folder))
		return packages_read_npm;
	return NULL;
}

/* The tables of packages; beside them are indices, which are not looked at. */
static bool is_rpm_database(const char *folder, const char *name)
{
	static const char *const names[] = { "rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db",
					     "Packages" };

	if (strcmp(folder, "var/lib/rpm") != 0 && strcmp(folder, "usr/lib/sysimage/rpm") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A regular file; nothing else is even opened: some devices act on that. */
static int read_file(int dirfd, const char *name, size_t max, struct strbuf *out)
{
	cleanup_close int fd = -EBADF;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : io_read_rest(fd, max, out);
}

static void look_at_rpm(struct packages *packages, int dirfd, const char *name, const char *place)
{
	cleanup_strbuf struct strbuf file = STRBUF_INIT;
	int ret = read_file(dirfd, name, DATABASE_MAX, &file);

	/* a journal (-wal) is empty when all of it is in the database; else it is no database */
	if (ret == 0 && file.size > 0)
		ret = rpm_database_read(
			packages, (struct bytes){ (const uint8_t *)file.data, file.size }, place);
	if (ret < 0)
		packages->unread = arena_strdup(&packages->arena, place);
}

static int look_at_file(struct packages *packages, int dirfd, const char *folder, const char *name,
			struct error *err)
{
	const read_fn reader = reader_of(folder, name);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *place = NULL;

	if (!reader && !is_rpm_database(folder, name))
		return 0;
	place = xasprintf("/%s/%s", folder, name);
	if (!reader)
		look_at_rpm(packages, dirfd, name, place);
	else if (read_file(dirfd, name, FILE_MAX, &text) == 0 &&
		 !memchr(strbuf_text(&text), '\0', text.size))
		reader(packages, strbuf_text(&text), place);
	if (packages->size > PACKAGES_MAX)
		return error_invalid(err,
				     "with \"%s\" the files of the image name more packages than a "
				     "list of them takes (%zu MiB of names, versions and places)",
				     place, PACKAGES_MAX >> 20);
	return 0;
}

static int walk(struct packages *packages, int fd, const char *folder, int depth, struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *d;
	int ret = 0;

	if (!dir) {
		close(fd);
		return error_errno(err, errno, "read the folder \"/%s\"", folder);
	}
	while (ret == 0 && (errno = 0, d = readdir(dir))) {
		cleanup_free char *path = NULL;
		int child;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (d->d_type != DT_DIR) {
			ret = look_at_file(packages, dirfd(dir), folder, d->d_name, err);
			continue;
		}
		child = openat(dirfd(dir), d->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			return error_errno(err, errno, "open the folder \"/%s/%s\"", folder,
					   d->d_name);
		path = *folder ? xasprintf("%s/%s", folder, d->d_name) : xstrdup(d->d_name);
		if (depth < DEPTH_MAX)
			ret = walk(packages, child, path, depth + 1, err);
		else
			close(child);
	}
	return ret < 0 || !errno ? ret : error_errno(err, errno, "read the folder \"/%s\"", folder);
}

/* ID of os-release. */
static void find_distribution(struct packages *packages, int root_fd)
{
	static const char *const names[] = { "etc/os-release", "usr/lib/os-release" };

	for (size_t i = 0; i < ARRAY_SIZE(names) && !packages->distribution; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		const char *line = NULL;

		if (inroot_read_file(root_fd, names[i], 65536, &text, NULL) == 0)
			line = strncmp(strbuf_text(&text), "ID=", 3) == 0
				       ? strbuf_text(&text)
				       : strstr(strbuf_text(&text), "\nID=");
		if (!line)
			continue;
		line = strchr(line, '=') + 1;
		line += *line == '"';
		packages->distribution = arena_strndup(&packages->arena, line,
						       strspn(line, "abcdefghijklmnopqrstuvwxyz"
								    "0123456789._-"));
	}
}

static int compare(const void *a, const void *b)
{
	const struct package *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	if (!order)
		order = strcmp(x->name, y->name);
	if (!order)
		order = strcmp(x->version, y->version);
	if (!order)
		order = strcmp(x->arch ? x->arch : "", y->arch ? y->arch : "");
	if (!order)
		order = strcmp(x->epoch ? x->epoch : "", y->epoch ? y->epoch : "");
	return order;
}

/* Sorted, what several files say of one thing once. */
static void tidy(struct packages *packages)
{
	size_t count = 0;

	if (packages->count)
		qsort(packages->items, packages->count, sizeof(*packages->items), compare);
	for (size_t i = 0; i < packages->count; i++)
		if (!count || compare(&packages->items[count - 1], &packages->items[i]) != 0)
			packages->items[count++] = packages->items[i];
	packages->count = count;
}

int packages_find(int root_fd, struct packages *out, struct error *err)
{
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	*out = (struct packages){ .arena = ARENA_INIT };
	if (fd < 0)
		return error_errno(err, errno, "open the root of the image");
	find_distribution(out, root_fd);
	ret = walk(out, fd, "", 0, err);
	tidy(out);
	return ret;
}

void packages_done(struct packages *packages)
{
	free(packages->items);
	arena_done(&packages->arena);
}
