/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip members one after the other, by zlib, or frames of zstd. As gzip(1) does, what follows the
 * last member and is none itself is not looked at: archives are padded with zeros. Called by
 * unpack.c.
 *
 * Behind a small member another small one is expected, as compress.c makes them. libdeflate, which
 * wants all of a member at once, is twice as fast with these; what it does not take is zlib's
 * again.
 */
#include "builder/image/decompress.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/alloc.h"

#define BLOCK_SIZE (128 * 1024)
#define MEMBER_MAX ((size_t)1 << 20)	      /* of a small member, not compressed */
#define MEMBERS_SIZE (MEMBER_MAX + 64 * 1024) /* holds any of these compressed */
#define GZIP_WINDOW (15 + 16) /* zlib's way of saying: with gzip's header and trailer */

enum decompress_state {
	DECOMPRESS_START,
	DECOMPRESS_PLAIN,
	DECOMPRESS_MEMBER,
	DECOMPRESS_WHOLE,
	DECOMPRESS_FRAMES,
	DECOMPRESS_BETWEEN,
	DECOMPRESS_END
};

#define ZSTD_WINDOW_LOG 25 /* 32 MiB: the most that a frame may make us hold */

struct decompress {
	struct byte_source source;
	int fd; /* of decompress_open */
	ZSTD_DCtx *zstd;
	bool in_frame;
	enum decompress_state state;
	bool eof;
	int errnum; /* of the source */
	bool zlib;  /* is initialised */
	z_stream z;
	unsigned char *in;
	size_t in_size;
	unsigned char out[BLOCK_SIZE];
	struct libdeflate_decompressor *libdeflate; /* NULL: no member was small yet */
	bool members_small;			    /* all so far */
	size_t member_packed;			    /* of the last one */
	unsigned char *member;			    /* MEMBER_MAX */
};

static ssize_t read_fd(void *context, void *buffer, size_t size)
{
	const struct decompress *stream = context;
	ssize_t n;

	do
		n = read(stream->fd, buffer, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static struct decompress *new_stream(void)
{
	struct decompress *stream = xzalloc(sizeof(*stream));

	stream->in = xmalloc(BLOCK_SIZE);
	stream->in_size = BLOCK_SIZE;
	return stream;
}

struct decompress *decompress_open(int fd)
{
	struct decompress *stream = new_stream();

	stream->fd = fd;
	stream->source = (struct byte_source){ read_fd, stream };
	return stream;
}

struct decompress *decompress_source(const struct byte_source *source)
{
	struct decompress *stream = new_stream();

	stream->source = *source;
	return stream;
}

void decompress_free(struct decompress *stream)
{
	if (!stream)
		return;
	if (stream->zlib)
		inflateEnd(&stream->z);
	ZSTD_freeDCtx(stream->zstd);
	libdeflate_free_decompressor(stream->libdeflate);
	free(stream->member);
	free(stream->in);
	free(stream);
}

int decompress_errno(const struct decompress *stream)
{
	return stream->errnum;
}

/* Have at least this much at next_in, unless the file ends before. */
static int fill(struct decompress *stream, size_t wanted)
{
	z_stream *z = &stream->z;

	if (z->avail_in >= wanted)
		return 0;
	if (z->avail_in)
		memmove(stream->in, z->next_in, z->avail_in);
	z->next_in = stream->in;
	while (z->avail_in < wanted && !stream->eof) {
		ssize_t n = stream->source.read(stream->source.context, stream->in + z->avail_in,
						stream->in_size - z->avail_in);

		if (n < 0) {
			stream->errnum = (int)-n;
			return (int)n;
		}
		stream->eof = n == 0;
		z->avail_in += (unsigned int)n;
	}
	return 0;
}

static bool begins_member(const struct decompress *stream)
{
	return stream->z.avail_in >= 2 && stream->z.next_in[0] == 0x1f &&
	       stream->z.next_in[1] == 0x8b;
}

/* With a plain header: zlib knows more about the others. */
static bool begins_small(const struct decompress *stream)
{
	const unsigned char *head = stream->z.next_in;

	return stream->members_small && stream->z.avail_in >= 4 && head[2] == 8 && head[3] == 0;
}

/* The first small one has made room for those behind it. */
static void expect_small(struct decompress *stream)
{
	z_stream *z = &stream->z;
	unsigned char *in;

	if (stream->libdeflate)
		return;
	stream->libdeflate = libdeflate_alloc_decompressor();
	stream->members_small = stream->libdeflate != NULL;
	if (!stream->members_small)
		return;
	in = xmalloc(MEMBERS_SIZE);
	memcpy(in, z->next_in, z->avail_in);
	free(stream->in);
	stream->in = in;
	stream->in_size = MEMBERS_SIZE;
	z->next_in = in;
	stream->member = xmalloc(MEMBER_MAX);
}

static void end_member(struct decompress *stream)
{
	stream->state = DECOMPRESS_BETWEEN;
	stream->members_small = stream->z.total_out <= MEMBER_MAX;
	stream->member_packed = stream->z.total_in;
	if (stream->members_small)
		expect_small(stream);
}

static int begin_zlib(struct decompress *stream)
{
	int ret = stream->zlib ? inflateReset(&stream->z) : inflateInit2(&stream->z, GZIP_WINDOW);

	stream->zlib = true;
	stream->state = DECOMPRESS_MEMBER;
	return ret;
}

static int begin_member(struct decompress *stream)
{
	if (!begins_small(stream))
		return begin_zlib(stream);
	stream->state = DECOMPRESS_WHOLE;
	return Z_OK;
}

static bool begins_frame(const struct decompress *stream)
{
	static const unsigned char magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

	return stream->z.avail_in >= sizeof(magic) &&
	       memcmp(stream->z.next_in, magic, sizeof(magic)) == 0;
}

static int begin_frames(struct decompress *stream)
{
	stream->zstd = ZSTD_createDCtx();
	stream->state = DECOMPRESS_FRAMES;
	return stream->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(
				       stream->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG))
		       ? Z_OK
		       : Z_MEM_ERROR;
}

/* Before the first member or behind one: what comes? */
static int look_ahead(struct decompress *stream, const char **out_why)
{
	int ret = fill(stream, 4);

	if (ret < 0) {
		*out_why = strerrordesc_np(-ret);
		return -1;
	}
	if (begins_member(stream) || (stream->state == DECOMPRESS_START && begins_frame(stream))) {
		if ((begins_member(stream) ? begin_member : begin_frames)(stream) == Z_OK)
			return 0;
		*out_why = "out of memory";
		return -1;
	}
	stream->state = stream->state == DECOMPRESS_START ? DECOMPRESS_PLAIN : DECOMPRESS_END;
	return 0;
}

static ssize_t read_plain(struct decompress *stream, const void **out_data, const char **out_why)
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

static ssize_t read_member(struct decompress *stream, const void **out_data, const char **out_why)
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
		end_member(stream);
	if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR) {
		*out_why = z->msg ? z->msg : "damaged gzip input";
		return -1;
	}
	*out_data = stream->out;
	return (ssize_t)(sizeof(stream->out) - z->avail_out);
}

