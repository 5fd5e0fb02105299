/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a layer in the order of their paths, whatever the order in its tar and however
 * many there are: what does not fit into memory is sorted in pieces in a scratch file.
 */
#ifndef BUILDER_IMAGE_ENTRY_LIST_H
#define BUILDER_IMAGE_ENTRY_LIST_H

#include <sys/types.h>

#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "lib/error.h"

/** An entry of a tar without its contents. */
struct listed_entry {
	const char *path;
	const char
		*target; /* of a symlink; of another type: it is a hardlink to this; NULL = none */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_nsec;
	dev_t device;
	const char *xattrs; /* a piece of text each that ends with NUL: "NAME=HEX", sorted */
	size_t xattr_size;  /* of all of it */
};

struct entry_list;

/** Read a layer (layer_each_entry). memory: bytes that entries may take before they go to the
 * scratch file; 0 = ENTRY_LIST_MEMORY. Free in any case. */
#define ENTRY_LIST_MEMORY ((size_t)16 << 20)
int entry_list_read(struct store *store, const char *id, const struct digest *blob, size_t memory,
		    struct entry_list **out, struct error *err);
/** The next one, which lives until the next call: 1, or 0 at the end. Of several with one path it
 *  is the last of the tar. */
int entry_list_next(struct entry_list *list, struct listed_entry *out, struct error *err);
void entry_list_free(struct entry_list *list);
static inline void entry_list_cleanup(struct entry_list **list)
{
	entry_list_free(*list);
}
#define cleanup_entry_list __attribute__((cleanup(entry_list_cleanup)))

#endif
