/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers. A layer is a folder of the store: tree/ (usable as an overlay lower as it is: whiteouts
 * are 0/0 devices, opaque folders have overlayfs's xattr), headers.zst (the headers of its tar, in
 * order) and meta.json. Its tar is not on disk: the stream is made again from headers and tree,
 * and its digest is checked each time. Layers are equal when their diffIDs are.
 *
 * A draft is a layer that has no id yet: its tree can be a lower of the next step's snapshot while
 * it is still being hashed. Making drafts is file work for any thread (one at a time per draft);
 * publishing is the store's thread's.
 */
#ifndef BUILDER_IMAGE_LAYER_H
#define BUILDER_IMAGE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "builder/image/tar-write.h"
#include "builder/image/time-rule.h"
#include "lib/error.h"
#include "lib/strv.h"

struct layer_growth;

/** Complete, unpublished layer in a scratch folder. */
struct layer_draft {
	char name[STORE_NAME_SIZE]; /* of the folder with tree/ and headers.zst; "" = none */
	struct digest diff_id;	    /* "" = not known yet: layer_hash */
	uint64_t size;		    /* of the tar stream */
	uint64_t entries;	    /* 0 = the layer changes nothing */
};

struct layer_info {
	char id[LAYER_ID_SIZE];
	struct digest diff_id;
	uint64_t size; /* of the tar stream */
};

/** "layers/ID/tree": what snapshot.h's lists are made of. Owned. For a draft: "NAME/tree". */
char *layer_tree(const char *id);
char *layer_draft_tree(const struct layer_draft *draft);

/* -- from a folder: RUN, ADD of archives, import ------------------------------------------------
 */

struct layer_scan {
	/* Trees below (store-relative, bottom to top): what was copied up but is the same there is
	 * left out, and a folder that hides what is there gets a whiteout for each name. NULL = all
	 * of the folder is the layer. */
	const struct strv *lowers;
	/* The folder is no overlay's upper but the whole root file system (a copy of all lowers,
	 * changed): what is missing in it is gone. */
	bool complete;
	bool subsecond; /* times with nanoseconds; else whole seconds */
	/* A root file system, not a layer: whiteouts, names like theirs and opaque folders mean
	 * nothing in it; sockets are skipped but stay. */
	bool flat;
	const struct time_rule *times; /* NULL: files have their own */
	/* Told of the headers as they are written, and of their end; for layer_hash_growing. NULL =
	 * nobody waits for them. */
	struct layer_growth *growth;
};

/**
 * Make a draft of a folder that lies in the store ("tmp/S/3/upper", an overlay's upper after it was
 * unmounted, or any tree): walk it in sorted order into headers, then take it over as the tree by
 * rename; nothing is copied. Whiteouts and opaque folders become .wh. entries, overlay xattrs are
 * left out, hardlinks are found by (device, inode), sockets are removed. Contents are not read: the
 * diffID is left to layer_hash, and the tree can be a lower meanwhile (it does not change any
 * more). scan may be NULL.
 */
int layer_from_folder(struct store *store, const char *folder, const struct layer_scan *scan,
		      struct layer_draft *out, struct error *err);

/** The same in its two parts: what is taken over has its name at once, and may be hashed by another
 * thread while it is walked. What layer_walk finds out it adds to draft. */
int layer_take_folder(struct store *store, const char *folder, struct layer_draft *out,
		      struct error *err);
int layer_walk(struct store *store, const struct layer_scan *scan, struct layer_draft *draft,
	       struct error *err);

/** Read the contents of a draft for its diffID; nothing to do when that is known. For any thread,
 * one at a time per draft. stop_fd readable ends it with ERROR_CANCELLED; -EBADF = never. */
int layer_hash(struct store *store, struct layer_draft *draft, int stop_fd, struct error *err);
/** The same while layer_walk is at it in another thread, with a copy of draft and this growth: it
 * ends after the walk, and with ERROR_CANCELLED when that fails. */
int layer_hash_growing(struct store *store, struct layer_draft *draft, struct layer_growth *growth,
		       int stop_fd, struct error *err);

/** Write a mounted root file system as a tar archive to fd: sorted, the same bytes each time.
 * times: NULL = as they are. */
