/* SPDX-License-Identifier: Apache-2.0 */
/* mkdir -p into a layer that is being written, on top of the layers below. */
#ifndef BUILDER_BUILD_MAKE_FOLDERS_H
#define BUILDER_BUILD_MAKE_FOLDERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/image/layer.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

struct make_folders {
	struct store *store;
	const struct strv *trees; /* below */
	struct layer_writer *writer;
	uid_t uid;
	gid_t gid;
	int64_t mtime;
	bool independent; /* what is below counts for its folders only: anything else is replaced */
};

/** Add those components of path (resolved, relative) that do not exist below, 0755 uid:gid. What
 *  exists must be a folder. */
int make_folders(const struct make_folders *how, const char *path, struct error *err);

/** The folders on the way to path (resolved lexically, relative) as far as they exist in the trees:
 *  names, owners and modes. A layer of COPY --link has them in it, so its key has this. */
int describe_folders(struct store *store, const struct strv *trees, const char *path,
		     struct strbuf *out, struct error *err);

/** What is at path in the trees: its mode, 0 when there is nothing, or negative. */
int trees_mode(struct store *store, const struct strv *trees, const char *path, mode_t *out,
	       struct error *err);

#endif
