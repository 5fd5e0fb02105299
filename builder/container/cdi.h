/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Container Device Interface (github.com/cncf-tags/container-device-interface, SPEC.md 1.1):
 * files of device vendors that say what a container needs to use a device. Devices are named
 * VENDOR/CLASS=NAME.
 */
#ifndef BUILDER_CONTAINER_CDI_H
#define BUILDER_CONTAINER_CDI_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/container/edits.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

struct cdi_device;

struct cdi {
	struct arena arena;
	struct cdi_device *devices; /* sorted by name */
	size_t count;
};

/**
 * Read all files of the folders, a later folder's device instead of an earlier one's. No folders:
 * /etc/cdi and /var/run/cdi. A folder that is not there has none; a file that is broken is told and
 * passed over.
 */
void cdi_load(const struct strv *folders, struct cdi *out);
void cdi_done(struct cdi *cdi);
#define cleanup_cdi __attribute__((cleanup(cdi_done)))

/**
 * The full names of the devices that a name asks for, as BuildKit reads it: VENDOR/CLASS=NAME,
 * VENDOR/CLASS=* (all), VENDOR/CLASS (the first), or instead of NAME the class that devices have in
 * the annotation org.mobyproject.buildkit.device.class. None is ERROR_NOT_FOUND.
 */
int cdi_find(const struct cdi *cdi, const char *name, struct strv *out, struct error *err);

/** Has the vendor marked it as harmless (org.mobyproject.buildkit.device.autoallow)? */
bool cdi_is_auto_allowed(const struct cdi *cdi, const char *full_name);

/** What these devices add, those of a file's own edits once. */
int cdi_edits(const struct cdi *cdi, const struct strv *full_names, struct arena *arena,
	      struct container_edits *out, struct error *err);

#endif
