/* SPDX-License-Identifier: Apache-2.0 */
/* The same layer with other times. */
#ifndef BUILDER_IMAGE_LAYER_TIMES_H
#define BUILDER_IMAGE_LAYER_TIMES_H

#include "builder/image/layer.h"
#include "builder/image/time-rule.h"

/**
 * The layer of this id with times by the rule, published and held: itself when its times are so
 * already. Its owners, contents and order stay. The id must be of a layer that was made here (one
 * with a stream).
 */
int layer_retime(struct store *store, const char *id, const struct time_rule *rule,
		 struct layer_info *out, struct error *err);

#endif
