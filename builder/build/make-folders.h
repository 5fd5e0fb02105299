/* SPDX-License-Identifier: Apache-2.0 */
/* mkdir -p into a layer that is being written, on top of the layers below. */
#ifndef BUILDER_BUILD_MAKE_FOLDERS_H
#define BUILDER_BUILD_MAKE_FOLDERS_H

#include <stdint.h>
#include <sys/types.h>

#include "builder/image/layer.h"
#include "lib/error.h"
#include "lib/strv.h"

struct make_folders {
	struct store *store;
	const struct strv *trees; /* below */
	struct layer_writer *writer;
	uid_t uid;
	gid_t gid;
	int64_t mtime;
};

/** Add those components of path (resolved, relative) that do not exist below, 0755 uid:gid. What
 *  exists must be a folder. */
int make_folders(const struct make_folders *how, const char *path, struct error *err);

/** What is at path in the trees: its mode, 0 when there is nothing, or negative. */
int trees_mode(struct store *store, const struct strv *trees, const char *path, mode_t *out,
	       struct error *err);

#endif
