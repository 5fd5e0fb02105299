/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a COPY selects, as a list of all that counts about it, and the list's digest, which is what
 * the key of the step has. The list itself is kept in the store (lists/HEX, compressed, by its own
 * digest), so that `build --why` can name the files that differ without reading any.
 *
 * Records of three NUL-terminated texts:
 *	"folder" or "file"	NAME of a file source	""
 *	"MODE UID GID SIZE DEVICE FIRST XATTRS CONTENT"	PATH	TARGET
 * The mode is octal with its type. FIRST: the number of the entry whose hardlink this is, 0 = none.
 * XATTRS and CONTENT are hex digits of a sha256, or "-". TARGET: of a symlink. No times.
 */
#ifndef BUILDER_IMAGE_CONTENT_LIST_H
#define BUILDER_IMAGE_CONTENT_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strbuf.h"

struct content_list {
	struct hasher hasher;
	struct strbuf pending; /* neither hashed nor written yet */
	struct store *store;   /* to keep it there; NULL = digest only */
	int fd;
	void *zstd; /* ZSTD_CCtx */
	char scratch[STORE_NAME_SIZE];
	bool failed; /* writing did: the list is not kept */
};

#define CONTENT_LIST_INIT                                                                          \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

struct content_entry {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size, device, first;
	const struct digest *xattrs, *content; /* text "" = none */
	const char *path;		       /* below the source */
	const char *target;		       /* NULL = no symlink */
};

/** Begin a list, also again. store: the list is kept there (NULL = its digest is all). */
void content_list_begin(struct content_list *list, struct store *store);
/** The entries that follow are of this source. A folder's own name does not count, a file's does.
 */
void content_list_source(struct content_list *list, bool is_folder, const char *name);
void content_list_entry(struct content_list *list, const struct content_entry *entry);
/** The digest. A list that cannot be written is a list less, not an error. */
void content_list_finish(struct content_list *list, struct digest *out);
void content_list_done(struct content_list *list);

/** A record as it is in a kept list: borrowed from its text. */
struct content_record {
	const char *head, *path, *target;
};
/** Take the next record off the front of text..end: false at the end, or when it is damaged. */
bool content_record_next(const char **text, const char *end, struct content_record *out);

/** Read a kept list and check it: 1, 0 when it is not there (any more), ERROR_INVALID when it is
 *  damaged. */
int content_list_read(struct store *store, const char *hex, struct strbuf *out, struct error *err);

/** The kept list as it lies there, compressed: 1, or 0 when it is not there or damaged. */
int content_list_packed(struct store *store, const char *hex, struct strbuf *out);
/** Keep a list that came compressed from elsewhere (fd, from its beginning); ERROR_INVALID when it
 *  is another one. */
int content_list_take(struct store *store, const char *hex, int fd, struct error *err);

#endif
