/* SPDX-License-Identifier: Apache-2.0 */
/* See sqlite-table.h. Called by rpm-database.c. */
#include "builder/attest/sqlite-table.h"

#include <errno.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"

#define FILE_HEADER 100
#define DEPTH_MAX 32 /* of a tree: SQLite's own never has more than about 20 */

enum page_kind {
	PAGE_TABLE_INTERIOR = 5,
	PAGE_TABLE_LEAF = 13,
};

struct walk {
	struct bytes file;
	size_t page_size;
	size_t usable; /* of a page */
	size_t pages;  /* how many may still be read */
	size_t bytes;  /* how many of rows may still be handed out */
	sqlite_row_fn fn;
	void *ctx;
};

/* Seven bits a byte, the ninth has eight. 0 bytes = cut off. */
static size_t take_varint(struct bytes bytes, size_t at, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 9; i++) {
		if (at >= bytes.size || i >= bytes.size - at)
			return 0;
		if (i == 8) {
			*out = value << 8 | bytes.data[at + i];
			return 9;
		}
		value = value << 7 | (bytes.data[at + i] & 0x7f);
		if (!(bytes.data[at + i] & 0x80)) {
			*out = value;
			return i + 1;
		}
	}
	return 0;
}

/* How many bytes a value of this serial type has. */
static uint64_t column_size(uint64_t type)
{
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };

	return type < sizeof(sizes) ? sizes[type] : (type - 12) / 2;
}

static int64_t column_number(uint64_t type, struct bytes bytes)
{
	uint64_t value = bytes.size && bytes.data[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < bytes.size; i++)
		value = value << 8 | bytes.data[i];
	return type == 9 ? 1 : (int64_t)value;
}

bool sqlite_row_column(struct bytes row, size_t number, struct sqlite_column *out)
{
	uint64_t header, type;
	size_t at = take_varint(row, 0, &header), data;

	if (!at || header > row.size)
		return false;
	for (data = (size_t)header; at < header; number--) {
		size_t size = take_varint(row, at, &type);
		struct bytes value;

		if (!size || column_size(type) > row.size ||
		    !bytes_slice(row, data, (size_t)column_size(type), &value))
			return false;
		if (number == 0) {
			*out = type >= 12 ? (struct sqlite_column){ .bytes = value }
					  : (struct sqlite_column){ .value = column_number(type,
											   value) };
			return true;
		}
		at += size;
		data += value.size;
	}
	return false;
}

/* The first is 1. */
static bool take_page(struct walk *walk, uint32_t number, struct bytes *out)
{
	if (number == 0 || walk->pages == 0 || number > walk->file.size / walk->page_size)
		return false;
	walk->pages--;
	return bytes_slice(walk->file, (size_t)(number - 1) * walk->page_size, walk->usable, out);
}

/* How much of a row stands in its leaf: section 1.6, "P", "X", "M" and "K". */
static size_t local_size(const struct walk *walk, uint64_t size)
{
	size_t most = walk->usable - 35, least = (walk->usable - 12) * 32 / 255 - 23, k;

	if (size <= most)
		return (size_t)size;
	k = least + (size_t)((size - least) % (walk->usable - 4));
	return k <= most ? k : least;
}

/* The rest of a row, in a chain of pages. */
static int take_overflow(struct walk *walk, uint32_t number, size_t missing, struct strbuf *row)
{
	struct bytes page;

	while (missing) {
		size_t part = missing < walk->usable - 4 ? missing : walk->usable - 4;

		if (!take_page(walk, number, &page))
			return -EBADMSG;
		strbuf_add(row, page.data + 4, part);
		missing -= part;
		number = bytes_be32(page, 0);
	}
	return 0;
}

static int leaf_cell(struct walk *walk, struct bytes page, size_t at)
{
	cleanup_strbuf struct strbuf row = STRBUF_INIT;
	struct bytes local;
	uint64_t size, id;
	size_t length = take_varint(page, at, &size), key;
	int ret;

	key = length ? take_varint(page, at + length, &id) : 0;
	if (!key || size > walk->bytes)
		return -EBADMSG;
	at += length + key;
	if (!bytes_slice(page, at, local_size(walk, size), &local))
		return -EBADMSG;
	walk->bytes -= (size_t)size;
	strbuf_add(&row, local.data, local.size);
	ret = take_overflow(walk, bytes_be32(page, at + local.size), (size_t)size - local.size,
			    &row);
	if (ret == 0)
		walk->fn(walk->ctx, (struct bytes){ (const uint8_t *)row.data, row.size });
	return ret;
}

/* A page of the tree and all below. */
static int walk_page(struct walk *walk, uint32_t number, int depth)
{
	size_t head = number == 1 ? FILE_HEADER : 0, cells;
	struct bytes page, kind;
	bool leaf;
	int ret = 0;

	if (depth > DEPTH_MAX || !take_page(walk, number, &page) ||
	    !bytes_slice(page, head, 1, &kind) ||
	    (kind.data[0] != PAGE_TABLE_LEAF && kind.data[0] != PAGE_TABLE_INTERIOR))
		return -EBADMSG;
	leaf = kind.data[0] == PAGE_TABLE_LEAF;
	cells = bytes_be16(page, head + 3);
	for (size_t i = 0; ret == 0 && i < cells; i++) {
		size_t at = bytes_be16(page, head + (leaf ? 8 : 12) + 2 * i);

		ret = leaf ? leaf_cell(walk, page, at)
			   : walk_page(walk, bytes_be32(page, at), depth + 1);
	}
	return ret < 0 || leaf ? ret : walk_page(walk, bytes_be32(page, head + 8), depth + 1);
}

static int walk_table(struct bytes file, uint32_t root, sqlite_row_fn fn, void *ctx)
{
	struct walk walk = { .file = file, .bytes = file.size, .fn = fn, .ctx = ctx };
	struct bytes head;

	if (!bytes_slice(file, 0, FILE_HEADER, &head) ||
	    memcmp(head.data, SQLITE_MAGIC, sizeof(SQLITE_MAGIC)) != 0)
		return -EBADMSG;
	walk.page_size = bytes_be16(head, 16) == 1 ? 65536 : bytes_be16(head, 16);
	if (walk.page_size < 512 || (walk.page_size & (walk.page_size - 1)) != 0)
		return -EBADMSG;
	walk.usable = walk.page_size - head.data[20];
	walk.pages = file.size / walk.page_size;
	return walk.usable < 480 ? -EBADMSG : walk_page(&walk, root, 0);
}

struct search {
	const char *table;
	uint32_t root; /* 0 = not found */
};

/* A row of the schema: type, name, table, root page, SQL. */
static void look_for_table(void *ctx, struct bytes row)
{
	struct search *search = ctx;
	struct sqlite_column type, name, root;
	size_t size = strlen(search->table);

	if (sqlite_row_column(row, 0, &type) && sqlite_row_column(row, 1, &name) &&
	    sqlite_row_column(row, 3, &root) && type.bytes.size == 5 &&
	    memcmp(type.bytes.data, "table", 5) == 0 && name.bytes.size == size &&
	    memcmp(name.bytes.data, search->table, size) == 0 && root.value > 0 &&
	    root.value <= UINT32_MAX)
		search->root = (uint32_t)root.value;
}

int sqlite_table_each(struct bytes file, const char *table, sqlite_row_fn fn, void *ctx)
{
	struct search search = { .table = table };
	int ret = walk_table(file, 1, look_for_table, &search);

	if (ret == 0 && search.root == 0)
		return -ENOENT;
	return ret < 0 ? ret : walk_table(file, search.root, fn, ctx);
}
