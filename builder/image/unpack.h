/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading tar archives (plain, gzip, bzip2, xz, zstd) into a folder; the only file that knows
 * libarchive. Every entry name and hardlink target is resolved inside the folder (openat2); one
 * that leaves it is an error. Symlink targets are data. Memory does not grow with file sizes.
 */
#ifndef BUILDER_IMAGE_UNPACK_H
#define BUILDER_IMAGE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/image/digest.h"
#include "builder/image/overlay.h"
#include "lib/error.h"

struct byte_source;
struct store;
struct strv;
struct tar_entry;
struct time_rule;

struct unpack_options {
	bool whiteouts;		  /* .wh. entries become whiteouts of a tree (layers of images) */
	enum overlay_marks marks; /* ... said so */
	bool keep_root;		  /* the folder itself stays as it is, whatever "./" says (ADD) */
	bool keep_folders;	  /* one that has something in it is an error, if it stands where
				   * the archive has something else: it is somebody's */
	bool subsecond;		  /* times with nanoseconds, else whole seconds */
	const struct time_rule *times; /* NULL = as the archive has them */
	bool set_owner;		       /* everything belongs to uid:gid (ADD --chown) */
	uid_t uid;
	gid_t gid;
	/* Folders that the archive leaves out get the metadata they have in these trees of the
	 * store (bottom to top), else 0755 0:0. NULL = none. */
	struct store *store;
	const struct strv *lowers;
	uint64_t plain_max; /* bytes behind the compression; 0 = any number */
};

/** What an entry of unpack_each has in it, and all that is known of it; contents: for unpack_read,
 *  as long as the call lasts. A hardlink has a target and no contents. */
typedef int (*unpack_entry_fn)(void *context, const struct tar_entry *entry, void *contents,
			       struct error *err);

struct unpack_result {
	uint64_t entries;
	uint64_t bytes;	  /* of regular files */
	uint64_t plain;	  /* of the archive behind its compression */
	uint64_t parents; /* folders that the archive left out; a layer with such is told from
			   * others by its chainID (docs/store.md) */
	int64_t newest;	  /* seconds: the latest time of a regular file; INT64_MIN = none */
};

/** The most that a compressed archive of this size may have behind its compression: no honest one
 *  is packed so well, but for small ones full of zeros. */
uint64_t unpack_plain_max(uint64_t size);

/** Does a (compressed) tar archive with an entry start here? 1, 0 or a negative errno; the offset
 * is restored. */
int unpack_is_archive(int fd, struct error *err);

/** Digest and size of what fd holds without its compression: the diffID of a layer. More than max
 *  bytes (0 = any number) are refused as by unpack_archive. */
int unpack_digest(int fd, uint64_t max, struct digest *out, uint64_t *out_size, struct error *err);

/** Unpack all of fd (from its offset; may be a pipe) into the folder, later entries win. result
 *  may be NULL. The message of a failure names the entry. umask must be 0. */
int unpack_archive(int fd, int folder_fd, const struct unpack_options *options,
		   struct unpack_result *result, struct error *err);

/** The same from anywhere, with the digest of what is behind the compression. */
int unpack_stream(const struct byte_source *source, int folder_fd,
		  const struct unpack_options *options, struct unpack_result *result,
		  struct digest *out_plain, struct error *err);

/** Nothing is unpacked: call for each entry, as it stands in the archive; whiteouts are files. */
int unpack_each(int fd, const struct unpack_options *options, unpack_entry_fn call, void *context,
		struct error *err);
/** The next bytes of an entry's contents; 0 at their end. */
ssize_t unpack_read(void *contents, void *buffer, size_t size, struct error *err);

/** An entry's name as a path inside the folder: no leading slash, clean; owned. "." is the folder
 *  itself. NULL when it leaves the folder or is empty. */
char *unpack_clean_name(const char *name);

#endif
