/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header of rpm: what one package says of itself. Two numbers, of entries and of bytes of data;
 * then an entry of four numbers for each tag (tag, type, offset into the data, count); then the
 * data; all in big endian: https://rpm-software-management.github.io/rpm/manual/format_header.html
 * Called by rpm-database.c.
 */
#include <inttypes.h>

#include "builder/attest/rpm-database.h"
#include "lib/cleanup.h"

#define ENTRY_SIZE 16

/* clang-format off */
enum tag {
	TAG_NAME = 1000, TAG_VERSION = 1001, TAG_RELEASE = 1002, TAG_EPOCH = 1003,
	TAG_LICENSE = 1014, TAG_ARCH = 1022, TAG_SOURCERPM = 1044,
};

enum type { TYPE_INT32 = 4, TYPE_STRING = 6 };
/* clang-format on */

struct header {
	struct bytes entries, data;
};

/* What is left of the data where this tag's begins. */
static bool find(const struct header *header, enum tag tag, enum type type, struct bytes *out)
{
	for (size_t at = 0; at < header->entries.size; at += ENTRY_SIZE)
		if (bytes_be32(header->entries, at) == (uint32_t)tag &&
		    bytes_be32(header->entries, at + 4) == (uint32_t)type) {
			size_t offset = bytes_be32(header->entries, at + 8);

			return offset <= header->data.size &&
			       bytes_slice(header->data, offset, header->data.size - offset, out);
		}
	return false;
}

/* NULL = it has none, or one without an end. */
static const char *find_text(const struct header *header, enum tag tag)
{
	struct bytes text;

	if (!find(header, tag, TYPE_STRING, &text) || !memchr(text.data, '\0', text.size))
		return NULL;
	return (const char *)text.data;
}

void rpm_header_read(struct packages *packages, struct bytes bytes, const char *place)
{
	size_t entries_size = (size_t)bytes_be32(bytes, 0) * ENTRY_SIZE;
	const char *version, *release;
	cleanup_free char *evr = NULL, *epoch = NULL;
	struct package package = { .type = "rpm", .place = place };
	struct header header;
	struct bytes number;

	if (!bytes_slice(bytes, 8, entries_size, &header.entries) ||
	    !bytes_slice(bytes, 8 + entries_size, bytes_be32(bytes, 4), &header.data))
		return;
	package.name = find_text(&header, TAG_NAME);
	version = find_text(&header, TAG_VERSION);
	release = find_text(&header, TAG_RELEASE);
	/* keys for signatures stand there as packages without files */
	if (!package.name || !version || !release || strcmp(package.name, "gpg-pubkey") == 0)
		return;
	package.version = evr = xasprintf("%s-%s", version, release);
	if (find(&header, TAG_EPOCH, TYPE_INT32, &number) && number.size >= 4)
		package.epoch = epoch = xasprintf("%" PRIu32, bytes_be32(number, 0));
	package.arch = find_text(&header, TAG_ARCH);
	package.license = find_text(&header, TAG_LICENSE);
	package.source = find_text(&header, TAG_SOURCERPM);
	packages_add(packages, &package);
}
