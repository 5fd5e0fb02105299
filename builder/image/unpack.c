/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking archives that others made. libarchive reads them; where an entry goes is decided here,
 * by fds: its folder is looked up inside the root with openat2, only the last component is ever
 * created, replaced or linked, and never through a symlink.
 *
 * Names are bytes. libarchive converts and even normalises UTF-8 names of PAX headers to the
 * locale's charset; in the C locale it gives up on that with a warning and hands out the bytes, so
 * that is the locale it runs in here.
 */
#include "builder/image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "builder/image/decompress.h"
#include "builder/image/digest.h"
#include "builder/image/entry.h"
#include "builder/image/folder-times.h"
#include "builder/image/hash-queue.h"
#include "builder/image/overlay.h"
#include "builder/image/snapshot.h"
#include "builder/image/time-rule.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/strbuf.h"

#define SYMLINKS_MAX 40
#define TOO_LONG "it is far longer than its compressed size allows for"

struct unpacker {
	const struct unpack_options *options;
	struct unpack_result result;
	struct archive *archive;
	struct decompress *input;
	struct hash_queue *plain; /* NULL = nobody asks for its digest */
	int root_fd;
	int parent_fd;	       /* the folder of the last entry, parent_path */
	char *parent_path;     /* NULL = none */
	unsigned int symlinks; /* to nothing, followed for the current entry */
	bool stale;	       /* something was removed: parent_path may lead elsewhere now */
	struct folder_times folders;
	locale_t locale, old_locale;
	unpack_entry_fn each; /* entries go there; NULL = into the folder */
	void *context;
};

static void unpacker_done(struct unpacker *unpacker)
{
	archive_read_free(unpacker->archive);
	decompress_free(unpacker->input);
	cleanup_close_fd(&unpacker->parent_fd);
	free(unpacker->parent_path);
	folder_times_done(&unpacker->folders);
	if (unpacker->locale) {
		uselocale(unpacker->old_locale);
		freelocale(unpacker->locale);
	}
}

static int archive_failed(struct unpacker *unpacker, struct error *err)
{
	const char *text = archive_error_string(unpacker->archive);

	return error_invalid(err, "read the archive: %s", text ? text : "not an archive");
}

/* The next block behind the compression, which counts for size and digest of all. */
static ssize_t next_plain(struct unpacker *unpacker, const void **out_data, const char **out_why)
{
	uint64_t max = unpacker->options ? unpacker->options->plain_max : 0;
	ssize_t size = decompress_read(unpacker->input, out_data, out_why);

	if (size <= 0)
		return size;
	unpacker->result.plain += (uint64_t)size;
	if (max && unpacker->result.plain > max) {
		*out_why = TOO_LONG;
		return -1;
	}
	if (unpacker->plain)
		hash_queue_add(unpacker->plain, *out_data, (size_t)size);
	return size;
}

static la_ssize_t read_input(struct archive *archive, void *context, const void **out_data)
{
	const char *why = NULL;
	ssize_t size = next_plain(context, out_data, &why);

	if (size < 0)
		archive_set_error(archive, EINVAL, "%s", why);
	return size;
}

/* What is behind the archive's end is not looked at, but the checksum of all may stand there. */
static int finish_input(struct unpacker *unpacker, struct error *err)
{
	const char *why = NULL;
	const void *data;
	ssize_t size;

	do
		size = next_plain(unpacker, &data, &why);
	while (size > 0);
	return size < 0 ? error_invalid(err, "read the archive: %s", why) : 0;
}

/* input: owned by the unpacker from here on */
static int open_archive(struct unpacker *unpacker, struct decompress *input,
			int (*format)(struct archive *archive), struct error *err)
{
	unpacker->input = input;
	unpacker->locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	if (unpacker->locale)
		unpacker->old_locale = uselocale(unpacker->locale);
	unpacker->archive = archive_read_new();
	if (!unpacker->archive)
		return error_errno(err, ENOMEM, "start libarchive");
	archive_read_support_filter_bzip2(unpacker->archive);
	archive_read_support_filter_xz(unpacker->archive);
	archive_read_support_filter_zstd(unpacker->archive);
	format(unpacker->archive);
	if (archive_read_open(unpacker->archive, unpacker, NULL, read_input, NULL) != ARCHIVE_OK)
		return archive_failed(unpacker, err);
	return 0;
}

