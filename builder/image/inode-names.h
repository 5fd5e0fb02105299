/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first name of each file that has several: hardlinks are found by (device, inode) while a tree
 * is walked. A table with open addressing: a base image may have a hundred thousand of them.
 */
#ifndef BUILDER_IMAGE_INODE_NAMES_H
#define BUILDER_IMAGE_INODE_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct inode_name {
	dev_t device;
	ino_t inode;
	uint64_t ordinal; /* the caller's number of that entry */
	char *path;	  /* NULL = empty slot */
};

struct inode_names {
	struct inode_name *slots;
	size_t size, used; /* size: 0 or a power of two */
};

/** The name that this file had first, or NULL: then it is this one, and remembered (copied). */
const struct inode_name *inode_names_find(struct inode_names *names, const struct stat *st,
					  const char *path, uint64_t ordinal);
/** Forget all; usable again. */
void inode_names_done(struct inode_names *names);

#endif
