/* SPDX-License-Identifier: Apache-2.0 */
/* The schemata file of resctrl as text: lines of "RESOURCE:DOMAIN=VALUE;DOMAIN=VALUE". */
#ifndef RUNTIME_LIFECYCLE_SCHEMATA_H
#define RUNTIME_LIFECYCLE_SCHEMATA_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Is all that wanted says so in actual, a schemata file? What wanted does not mention may be
 * anything. Bit masks are compared as numbers; a bandwidth that the kernel has rounded up to a
 * multiple of step (0 or 1: none) is the same.
 */
bool schemata_match(const char *wanted, const char *actual, uint64_t step);

#endif
