/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device adds to the config.json of a container: its nodes, and with the Container Device
 * Interface (cdi.h) also variables, mounts, hooks and groups. Everything lives in an arena.
 */
#ifndef BUILDER_CONTAINER_EDITS_H
#define BUILDER_CONTAINER_EDITS_H

#include <stddef.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/config.h"

struct device_edit {
	struct oci_device node;
	const char *access; /* of "rwm" */
};

struct container_edits {
	struct json_strings env; /* "K=V": over what the container has */
	struct device_edit *devices;
	size_t device_count;
	struct oci_mount_list mounts;
	struct oci_hooks hooks;
	struct json_numbers gids;
	struct oci_intel_rdt *intel_rdt;
	JSON_LIST(struct oci_net_device) net_devices;
};

/** "SOURCE[:TARGET][:ACCESS]": TARGET is where it is in the container, ACCESS of "rwm". */
struct host_device_words {
	const char *source, *target, *access;
};

/** All in the arena, with what was not said filled in. -EINVAL: it is no such text. */
int edits_split_host_device(const char *text, struct arena *arena, struct host_device_words *out);

/** Add a device of the host by such a text. Type, numbers, mode and owner are the node's. */
int edits_add_host_device(struct container_edits *edits, const char *text, struct arena *arena,
			  struct error *err);

/** Append a node; type and numbers, if it lacks them, are those of the host's device at source. */
int edits_add_device(struct container_edits *edits, const struct device_edit *device,
		     const char *source, struct arena *arena, struct error *err);

/** One more element of a list in the arena. */
#define EDITS_APPEND(list, count, item, arena)                                                     \
	do {                                                                                       \
		__typeof__(list) bigger_ = arena_alloc((arena), ((count) + 1) * sizeof(*bigger_)); \
                                                                                                   \
		if (count)                                                                         \
			memcpy(bigger_, (list), (count) * sizeof(*bigger_));                       \
		bigger_[(count)++] = (item);                                                       \
		(list) = bigger_;                                                                  \
	} while (0)

/** Put them into a document whose process and linux sections exist. */
void edits_apply(const struct container_edits *edits, struct oci_config *config,
		 struct arena *arena);

#endif
