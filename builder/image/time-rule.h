/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of files' times in a layer, so that two builds of the same give the same bytes. */
#ifndef BUILDER_IMAGE_TIME_RULE_H
#define BUILDER_IMAGE_TIME_RULE_H

#include <stdint.h>

enum time_rule_kind {
	TIME_KEEP,
	TIME_CLAMP, /* what is later becomes this */
	TIME_SET,
};

struct time_rule {
	enum time_rule_kind kind;
	int64_t seconds;
};

/** rule may be NULL: all times stay. */
static inline void time_rule_apply(const struct time_rule *rule, int64_t *seconds, uint32_t *nsec)
{
	if (!rule || rule->kind == TIME_KEEP)
		return;
	if (rule->kind == TIME_CLAMP && *seconds < rule->seconds)
		return;
	*seconds = rule->seconds;
	*nsec = 0;
}

#endif
