/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip members one after the other, by zlib. As gzip(1) does, what follows the last member and is
 * none itself is not looked at: archives are padded with zeros. Called by unpack.c.
 */
#include "builder/image/gunzip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/alloc.h"

#define BLOCK_SIZE (128 * 1024)
#define GZIP_WINDOW (15 + 16) /* zlib's way of saying: with gzip's header and trailer */

enum gunzip_state { GUNZIP_START, GUNZIP_PLAIN, GUNZIP_MEMBER, GUNZIP_BETWEEN, GUNZIP_END };

struct gunzip {
	int fd;
	enum gunzip_state state;
	bool eof;
	bool zlib; /* is initialised */
	z_stream z;
	unsigned char in[BLOCK_SIZE], out[BLOCK_SIZE];
};

struct gunzip *gunzip_new(int fd)
{
	struct gunzip *stream = xzalloc(sizeof(*stream));

	stream->fd = fd;
	return stream;
}

void gunzip_free(struct gunzip *stream)
{
	if (!stream)
		return;
	if (stream->zlib)
		inflateEnd(&stream->z);
	free(stream);
}

/* Have at least this much at next_in, unless the file ends before. */
static int fill(struct gunzip *stream, size_t wanted)
{
	z_stream *z = &stream->z;

	if (z->avail_in)
		memmove(stream->in, z->next_in, z->avail_in);
	z->next_in = stream->in;
	while (z->avail_in < wanted && !stream->eof) {
		ssize_t n = read(stream->fd, stream->in + z->avail_in,
				 sizeof(stream->in) - z->avail_in);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		stream->eof = n == 0;
		z->avail_in += (unsigned int)n;
	}
	return 0;
}

static bool begins_member(const struct gunzip *stream)
{
	return stream->z.avail_in >= 2 && stream->z.next_in[0] == 0x1f &&
	       stream->z.next_in[1] == 0x8b;
}

static int begin_member(struct gunzip *stream)
{
	int ret = stream->zlib ? inflateReset(&stream->z) : inflateInit2(&stream->z, GZIP_WINDOW);

	stream->zlib = true;
	stream->state = GUNZIP_MEMBER;
	return ret;
}

/* Before the first member or behind one: what comes? */
static int look_ahead(struct gunzip *stream, const char **out_why)
{
	int ret = fill(stream, 2);

	if (ret < 0) {
		*out_why = strerrordesc_np(-ret);
		return -1;
	}
	if (begins_member(stream)) {
		if (begin_member(stream) == Z_OK)
			return 0;
		*out_why = "out of memory";
		return -1;
	}
	stream->state = stream->state == GUNZIP_START ? GUNZIP_PLAIN : GUNZIP_END;
	return 0;
}

static ssize_t read_plain(struct gunzip *stream, const void **out_data, const char **out_why)
{
	int ret = fill(stream, 1);
	ssize_t size = stream->z.avail_in;

	if (ret < 0) {
		*out_why = strerrordesc_np(-ret);
		return -1;
	}
	*out_data = stream->z.next_in;
	stream->z.avail_in = 0;
	return size;
}

static ssize_t read_member(struct gunzip *stream, const void **out_data, const char **out_why)
{
	z_stream *z = &stream->z;
	int ret;

	z->next_out = stream->out;
	z->avail_out = sizeof(stream->out);
	do {
		ret = fill(stream, 1);
		if (ret < 0) {
			*out_why = strerrordesc_np(-ret);
			return -1;
		}
		if (!z->avail_in) {
			*out_why = "truncated gzip input";
			return -1;
		}
		ret = inflate(z, Z_NO_FLUSH);
	} while (ret == Z_OK && z->avail_out);
	if (ret == Z_STREAM_END)
		stream->state = GUNZIP_BETWEEN;
	if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR) {
		*out_why = z->msg ? z->msg : "damaged gzip input";
		return -1;
	}
	*out_data = stream->out;
	return (ssize_t)(sizeof(stream->out) - z->avail_out);
}

ssize_t gunzip_read(struct gunzip *stream, const void **out_data, const char **out_why)
{
	for (;;) {
		ssize_t size;

		switch (stream->state) {
		case GUNZIP_START:
		case GUNZIP_BETWEEN:
			if (look_ahead(stream, out_why) < 0)
				return -1;
			continue;
		case GUNZIP_PLAIN:
			return read_plain(stream, out_data, out_why);
		case GUNZIP_MEMBER:
			size = read_member(stream, out_data, out_why);
			if (size != 0)
				return size;
			continue; /* an empty member */
		case GUNZIP_END:
			return 0;
		}
	}
}
