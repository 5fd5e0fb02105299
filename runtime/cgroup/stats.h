/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cgroup's processes use, as members of an object in the words of runc's `events --stats`
 * (its types/events.go): what is 0 is left out where it is left out there. Read at once through the
 * cgroup's fd; a file that is not there (no such controller, no PSI) counts as 0.
 */
#ifndef RUNTIME_CGROUP_STATS_H
#define RUNTIME_CGROUP_STATS_H

#include "runtime/cgroup/cgroup.h"
#include "spec/json-write.h"

/** The members "cpu" to "hugetlb". cgroup is open. */
void cgroup_write_stats(const struct cgroup *cgroup, struct json_writer *out);

/** The text of a pressure file (memory.pressure) as an object of "some" and "full". */
void stats_write_pressure(struct json_writer *out, const char *text);
/** A flat keyed file (memory.events) as an object of numbers; zeros only if asked for. */
void stats_write_counters(struct json_writer *out, const char *text, bool zeros);
/** The number behind key in such a file, 0 when it is not there. */
uint64_t stats_counter(const char *text, const char *key);

#endif
