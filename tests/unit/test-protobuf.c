/* SPDX-License-Identifier: Apache-2.0 */
/* lib/protobuf: the bytes of the documentation's own examples, and messages that are none. */
#include "lib/protobuf.h"

#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void test_write(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT, inner = STRBUF_INIT;

	protobuf_number(&out, 1, 150);
	CHECK_INT(out.size, 3);
	CHECK(memcmp(out.data, "\x08\x96\x01", 3) == 0);
	strbuf_truncate(&out, 0);
	protobuf_text(&out, 2, "testing");
	CHECK_INT(out.size, 9);
	CHECK(memcmp(out.data, "\x12\x07testing", 9) == 0);
	protobuf_text(&out, 2, NULL);
	CHECK_INT(out.size, 9);
	strbuf_truncate(&out, 0);
	protobuf_number(&out, 1, -2);
	CHECK(out.size == 11 &&
	      memcmp(out.data, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11) == 0);
	strbuf_truncate(&out, 0);
	protobuf_number(&inner, 1, 150);
	protobuf_message(&out, 3, &inner);
	CHECK(out.size == 5 && memcmp(out.data, "\x1a\x03\x08\x96\x01", 5) == 0);
	strbuf_truncate(&out, 0);
	protobuf_number(&out, 64, 1); /* a key of two bytes */
	CHECK(out.size == 3 && memcmp(out.data, "\x80\x04\x01", 3) == 0);
}

static void test_read_back(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct protobuf_reader reader;
	struct protobuf_field field;

	protobuf_number(&out, 34, INT64_MIN);
	protobuf_text(&out, 300, "a text");
	strbuf_add(&out, "\x45\x01\x02\x03\x04", 5); /* 8: a fixed 32 */
	reader = (struct protobuf_reader){ (const unsigned char *)out.data,
					   (const unsigned char *)out.data + out.size };
	CHECK_INT(protobuf_next(&reader, &field), 1);
	CHECK_INT(field.field, 34);
	CHECK(field.number == (uint64_t)INT64_MIN && !field.data);
	CHECK_INT(protobuf_next(&reader, &field), 1);
	CHECK_INT(field.field, 300);
	CHECK(field.size == 6 && memcmp(field.data, "a text", 6) == 0);
	CHECK_INT(protobuf_next(&reader, &field), 1);
	CHECK(field.field == 8 && field.number == 0x04030201);
	CHECK_INT(protobuf_next(&reader, &field), 0);
}

static void test_malformed(void)
{
	static const char *const bad[] = {
		"\x80",	    /* a key without an end */
		"\x08",	    /* no number */
		"\x08\x80", /* a number without an end */
		"\x12\x05"
		"abc",						    /* fewer bytes than said */
		"\x0b",						    /* a group, which nobody has */
		"\x01\x01",					    /* field 0 */
		"\x45\x01",					    /* half a fixed number */
		"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* too long a number */
		"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f",	    /* a size beyond everything */
	};
	struct protobuf_field field;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct protobuf_reader reader = { (const unsigned char *)bad[i],
						  (const unsigned char *)bad[i] + strlen(bad[i]) };

		CHECK_INT(protobuf_next(&reader, &field), -EBADMSG);
	}
}

CHECK_MAIN({ "fields are written as documented", test_write },
	   { "what is written is read back", test_read_back },
	   { "messages that are none are refused", test_malformed })
