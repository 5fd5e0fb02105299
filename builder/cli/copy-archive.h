/* SPDX-License-Identifier: Apache-2.0 */
/* Archives as places of blobs for `copy`: unpacked into the store's scratch space, or made of it.
 */
#ifndef BUILDER_CLI_COPY_ARCHIVE_H
#define BUILDER_CLI_COPY_ARCHIVE_H

#include "builder/image/blob-place.h"
#include "builder/image/store.h"
#include "lib/error.h"

struct copy_archive {
	struct store *store;
	const char *transport; /* "oci-archive", "docker-archive" */
	char *path;	       /* owned */
	const char *name;      /* behind the path: a tag or a name; NULL = none */
	char folder[STORE_NAME_SIZE];
};

/** FILE[:NAME] */
void copy_archive_init(struct copy_archive *archive, struct store *store, const char *transport,
		       const char *text);
void copy_archive_done(struct copy_archive *archive);

/** To read from, when the policy takes it. */
int copy_archive_open(struct copy_archive *archive, struct blob_place **out, struct error *err);
/** To write to: a folder until copy_archive_write makes a file of it. */
int copy_archive_create(struct copy_archive *archive, struct blob_place **out, struct error *err);
/** platform: NULL = this machine's; whole: all platforms that were copied. */
int copy_archive_write(struct copy_archive *archive, const char *platform, bool whole,
		       struct error *err);

#endif
