/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's tar stream while it is made: headers go to headers.zst, headers and contents into the
 * digest. For the files of builder/image that make layers.
 */
#ifndef BUILDER_IMAGE_LAYER_STREAM_H
#define BUILDER_IMAGE_LAYER_STREAM_H

#include <errno.h>
#include <stdint.h>

#include "builder/image/digest.h"
#include "builder/image/layer.h"
#include "builder/image/tar-write.h"
#include "lib/error.h"
#include "lib/strbuf.h"

#define LAYER_HEADERS "headers.zst"
#define LAYER_TREE "tree"
#define LAYER_BUFFER (256 * 1024)

struct layer_recorder {
	int fd;		       /* headers.zst; -EBADF: the headers are not kept */
	int sink_fd;	       /* the whole stream goes there; -EBADF: only into the digest */
	int sink_errnum;       /* how writing there failed */
	void *zstd;	       /* ZSTD_CCtx */
	struct strbuf pending; /* records that are not compressed yet */
	struct strbuf header;
	struct hasher hasher;
	uint64_t size; /* of the tar stream so far */
	uint64_t entries;
	uint64_t missing; /* bytes of contents that the last entry still lacks */
	uint64_t padding; /* behind them */
	char *buffer;	  /* LAYER_BUFFER bytes for whoever moves contents */
};

#define RECORDER_INIT                                                                              \
	{                                                                                          \
		.fd = -EBADF, .sink_fd = -EBADF                                                    \
	}

int recorder_open(struct layer_recorder *recorder, int draft_fd, struct error *err);
/** The same for a stream that is nobody's layer: only written to fd (borrowed). */
int recorder_open_sink(struct layer_recorder *recorder, int fd, struct error *err);
/** Start an entry; a regular file's contents follow through recorder_data, exactly size bytes. */
int recorder_entry(struct layer_recorder *recorder, const struct tar_entry *entry,
		   struct error *err);
void recorder_data(struct layer_recorder *recorder, const void *data, size_t size);
/** The trailer; digest, size and entries go to out. */
int recorder_finish(struct layer_recorder *recorder, struct layer_draft *out, struct error *err);
void recorder_done(struct layer_recorder *recorder);
#define cleanup_recorder __attribute__((cleanup(recorder_done)))

/** Record a whole tree (a draft's, or an upper) in sorted order. */
int layer_scan_tree(struct store *store, int tree_fd, const struct layer_scan *scan,
		    struct layer_recorder *recorder, struct error *err);

/** A root as every layer has it unless a header says otherwise: 0755 0:0, no xattrs. */
static inline bool layer_root_is_plain(const struct tar_entry *root)
{
	return root->uid == 0 && root->gid == 0 && (root->mode & 07777) == 0755 &&
	       root->xattr_count == 0;
}

#endif
