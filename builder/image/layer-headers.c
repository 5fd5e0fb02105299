/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of a tar that a layer was streamed as, recorded again as they are: its entries may be
 * in another order than a walk through its tree has them (a COPY's are in that of its sources), and
 * its bytes are those of the version that wrote them. Whatever is not understood here, or is not
 * what the tree has, makes another digest.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/decompress.h"
#include "builder/image/layer-stream.h"
#include "builder/image/unpack.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"

#define HEADERS_MAX ((size_t)4 << 20) /* of one entry; as many as are read again */

/* Of a ustar block: where the members are that matter here. */
#define NAME_SIZE 100
#define SIZE_AT 124
#define SIZE_SIZE 12
#define TYPE_AT 156
#define PREFIX_AT 345
#define PREFIX_SIZE 155

struct tar_reader {
	struct decompress *stream;
	const char *data; /* what is left of the last block of the stream */
	size_t left;
};

/* What a PAX header says of the entry behind it. */
struct pax {
	char *path;
	bool has_size;
	uint64_t size;
};

static void pax_done(struct pax *pax)
{
	free(pax->path);
	*pax = (struct pax){ .path = NULL };
}

static int damaged(const char *what, struct error *err)
{
	return error_invalid(err, "its archive is not one of ours (%s)", what);
}

/* The next bytes, size of them, appended to out; NULL: over them. */
static int take(struct tar_reader *reader, uint64_t size, struct strbuf *out, struct error *err)
{
	while (size > 0) {
		size_t part = reader->left < size ? reader->left : (size_t)size;
		const char *why = NULL;
		const void *data;
		ssize_t n;

		if (out)
			strbuf_add(out, reader->data, part);
		reader->data += part;
		reader->left -= part;
		size -= part;
		if (size == 0 || reader->left > 0)
			continue;
		n = decompress_read(reader->stream, &data, &why);
		if (n <= 0)
			return damaged(n < 0 && why ? why : "it ends too early", err);
		reader->data = data;
		reader->left = (size_t)n;
	}
	return 0;
}

static int parse_octal(const char *text, size_t size, uint64_t *out, struct error *err)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size && text[i] && text[i] != ' '; i++) {
		if (text[i] < '0' || text[i] > '7')
			return damaged("a size", err);
		value = value * 8 + (uint64_t)(text[i] - '0');
	}
	*out = value;
	return 0;
}

/* "LENGTH KEY=VALUE\n", one behind the other; values are bytes. */
static int parse_pax(const char *text, size_t size, struct pax *pax, struct error *err)
{
	while (size > 0) {
		const char *blank = memchr(text, ' ', size), *equals;
		cleanup_free char *length = blank ? xstrndup(text, (size_t)(blank - text)) : NULL;
		cleanup_free char *value = NULL;
		uint64_t whole;

		if (!length || number_parse_u64(length, &whole) < 0 || whole > size ||
		    whole < (uint64_t)(blank - text) + 2 || text[whole - 1] != '\n')
			return damaged("a PAX record", err);
		blank++;
		equals = memchr(blank, '=', (size_t)(text + whole - blank));
		if (!equals)
			return damaged("a PAX record", err);
		value = xstrndup(equals + 1, (size_t)(text + whole - 1 - (equals + 1)));
		if (strncmp(blank, "path=", 5) == 0) {
			free(pax->path);
			pax->path = TAKE_PTR(value);
		} else if (strncmp(blank, "size=", 5) == 0) {
			pax->has_size = true;
			if (number_parse_u64(value, &pax->size) < 0)
				return damaged("a size", err);
		}
		text += whole;
		size -= (size_t)whole;
	}
	return 0;
}

static char *ustar_path(const char *block)
{
	const char *prefix = block + PREFIX_AT;

	return *prefix ? xasprintf("%.*s/%.*s", PREFIX_SIZE, prefix, NAME_SIZE, block)
		       : xasprintf("%.*s", NAME_SIZE, block);
}

/* A PAX header and its records, behind each other in header. */
static int take_pax(struct tar_reader *reader, uint64_t size, struct pax *pax,
		    struct strbuf *header, struct error *err)
{
	size_t begin = header->size;
	int ret;

	if (begin > HEADERS_MAX || size > HEADERS_MAX - begin)
		return damaged("the size of its headers", err);
	ret = take(reader, size + tar_padding(size), header, err);
	return ret < 0 ? ret : parse_pax(header->data + begin, (size_t)size, pax, err);
}

/* An entry with all of its headers: 1, or 0 at the end. */
static int record_entry(struct tar_reader *reader, struct layer_recorder *recorder,
			struct error *err)
{
	static const char zeros[TAR_BLOCK];
	cleanup_strbuf struct strbuf header = STRBUF_INIT;
	cleanup_free char *name = NULL, *path = NULL;
	cleanup_with(pax_done) struct pax pax = { .path = NULL };
	const char *block;
	uint64_t size = 0;
	char type;
	int ret;

	do {
		ret = take(reader, TAR_BLOCK, &header, err);
		if (ret < 0)
			return ret;
		block = header.data + header.size - TAR_BLOCK;
		if (header.size == TAR_BLOCK && memcmp(block, zeros, TAR_BLOCK) == 0)
			return 0;
		type = block[TYPE_AT];
		ret = parse_octal(block + SIZE_AT, SIZE_SIZE, &size, err);
		if (ret == 0 && type == 'x')
			ret = take_pax(reader, size, &pax, &header, err);
		if (ret < 0)
			return ret;
	} while (type == 'x');
	size = type != '0' ? 0 : pax.has_size ? pax.size : size;
	name = pax.path ? TAKE_PTR(pax.path) : ustar_path(block);
	path = unpack_clean_name(name);
	if (!path)
		return damaged("a name", err);
	ret = recorder_header(recorder, &header, path, size, err);
	if (ret == 0)
		ret = take(reader, size + tar_padding(size), NULL, err);
	return ret < 0 ? ret : 1;
}

int layer_take_headers(struct store *store, int fd, struct layer_draft *draft, struct error *err)
{
	cleanup_close int draft_fd =
		openat(store->fd, draft->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_recorder struct layer_recorder recorder = RECORDER_INIT;
	struct tar_reader reader = { .stream = NULL };
	int ret;

	if (draft_fd < 0)
		return error_errno(err, errno, "open a layer");
	ret = recorder_open(&recorder, draft_fd, false, err);
	if (ret < 0)
		return ret;
	reader.stream = decompress_open(fd);
	do
		ret = record_entry(&reader, &recorder, err);
	while (ret > 0);
	if (ret == 0)
		ret = recorder_finish(&recorder, draft, err);
	decompress_free(reader.stream);
	return ret;
}
