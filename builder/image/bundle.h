/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json of a bundle that any OCI runtime runs, from an image (image-spec, conversion.md).
 */
#ifndef BUILDER_IMAGE_BUNDLE_H
#define BUILDER_IMAGE_BUNDLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "builder/image/image.h"
#include "lib/error.h"
#include "lib/strbuf.h"

/** Whose bundle it is: who is not root runs it in a user namespace of his own. */
struct bundle_owner {
	bool is_root;
	uid_t uid;
	gid_t gid;
};

/** Append the document. root_fd: of the unpacked root file system, where users are looked up. */
int bundle_config(const struct image *image, int root_fd, const struct bundle_owner *owner,
		  struct strbuf *out, struct error *err);

#endif
