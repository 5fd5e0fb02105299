/* SPDX-License-Identifier: Apache-2.0 */
/* What an update makes of linux.resources: the members it gives, on top of those from before. */
#ifndef SPEC_RESOURCES_H
#define SPEC_RESOURCES_H

#include "lib/alloc.h"
#include "spec/config-linux.h"

/**
 * In place: 0 where engines send it for "not given" (limits of memory, shares, quota, period,
 * weight) becomes just that. pids.limit, cpu.idle, cpu.burst and the rates and weights of devices
 * stay: there 0 says something.
 */
void resources_drop_unset(struct oci_resources *resources);

/**
 * What a change of one member asks of others, from the resources before: a swap limit is written as
 * the difference to the memory limit, a quota together with its period; the kernel forgets the
 * shares of what was idle; systemd forgets the weights of all devices or of none. A memory limit
 * that is lifted lifts that of swap, unless the change says otherwise.
 */
void resources_complete(struct oci_resources *change, const struct oci_resources *before,
			struct arena *arena);

/**
 * before with change on top, in arena; borrows texts from both. Members of maps and entries for
 * devices and page sizes replace the one of the same name. Device rules are in the order in which
 * they count, so those of the change come behind; what they make meaningless is left out.
 */
struct oci_resources *resources_merge(const struct oci_resources *before,
				      const struct oci_resources *change, struct arena *arena);

#endif
