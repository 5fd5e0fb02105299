/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar headers: POSIX ustar, with a PAX extended header in front where a value does not fit (long or
 * non-ASCII names, sizes from 8 GiB, large ids, times before 1970, xattrs). Called for every entry
 * of every layer; the bytes are the product, so nothing here may depend on machine or locale.
 */
#include "builder/image/tar-write.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"

struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char device_major[8];
	char device_minor[8];
	char prefix[155];
	char padding[12];
};

_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a ustar header is one block");

/* Xattrs of the mount's machinery, not of the file: overlayfs's bookkeeping, labels of this host,
 * the views that file systems give of themselves. */
static const char *const local_xattrs[] = {
	"trusted.overlay.", "user.overlay.", "security.selinux", "system.", NULL,
};

bool tar_xattr_is_portable(const char *name)
{
	if (strcmp(name, XATTR_ACL_ACCESS) == 0 || strcmp(name, XATTR_ACL_DEFAULT) == 0)
		return true;
	for (size_t i = 0; local_xattrs[i]; i++)
		if (strncmp(name, local_xattrs[i], strlen(local_xattrs[i])) == 0)
			return false;
	return true;
}

/* Zero-padded octal that leaves room for the NUL; false when it does not fit (the field is 0). */
static bool put_octal(char *field, size_t size, uint64_t value)
{
	bool fits = value >> (3 * (size - 1)) == 0;

	if (!fits)
		value = 0;
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
	return fits;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* Name, or prefix/name split at a slash; false when ustar can't hold it (what fits is put there).
 */
static bool put_path(struct ustar *header, const char *path)
{
	size_t size = strlen(path);
	const char *slash;

	if (size <= sizeof(header->name)) {
		memcpy(header->name, path, size);
		return is_ascii(path);
	}
	for (slash = path + size - sizeof(header->name) - 1; *slash && *slash != '/'; slash++)
		continue;
	if (*slash && slash[1] && slash > path &&
	    (size_t)(slash - path) <= sizeof(header->prefix)) {
		memcpy(header->prefix, path, (size_t)(slash - path));
		memcpy(header->name, slash + 1, strlen(slash + 1));
		return is_ascii(path);
	}
	memcpy(header->name, path, sizeof(header->name));
	return false;
}

static void put_checksum(struct ustar *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned int sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	(void)put_octal(header->checksum, 7, sum); /* always fits; byte 7 stays a blank */
}

/* "LENGTH key=value\n", where LENGTH counts itself */
static void add_record(struct strbuf *out, const char *key, const void *value, size_t size)
{
	size_t rest = 1 + strlen(key) + 1 + size + 1;
	size_t length = rest + 1;
	char text[24];

	while (rest + (size_t)snprintf(text, sizeof(text), "%zu", length) != length)
		length = rest + strlen(text);
	strbuf_addf(out, "%zu %s=", length, key);
	strbuf_add(out, value, size);
	strbuf_addc(out, '\n');
}

static void add_number_record(struct strbuf *out, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	add_record(out, key, text, strlen(text));
}

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp((*(const struct tar_xattr *const *)a)->name,
		      (*(const struct tar_xattr *const *)b)->name);
}

static int add_xattr_records(struct strbuf *out, const struct tar_entry *entry, struct error *err)
{
	cleanup_free const struct tar_xattr **sorted =
		xreallocarray(NULL, entry->xattr_count + 1, sizeof(struct tar_xattr *));

	for (size_t i = 0; i < entry->xattr_count; i++)
		sorted[i] = &entry->xattrs[i];
	qsort(sorted, entry->xattr_count, sizeof(*sorted), compare_xattrs);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		cleanup_free char *key = xasprintf("SCHILY.xattr.%s", sorted[i]->name);

		/* GNU tar writes "%3D", which only GNU tar reads: to all others it is another name
		 */
		if (strchr(key, '='))
			return error_invalid(
				err,
				"\"%s\": an xattr with \"=\" in its name (\"%s\") "
				"cannot go into a tar archive: remove it (setfattr -x)",
				entry->path, sorted[i]->name);
		add_record(out, key, sorted[i]->value, sorted[i]->size);
	}
	return 0;
}

static char type_flag(const struct tar_entry *entry)
{
	static const struct {
		mode_t type;
		char flag;
	} flags[] = {
		{ S_IFREG, '0' }, { S_IFLNK, '2' }, { S_IFCHR, '3' },
		{ S_IFBLK, '4' }, { S_IFDIR, '5' }, { S_IFIFO, '6' },
	};

	if (entry->target && !S_ISLNK(entry->mode))
		return '1';
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].type == (entry->mode & S_IFMT))
			return flags[i].flag;
	return '\0';
}

