/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of small numbers in the kernel's list format ("0-3,7": cpuset(7)), as the bit masks that
 * sched_setaffinity(2) and set_mempolicy(2) take, of any length. */
#ifndef LIB_BITLIST_H
#define LIB_BITLIST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"

struct bitlist {
	unsigned long *words; /* in the arena; NULL = no list */
	size_t size;	      /* in bytes */
	size_t count;	      /* members */
};

/**
 * Parse numbers and ranges below limit. As the kernel does, blanks around them and superfluous
 * commas are ignored, so a text may also list nothing. -EINVAL when it is no list, -ERANGE when a
 * number is not below limit; *out is untouched then.
 */
int bitlist_parse(const char *text, uint32_t limit, struct arena *arena, struct bitlist *out);

#endif
