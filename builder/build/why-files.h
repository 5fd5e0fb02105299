/* SPDX-License-Identifier: Apache-2.0 */
/* The files by which two COPYs differ. */
#ifndef BUILDER_BUILD_WHY_FILES_H
#define BUILDER_BUILD_WHY_FILES_H

#include "builder/image/store.h"
#include "lib/strv.h"

/** before and now: digests of content lists, as JSON texts ("\"sha256:...\""). */
void why_files(struct store *store, const char *before, const char *now, struct strv *out);

#endif
