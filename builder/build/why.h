/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build --why: which part of a step's key is another one than in the nearest earlier record. All of
 * it comes from what records keep (their key manifests, and the lists of what was copied): nothing
 * is read or hashed again.
 */
#ifndef BUILDER_BUILD_WHY_H
#define BUILDER_BUILD_WHY_H

#include "builder/build/graph.h"
#include "lib/strv.h"

/**
 * Lines that say why this step is not taken from the cache. manifest: of its key (NULL: not known);
 * out gets at least one line.
 */
void why_explain(struct store *store, const struct step *step, const char *manifest,
		 struct strv *out);

#endif
