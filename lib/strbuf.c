/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte string. */
#include "lib/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

void strbuf_reserve(struct strbuf *buf, size_t extra)
{
	size_t needed = buf->size + extra + 1;

	if (needed <= buf->capacity)
		return;
	if (needed < buf->capacity * 2)
		needed = buf->capacity * 2;
	if (needed < 64)
		needed = 64;
	buf->data = xreallocarray(buf->data, needed, 1);
	buf->capacity = needed;
}

void strbuf_add(struct strbuf *buf, const void *data, size_t size)
{
	strbuf_reserve(buf, size);
	if (size)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void strbuf_adds(struct strbuf *buf, const char *text)
{
	strbuf_add(buf, text, strlen(text));
}

void strbuf_addc(struct strbuf *buf, char c)
{
	strbuf_add(buf, &c, 1);
}

void strbuf_vaddf(struct strbuf *buf, const char *format, va_list ap)
{
	va_list again;
	int length;

	va_copy(again, ap);
	strbuf_reserve(buf, 0);
	length = vsnprintf(buf->data + buf->size, buf->capacity - buf->size, format, ap);
	if (length >= 0 && (size_t)length >= buf->capacity - buf->size) {
		strbuf_reserve(buf, (size_t)length);
		(void)vsnprintf(buf->data + buf->size, (size_t)length + 1, format, again);
	}
	if (length > 0)
		buf->size += (size_t)length;
	buf->data[buf->size] = '\0';
	va_end(again);
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	strbuf_vaddf(buf, format, ap);
	va_end(ap);
}

void strbuf_truncate(struct strbuf *buf, size_t size)
{
	if (size >= buf->size)
		return;
	buf->size = size;
	buf->data[size] = '\0';
}

const char *strbuf_text(const struct strbuf *buf)
{
	return buf->data ? buf->data : "";
}

char *strbuf_take(struct strbuf *buf)
{
	char *text;

	strbuf_reserve(buf, 0);
	buf->data[buf->size] = '\0';
	text = buf->data;
	*buf = (struct strbuf)STRBUF_INIT;
	return text;
}

void strbuf_done(struct strbuf *buf)
{
	free(buf->data);
	*buf = (struct strbuf)STRBUF_INIT;
}
