/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which repositories are known to have a blob: the store's origins/HEX, a full name
 * ("docker.io/library/debian") a line. What was never fetched is found there when it is needed, and
 * a push to the same registry mounts it.
 */
#ifndef BUILDER_REGISTRY_ORIGINS_H
#define BUILDER_REGISTRY_ORIGINS_H

#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "lib/strv.h"

/** Remember; failing costs nothing but a later download. */
void origins_add(struct store *store, const struct digest *blob, const char *name);
/** The names, the newest first. */
void origins_list(struct store *store, const struct digest *blob, struct strv *out);

#endif
