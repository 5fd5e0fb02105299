/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images by name, from the store or from a registry, as a policy says. What is pulled gets its name
 * in the store; its layers come when somebody needs them.
 */
#ifndef BUILDER_REGISTRY_SOURCE_H
#define BUILDER_REGISTRY_SOURCE_H

#include "builder/image/image.h"
#include "builder/loop/fiber.h"
#include "builder/registry/pull.h"
#include "lib/strv.h"
#include "lib/table.h"

enum pull_policy {
	PULL_MISSING, /* what the store does not have */
	PULL_ALWAYS,
	PULL_NEWER, /* the same, but what the store has is good enough when that fails */
	PULL_NEVER,
};
extern const struct name_value pull_policies[];

struct image_source {
	struct store *store;
	struct registry *registry; /* NULL = the store alone */
	enum pull_policy policy;
	/* Called before something is asked of a registry; NULL = nobody wants to know. */
	void (*pulling)(void *context, const char *name);
	void *context;

	/* of source.c */
	struct strv settled; /* "PLATFORM NAME" of what was asked for: once is enough */
	struct strv busy;    /* the same of what somebody pulls, and ids of images for layers */
	struct fiber_queue waiting;
};
void image_source_done(struct image_source *source);

/** As image_load_for. */
int image_source_load(struct image_source *source, const char *name, const char *platform,
		      struct image *out, struct error *err);

/** Have its layers; of several callers at once one pulls. */
int image_source_layers(struct image_source *source, const struct image *image,
			const struct pull_events *events, struct error *err);

#endif
