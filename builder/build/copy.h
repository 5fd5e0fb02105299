/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over all that a COPY or ADD selects: every file is read once, for the content digest and
 * for the sink that writes it. Without a sink it only hashes.
 */
#ifndef BUILDER_BUILD_COPY_H
#define BUILDER_BUILD_COPY_H

#include <stdbool.h>
#include <sys/resource.h>

#include "builder/build/chmod.h"
#include "builder/build/copy-twins.h"
#include "builder/build/engine.h"
#include "builder/context/select.h"
#include "builder/image/content-list.h"
#include "builder/image/digest.h"
#include "builder/image/hash-queue.h"
#include "builder/image/inode-names.h"
#include "builder/image/layer.h"
#include "lib/error.h"

/** One source, after wildcards: what the sink is told before its entries come. */
struct copy_source {
	const char *name; /* last component */
	bool is_folder;	  /* entries are what is in it */
	int archive_fd;	  /* to be unpacked into the target, no entries come; else -EBADF */
};

struct copy_sink {
	/* Where this source's entries go: a path in the root filesystem (relative, owned). */
	int (*begin)(void *context, const struct copy_source *source, char **out_path,
		     struct error *err);
	/* source NULL: no contents */
	int (*entry)(void *context, const struct tar_entry *entry,
		     const struct layer_source *source, struct error *err);
	void *context;
};

/** One item of the instruction: where its files are, and which. */
struct copy_input {
	struct select_root root;
	int remote_fd; /* of what was fetched: its root; else -EBADF */
	bool unpack;
	struct ignore filter; /* --parents: all but what it names; then --exclude */
	struct source_list list;
};

struct copy {
	struct engine *engine;
	const struct step_copy *step;
	struct select_root root;   /* of what is no remote file */
	int root_fd;		   /* -EBADF: the context's, not ours */
	bool keep_owner;	   /* sources of stages, images, archives keep theirs */
	struct copy_input *inputs; /* one per item */
	size_t source_count;
	struct chmod chmod;
	int64_t now; /* seconds: of what has no time of its own; else that of the build */
	bool set_owner;
	uid_t uid;
	gid_t gid;
	struct stat_cache *stats; /* what files of this root had before; NULL = not known */
	struct copy_twins twins;  /* and the layer that was made of them */
	struct content_list list;
	struct hasher data;
	struct hash_queue *queue; /* of the file that is being read, when it is large */
	char *buffer;		  /* for reading without a sink */
	struct inode_names inodes;
	uint64_t entry_count;
	struct rusage usage; /* of the threads that read and hashed, all passes */
};

/** Open the source's root and find the sources; -ENOENT names the one that is missing. */
int copy_open(struct copy *copy, struct engine *engine, const struct step_copy *step,
	      struct error *err);
void copy_close(struct copy *copy);
#define cleanup_copy __attribute__((cleanup(copy_close)))

/** The first item that matched nothing, NULL = there is none. */
const char *copy_empty_item(const struct copy *copy);

/** Is one of the sources to be unpacked? 1, 0 or negative. */
int copy_has_archive(struct copy *copy, struct error *err);

/** The fd of a source that is an archive to be unpacked; -EBADF if it is not. */
int copy_open_archive(const struct copy_input *input, const struct source *source, int *out_fd,
		      struct error *err);

/** The pass; out_content gets the digest of all that was selected, and with a sink the list behind
 *  it is kept in the store. May be repeated. Other branches of the build run on meanwhile: the sink
 *  is called in another thread. */
int copy_run(struct copy *copy, const struct copy_sink *sink, struct digest *out_content,
	     struct error *err);

#endif
