/* SPDX-License-Identifier: Apache-2.0 */
/* Text of unknown origin that goes to a terminal. */
#ifndef LIB_PRINTABLE_H
#define LIB_PRINTABLE_H

#include <stddef.h>

#include "lib/strbuf.h"

/** Append text; what a terminal could take for a command, and what is no UTF-8, as \x1b. */
void strbuf_add_printable(struct strbuf *out, const char *text, size_t size);

/** How many columns a terminal gives to such text (wide characters count as one). */
size_t printable_width(const char *text);

#endif
