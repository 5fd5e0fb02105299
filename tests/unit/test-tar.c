/* SPDX-License-Identifier: Apache-2.0 */
/* builder/image/tar-write.c: bytes of headers. */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "builder/image/tar-write.h"
#include "tests/unit/check.h"

static unsigned long octal(const char *field, size_t size)
{
	char text[16] = "";

	memcpy(text, field, size);
	return strtoul(text, NULL, 8);
}

/* The header block at offset: its checksum, and what ustar says at fixed places. */
static void check_block(const char *block, char type, const char *name, unsigned long size)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)block[i];
	CHECK_INT(octal(block + 148, 8), sum);
	CHECK_INT(block[156], type);
	CHECK(strncmp(block, name, 100) == 0);
	CHECK_INT(octal(block + 124, 12), size);
	CHECK(memcmp(block + 257, "ustar\00000", 8) == 0);
	CHECK_INT(block[265], 0); /* no user name */
	CHECK_INT(block[297], 0);
}

static void test_plain(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct tar_entry entry = { .path = "usr/bin/env",
					 .mode = S_IFREG | 04755,
					 .uid = 1,
					 .gid = 2,
					 .size = 513,
					 .mtime = 1000 };

	CHECK_INT(tar_header(&entry, &out, NULL), 0);
	CHECK_INT(out.size, TAR_BLOCK);
	check_block(out.data, '0', "usr/bin/env", 513);
	CHECK_INT(octal(out.data + 100, 8), 04755);
	CHECK_INT(octal(out.data + 108, 8), 1);
	CHECK_INT(octal(out.data + 116, 8), 2);
	CHECK_INT(octal(out.data + 136, 12), 1000);
	CHECK_INT(tar_padding(513), 511);
	CHECK_INT(tar_padding(512), 0);
	CHECK_INT(tar_padding(0), 0);
}

