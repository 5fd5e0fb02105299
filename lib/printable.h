/* SPDX-License-Identifier: Apache-2.0 */
/* Text of unknown origin that goes to a terminal. */
#ifndef LIB_PRINTABLE_H
#define LIB_PRINTABLE_H

#include <stddef.h>

#include "lib/strbuf.h"

/** Append text; what a terminal could take for a command, and what is no UTF-8, as \x1b. */
void strbuf_add_printable(struct strbuf *out, const char *text, size_t size);

/** How many columns a terminal gives to such text: East Asian characters and emoji take two, marks
 *  on other characters none. */
size_t printable_width(const char *text);

/** How many bytes of such text fit into that many columns; *out_used (may be NULL) those taken. */
size_t printable_fit(const char *text, size_t columns, size_t *out_used);

#endif
