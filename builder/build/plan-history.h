/* SPDX-License-Identifier: Apache-2.0 */
/* The words of history entries, as BuildKit writes them: scanners parse these. Pure. */
#ifndef BUILDER_BUILD_PLAN_HISTORY_H
#define BUILDER_BUILD_PLAN_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

struct image_healthcheck;

/** "[a b c]", Go's %v of a list. */
void history_add_list(struct strbuf *out, const char *const *items, size_t count);
/** ["a" "b"], Go's %q of a list. */
void history_add_quoted(struct strbuf *out, const char *const *items, size_t count);
/** "1m30s", "500ms", "0s", as Go prints durations. */
void history_add_duration(struct strbuf *out, int64_t nanoseconds);
/** "{Test:[CMD-SHELL x] Interval:1s Timeout:0s ...}" */
void history_add_health(struct strbuf *out, const struct image_healthcheck *health);

#endif
