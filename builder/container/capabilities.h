/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities containers of the builder have, and what --cap-add and --cap-drop change. */
#ifndef BUILDER_CONTAINER_CAPABILITIES_H
#define BUILDER_CONTAINER_CAPABILITIES_H

#include <stdbool.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"
#include "spec/json-types.h"

/**
 * Names as people write them ("chown", "CAP_CHOWN", "all") become the kernel's, or "ALL"; appended.
 * An unknown one is a usage error with a suggestion.
 */
int capabilities_parse(const struct strv *texts, struct arena *arena, struct json_strings *out,
		       struct error *err);

/**
 * The set of a container: the default one (or all that we could have), without what is dropped,
 * with what is added. What is named wins over "ALL" on the other side.
 */
struct json_strings capabilities_select(bool all, const struct json_strings *added,
					const struct json_strings *dropped, struct arena *arena);

#endif