/* True: it was all there, and right. */
static bool inflate_whole(struct decompress *stream, size_t *out_size)
{
	z_stream *z = &stream->z;
	size_t taken;

	if (libdeflate_gzip_decompress_ex(stream->libdeflate, z->next_in, z->avail_in,
					  stream->member, MEMBER_MAX, &taken,
					  out_size) != LIBDEFLATE_SUCCESS)
		return false;
	z->next_in += taken;
	z->avail_in -= (unsigned int)taken;
	stream->member_packed = taken;
	stream->state = DECOMPRESS_BETWEEN;
	return true;
}

/* 0: it is empty, or for zlib. Tried first with what is likely to hold it, so that little is moved.
 */
static ssize_t read_whole(struct decompress *stream, const void **out_data, const char **out_why)
{
	const size_t enough[] = { stream->member_packed * 2, MEMBERS_SIZE };
	size_t size;

	for (size_t i = 0; i < 2; i++) {
		int ret = fill(stream, enough[i] < MEMBERS_SIZE ? enough[i] : MEMBERS_SIZE);

		if (ret < 0) {
			*out_why = strerrordesc_np(-ret);
			return -1;
		}
		if (inflate_whole(stream, &size)) {
			*out_data = stream->member;
			return (ssize_t)size;
		}
	}
	if (begin_zlib(stream) == Z_OK) /* which also says what is wrong with it */
		return 0;
	*out_why = "out of memory";
	return -1;
}

static ssize_t read_frames(struct decompress *stream, const void **out_data, const char **out_why)
{
	z_stream *z = &stream->z;
	ZSTD_outBuffer out = { stream->out, sizeof(stream->out), 0 };

	while (out.pos == 0) {
		int ret = fill(stream, 1);
		ZSTD_inBuffer in = { z->next_in, z->avail_in, 0 };
		size_t left;

		if (ret < 0) {
			*out_why = strerrordesc_np(-ret);
			return -1;
		}
		if (!z->avail_in && !stream->in_frame)
			return 0;
		left = ZSTD_decompressStream(stream->zstd, &out, &in);
		if (ZSTD_isError(left)) {
			*out_why = ZSTD_getErrorName(left);
			return -1;
		}
		if (!z->avail_in && left && out.pos == 0) {
			*out_why = "truncated zstd input";
			return -1;
		}
		stream->in_frame = left != 0;
		z->next_in += in.pos;
		z->avail_in -= (unsigned int)in.pos;
	}
	*out_data = stream->out;
	return (ssize_t)out.pos;
}

ssize_t decompress_read(struct decompress *stream, const void **out_data, const char **out_why)
{
	for (;;) {
		ssize_t size;

		switch (stream->state) {
		case DECOMPRESS_START:
		case DECOMPRESS_BETWEEN:
			if (look_ahead(stream, out_why) < 0)
				return -1;
			continue;
		case DECOMPRESS_PLAIN:
			return read_plain(stream, out_data, out_why);
		case DECOMPRESS_MEMBER:
		case DECOMPRESS_WHOLE:
			size = (stream->state == DECOMPRESS_MEMBER ? read_member : read_whole)(
				stream, out_data, out_why);
			if (size != 0)
				return size;
			continue; /* an empty member */
		case DECOMPRESS_FRAMES:
			return read_frames(stream, out_data, out_why);
		case DECOMPRESS_END:
			return 0;
		}
	}
}
