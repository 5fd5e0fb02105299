/* SPDX-License-Identifier: Apache-2.0 */
/* One line of comma-separated fields, quoted as in RFC 4180: how BuildKit's options are written. */
#ifndef LIB_CSV_H
#define LIB_CSV_H

#include "lib/strv.h"

/** Append the fields of text; -EINVAL with *out_why ("a bare quote") when the quotes are wrong. */
int csv_split(const char *text, struct strv *out, const char **out_why);

#endif