/* The same limit for what libarchive's own filters have unpacked further (xz in gzip). */
static int check_length(const struct unpacker *unpacker, struct error *err)
{
	uint64_t max = unpacker->options ? unpacker->options->plain_max : 0;
	int64_t length = max ? archive_filter_bytes(unpacker->archive, 0) : 0;

	return length > 0 && (uint64_t)length > max
		       ? error_invalid(err, "read the archive: " TOO_LONG)
		       : 0;
}

/* A warning that a name may not suit the locale is none here; that a header was left out is one:
 * the entry then has another name, size or owner than was meant. */
static bool lost_a_header(struct unpacker *unpacker)
{
	const char *why = archive_error_string(unpacker->archive);

	return why && strstr(why, "pax extended attribute");
}

/* 1 an entry, 0 the end */
static int next_entry(struct unpacker *unpacker, struct archive_entry **out, struct error *err)
{
	int ret = archive_read_next_header(unpacker->archive, out);

	if (ret == ARCHIVE_EOF)
		return 0;
	if (ret == ARCHIVE_OK || (ret == ARCHIVE_WARN && !lost_a_header(unpacker)))
		return 1;
	return archive_failed(unpacker, err);
}

int unpack_is_archive(int fd, struct error *err)
{
	__attribute__((cleanup(unpacker_done))) struct unpacker unpacker = { .parent_fd = -EBADF };
	struct archive_entry *entry;
	off_t start = lseek(fd, 0, SEEK_CUR);
	int ret;

	if (start < 0)
		return error_errno(err, errno, "seek in the archive");
	ret = open_archive(&unpacker, decompress_open(fd), archive_read_support_format_tar, NULL);
	if (ret == 0)
		ret = archive_read_next_header(unpacker.archive, &entry);
	if (lseek(fd, start, SEEK_SET) < 0)
		return error_errno(err, errno, "seek in the archive");
	/* nobody knows what a file is that cannot be read */
	if (decompress_errno(unpacker.input))
		return error_errno(err, decompress_errno(unpacker.input), "read the archive");
	if (!unpacker.archive || archive_errno(unpacker.archive) == ENOMEM)
		return error_errno(err, ENOMEM, "read the archive");
	return ret == ARCHIVE_OK || ret == ARCHIVE_WARN;
}

#define RATIO_MAX 1000
#define PLAIN_FREE ((uint64_t)1 << 30)

uint64_t unpack_plain_max(uint64_t size)
{
	return size > (UINT64_MAX - PLAIN_FREE) / RATIO_MAX ? UINT64_MAX
							    : PLAIN_FREE + RATIO_MAX * size;
}

int unpack_digest(int fd, uint64_t max, struct digest *out, uint64_t *out_size, struct error *err)
{
	const struct unpack_options options = { .plain_max = max };
	__attribute__((cleanup(unpacker_done))) struct unpacker unpacker = { .parent_fd = -EBADF,
									     .options = &options };
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	struct archive_entry *entry;
	const void *data;
	la_int64_t offset;
	size_t size;
	int ret =
		open_archive(&unpacker, decompress_open(fd), archive_read_support_format_raw, err);

	if (ret < 0)
		return ret;
	hasher_start(&hasher);
	*out_size = 0;
	ret = archive_read_next_header(unpacker.archive, &entry);
	while (ret == ARCHIVE_OK) {
		int length = check_length(&unpacker, err);

		if (length < 0)
			return length;
		ret = archive_read_data_block(unpacker.archive, &data, &size, &offset);
		if (ret == ARCHIVE_OK) {
			hasher_add(&hasher, data, size);
			*out_size += size;
		}
	}
	if (ret != ARCHIVE_EOF)
		return archive_failed(&unpacker, err);
	hasher_finish(&hasher, out);
	return finish_input(&unpacker, err);
}

char *unpack_clean_name(const char *name)
{
	char *clean;

	if (!*name)
		return NULL;
	name += strspn(name, "/");
	clean = path_clean(name);
	if (strcmp(clean, "..") == 0 || strncmp(clean, "../", 3) == 0) {
		free(clean);
		return NULL;
	}
	return clean;
}

/* -- folders ------------------------------------------------------------------------------------
 */

static void forget_parent(struct unpacker *unpacker)
{
	cleanup_close_fd(&unpacker->parent_fd);
	free(unpacker->parent_path);
	unpacker->parent_path = NULL;
}

