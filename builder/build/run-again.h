/* SPDX-License-Identifier: Apache-2.0 */
/* A RUN of an earlier build once more, or a shell where it was: `rerun` and `shell BUILD#N`. */
#ifndef BUILDER_BUILD_RUN_AGAIN_H
#define BUILDER_BUILD_RUN_AGAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/build/run-step.h"
#include "builder/build/secrets.h"
#include "builder/image/store.h"
#include "lib/error.h"

struct run_again_options {
	const char *runtime;
	const struct secret *secrets; /* --secret and --volume: neither was kept */
	size_t secret_count;
	const struct run_volume *volumes;
	const struct sandbox *sandbox; /* as for the build: it was not kept either */
	size_t volume_count;
	bool shell; /* a shell on what the step left, not its command on what it had */
	const char *shell_program; /* NULL = that of the step */
};

/** With our standard input and output, on a snapshot that is thrown away. *out_status is that of
 * the command. */
int run_again(struct store *store, uint64_t build, uint64_t event,
	      const struct run_again_options *options, int *out_status, struct error *err);

#endif
