/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the contents of files were when they were read last: a file whose device, inode, size, mtime
 * and ctime are the same has the same contents, so that an unchanged context costs stats only. The
 * ctime is what makes it safe: no program can set it. docs/cache.md says when an entry is not
 * trusted, and what no such cache can see.
 *
 * The entries of a build are those of one file below stat/ in the store, named by the context's
 * folder. Losing it costs time and nothing else: whatever is odd about the file, it counts as
 * empty.
 */
#ifndef BUILDER_CONTEXT_STAT_CACHE_H
#define BUILDER_CONTEXT_STAT_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "builder/image/digest.h"

struct store;
struct stat_cache;

/** What is known about a file or folder. */
struct stat_value {
	struct digest content; /* text "" = none: a folder */
	struct digest xattrs;  /* of names and values; text "" = none */
	uint32_t xattr_count;
};

/**
 * A cache for what lies in this folder (and, by device and inode, anywhere else). Nothing is read
 * before the first question. May be used by several threads. root_fd < 0: for tests, "stat/none".
 */
struct stat_cache *stat_cache_open(struct store *store, int root_fd);
/** Write what is new, if anything is; failing to is no failure of the build. Frees it. NULL is
 * fine. */
void stat_cache_close(struct stat_cache *cache);

/** Is it known what a file with this stat has? */
bool stat_cache_find(struct stat_cache *cache, const struct stat *st, struct stat_value *out);

/**
 * To be asked before a file is read whose value will be added: could a change made right now be
 * told by its timestamps? Not when they are as young as the file system's clock is coarse, lie in
 * the future, or come from another machine's clock.
 */
bool stat_cache_is_settled(struct stat_cache *cache, int fd, const struct stat *st);
/** Add the value of an open file, unless it is not any more what st says. */
void stat_cache_add(struct stat_cache *cache, int fd, const struct stat *st,
		    const struct stat_value *value);

#endif
