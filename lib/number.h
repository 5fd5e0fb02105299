/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from text: the whole text must be one number in range, no sign where none is meant, no
 * blanks (CVE-2026-30892 was a sloppy parse of "-u"). 0 or -EINVAL / -ERANGE; *out untouched then.
 */
#ifndef LIB_NUMBER_H
#define LIB_NUMBER_H

#include <stdint.h>

int number_parse_u64(const char *text, uint64_t *out);
int number_parse_i64(const char *text, int64_t *out);
int number_parse_u32(const char *text, uint32_t *out);
int number_parse_int(const char *text, int *out);
/** Octal digits only, at most max (07777 for modes). */
int number_parse_octal(const char *text, uint32_t max, uint32_t *out);
/** A uid or gid: 0..2^32-2 (2^32-1 means "no change" to the kernel and is refused). */
int number_parse_id(const char *text, uint32_t *out);
/** Bytes with an optional unit b k m g t (ki, kib, kb alike; 1024-based), any case. */
int number_parse_size(const char *text, uint64_t *out);
/** A Go duration ("1h2m3.5s", "300ms", "0") as nanoseconds; no negative ones. */
int number_parse_duration(const char *text, uint64_t *out_ns);

#endif
