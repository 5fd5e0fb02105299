/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of one RUN --mount: made ready in the step's scratch folder before the command starts,
 * gone when it has ended. Their sources are mounts of our own, attached at paths that nobody else
 * chooses: no symlink of an image can lead the runtime out of its layer.
 */
#ifndef BUILDER_BUILD_RUN_MOUNTS_H
#define BUILDER_BUILD_RUN_MOUNTS_H

#include <stddef.h>

#include "builder/build/engine.h"
#include "builder/build/place.h"
#include "builder/build/run-step.h"
#include "lib/error.h"
#include "lib/strv.h"

struct cache_mount;
struct ssh_forward;

struct run_mounts {
	struct run_volume *volumes; /* for the runtime, in the order of the instruction */
	size_t count;
	struct strv env; /* SSH_AUTH_SOCK, secrets */

	/* of run-mounts.c */
	struct engine *engine;
	const struct place *place;
	struct strv texts;    /* what volumes point to */
	struct strv attached; /* paths of our mounts, to be detached */
	struct cache_mount *caches;
	size_t cache_count;
	struct ssh_forward **forwards;
	size_t forward_count;
	char *secrets; /* path of the tmpfs with secrets; NULL = none yet */
};

/** Add what the mounts are made of to a key: never what a secret says. */
int run_mounts_key(struct engine *engine, struct step *step, struct key_builder *builder,
		   struct error *err);

/** The folder of a cache mount in the store, owned. */
int run_mounts_cache_name(struct engine *engine, const struct step_mount *mount, char **out,
			  struct error *err);
/** The trees that the source of a bind mount is a path in. */
int run_mounts_trees(struct engine *engine, const struct step_mount *mount, struct strv *out,
		     struct error *err);

/** Make all mounts of a step ready. Call run_mounts_done in any case. */
int run_mounts_prepare(struct engine *engine, const struct step_run *run, const struct place *place,
		       struct run_mounts *out, struct error *err);
void run_mounts_done(struct run_mounts *mounts);
#define cleanup_run_mounts __attribute__((cleanup(run_mounts_done)))

#endif