static int parent_of(struct unpacker *unpacker, const char *path, struct error *err);

/*
 * A symlink to a folder that is not there (var/run -> /run in an archive that has var/run/x before
 * run): the folder is made where the symlink leads inside the root.
 */
static int make_target(struct unpacker *unpacker, int above_fd, const char *path, struct error *err)
{
	cleanup_free char *above = path_parent(path);
	cleanup_free char *joined = NULL;
	cleanup_free char *clean = NULL;
	char target[PATH_MAX];
	ssize_t size = readlinkat(above_fd, path_base(path), target, sizeof(target) - 1);
	int ret;

	if (size < 0)
		return error_errno(err, errno, "read the symlink \"%s\"", path);
	if (++unpacker->symlinks > SYMLINKS_MAX)
		return error_errno(err, ELOOP, "open the folder \"%s\"", path);
	target[size] = '\0';
	joined = target[0] == '/' ? xstrdup(target) : xasprintf("/%s/%s", above, target);
	clean = path_clean(joined); /* absolute: ".." ends at the root */
	ret = parent_of(unpacker, clean[1] ? clean + 1 : ".", err);
	return ret < 0 ? ret : 0;
}

/* A folder that the archive left out: as it is in the trees below. */
static int make_missing(struct unpacker *unpacker, int above_fd, const char *path,
			struct error *err)
{
	const struct unpack_options *options = unpacker->options;
	struct tar_entry entry = { .path = path, .mode = S_IFDIR | 0755 };
	struct tar_xattr *xattrs = NULL;
	cleanup_close int path_fd = -EBADF;
	cleanup_close int fd = -EBADF;
	int unused = -EBADF;
	struct stat st;
	int ret = 0;

	if (options->lowers && options->store)
		path_fd = snapshot_lookup(options->store, options->lowers, path, NULL);
	if (path_fd >= 0)
		fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		ret = entry_read_xattrs(fd, &xattrs, &entry.xattr_count, err);
		entry.xattrs = xattrs;
		entry.mode = st.st_mode;
		entry.uid = st.st_uid;
		entry.gid = st.st_gid;
		entry.mtime = st.st_mtim.tv_sec;
		entry.mtime_nsec = options->subsecond ? (uint32_t)st.st_mtim.tv_nsec : 0;
	}
	if (ret == 0)
		ret = entry_create(above_fd, path_base(path), &entry, &unused, err);
	if (ret == 0) {
		ret = entry_set_metadata(above_fd, path_base(path), -EBADF, &entry, err);
		unpacker->result.parents++;
		folder_times_add(&unpacker->folders, &entry);
	}
	xattrs_free(xattrs, entry.xattr_count);
	return ret == -EEXIST ? make_target(unpacker, above_fd, path, err) : ret;
}

/* The fd of the folder path (clean), made if it is missing; kept for the next entry. */
static int parent_of(struct unpacker *unpacker, const char *path, struct error *err)
{
	cleanup_free char *above = NULL;
	int fd, ret;

	if (unpacker->stale)
		forget_parent(unpacker);
	unpacker->stale = false;
	if (unpacker->parent_path && strcmp(unpacker->parent_path, path) == 0)
		return unpacker->parent_fd;
	fd = inroot_open(unpacker->root_fd, path, O_RDONLY | O_DIRECTORY, 0, NULL);
	if (fd == -ENOENT && strcmp(path, ".") != 0) {
		above = path_parent(path);
		ret = parent_of(unpacker, above, err);
		if (ret >= 0)
			ret = make_missing(unpacker, unpacker->parent_fd, path, err);
		if (ret < 0)
			return ret;
		fd = inroot_open(unpacker->root_fd, path, O_RDONLY | O_DIRECTORY, 0, NULL);
	}
	if (fd < 0)
		return error_errno(err, -fd, "open the folder \"%s\"", path);
	forget_parent(unpacker);
	unpacker->parent_fd = fd;
	unpacker->parent_path = xstrdup(path);
	return fd;
}

/* -- entries ------------------------------------------------------------------------------------
 */

static int set_opaque(struct unpacker *unpacker, int folder_fd, const char *path, struct error *err)
{
	int ret = overlay_set_opaque(unpacker->options->marks, folder_fd);

	return ret < 0 ? error_errno(err, -ret, "make the folder \"%s\" opaque", path) : 0;
}

