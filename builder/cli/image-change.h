/* SPDX-License-Identifier: Apache-2.0 */
/* What an image runs by default, changed in the words of a Dockerfile. */
#ifndef BUILDER_CLI_IMAGE_CHANGE_H
#define BUILDER_CLI_IMAGE_CHANGE_H

#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/image-config.h"

/** Apply one instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR.
 *  What it needs lives in the arena. */
int image_change(const char *text, struct image_defaults *defaults, struct arena *arena,
		 struct error *err);

#endif
