/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has changed on top of its image. */
#ifndef BUILDER_CONTAINER_CHANGES_H
#define BUILDER_CONTAINER_CHANGES_H

#include "builder/container/record.h"
#include "lib/error.h"

/** kind: 'A' added, 'C' changed, 'D' deleted; path: absolute. A negative result ends the walk. */
typedef int (*change_fn)(void *context, char kind, const char *path, struct error *err);

/** Call for each change, in the order of their paths. */
int container_changes(struct store *store, const struct container_record *record, change_fn call,
		      void *context, struct error *err);

#endif
