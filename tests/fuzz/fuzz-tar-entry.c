/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar entries in both directions. Names from an archive: whatever comes through the check is
 * inside. Headers that we write: any path, target, number and xattr either is refused or is read
 * back by libarchive as it was.
 */
#include "tests/fuzz/fuzz.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "builder/image/tar-write.h"
#include "builder/image/unpack.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

/* The next piece of the input, up to a NUL; owned. */
static char *take_text(const uint8_t **data, size_t *size)
{
	size_t length = strnlen((const char *)*data, *size);
	char *text = xstrndup((const char *)*data, length);

	*data += length + (length < *size);
	*size -= length + (length < *size);
	return text;
}

static uint64_t take_number(const uint8_t **data, size_t *size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8 && *size; i++, (*data)++, (*size)--)
		value = value << 8 | **data;
	return value;
}

static void check_name(const char *name)
{
	cleanup_free char *clean = unpack_clean_name(name);

	if (!clean)
		return;
	FUZZ_ASSERT(clean[0] && clean[0] != '/');
	for (const char *p = clean;; p++) {
		size_t length = strcspn(p, "/");

		FUZZ_ASSERT(length > 0);
		FUZZ_ASSERT(!(length == 2 && p[0] == '.' && p[1] == '.'));
		p += length;
		if (!*p)
			return;
	}
}

static void check_same(struct archive_entry *got, const struct tar_entry *want, const char *path)
{
	const char *name = archive_entry_pathname(got);

	FUZZ_ASSERT(name && strncmp(name, path, strlen(path)) == 0);
	FUZZ_ASSERT(strcmp(name + strlen(path), S_ISDIR(want->mode) && !want->target ? "/" : "") ==
		    0);
	FUZZ_ASSERT((uint64_t)archive_entry_uid(got) == want->uid);
	FUZZ_ASSERT((uint64_t)archive_entry_gid(got) == want->gid);
	FUZZ_ASSERT(archive_entry_mtime(got) == want->mtime);
	FUZZ_ASSERT((archive_entry_perm(got) & 07777) == (want->mode & 07777));
	if (S_ISREG(want->mode) && !want->target)
		FUZZ_ASSERT((uint64_t)archive_entry_size(got) == want->size);
	if (S_ISLNK(want->mode))
		FUZZ_ASSERT(strcmp(archive_entry_symlink(got), want->target) == 0);
	FUZZ_ASSERT(archive_entry_xattr_reset(got) == (int)want->xattr_count);
}

static void read_back(const struct strbuf *header, const struct tar_entry *entry)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *got;
	int ret;

	archive_read_support_format_tar(archive);
	FUZZ_ASSERT(archive_read_open_memory(archive, header->data, header->size) == ARCHIVE_OK);
	ret = archive_read_next_header(archive, &got);
	/* a warning: names that are not in the locale's charset */
	FUZZ_ASSERT(ret == ARCHIVE_OK || ret == ARCHIVE_WARN);
	check_same(got, entry, entry->path);
	archive_read_free(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const mode_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO };
	cleanup_strbuf struct strbuf header = STRBUF_INIT;
	uint64_t kind = size ? data[0] : 0;
	cleanup_free char *path = take_text(&data, &size);
	cleanup_free char *target = take_text(&data, &size);
	cleanup_free char *value = take_text(&data, &size);
	const struct tar_xattr xattr = { "user.x", value, strlen(value) };
	struct tar_entry entry = { .path = path,
				   .xattrs = &xattr,
				   .xattr_count = value[0] ? 1 : 0 };

	check_name(path);
	check_name(target);
	entry.mode = types[kind % 4] | (take_number(&data, &size) & 07777);
	entry.uid = (uid_t)take_number(&data, &size) & 0x7fffffff;
	entry.gid = (gid_t)take_number(&data, &size) & 0x7fffffff;
	entry.mtime = (int32_t)take_number(&data, &size);
	entry.size = take_number(&data, &size) & 0xfffffffff;
	if (S_ISLNK(entry.mode))
		entry.target = target;
	/* an empty name is refused; libarchive cannot read an empty target back */
	if ((S_ISLNK(entry.mode) && !target[0]) || tar_header(&entry, &header, NULL) < 0)
		return 0;
	read_back(&header, &entry);
	return 0;
}
