/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the compiler of linux.resources: the list of what is to be written, and what v1 alone had.
 */
#ifndef RUNTIME_PLAN_CGROUP_WRITES_H
#define RUNTIME_PLAN_CGROUP_WRITES_H

#include "runtime/plan/compile.h"

#define POINTER "/linux/resources"

struct writes {
	const struct compiler *c;
	struct arena *arena;
	struct plan_cgroup_write *items;
	size_t count, capacity;
};

/** One more: borrows its texts. Valid until the next one. */
struct plan_cgroup_write *write_add(struct writes *writes, const char *file, const char *value,
				    const char *pointer);

/** What only v1 has. */
struct v1_limit {
	bool asked;
	const char *what, *pointer; /* below POINTER */
};

/** A warning for each of them that is asked for: engines still send them, and runc drops them. */
void ignore_v1(const struct writes *writes, const struct v1_limit *limits, size_t count);

/** linux.resources.blockIO */
int compile_block_io(const struct oci_resources *resources, struct writes *writes,
		     struct error *err);

#endif
