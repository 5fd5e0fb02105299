/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of steps that make layers, each in its step-*.c, as the engine calls them. */
#ifndef BUILDER_BUILD_STEP_KINDS_H
#define BUILDER_BUILD_STEP_KINDS_H

#include <stdbool.h>

#include "builder/image/layer.h"
#include "lib/error.h"

struct engine;
struct step;

struct step_kind {
	const char *name;
	/* Has everything that it takes files from been made? NULL = it takes none. */
	bool (*is_ready)(const struct step *step);
	/**
	 * Set step->identity before find_key does its work, when two steps can be known to be the
	 * same without it. NULL: find_key's key is the identity.
	 */
	int (*identify)(struct engine *engine, struct step *step, struct error *err);
	/**
	 * Set step->key if it can be known before the step is made: 1, or 0 when making it tells.
	 * manifest (owned) goes with the record. It or identify set step->lock when of two builders
	 * that need the step at once one is to make it, and the other to wait; then it may be
	 * called once more.
	 */
	int (*find_key)(struct engine *engine, struct step *step, char **manifest,
			struct error *err);
	/** Make the layer; sets step->key and *manifest if find_key did not. */
	int (*make)(struct engine *engine, struct step *step, struct layer_draft *out,
		    char **manifest, struct error *err);
};

/** Run a command in a RUN step's place on these trees, with our standard input and output; nothing
 *  of what it changes is kept. */
struct run_result;
struct strv;
int step_run_again(struct engine *engine, const struct step *step, const struct strv *trees,
		   char *const *command, struct run_result *out, struct error *err);
/** The shell of a RUN ("/bin/bash -o pipefail" of "/bin/bash -o pipefail -c COMMAND"), else
 *  /bin/sh. */
struct step_run;
void step_run_shell(const struct step_run *run, struct strv *out);

extern const struct step_kind step_kind_run, step_kind_copy, step_kind_workdir;

#endif
