/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of protocol buffers: written and read one by one, without a schema. */
#include "lib/protobuf.h"

#include <errno.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void add_varint(struct strbuf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		strbuf_addc(out, (char)((value & 0x7f) | 0x80));
	strbuf_addc(out, (char)value);
}

static void add_key(struct strbuf *out, unsigned int field, enum wire_type type)
{
	add_varint(out, (uint64_t)field << 3 | type);
}

void protobuf_number(struct strbuf *out, unsigned int field, int64_t value)
{
	add_key(out, field, WIRE_VARINT);
	add_varint(out, (uint64_t)value);
}

static void add_bytes(struct strbuf *out, unsigned int field, const char *data, size_t size)
{
	add_key(out, field, WIRE_BYTES);
	add_varint(out, size);
	strbuf_add(out, data, size);
}

void protobuf_text(struct strbuf *out, unsigned int field, const char *text)
{
	if (text)
		add_bytes(out, field, text, strlen(text));
}

void protobuf_message(struct strbuf *out, unsigned int field, const struct strbuf *message)
{
	add_bytes(out, field, strbuf_text(message), message->size);
}

static int read_varint(struct protobuf_reader *reader, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		if (reader->at == reader->end)
			return -EBADMSG;
		value |= (uint64_t)(*reader->at & 0x7f) << shift;
		if (!(*reader->at++ & 0x80)) {
			*out = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int read_fixed(struct protobuf_reader *reader, size_t size, uint64_t *out)
{
	*out = 0;
	if ((size_t)(reader->end - reader->at) < size)
		return -EBADMSG;
	for (size_t i = 0; i < size; i++)
		*out |= (uint64_t)reader->at[i] << (8 * i);
	reader->at += size;
	return 0;
}

static int read_bytes(struct protobuf_reader *reader, struct protobuf_field *out)
{
	uint64_t size;

	if (read_varint(reader, &size) < 0 || size > (uint64_t)(reader->end - reader->at))
		return -EBADMSG;
	out->data = (const char *)reader->at;
	out->size = (size_t)size;
	reader->at += size;
	return 0;
}

int protobuf_next(struct protobuf_reader *reader, struct protobuf_field *out)
{
	uint64_t key;
	int ret;

	if (reader->at == reader->end)
		return 0;
	*out = (struct protobuf_field){ .field = 0 };
	if (read_varint(reader, &key) < 0 || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
		return -EBADMSG;
	out->field = (unsigned int)(key >> 3);
	switch (key & 7) {
	case WIRE_VARINT:
		ret = read_varint(reader, &out->number);
		break;
	case WIRE_64:
		ret = read_fixed(reader, 8, &out->number);
		break;
	case WIRE_BYTES:
		ret = read_bytes(reader, out);
		break;
	case WIRE_32:
		ret = read_fixed(reader, 4, &out->number);
		break;
	default:
		ret = -EBADMSG;
	}
	return ret < 0 ? ret : 1;
}
