/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648), with padding. */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include <stddef.h>

#include "lib/strbuf.h"

/** Append it. */
void base64_encode(const void *data, size_t size, struct strbuf *out);

/** Append what text stands for; padding may be missing. -EINVAL: it is no base64. */
int base64_decode(const char *text, struct strbuf *out);

#endif
