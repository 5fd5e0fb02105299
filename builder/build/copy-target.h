/* SPDX-License-Identifier: Apache-2.0 */
/* Where a COPY's entries go. */
#ifndef BUILDER_BUILD_COPY_TARGET_H
#define BUILDER_BUILD_COPY_TARGET_H

#include "builder/build/copy.h"

/** Straight into a new layer; the layers below are only looked up, not mounted. */
int copy_to_layer(struct engine *engine, struct step *step, struct copy *copy,
		  struct layer_draft *out, struct digest *content, struct error *err);

/** Into a mounted, writable snapshot: archives are unpacked over what is there. The layer is a
 * pending one (pending.h). */
int copy_to_mount(struct engine *engine, struct step *step, struct copy *copy,
		  struct digest *content, struct error *err);

/** Into a folder that nothing else writes to. */
int copy_to_folder(struct copy *copy, int folder_fd, struct error *err);

#endif
