/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a manifest and the blobs that it lists come from or go to, whatever that is: a folder with
 * an OCI layout (blob-layout.c), a repository of a registry. What a place gives is checked by it:
 * bytes that are not of their digest are a failure. All of it may be called in fibers and outside.
 */
#ifndef BUILDER_IMAGE_BLOB_PLACE_H
#define BUILDER_IMAGE_BLOB_PLACE_H

#include <stdint.h>

#include "builder/image/digest.h"
#include "lib/error.h"
#include "lib/strbuf.h"

struct blob_place;

struct blob_place_kind {
	/** The manifest that is meant, or the index; ERROR_NOT_FOUND when there is none. */
	int (*get_manifest)(struct blob_place *place, struct strbuf *out, struct error *err);
	/** A document that an index lists, by its digest. */
	int (*get_document)(struct blob_place *place, const struct digest *digest,
			    struct strbuf *out, struct error *err);
	/** Write a blob to fd (for reading and writing, empty). */
	int (*get_blob)(struct blob_place *place, const struct digest *digest, uint64_t size,
			int fd, struct error *err);
	/** 1 it is there, 0 it is not. */
	int (*has_blob)(struct blob_place *place, const struct digest *digest, struct error *err);
	/** Take all of fd, from its beginning. */
	int (*put_blob)(struct blob_place *place, const struct digest *digest, uint64_t size,
			int fd, struct error *err);
	/** A manifest that an index lists, by its digest, when everything is there that it lists.
	 */
	int (*put_document)(struct blob_place *place, const char *media_type,
			    const struct digest *digest, const struct strbuf *bytes,
			    struct error *err);
	/** Last of all, when everything is there that it lists. */
	int (*put_manifest)(struct blob_place *place, const char *media_type,
			    const struct strbuf *bytes, struct error *err);
	/** A blob that no manifest lists any more; NULL: the place has its own way with those. */
	void (*drop_blob)(struct blob_place *place, const struct digest *digest);
	void (*close)(struct blob_place *place);
};

/** The first member of what each kind has. */
struct blob_place {
	const struct blob_place_kind *kind;
	char *name; /* for messages; owned */
};

/** Free it; NULL is fine. */
void blob_place_close(struct blob_place *place);
static inline void blob_place_cleanup(struct blob_place **place)
{
	blob_place_close(*place);
}
#define cleanup_blob_place __attribute__((cleanup(blob_place_cleanup)))

/** A folder with an OCI layout. To read from: digest (NULL = by tag) or tag (NULL = "latest", or
 *  the only one there is). */
int blob_layout_open(const char *path, const char *tag, const char *digest, struct blob_place **out,
		     struct error *err);
/** To write to, made when it is not there; what it has under other tags stays. */
int blob_layout_create(const char *path, const char *tag, struct blob_place **out,
		       struct error *err);

#endif
