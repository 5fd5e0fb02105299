/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire format of protocol buffers, as far as messages of numbers, texts and messages need it:
 * https://protobuf.dev/programming-guides/encoding/
 */
#ifndef LIB_PROTOBUF_H
#define LIB_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

/** Append a field. Negative numbers go as the 64 bits of their two's complement; a NULL text is a
 *  field that is not there. */
void protobuf_number(struct strbuf *out, unsigned int field, int64_t value);
void protobuf_text(struct strbuf *out, unsigned int field, const char *text);
void protobuf_message(struct strbuf *out, unsigned int field, const struct strbuf *message);

/** A message that is being read: the rest of it. */
struct protobuf_reader {
	const unsigned char *at, *end;
};

struct protobuf_field {
	unsigned int field;
	uint64_t number;  /* of a varint or fixed field */
	const char *data; /* of a text or message, not terminated; NULL = it is a number */
	size_t size;
};

/** The next field: 1; 0 = none is left; -EBADMSG when the message is cut off or no such thing. */
int protobuf_next(struct protobuf_reader *reader, struct protobuf_field *out);

#endif
