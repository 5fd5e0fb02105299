/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics of a container as runc's events have them. */
#ifndef RUNTIME_LIFECYCLE_STATS_H
#define RUNTIME_LIFECYCLE_STATS_H

#include "runtime/lifecycle/record.h"
#include "spec/json-write.h"

/** The object "data" of an event of type "stats"; cgroup is open. */
void stats_write(const struct record *record, const struct cgroup *cgroup, struct json_writer *out);

#endif
