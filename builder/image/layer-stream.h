/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's tar stream while it is made: headers go to headers.zst; headers and contents into the
 * digest, if that is not left for later. For the files of builder/image that make layers.
 */
#ifndef BUILDER_IMAGE_LAYER_STREAM_H
#define BUILDER_IMAGE_LAYER_STREAM_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "builder/image/hash-queue.h"
#include "builder/image/layer-growth.h"
#include "builder/image/layer.h"
#include "builder/image/tar-write.h"
#include "lib/error.h"
#include "lib/strbuf.h"

#define LAYER_HEADERS "headers.zst"
#define LAYER_TREE "tree"

struct layer_recorder {
	int fd;			  /* headers.zst; -EBADF: the headers are not kept */
	int sink_fd;		  /* the whole stream goes there; -EBADF: nowhere */
	struct hash_queue *queue; /* NULL: no digest is made, contents are not looked at */
	void *zstd;		  /* ZSTD_CCtx */
	struct strbuf pending;	  /* records that are not compressed yet */
	struct strbuf header;
	struct layer_growth *growth; /* is told of what is in the file; NULL = nobody waits */
	uint64_t entries;
	uint64_t size;	  /* of the stream so far, contents counted with their header */
	uint64_t missing; /* bytes of contents that the last entry still lacks */
	size_t padding;	  /* behind them */
	char *buffer;	  /* for contents on their way to the sink */
};

#define RECORDER_INIT                                                                              \
	{                                                                                          \
		.fd = -EBADF, .sink_fd = -EBADF                                                    \
	}

/** digest: made on the way; else layer_hash makes it afterwards. */
int recorder_open(struct layer_recorder *recorder, int draft_fd, bool digest, struct error *err);
/** For a stream that is nobody's layer: only written to fd (borrowed). */
void recorder_open_sink(struct layer_recorder *recorder, int fd);
/** Start an entry; a regular file's contents follow, exactly size bytes. */
int recorder_entry(struct layer_recorder *recorder, const struct tar_entry *entry,
		   struct error *err);
/** Keep an entry's headers as they are, and contents of this size behind them: for a stream that
 * has been made before, whose digest is left to layer_hash. */
int recorder_header(struct layer_recorder *recorder, const struct strbuf *header, const char *path,
		    uint64_t contents, struct error *err);
/** All contents of the last entry from fd, if anybody wants them. */
int recorder_contents(struct layer_recorder *recorder, int fd, const char *path, struct error *err);
/** The same piece by piece: put some into the space (of the size given), and say how much. */
char *recorder_space(struct layer_recorder *recorder, size_t *out_size);
int recorder_added(struct layer_recorder *recorder, const void *data, size_t size,
		   struct error *err);
/** The trailer; entries and size, and the digest if it was made, go to out. */
int recorder_finish(struct layer_recorder *recorder, struct layer_draft *out, struct error *err);
void recorder_done(struct layer_recorder *recorder);
#define cleanup_recorder __attribute__((cleanup(recorder_done)))

/** Record a whole tree (a draft's, or an upper) in sorted order; scan may be NULL. */
int layer_scan_tree(struct store *store, int tree_fd, const struct layer_scan *scan,
		    struct layer_recorder *recorder, struct error *err);

/** The headers of a draft's tree become those of the tar in fd (from its offset; compressed or
 * not), that the tree was unpacked from. The diffID of the draft is left to layer_hash: it is the
 * tar's if the tree has all of it. */
int layer_take_headers(struct store *store, int fd, struct layer_draft *draft, struct error *err);

/** A root as every layer has it unless a header says otherwise: 0755 0:0, no xattrs. */
static inline bool layer_root_is_plain(const struct tar_entry *root)
{
	return root->uid == 0 && root->gid == 0 && (root->mode & 07777) == 0755 &&
	       root->xattr_count == 0;
}

#endif
