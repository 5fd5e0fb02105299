/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading archives that others made. libarchive does that; unpack-place.c puts the entries where
 * they belong.
 *
 * Names are bytes. libarchive converts and even normalises UTF-8 names of PAX headers to the
 * locale's charset; in the C locale it gives up on that with a warning and hands out the bytes, so
 * that is the locale it runs in here.
 */
#include "builder/image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "builder/image/decompress.h"
#include "builder/image/hash-queue.h"
#include "builder/image/time-rule.h"
#include "builder/image/unpack-place.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"

#define TOO_LONG "it is far longer than its compressed size allows for"

struct unpacker {
	const struct unpack_options *options;
	struct unpack_result result;
	struct archive *archive;
	struct decompress *input;
	struct hash_queue *plain; /* NULL = nobody asks for its digest */
	locale_t locale, old_locale;
	struct unpack_place place;
	unpack_entry_fn each; /* entries go there; NULL = into the folder */
	void *context;
};

static void unpacker_done(struct unpacker *unpacker)
{
	archive_read_free(unpacker->archive);
	decompress_free(unpacker->input);
	unpack_place_done(&unpacker->place);
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

static int next_piece(void *context, struct unpack_piece *out, struct error *err)
{
	struct unpacker *unpacker = context;
	int ret = archive_read_data_block(unpacker->archive, &out->data, &out->size, &out->offset);

	if (ret == ARCHIVE_EOF)
		return 0;
	if (ret != ARCHIVE_OK)
		return archive_failed(unpacker, err);
	ret = check_length(unpacker, err);
	return ret < 0 ? ret : 1;
}

/* In its place for good: parts of it know each other. folder_fd -EBADF: nothing is unpacked. */
static void unpacker_init(struct unpacker *unpacker, const struct unpack_options *options,
			  int folder_fd)
{
	*unpacker = (struct unpacker){ .options = options,
				       .result.newest = INT64_MIN,
				       .place = UNPACK_PLACE_INIT };
	unpacker->place.options = options;
	unpacker->place.result = &unpacker->result;
	unpacker->place.root_fd = folder_fd;
	unpacker->place.next = next_piece;
	unpacker->place.context = unpacker;
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
	cleanup_with(unpacker_done) struct unpacker unpacker;
	struct archive_entry *entry;
	off_t start = lseek(fd, 0, SEEK_CUR);
	int ret;

	unpacker_init(&unpacker, NULL, -EBADF);
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
	cleanup_with(unpacker_done) struct unpacker unpacker;
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	struct archive_entry *entry;
	const void *data;
	la_int64_t offset;
	size_t size;
	int ret;

	unpacker_init(&unpacker, &options, -EBADF);
	ret = open_archive(&unpacker, decompress_open(fd), archive_read_support_format_raw, err);
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
		ret = unpacker->each ? unpacker->each(unpacker->context, &entry, unpacker, err)
				     : unpack_place_entry(&unpacker->place, &entry, err);
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
	return ret < 0 ? ret
		       : folder_times_set(&unpacker->place.folders, unpacker->place.root_fd, false,
					  err);
}

int unpack_archive(int fd, int folder_fd, const struct unpack_options *options,
		   struct unpack_result *result, struct error *err)
{
	cleanup_with(unpacker_done) struct unpacker unpacker;
	int ret;

	unpacker_init(&unpacker, options, folder_fd);
	ret = unpack_input(&unpacker, decompress_open(fd), err);
	if (ret == 0 && result)
		*result = unpacker.result;
	return ret;
}

int unpack_each(int fd, const struct unpack_options *options, unpack_entry_fn call, void *context,
		struct error *err)
{
	cleanup_with(unpacker_done) struct unpacker unpacker;

	unpacker_init(&unpacker, options, -EBADF);
	unpacker.each = call;
	unpacker.context = context;
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
	cleanup_with(unpacker_done) struct unpacker unpacker;
	struct hash_queue *plain = hash_queue_new();
	int ret;

	unpacker_init(&unpacker, options, folder_fd);
	unpacker.plain = plain;
	ret = unpack_input(&unpacker, decompress_source(source), err);
	if (ret == 0) {
		hash_queue_finish(plain, out_plain);
		*result = unpacker.result;
	}
	hash_queue_free(plain);
	return ret;
}