static int set_opaque_at(struct unpacker *unpacker, int dirfd, const char *name, const char *path,
			 struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	return set_opaque(unpacker, fd, path, err);
}

/* Make room for an entry whose name is taken. *replaced_whiteout: what was there hid trees below.
 */
static int remove_old(struct unpacker *unpacker, int dirfd, const char *name,
		      bool *replaced_whiteout, struct error *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "stat \"%s\"", name);
	*replaced_whiteout =
		unpacker->options->whiteouts && overlay_is_whiteout(unpacker->options->marks, &st);
	unpacker->stale = true;
	if (unpacker->options->keep_folders && S_ISDIR(st.st_mode) &&
	    unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		return error_errno(err, errno,
				   "replace the folder \"%s\", which is no folder in the image",
				   name);
	return path_remove_tree(dirfd, name, err);
}

static int write_contents(struct unpacker *unpacker, int fd, const struct tar_entry *entry,
			  struct error *err)
{
	const void *data;
	size_t size;
	int64_t offset;
	int ret;

	while ((ret = archive_read_data_block(unpacker->archive, &data, &size, &offset)) ==
	       ARCHIVE_OK) {
		const char *p = data;
		int length = check_length(unpacker, err);

		if (length < 0)
			return length;
		while (size > 0) {
			ssize_t n = pwrite(fd, p, size, offset);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return error_errno(err, n < 0 ? errno : ENOSPC, "write \"%s\"",
						   entry->path);
			p += n;
			size -= (size_t)n;
			offset += n;
			unpacker->result.bytes += (uint64_t)n;
		}
	}
	if (ret != ARCHIVE_EOF)
		return archive_failed(unpacker, err);
	/* a sparse file may end in a hole */
	if (ftruncate(fd, (off_t)entry->size) < 0)
		return error_errno(err, errno, "set the size of \"%s\"", entry->path);
	return 0;
}

static int make_file(struct unpacker *unpacker, int dirfd, const char *name,
		     const struct tar_entry *entry, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret = entry_create(dirfd, name, entry, &fd, err);

	if (ret == 0 && S_ISREG(entry->mode) && entry->size)
		ret = write_contents(unpacker, fd, entry, err);
	if (ret == 0)
		ret = entry_set_metadata(dirfd, name, fd, entry, err);
	return ret;
}

/* A folder over a folder keeps what is inside. */
static int make_folder(struct unpacker *unpacker, int dirfd, const char *name,
		       const struct tar_entry *entry, struct error *err)
{
	bool replaced_whiteout = false;
	int unused = -EBADF;
	struct stat st;
	int ret = entry_create(dirfd, name, entry, &unused, err);

	if (ret == -EEXIST) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return error_errno(err, errno, "stat \"%s\"", entry->path);
		ret = 0;
		if (!S_ISDIR(st.st_mode)) {
			ret = remove_old(unpacker, dirfd, name, &replaced_whiteout, err);
			if (ret == 0)
				ret = entry_create(dirfd, name, entry, &unused, err);
		}
	}
	if (ret == 0 && replaced_whiteout)
		ret = set_opaque_at(unpacker, dirfd, name, entry->path, err);
	if (ret == 0)
		ret = entry_set_metadata(dirfd, name, -EBADF, entry, err);
	if (ret == 0)
		folder_times_add(&unpacker->folders, entry);
	return ret;
}

