/* SPDX-License-Identifier: Apache-2.0 */
/* Names without a host, as registries.conf wants them: [aliases], unqualified-search-registries. */
#ifndef BUILDER_REGISTRY_SHORT_NAMES_H
#define BUILDER_REGISTRY_SHORT_NAMES_H

#include "builder/registry/registry.h"
#include "lib/strv.h"

/**
 * What a name may stand for, best first: itself when it has a host; what its alias says; else one
 * name for each registry of the search list; without any of it docker.io's, as in docker. An image
 * id, and what is no name, is itself.
 */
int short_names_list(struct registry *registry, const char *word, struct strv *out,
		     struct error *err);

#endif
