/* SPDX-License-Identifier: Apache-2.0 */
/* Called by copy. */
#include "builder/cli/copy-archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/archive-file.h"
#include "builder/image/archive-load.h"
#include "builder/image/layer.h"
#include "builder/image/layout.h"
#include "builder/image/output-oci.h"
#include "builder/registry/policy.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

void copy_archive_init(struct copy_archive *archive, struct store *store, const char *transport,
		       const char *text)
{
	const char *colon = strchr(text, ':');

	*archive = (struct copy_archive){ .store = store, .transport = transport };
	archive->path = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	archive->name = colon ? colon + 1 : NULL;
}

void copy_archive_done(struct copy_archive *archive)
{
	free(archive->path);
}

/* What it is has to be what it was called. */
static int allow(void *context, const char *transport, struct error *err)
{
	const struct copy_archive *archive = context;

	if (strcmp(transport, archive->transport) != 0)
		return error_invalid(err, "\"%s\" is an archive of the kind %s", archive->path,
				     transport);
	return policy_check_path(transport, archive->path, err);
}

int copy_archive_open(struct copy_archive *archive, struct blob_place **out, struct error *err)
{
	const struct archive_reader reader = { .allow = allow, .context = archive };
	cleanup_close int fd = open(archive->path, O_RDONLY | O_CLOEXEC);
	cleanup_close int layout_fd = -EBADF;
	cleanup_free char *folder = NULL;
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", archive->path);
	ret = archive_unpack(archive->store, fd, &reader, archive->folder, &layout_fd, err);
	if (ret < 0)
		return ret;
	folder = xasprintf("%s/%s", archive->store->path, archive->folder);
	return error_prefix(err, blob_layout_open(folder, archive->name, NULL, out, err), "\"%s\"",
			    archive->path);
}

int copy_archive_create(struct copy_archive *archive, struct blob_place **out, struct error *err)
{
	cleanup_close int fd = -EBADF;
	cleanup_free char *folder = NULL;
	int ret = store_scratch(archive->store, archive->folder, &fd, err);

	if (ret < 0)
		return ret;
	folder = xasprintf("%s/%s", archive->store->path, archive->folder);
	/* the tag of a docker archive is in its name, which comes when it is written */
	return blob_layout_create(
		folder, strcmp(archive->transport, "oci-archive") == 0 ? archive->name : NULL, out,
		err);
}

/* -- writing -------------------------------------------------------------------------------------
 */

struct writing {
	const struct copy_archive *archive;
	int folder_fd;
	const char *platform;
	bool whole;
};

/* The layout as it is. When it was written is nobody's business: the same image is the same file.
 */
static int write_layout(const struct writing *writing, int fd, struct error *err)
{
	static const struct time_rule no_times = { .kind = TIME_SET, .seconds = 0 };

	return layer_write_flat(writing->archive->store, writing->folder_fd, &no_times, fd, err);
}

/* As `save` writes one, which docker loads. */
static int write_docker(const struct writing *writing, int fd, struct error *err)
{
	const struct copy_archive *archive = writing->archive;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = layout_load(archive->store, writing->folder_fd, NULL, writing->platform, &image,
			      err);

	if (ret == 0 && archive->name)
		ret = reference_parse(archive->name, &image.top.name, err);
	return ret < 0 ? ret : output_oci(archive->store, &image, 1, writing->whole, fd, err);
}

static int write_file(void *context, int fd, struct error *err)
{
	const struct writing *writing = context;

	return strcmp(writing->archive->transport, "oci-archive") == 0
		       ? write_layout(writing, fd, err)
		       : write_docker(writing, fd, err);
}

int copy_archive_write(struct copy_archive *archive, const char *platform, bool whole,
		       struct error *err)
{
	struct writing writing = { .archive = archive, .platform = platform, .whole = whole };
	cleanup_close int folder_fd =
		openat(archive->store->fd, archive->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder_fd < 0)
		return error_errno(err, errno, "open \"%s/%s\"", archive->store->path,
				   archive->folder);
	writing.folder_fd = folder_fd;
	return archive_write(archive->path, write_file, &writing, err);
}
