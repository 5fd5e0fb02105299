/* SPDX-License-Identifier: Apache-2.0 */
/* The option table of mounts: names to attributes, superblock flags and propagation. */
#ifndef RUNTIME_PLAN_MOUNT_OPTIONS_H
#define RUNTIME_PLAN_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"

/** What a list of options means, before the kind of the mount is known. */
struct mount_options {
	unsigned int flags; /* PLAN_MOUNT_* */
	bool bind, remount;
	bool names_attributes; /* of the mount itself, be it to set or to clear them */
	const char *idmap;     /* the option that asked for an id-mapped mount, as it stands */
	uint64_t attr_set, attr_clear;
	uint64_t attr_set_rec, attr_clear_rec;
	unsigned long *propagation;    /* in order, 0-terminated; NULL = none */
	const char *const *data;       /* for the file system, NULL-terminated */
	const char *const *superblock; /* generic flags for fsconfig ("sync", "async") */
};

/** Later options win over earlier ones. Never fails: what the table lacks is data. */
void mount_options_parse(struct arena *arena, char *const *options, size_t count,
			 struct mount_options *out);

/** The names in the table, sorted; NULL past the end. */
const char *mount_option_name(size_t index);

#endif