static int make_hardlink(struct unpacker *unpacker, int dirfd, const char *name,
			 const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *target = unpack_clean_name(entry->target);
	cleanup_free char *above = NULL;
	cleanup_close int target_fd = -EBADF;
	struct stat old, new;
	bool unused;
	int ret;

	if (!target)
		return error_invalid(err, "hardlink to \"%s\", which is outside", entry->target);
	above = path_parent(target);
	target_fd = inroot_open(unpacker->root_fd, above, O_PATH | O_DIRECTORY, 0, NULL);
	if (target_fd < 0 || fstatat(target_fd, path_base(target), &new, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, target_fd < 0 ? -target_fd : errno, "hardlink to \"%s\"",
				   entry->target);
	if (linkat(target_fd, path_base(target), dirfd, name, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dirfd, name, &old, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "hardlink to \"%s\"", entry->target);
	if (old.st_ino == new.st_ino && old.st_dev == new.st_dev)
		return 0; /* it is this link already, or links to itself */
	ret = remove_old(unpacker, dirfd, name, &unused, err);
	if (ret == 0 && linkat(target_fd, path_base(target), dirfd, name, 0) < 0)
		ret = error_errno(err, errno, "hardlink to \"%s\"", entry->target);
	return ret;
}

/* .wh.NAME hides NAME of the layers below; entries of this layer with that name stay. */
static int make_whiteout(struct unpacker *unpacker, int dirfd, const char *name, const char *path,
			 struct error *err)
{
	const char *hidden = name + strlen(WHITEOUT_PREFIX);
	struct stat st;
	int ret;

	if (strcmp(name, OPAQUE_NAME) == 0)
		return set_opaque(unpacker, dirfd, path, err);
	if (strncmp(name, WHITEOUT_META_PREFIX, strlen(WHITEOUT_META_PREFIX)) == 0)
		return 0; /* aufs's own files */
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return error_invalid(err, "a whiteout without a name");
	ret = overlay_make_whiteout(unpacker->options->marks, dirfd, hidden);
	if (ret == 0)
		return 0;
	if (ret == -EEXIST && fstatat(dirfd, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
		ret = -errno;
	if (ret != -EEXIST)
		return error_errno(err, -ret, "create a whiteout");
	return S_ISDIR(st.st_mode) ? set_opaque_at(unpacker, dirfd, hidden, path, err) : 0;
}

static int make_other(struct unpacker *unpacker, int dirfd, const char *name,
		      const struct tar_entry *entry, struct error *err)
{
	bool unused;
	int ret = make_file(unpacker, dirfd, name, entry, err);

	if (ret != -EEXIST)
		return ret;
	ret = remove_old(unpacker, dirfd, name, &unused, err);
	return ret < 0 ? ret : make_file(unpacker, dirfd, name, entry, err);
}

static int set_root(struct unpacker *unpacker, const struct tar_entry *entry, struct error *err)
{
	if (!S_ISDIR(entry->mode))
		return error_invalid(err, "the root of an archive must be a folder");
	if (unpacker->options->keep_root)
		return 0;
	folder_times_add(&unpacker->folders, entry);
	return entry_set_metadata(unpacker->root_fd, ".", -EBADF, entry, err);
}

static int place_entry(struct unpacker *unpacker, const struct tar_entry *entry, struct error *err)
{
	const char *name = path_base(entry->path);
	cleanup_free char *above = path_parent(entry->path);
	int dirfd;

	if (unpacker->each)
		return unpacker->each(unpacker->context, entry, unpacker, err);
	if (strcmp(entry->path, ".") == 0)
		return set_root(unpacker, entry, err);
	unpacker->symlinks = 0;
	dirfd = parent_of(unpacker, above, err);
	if (dirfd < 0)
		return dirfd;
	if (unpacker->options->whiteouts &&
	    strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return make_whiteout(unpacker, dirfd, name, above, err);
	if (entry->target && !S_ISLNK(entry->mode))
		return make_hardlink(unpacker, dirfd, name, entry, err);
	if (S_ISDIR(entry->mode))
		return make_folder(unpacker, dirfd, name, entry, err);
	return make_other(unpacker, dirfd, name, entry, err);
}

/* -- from libarchive ----------------------------------------------------------------------------
 */

static size_t convert_xattrs(struct archive_entry *from, struct tar_xattr **out)
{
	size_t count = 0, total = (size_t)archive_entry_xattr_reset(from);
	struct tar_xattr *xattrs = xreallocarray(NULL, total + 1, sizeof(*xattrs));

	while (count < total) {
		struct tar_xattr *x = &xattrs[count];

		if (archive_entry_xattr_next(from, &x->name, &x->value, &x->size) != ARCHIVE_OK)
			break;
		count += tar_xattr_is_portable(x->name);
	}
	*out = xattrs;
	return count;
}

static int convert(struct unpacker *unpacker, struct archive_entry *from, struct tar_entry *out,
		   struct error *err)
{
	const struct unpack_options *options = unpacker->options;
	int64_t uid = options->set_owner ? options->uid : archive_entry_uid(from);
	int64_t gid = options->set_owner ? options->gid : archive_entry_gid(from);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return error_invalid(err, "owner %lld:%lld is out of range", (long long)uid,
				     (long long)gid);
	out->mode = archive_entry_filetype(from) | (archive_entry_perm(from) & 07777);
	out->uid = (uid_t)uid;
	out->gid = (gid_t)gid;
	out->size = archive_entry_size(from) > 0 ? (uint64_t)archive_entry_size(from) : 0;
	out->mtime = archive_entry_mtime(from);
	out->mtime_nsec = options->subsecond ? (uint32_t)archive_entry_mtime_nsec(from) : 0;
	time_rule_apply(options->times, &out->mtime, &out->mtime_nsec);
	out->device = makedev(archive_entry_rdevmajor(from), archive_entry_rdevminor(from));
	out->target = archive_entry_hardlink(from);
	if (out->target) {
		out->mode = S_IFREG | (out->mode & 07777);
	} else if (S_ISLNK(out->mode)) {
		out->target = archive_entry_symlink(from);
		if (!out->target || !out->target[0])
			return error_invalid(err, "a symlink without a target");
	}
	return 0;
}

static int unpack_entry(struct unpacker *unpacker, struct archive_entry *from, struct error *err)
{
	const char *name = archive_entry_pathname(from);
	cleanup_free char *path = name ? unpack_clean_name(name) : NULL;
	cleanup_free struct tar_xattr *xattrs = NULL;
	struct tar_entry entry = { .path = path };
	int ret;

	if (!path)
		return error_invalid(err, "entry \"%s\" of the archive is outside of it",
				     name ? name : "");
	ret = convert(unpacker, from, &entry, err);
	if (ret == 0) {
		entry.xattr_count = convert_xattrs(from, &xattrs);
		entry.xattrs = xattrs;
		ret = place_entry(unpacker, &entry, err);
	}
	if (ret < 0)
		return error_prefix(err, ret, "entry \"%s\" of the archive", name);
	unpacker->result.entries++;
	if (S_ISREG(entry.mode) && !entry.target && entry.mtime > unpacker->result.newest)
		unpacker->result.newest = entry.mtime;
	return 0;
}

static int unpack_input(struct unpacker *unpacker, struct decompress *input, struct error *err)
{
	struct archive_entry *entry;
	int ret = open_archive(unpacker, input, archive_read_support_format_tar, err);

	while (ret >= 0) {
		ret = next_entry(unpacker, &entry, err);
		if (ret <= 0)
			break;
		ret = unpack_entry(unpacker, entry, err);
	}
	if (ret == 0)
		ret = finish_input(unpacker, err);
	return ret < 0 ? ret : folder_times_set(&unpacker->folders, unpacker->root_fd, false, err);
}

int unpack_archive(int fd, int folder_fd, const struct unpack_options *options,
		   struct unpack_result *result, struct error *err)
{
	__attribute__((cleanup(unpacker_done))) struct unpacker unpacker = { .options = options,
									     .root_fd = folder_fd,
									     .parent_fd = -EBADF,
									     .result.newest =
										     INT64_MIN };
	int ret = unpack_input(&unpacker, decompress_open(fd), err);

	if (ret == 0 && result)
		*result = unpacker.result;
	return ret;
}

int unpack_each(int fd, const struct unpack_options *options, unpack_entry_fn call, void *context,
		struct error *err)
{
	__attribute__((cleanup(unpacker_done))) struct unpacker unpacker = { .options = options,
									     .root_fd = -EBADF,
									     .parent_fd = -EBADF,
									     .each = call,
									     .context = context };

	return unpack_input(&unpacker, decompress_open(fd), err);
}

ssize_t unpack_read(void *contents, void *buffer, size_t size, struct error *err)
{
	struct unpacker *unpacker = contents;
	ssize_t n = archive_read_data(unpacker->archive, buffer, size);

	return n < 0 ? archive_failed(unpacker, err) : n;
}

int unpack_stream(const struct byte_source *source, int folder_fd,
		  const struct unpack_options *options, struct unpack_result *result,
		  struct digest *out_plain, struct error *err)
{
	__attribute__((cleanup(unpacker_done))) struct unpacker unpacker = { .options = options,
									     .root_fd = folder_fd,
									     .parent_fd = -EBADF,
									     .result.newest =
										     INT64_MIN };
	struct hash_queue *plain = hash_queue_new();
	int ret;

	unpacker.plain = plain;
	ret = unpack_input(&unpacker, decompress_source(source), err);
	if (ret == 0) {
		hash_queue_finish(plain, out_plain);
		*result = unpacker.result;
	}
	hash_queue_free(plain);
	return ret;
}