int layer_write_flat(struct store *store, int root_fd, const struct time_rule *times, int fd,
		     struct error *err);

/* -- entry by entry: COPY, ADD of files, WORKDIR -------------------------------------------------
 */

/** Where a file's contents come from: an fd (read from its offset) or a function. */
struct layer_source {
	int fd; /* -EBADF: call read */
	ssize_t (*read)(void *context, void *buffer, size_t size, struct error *err);
	/* Gets the same bytes; NULL = nobody wants them. */
	void (*content)(void *context, const void *data, size_t size);
	void *context; /* of both */
	/* The fd is of this file, of another layer, that the entry is like in all: it becomes a
	 * hardlink of it where that is possible, else a copy. NULL = it is not. */
	int link_fd;
	const char *link_name;
};

struct layer_writer;

struct layer_writer_options {
	const struct strv *lowers; /* trees below, bottom to top; NULL = scratch */
	int64_t mtime;		   /* of parent folders that exist nowhere below */
	bool independent;	   /* what is no folder below may become one */
	bool subsecond;		   /* what is taken from below keeps its nanoseconds */
	struct time_rule times;	   /* of all entries, those from below too */
};

/**
 * Start a layer. Entries go to tree, headers and digest in one read. Paths are real ones (the
 * caller has resolved symlinks against the layers below). A parent that was not added gets its
 * metadata from the layers below, else 0755 0:0, and an entry of its own: the tar is complete.
 * Adding a path twice is allowed, the last one wins (the tar is then made from the tree).
 */
int layer_writer_create(struct store *store, const struct layer_writer_options *options,
			struct layer_writer **out, struct error *err);
/** source may be NULL for everything but a regular file that has contents. What failed may be added
 *  again from another source. */
int layer_writer_add(struct layer_writer *writer, const struct tar_entry *entry,
		     const struct layer_source *source, struct error *err);
/** Hide a path of the layers below. */
int layer_writer_whiteout(struct layer_writer *writer, const char *path, struct error *err);
int layer_writer_finish(struct layer_writer *writer, struct layer_draft *out, struct error *err);
/** Add what the thread that hashed the stream has used; after layer_writer_finish. */
struct rusage;
void layer_writer_usage(const struct layer_writer *writer, struct rusage *sum);
/** Frees it; a layer that was not finished stays behind in scratch. */
void layer_writer_free(struct layer_writer *writer);
static inline void layer_writer_cleanup(struct layer_writer **writer)
{
	layer_writer_free(*writer);
}
#define cleanup_layer_writer __attribute__((cleanup(layer_writer_cleanup)))

/* -- published layers ----------------------------------------------------------------------------
 */

/** Rename the draft into layers/ under its diffID (made now if nobody did before), or drop it when
 *  that layer is there; hold it. */
int layer_publish(struct store *store, struct layer_draft *draft, struct layer_info *out,
		  struct error *err);

/**
 * The same for a tree that was unpacked from a tar that others have made: its stream is the blob's
 * and has no headers here. tar: its diffID and size. chain: the layer's chainID if its tree has
 * folders from the layers below (then that is its id), else NULL.
 */
int layer_publish_unpacked(struct store *store, struct layer_draft *draft,
			   const struct layer_info *tar, const struct digest *chain,
			   struct error *err);

int layer_load(struct store *store, const char *id, struct layer_info *out, struct error *err);

/** The id under which a layer with this diffID lies, given the chainID up to and including it:
 *  1 found and held, 0 not there. */
int layer_find(struct store *store, const struct digest *diff_id, const struct digest *chain_id,
	       char out_id[LAYER_ID_SIZE], struct error *err);

/** Can its stream be made from its tree? Not of one whose tar others have made: that is its blob.
 */
bool layer_has_stream(struct store *store, const char *id);

/** chainID: of one layer its diffID, of more H(chain " " diffID). chain may be "" (the first). */
void layer_chain(const struct digest *chain, const struct digest *diff_id, struct digest *out);

/** Give the tar stream, piece by piece; fails at the end if its digest is not the diffID. */
typedef int (*layer_sink_fn)(void *context, const void *data, size_t size, struct error *err);
int layer_stream(struct store *store, const char *id, layer_sink_fn sink, void *context,
		 struct error *err);

#endif
