/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte string, always NUL-terminated (data is never NULL after any call that adds). */
#ifndef LIB_STRBUF_H
#define LIB_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
	char *data;
	size_t size; /* bytes used, without the NUL */
	size_t capacity;
};

#define STRBUF_INIT                                                                                \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void strbuf_reserve(struct strbuf *buf, size_t extra); /* room for extra more bytes and the NUL */
void strbuf_add(struct strbuf *buf, const void *data, size_t size);
void strbuf_adds(struct strbuf *buf, const char *text);
void strbuf_addc(struct strbuf *buf, char c);
void strbuf_addf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *buf, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));
void strbuf_truncate(struct strbuf *buf, size_t size);

/** The text, "" when nothing was added; valid until the next change. */
const char *strbuf_text(const struct strbuf *buf);

/** Hands the text over to the caller (free it) and leaves the buffer empty. Never NULL. */
char *strbuf_take(struct strbuf *buf);

void strbuf_done(struct strbuf *buf);
#define cleanup_strbuf __attribute__((cleanup(strbuf_done)))

#endif
