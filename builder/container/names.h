/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that were given none. */
#ifndef BUILDER_CONTAINER_NAMES_H
#define BUILDER_CONTAINER_NAMES_H

#include "lib/alloc.h"

/** Two words joined by "_", at random; attempt > 5 appends a digit. In the arena. */
char *name_make(struct arena *arena, unsigned int attempt);

#endif
