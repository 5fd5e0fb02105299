/* SPDX-License-Identifier: Apache-2.0 */
/* What `info` says of this program and this host. */
#ifndef RUNTIME_LIFECYCLE_FACTS_H
#define RUNTIME_LIFECYCLE_FACTS_H

#include "runtime/lifecycle/container.h"
#include "runtime/plan/view.h"

/** All sections; what cannot be found out is left out. */
void facts_view(const struct runtime_globals *globals, struct view *view);

#endif
