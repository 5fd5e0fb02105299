/* SPDX-License-Identifier: Apache-2.0 */
/* The time: durations by the monotonic clock, points in time as RFC 3339 in UTC. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

int64_t clock_us(void);
int64_t clock_ms(void);

/** "2026-08-24T10:00:00.123456789Z"; reads no time zone files, unlike gmtime_r(3). */
#define CLOCK_TEXT_SIZE 96
const char *clock_text(char buffer[CLOCK_TEXT_SIZE]);
/** The same for a given time since 1970 (seconds >= 0). */
const char *clock_format(int64_t seconds, long nanoseconds, char buffer[CLOCK_TEXT_SIZE]);
/** Without nanoseconds, "2026-08-24T10:00:00Z". What RFC 3339 has no words for becomes the nearest
 *  that it has: 1970 or the end of 9999. */
const char *clock_format_seconds(int64_t seconds, char buffer[CLOCK_TEXT_SIZE]);
#define CLOCK_SECONDS_MAX INT64_C(253402300799)

#endif
