/* SPDX-License-Identifier: Apache-2.0 */
/* See rpm-database.h: where the headers are in a database. Called by packages.c. */
#include "builder/attest/rpm-database.h"

#include <errno.h>

#include "builder/attest/sqlite-table.h"

struct reading {
	struct packages *packages;
	const char *place;
};

/* Packages (hnum INTEGER PRIMARY KEY, blob BLOB) */
static void take_row(void *ctx, struct bytes row)
{
	const struct reading *reading = ctx;
	struct sqlite_column blob;

	if (sqlite_row_column(row, 1, &blob))
		rpm_header_read(reading->packages, blob.bytes, reading->place);
}

/*
 * ndb: a header of 32 bytes, slots of 16 that fill the first pages, then blobs, all in little
 * endian (lib/backend/ndb/rpmpkg.c of rpm). A slot has a magic number, the package's number (0 =
 * empty), and where its blob is, in blocks of 16 bytes; a blob begins with a magic number, the
 * package's number, a generation and its size.
 */
#define NDB_MAGIC "RpmP"
#define NDB_HEADER 32
#define NDB_SLOT 16
#define NDB_PAGE 4096
#define NDB_BLOCK 16

static bool has_magic(struct bytes bytes, const char *magic)
{
	return bytes.size >= strlen(magic) && memcmp(bytes.data, magic, strlen(magic)) == 0;
}

static int read_ndb(const struct reading *reading, struct bytes file)
{
	size_t end = (size_t)bytes_le32(file, 12) * NDB_PAGE, left = file.size;
	struct bytes slot, head, header;

	if (bytes_le32(file, 4) != 0 || end > file.size)
		return -EBADMSG;
	for (size_t at = NDB_HEADER; at < end; at += NDB_SLOT) {
		size_t blob;

		if (!bytes_slice(file, at, NDB_SLOT, &slot) || !has_magic(slot, "Slot"))
			return -EBADMSG;
		if (bytes_le32(slot, 4) == 0)
			continue;
		blob = (size_t)bytes_le32(slot, 8) * NDB_BLOCK;
		if (!bytes_slice(file, blob, NDB_BLOCK, &head) || !has_magic(head, "BlbS") ||
		    !bytes_slice(file, blob + NDB_BLOCK, bytes_le32(head, 12), &header) ||
		    header.size > left)
			return -EBADMSG;
		left -= header.size; /* blobs are not shared: slots that say so would cost time */
		rpm_header_read(reading->packages, header, reading->place);
	}
	return 0;
}

int rpm_database_read(struct packages *packages, struct bytes file, const char *place)
{
	struct reading reading = { packages, place };
	int ret;

	if (has_magic(file, NDB_MAGIC))
		return read_ndb(&reading, file);
	if (!has_magic(file, SQLITE_MAGIC))
		return -EOPNOTSUPP;
	ret = sqlite_table_each(file, "Packages", take_row, &reading);
	return ret == -ENOENT ? -EBADMSG : ret;
}