static void test_types(void)
{
	static const struct {
		mode_t mode;
		const char *target;
		char flag;
		const char *name;
	} types[] = {
		{ S_IFDIR | 0755, NULL, '5', "x/" }, { S_IFLNK | 0777, "/t", '2', "x" },
		{ S_IFREG | 0644, "y", '1', "x" },   { S_IFCHR | 0600, NULL, '3', "x" },
		{ S_IFBLK | 0600, NULL, '4', "x" },  { S_IFIFO | 0600, NULL, '6', "x" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		const struct tar_entry entry = { .path = "x",
						 .mode = types[i].mode,
						 .size = 9,
						 .target = types[i].target,
						 .device = makedev(5, 1) };

		CHECK_INT(tar_header(&entry, &out, NULL), 0);
		check_block(out.data, types[i].flag, types[i].name, 0);
		CHECK_STR(out.data + 157, types[i].target ? types[i].target : "");
		CHECK_INT(octal(out.data + 329, 8),
			  S_ISCHR(entry.mode) || S_ISBLK(entry.mode) ? 5 : 0);
	}
}

static void test_prefix(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char path[] = "0123456789012345678901234567890123456789012345678901234567890123456789/"
		      "0123456789012345678901234567890123456789012345678901234567890123456789";
	const struct tar_entry entry = { .path = path, .mode = S_IFDIR | 0755 };

	CHECK_INT(tar_header(&entry, &out, NULL), 0);
	CHECK_INT(out.size, TAR_BLOCK); /* split at the slash: no PAX needed */
	CHECK(strncmp(out.data + 345, path, 70) == 0);
	CHECK_INT(out.data[345 + 70], 0);
	CHECK(strncmp(out.data, path + 71, 70) == 0);
	CHECK_INT(out.data[70], '/');
}

/* The PAX records of a header: extended header, records, header. */
static const char *pax_records(const struct strbuf *out, char *buffer, size_t size)
{
	size_t length = octal(out->data + 124, 12);

	CHECK_INT(out->data[156], 'x');
	CHECK_INT(out->size, 2 * TAR_BLOCK + length + tar_padding(length));
	snprintf(buffer, size, "%.*s", (int)length, out->data + TAR_BLOCK);
	return buffer;
}

static void test_pax(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char text[4096], path[201];
	struct tar_entry entry = { .path = "\303\251", .mode = S_IFREG | 0644 };

	CHECK_INT(tar_header(&entry, &out, NULL), 0);
	CHECK_STR(pax_records(&out, text, sizeof(text)), "11 path=\303\251\n");
	CHECK_STR(out.data, "PaxHeaders/__");

	strbuf_truncate(&out, 0);
	memset(path, 'p', 200);
	path[200] = '\0';
	entry.path = path;
	CHECK_INT(tar_header(&entry, &out, NULL), 0);
	CHECK(strstr(pax_records(&out, text, sizeof(text)), "210 path=pppp"));

	strbuf_truncate(&out, 0);
	entry = (struct tar_entry){ .path = "f",
				    .mode = S_IFREG | 0644,
				    .size = 1ULL << 33,
				    .uid = 4000000000U,
				    .gid = 2097152,
				    .mtime = -1 };
	CHECK_INT(tar_header(&entry, &out, NULL), 0);
	CHECK_STR(pax_records(&out, text, sizeof(text)),
		  "18 uid=4000000000\n15 gid=2097152\n19 size=8589934592\n12 mtime=-1\n");
	CHECK_INT(octal(out.data + out.size - TAR_BLOCK + 124, 12), 0);

	strbuf_truncate(&out, 0);
	entry = (struct tar_entry){ .path = "l", .mode = S_IFLNK | 0777, .target = path };
	CHECK_INT(tar_header(&entry, &out, NULL), 0);
	CHECK(strstr(pax_records(&out, text, sizeof(text)), "linkpath=pppp"));
}

static void test_nanoseconds(void)
{
	static const struct {
		int64_t seconds;
		uint32_t nsec;
		const char *record;
	} times[] = {
		{ 1, 5, "mtime=1.000000005\n" },
		{ 0, 999999999, "mtime=0.999999999\n" },
		{ -1, 250000000, "mtime=-0.750000000\n" },
		{ -2, 1, "mtime=-1.999999999\n" },
		{ 1LL << 33, 1, "mtime=8589934592.000000001\n" },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const struct tar_entry entry = { .path = "f",
						 .mode = S_IFREG,
						 .mtime = times[i].seconds,
						 .mtime_nsec = times[i].nsec };
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		char text[256];

		CHECK_INT(tar_header(&entry, &out, NULL), 0);
		CHECK_STR(strchr(pax_records(&out, text, sizeof(text)), ' ') + 1, times[i].record);
	}
}

/* The record's own length crosses a power of ten: "99 " and "100 " must both count themselves. */
static void test_record_lengths(void)
{
	char path[1200], text[4096];

	for (size_t size = 101; size < sizeof(path); size++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		const struct tar_entry entry = { .path = path, .mode = S_IFREG };
		const char *records;

		memset(path, 'p', size);
		path[size] = '\0';
		CHECK_INT(tar_header(&entry, &out, NULL), 0);
		records = pax_records(&out, text, sizeof(text));
		CHECK_INT(strtoul(records, NULL, 10), strlen(records));
	}
}

static void test_xattrs(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	static const struct tar_xattr xattrs[] = { { "user.b", "2", 1 }, { "user.a", "1", 1 } };
	struct tar_xattr odd = { "user.a=b", "1", 1 };
	struct tar_entry entry = {
		.path = "f", .mode = S_IFREG, .xattrs = xattrs, .xattr_count = 2
	};
	char text[256];

	CHECK_INT(tar_header(&entry, &out, NULL), 0);
	CHECK_STR(pax_records(&out, text, sizeof(text)),
		  "25 SCHILY.xattr.user.a=1\n25 SCHILY.xattr.user.b=2\n");
	entry.xattrs = &odd;
	entry.xattr_count = 1;
	CHECK_ERROR(tar_header(&entry, &out, &err), 22, "(\"user.a=b\") cannot go");
	CHECK(tar_xattr_is_portable("security.capability"));
	CHECK(tar_xattr_is_portable("trusted.mine"));
	CHECK(tar_xattr_is_portable("system.posix_acl_access"));
	CHECK(tar_xattr_is_portable("system.posix_acl_default"));
	CHECK(!tar_xattr_is_portable("system.nfs4_acl"));
	CHECK(!tar_xattr_is_portable("trusted.overlay.opaque"));
	CHECK(!tar_xattr_is_portable("user.overlay.origin"));
	CHECK(!tar_xattr_is_portable("security.selinux"));
}

static void test_refused(void)
{
	static const char *const bad[] = { "",	   "/a", "..",	"a/..", "../a",
					   "a//b", "a/", "./a", "a/./b" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct tar_entry socket = { .path = "s", .mode = S_IFSOCK | 0644 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct tar_entry entry = { .path = bad[i], .mode = S_IFREG };

		CHECK_ERROR(tar_header(&entry, &out, &err), 22, "not a path inside a layer");
	}
	CHECK_ERROR(tar_header(&socket, &out, &err), 22, "cannot go into a layer");
	CHECK_INT(out.size, 0);
}

CHECK_MAIN({ "a file is one ustar block", test_plain }, { "types and their flags", test_types },
	   { "a long path is split at a slash", test_prefix },
	   { "what ustar can't say is in PAX records", test_pax },
	   { "times with nanoseconds", test_nanoseconds },
	   { "PAX records count their own length", test_record_lengths },
	   { "xattrs are sorted; those of the mount stay out", test_xattrs },
	   { "paths that leave the layer and sockets are refused", test_refused })
