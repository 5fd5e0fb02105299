/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder with an OCI layout as a place of blobs (blob-place.h). It is written so that who reads
 * it meanwhile, or after we were killed, finds the old manifest or the new one, and all it lists.
 */
#include "builder/image/blob-place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/layout-folder.h"
#include "builder/loop/fiber.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"

struct blob_layout {
	struct blob_place place;
	int fd;
	char *wanted; /* tag or digest; NULL = latest */
};

void blob_place_close(struct blob_place *place)
{
	if (!place)
		return;
	free(place->name);
	place->kind->close(place);
}

static void close_layout(struct blob_place *place)
{
	struct blob_layout *layout = (struct blob_layout *)place;

	cleanup_close_fd(&layout->fd);
	free(layout->wanted);
	free(layout);
}

/* -- reading -------------------------------------------------------------------------------------
 */

static int get_document(struct blob_place *place, const struct digest *digest, struct strbuf *out,
			struct error *err)
{
	return layout_read_document(((struct blob_layout *)place)->fd, digest, out, err);
}

static int get_manifest(struct blob_place *place, struct strbuf *out, struct error *err)
{
	const struct blob_layout *layout = (struct blob_layout *)place;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct image_index *index = NULL;
	const struct descriptor *top;
	struct digest digest;
	int ret = layout_read_index(layout->fd, &arena, &index, err);

	if (ret == 0)
		ret = layout_find(index, layout->wanted, &top, err);
	if (ret == 0)
		ret = digest_parse(top->digest, &digest, err);
	return ret < 0 ? ret : layout_read_document(layout->fd, &digest, out, err);
}

/* Copying is file work: other branches of the build run on. */
struct copy_call {
	const struct digest *digest;
	int from, to, ret;
	struct error *err;
};

static void call_copy(void *context)
{
	struct copy_call *call = context;

	call->ret = layout_copy_blob(call->from, call->to, call->digest, call->err);
}

static int copy_blob(int from, int to, const struct digest *digest, struct error *err)
{
	struct copy_call call = { digest, from, to, 0, err };

	fiber_offload(call_copy, &call);
	return call.ret;
}

static int get_blob(struct blob_place *place, const struct digest *digest, uint64_t size, int fd,
		    struct error *err)
{
	const struct blob_layout *layout = (struct blob_layout *)place;
	cleanup_close int from = layout_open_blob(layout->fd, digest, err);
	struct stat st;

	if (from < 0)
		return from;
	if (fstat(from, &st) < 0)
		return error_errno(err, errno, "stat a blob of the layout");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return error_invalid(err, "the blob %s of the layout has another size",
				     digest->text);
	return copy_blob(from, fd, digest, err);
}

static int has_blob(struct blob_place *place, const struct digest *digest, struct error *err)
{
	cleanup_close int fd = layout_open_blob(((struct blob_layout *)place)->fd, digest, NULL);

	(void)err; /* what cannot be opened is not there */
	return fd >= 0;
}

/* -- writing -------------------------------------------------------------------------------------
 */

static int put_blob(struct blob_place *place, const struct digest *digest, uint64_t size, int fd,
		    struct error *err)
{
	const struct blob_layout *layout = (struct blob_layout *)place;
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(digest));
	cleanup_free char *temporary = xasprintf("%s.%d.tmp", path, (int)getpid());
	cleanup_close int to =
		inroot_open(layout->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644, NULL);
	int ret;

	(void)size;
	if (to < 0)
		return error_errno(err, -to, "create \"%s\"", temporary);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "read a blob again");
	ret = copy_blob(fd, to, digest, err);
	if (ret == 0 && renameat(layout->fd, temporary, layout->fd, path) < 0)
		ret = error_errno(err, errno, "rename \"%s\"", temporary);
	if (ret < 0)
		(void)unlinkat(layout->fd, temporary, 0);
	return ret;
}

/* The list with our entry in the place of what had its tag. */
static void list_manifest(const struct blob_layout *layout, struct image_index *index,
			  struct descriptor *entry, struct arena *arena, struct strbuf *out)
{
	const char *tag = layout->wanted ? layout->wanted : "latest";
	struct descriptor_list list = { .count = 0 };

	list.items = arena_alloc(arena, (index->manifests.count + 1) * sizeof(*list.items));
	for (size_t i = 0; i < index->manifests.count; i++) {
		const struct descriptor *old = &index->manifests.items[i];
		const char *other = json_map_get(&old->annotations, LAYOUT_REF_NAME);

		if (!other || strcmp(other, tag) != 0)
			list.items[list.count++] = *old;
	}
	json_map_set(&entry->annotations, arena, LAYOUT_REF_NAME, tag);
	list.items[list.count++] = *entry;
	index->manifests = list;
	image_index_write(index, JSON_COMPACT, out);
}

static int put_bytes(struct blob_place *place, const struct digest *digest,
		     const struct strbuf *bytes, struct error *err)
{
	const struct blob_layout *layout = (struct blob_layout *)place;
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(digest));

	return io_replace_file(layout->fd, path, strbuf_text(bytes), bytes->size, 0644, IO_NO_SYNC,
			       err);
}

static int put_document(struct blob_place *place, const char *media_type,
			const struct digest *digest, const struct strbuf *bytes, struct error *err)
{
	(void)media_type; /* it is in what lists it */
	return put_bytes(place, digest, bytes, err);
}