static bool path_is_inside(const char *path)
{
	if (strcmp(path, ".") == 0)
		return true;
	for (;;) {
		size_t size = strcspn(path, "/");

		if (size == 0 || (size == 1 && path[0] == '.') ||
		    (size == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[size])
			return true;
		path += size + 1;
	}
}

/* The extended header's own name only serves readers that don't know PAX. */
static void add_pax(struct strbuf *out, const char *path, const struct strbuf *records)
{
	const char *base =
		strrchr(path, '/') && strrchr(path, '/')[1] ? strrchr(path, '/') + 1 : path;
	struct ustar header = { .type = 'x', .magic = "ustar", .version = { '0', '0' } };

	snprintf(header.name, sizeof(header.name), "PaxHeaders/%.80s", base);
	for (char *p = header.name; *p; p++)
		if ((unsigned char)*p >= 0x80 || (unsigned char)*p < 0x20)
			*p = '_';
	(void)put_octal(header.mode, sizeof(header.mode), 0644);
	(void)put_octal(header.uid, sizeof(header.uid), 0);
	(void)put_octal(header.gid, sizeof(header.gid), 0);
	(void)put_octal(header.size, sizeof(header.size), records->size);
	(void)put_octal(header.mtime, sizeof(header.mtime), 0);
	put_checksum(&header);
	strbuf_add(out, &header, sizeof(header));
	strbuf_add(out, records->data, records->size);
	for (size_t i = tar_padding(records->size); i > 0; i--)
		strbuf_addc(out, '\0');
}

/* "-0.25": three quarters of a second behind -1 */
static void add_time_record(struct strbuf *out, int64_t seconds, uint32_t nsec)
{
	bool negative = seconds < 0;
	char text[40];

	if (negative && nsec) {
		seconds++;
		nsec = 1000000000 - nsec;
	}
	snprintf(text, sizeof(text), "%s%llu.%09u", negative ? "-" : "",
		 negative ? -(unsigned long long)seconds : (unsigned long long)seconds, nsec);
	add_record(out, "mtime", text, strlen(text));
}

static void put_time(struct ustar *header, const struct tar_entry *entry, struct strbuf *records)
{
	bool fits = entry->mtime >= 0 &&
		    put_octal(header->mtime, sizeof(header->mtime), (uint64_t)entry->mtime);

	if (!fits)
		(void)put_octal(header->mtime, sizeof(header->mtime), 0);
	if (entry->mtime_nsec)
		add_time_record(records, entry->mtime, entry->mtime_nsec);
	else if (!fits)
		add_number_record(records, "mtime", entry->mtime);
}

static void put_numbers(struct ustar *header, const struct tar_entry *entry, struct strbuf *records)
{
	uint64_t size = header->type == '0' ? entry->size : 0;
	bool device = header->type == '3' || header->type == '4';

	(void)put_octal(header->mode, sizeof(header->mode), entry->mode & 07777);
	if (!put_octal(header->uid, sizeof(header->uid), entry->uid))
		add_number_record(records, "uid", entry->uid);
	if (!put_octal(header->gid, sizeof(header->gid), entry->gid))
		add_number_record(records, "gid", entry->gid);
	if (!put_octal(header->size, sizeof(header->size), size))
		add_number_record(records, "size", (int64_t)size);
	put_time(header, entry, records);
	(void)put_octal(header->device_major, sizeof(header->device_major),
			device ? major(entry->device) : 0);
	(void)put_octal(header->device_minor, sizeof(header->device_minor),
			device ? minor(entry->device) : 0);
}

static void put_target(struct ustar *header, const char *target, struct strbuf *records)
{
	size_t size = strlen(target);

	if (size > sizeof(header->link) || !is_ascii(target))
		add_record(records, "linkpath", target, size);
	memcpy(header->link, target, size < sizeof(header->link) ? size : sizeof(header->link));
}

int tar_header(const struct tar_entry *entry, struct strbuf *out, struct error *err)
{
	struct ustar header = { .type = type_flag(entry),
				.magic = "ustar",
				.version = { '0', '0' } };
	cleanup_strbuf struct strbuf records = STRBUF_INIT;
	cleanup_free char *path = NULL;
	int ret;

	if (!path_is_inside(entry->path))
		return error_invalid(err, "\"%s\" is not a path inside a layer", entry->path);
	if (!header.type)
		return error_invalid(err, "\"%s\": a file of type 0%o cannot go into a layer",
				     entry->path, entry->mode & S_IFMT);
	path = xasprintf("%s%s", entry->path, header.type == '5' ? "/" : "");
	if (!put_path(&header, path))
		add_record(&records, "path", path, strlen(path));
	if (entry->target)
		put_target(&header, entry->target, &records);
	put_numbers(&header, entry, &records);
	ret = add_xattr_records(&records, entry, err);
	if (ret < 0)
		return ret;
	put_checksum(&header);
	if (records.size)
		add_pax(out, path, &records);
	strbuf_add(out, &header, sizeof(header));
	return 0;
}
