/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacked into scratch first: an archive's list of images may be its last file. */
#include "builder/image/archive-load.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/docker-archive.h"
#include "builder/image/layout-folder.h"
#include "builder/image/layout.h"
#include "builder/image/unpack.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"

/* "1" alone is a tag of nothing that we know. */
static const char *name_of(const struct descriptor *descriptor)
{
	const char *name = json_map_get(&descriptor->annotations, LAYOUT_IMAGE_NAME);
	const char *ref = json_map_get(&descriptor->annotations, LAYOUT_REF_NAME);

	if (name)
		return name;
	return ref && strpbrk(ref, "/:") ? ref : NULL;
}

int layout_load_all(struct store *store, int folder_fd, const struct archive_reader *reader,
		    struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct image_index *index = NULL;
	int ret = layout_read_index(folder_fd, &arena, &index, err);

	for (size_t i = 0; ret == 0 && i < index->manifests.count; i++) {
		const struct descriptor *one = &index->manifests.items[i];
		cleanup_image struct image image = { .arena = ARENA_INIT };

		ret = layout_load(store, folder_fd, one->digest, reader->platform, &image, err);
		if (ret == 0)
			ret = reader->found(reader->context, &image, name_of(one), err);
		ret = error_prefix(err, ret, "image %.19s", one->digest);
	}
	return ret;
}

static int unpack(struct store *store, int fd, int folder_fd, struct error *err)
{
	struct unpack_options options = { .marks = store->marks,
					  .keep_root = true,
					  .set_owner = true,
					  .uid = getuid(),
					  .gid = getgid() };
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		options.plain_max = unpack_plain_max((uint64_t)st.st_size);
	return unpack_archive(fd, folder_fd, &options, NULL, err);
}

int archive_unpack(struct store *store, int fd, const struct archive_reader *reader,
		   char name[STORE_NAME_SIZE], int *out_fd, struct error *err)
{
	cleanup_close int folder_fd = -EBADF, layout_fd = -EBADF;
	int ret = store_scratch(store, name, &folder_fd, err);

	if (ret == 0)
		ret = unpack(store, fd, folder_fd, err);
	if (ret < 0)
		return ret;
	if (inroot_exists(folder_fd, "index.json") == 1) {
		ret = reader->allow(reader->context, "oci-archive", err);
		if (ret == 0)
			*out_fd = TAKE_FD(folder_fd);
		return ret;
	}
	if (inroot_exists(folder_fd, "manifest.json") != 1)
		return error_invalid(err,
				     "the archive has neither index.json nor manifest.json: it "
				     "is no image (import takes root file systems)");
	ret = reader->allow(reader->context, "docker-archive", err);
	if (ret == 0)
		ret = store_scratch(store, name, &layout_fd, err);
	if (ret == 0)
		ret = docker_archive_convert(folder_fd, layout_fd, err);
	if (ret == 0)
		*out_fd = TAKE_FD(layout_fd);
	return ret;
}

int archive_load(struct store *store, int fd, const struct archive_reader *reader,
		 struct error *err)
{
	cleanup_close int layout_fd = -EBADF;
	char name[STORE_NAME_SIZE];
	int ret = archive_unpack(store, fd, reader, name, &layout_fd, err);

	return ret < 0 ? ret : layout_load_all(store, layout_fd, reader, err);
}