/* Other manifests may list it as well. */
static void drop_blob(struct blob_place *place, const struct digest *digest)
{
	const struct blob_layout *layout = (struct blob_layout *)place;
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(digest));
	cleanup_arena struct arena arena = ARENA_INIT;
	struct image_index *index = NULL;

	if (layout_read_index(layout->fd, &arena, &index, NULL) == 0 && index->manifests.count == 1)
		(void)unlinkat(layout->fd, path, 0); /* else it only takes place */
}

/* The manifest that had our tag, unless what replaces it is an index that lists it. */
static bool find_replaced(const struct blob_layout *layout, const struct image_index *index,
			  const struct strbuf *bytes, const struct descriptor *entry,
			  struct digest *out)
{
	const struct descriptor *old = NULL;

	return layout_find(index, layout->wanted ? layout->wanted : "latest", &old, NULL) == 0 &&
	       strcmp(old->digest, entry->digest) != 0 &&
	       digest_parse(old->digest, out, NULL) == 0 &&
	       !memmem(strbuf_text(bytes), bytes->size, digest_hex(out), DIGEST_HEX);
}

static int put_manifest(struct blob_place *place, const char *media_type,
			const struct strbuf *bytes, struct error *err)
{
	const struct blob_layout *layout = (struct blob_layout *)place;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct descriptor entry = { .media_type = media_type, .size = bytes->size };
	struct image_index *index = NULL;
	struct digest digest, replaced;
	int ret = layout_read_index(layout->fd, &arena, &index, err);
	bool drop;

	if (ret < 0)
		return ret;
	digest_of(strbuf_text(bytes), bytes->size, &digest);
	entry.digest = digest.text;
	ret = put_bytes(place, &digest, bytes, err);
	if (ret < 0)
		return ret;
	drop = find_replaced(layout, index, bytes, &entry, &replaced);
	list_manifest(layout, index, &entry, &arena, &text);
	ret = io_replace_file(layout->fd, "index.json", text.data, text.size, 0644, IO_NO_SYNC,
			      err);
	if (ret == 0 && drop)
		drop_blob(place, &replaced);
	return ret;
}

/* -- opening -------------------------------------------------------------------------------------
 */

static const struct blob_place_kind layout_kind = {
	.get_manifest = get_manifest,
	.get_document = get_document,
	.get_blob = get_blob,
	.has_blob = has_blob,
	.put_blob = put_blob,
	.put_document = put_document,
	.put_manifest = put_manifest,
	.drop_blob = drop_blob,
	.close = close_layout,
};

static struct blob_layout *new_layout(const char *path, int fd, const char *wanted)
{
	struct blob_layout *layout = xzalloc(sizeof(*layout));

	layout->place.kind = &layout_kind;
	layout->place.name = xstrdup(path);
	layout->fd = fd;
	layout->wanted = wanted ? xstrdup(wanted) : NULL;
	return layout;
}

int blob_layout_open(const char *path, const char *tag, const char *digest, struct blob_place **out,
		     struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	*out = &new_layout(path, fd, digest ? digest : tag)->place;
	return 0;
}

/* Is there nothing in the folder? Somebody else's files are not to be mixed with ours. */
static bool is_empty(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = again < 0 ? NULL : fdopendir(again);
	size_t count = 0;

	while (dir && count < 3 && readdir(dir))
		count++;
	return count == 2; /* . and .. */
}

/* A new layout without manifests, unless there is one. */
static int begin_layout(int fd, struct error *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	static const char index[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}";
	int ret = 0;

	if (faccessat(fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && !is_empty(fd))
		return error_invalid(err, "it is neither empty nor an OCI layout");
	if (faccessat(fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		ret = io_replace_file(fd, "oci-layout", version, strlen(version), 0644, IO_NO_SYNC,
				      err);
	if (ret < 0)
		return ret;
	if (mkdirat(fd, "blobs", 0755) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create \"blobs\"");
	if (mkdirat(fd, "blobs/sha256", 0755) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create \"blobs/sha256\"");
	return faccessat(fd, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0
		       ? 0
		       : io_replace_file(fd, "index.json", index, strlen(index), 0644, IO_NO_SYNC,
					 err);
}

/* "HEX.PID.tmp" of put_blob, "HEX.RANDOM~" of io_replace_file */
static bool is_unfinished(const char *name)
{
	size_t size = strlen(name);
	cleanup_free char *hex = xstrndup(name, DIGEST_HEX);

	if (size < DIGEST_HEX + 2 || name[DIGEST_HEX] != '.' || !digest_is_hex(hex))
		return false;
	return name[size - 1] == '~' || strcmp(name + size - strlen(".tmp"), ".tmp") == 0;
}

/* What exporters that were killed had begun. The lock is ours: nobody else is writing. */
static void drop_unfinished(int folder_fd)
{
	int fd = openat(folder_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_unfinished(entry->d_name))
			(void)unlinkat(fd, entry->d_name, 0); /* it only takes place */
}

int blob_layout_create(const char *path, const char *tag, struct blob_place **out,
		       struct error *err)
{
	cleanup_close int folder_fd = -EBADF;
	int ret = path_mkdir_all(path, 0755, err);

	if (ret < 0)
		return ret;
	folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	/* one export at a time: each drops what only its predecessor has */
	if (flock(folder_fd, LOCK_EX) == 0)
		drop_unfinished(folder_fd);
	ret = begin_layout(folder_fd, err);
	if (ret < 0)
		return error_prefix(err, ret, "\"%s\"", path);
	*out = &new_layout(path, TAKE_FD(folder_fd), tag)->place;
	return 0;
}
