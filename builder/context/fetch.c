/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching contexts, called by context.c. What comes from standard input or a web server is written
 * to a file first, because only its beginning tells an archive from a Dockerfile.
 */
#include "builder/context/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/context/context.h"
#include "builder/context/git.h"
#include "builder/image/store.h"
#include "builder/image/unpack.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"

#define DOWNLOAD_MAX ((uint64_t)64 << 30)

/* A file without a name. */
static int make_spool(struct store *store, struct error *err)
{
	char name[STORE_NAME_SIZE];
	cleanup_close int folder_fd = -EBADF;
	int ret = store_scratch(store, name, &folder_fd, err), fd;

	if (ret < 0)
		return ret;
	fd = openat(folder_fd, "spool", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "create a temporary file");
	(void)unlinkat(folder_fd, "spool", 0); /* else it goes with the session */
	return fd;
}

static int spool_stdin(int fd, struct error *err)
{
	size_t copied;
	int ret = io_copy(STDIN_FILENO, fd, SIZE_MAX, &copied);

	return ret < 0 ? error_errno(err, -ret, "read the context from standard input") : 0;
}

static int spool_url(int fd, const struct context_options *options, const char *url, uint64_t max,
		     int64_t *out_time, struct error *err)
{
	const struct transport_get get = {
		.url = url,
		.fd = fd,
		.max = max,
		.cancel_fd = options->cancel_fd,
		.meter = options->meter,
		.authorization =
			url == options->location->text ? options->location->authorization : NULL,
	};
	struct transport_result result = { .mtime = 0 };
	int ret = transport_get(&get, &result, err);

	if (ret == 0 && result.has_mtime)
		*out_time = result.mtime;
	return ret;
}

static int read_spool(int fd, size_t max, struct strbuf *out, struct error *err)
{
	int ret = lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_rest(fd, max, out);

	if (ret == -EFBIG)
		return error_invalid(err, "the Dockerfile is longer than %zu bytes", max);
	return ret < 0 ? error_errno(err, -ret, "read what was downloaded") : 0;
}

static int open_spool(int spool_fd, struct store *store, struct context *out, struct error *err)
{
	static const struct unpack_options options = { .whiteouts = false };
	struct unpack_result result = { .newest = CONTEXT_NO_TIME };
	char name[STORE_NAME_SIZE];
	cleanup_close int folder_fd = -EBADF;
	struct stat st;
	int ret = store_scratch(store, name, &folder_fd, err), archive;

	if (ret < 0)
		return ret;
	if (fstat(spool_fd, &st) < 0 || lseek(spool_fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "read what was downloaded");
	archive = st.st_size ? unpack_is_archive(spool_fd, err) : 0;
	if (archive < 0)
		return archive;
	ret = archive ? unpack_archive(spool_fd, folder_fd, &options, &result, err)
		      : read_spool(spool_fd, CONTEXT_DOCKERFILE_MAX, &out->dockerfile, err);
	if (out->time == CONTEXT_NO_TIME)
		out->time = result.newest;
	return ret < 0 ? ret : TAKE_FD(folder_fd);
}

static int open_git(const struct context_options *options, struct context *out, struct error *err)
{
	const struct location *location = options->location;
	char name[STORE_NAME_SIZE], commit[GIT_COMMIT_SIZE];
	cleanup_close int folder_fd = -EBADF;
	cleanup_free char *path = NULL;
	struct git_checkout checkout = { .commit = commit, .cancel_fd = options->cancel_fd };
	int ret = store_scratch(options->store, name, &folder_fd, err);

	if (ret == 0)
		ret = git_resolve(location, options->cancel_fd, commit, err);
	if (ret < 0)
		return ret;
	checkout.path = path = xasprintf("%s/%s", options->store->path, name);
	ret = git_checkout(location, &checkout, err);
	if (ret < 0)
		return ret;
	out->time = checkout.time;
	out->is_commit = true;
	memcpy(out->commit, commit, sizeof(commit));
	if (!*location->subdir)
		return TAKE_FD(folder_fd);
	return inroot_open(folder_fd, location->subdir, O_RDONLY | O_DIRECTORY, 0, err);
}

int fetch_context(const struct context_options *options, struct context *out, struct error *err)
{
	const struct location *location = options->location;
	cleanup_close int spool_fd = -EBADF;
	int ret;

	if (location->kind == LOCATION_GIT)
		return open_git(options, out, err);
	spool_fd = make_spool(options->store, err);
	if (spool_fd < 0)
		return spool_fd;
	if (location->kind == LOCATION_STDIN)
		ret = spool_stdin(spool_fd, err);
	else
		ret = spool_url(spool_fd, options, location->text, DOWNLOAD_MAX, &out->time, err);
	return ret < 0 ? ret : open_spool(spool_fd, options->store, out, err);
}

int fetch_text(const struct context_options *options, const char *url, size_t max,
	       struct strbuf *out, struct error *err)
{
	cleanup_close int spool_fd = make_spool(options->store, err);
	int64_t time;
	int ret;

	if (spool_fd < 0)
		return spool_fd;
	ret = spool_url(spool_fd, options, url, max, &time, err);
	return ret < 0 ? ret : read_spool(spool_fd, max, out, err);
}
