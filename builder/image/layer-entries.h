/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a layer, entry by entry, wherever its tar comes from. */
#ifndef BUILDER_IMAGE_LAYER_ENTRIES_H
#define BUILDER_IMAGE_LAYER_ENTRIES_H

#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "builder/image/unpack.h"
#include "lib/error.h"

/** Call for each entry of its tar, in order. blob: what it was pulled as, for layers whose tar
 *  others have made; NULL = it was made here. */
int layer_each_entry(struct store *store, const char *id, const struct digest *blob,
		     unpack_entry_fn call, void *context, struct error *err);

#endif
