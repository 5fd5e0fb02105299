/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own tar writer: ustar, a PAX header only where ustar cannot say it, whole seconds, numeric
 * owners, no names of users. The same entry gives the same bytes on every machine and for ever:
 * a layer's identity is the digest of this stream. Pure: makes header bytes, does no I/O.
 */
#ifndef BUILDER_IMAGE_TAR_WRITE_H
#define BUILDER_IMAGE_TAR_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/strbuf.h"

#define TAR_BLOCK 512
#define TAR_TRAILER (2 * TAR_BLOCK) /* zero blocks at the end of the stream */

struct tar_xattr {
	const char *name; /* "security.capability" */
	const void *value;
	size_t size;
};

struct tar_entry {
	const char *path; /* "usr/bin/env": relative, clean, no trailing slash; "." = the root */
	const char
		*target; /* symlink (S_IFLNK): any text. Any other type: a hardlink to this path */
	mode_t mode;	 /* type and permission bits */
	uid_t uid;
	gid_t gid;
	uint64_t size;			/* of a regular file; everything else has none */
	int64_t mtime;			/* seconds; negative ones are kept */
	uint32_t mtime_nsec;		/* 0: whole seconds */
	dev_t device;			/* of S_IFCHR and S_IFBLK */
	const struct tar_xattr *xattrs; /* any order; written sorted by name */
	size_t xattr_count;
};

/* POSIX ACLs as the kernel has them: binary, with numeric ids. */
#define XATTR_ACL_ACCESS "system.posix_acl_access"
#define XATTR_ACL_DEFAULT "system.posix_acl_default"

/** May this xattr go into a layer? Not overlayfs's own, not security.selinux; of system.* only
 * ACLs.
 */
bool tar_xattr_is_portable(const char *name);

/** Append the header blocks of entry. Sockets and paths that leave the root are ERROR_INVALID. */
int tar_header(const struct tar_entry *entry, struct strbuf *out, struct error *err);

/** Zero bytes after size bytes of contents. */
static inline size_t tar_padding(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK - 1));
}

#endif
