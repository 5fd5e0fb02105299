/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside a hostile root: every lookup is openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
 * from the root's fd, and what was found is used by fd from then on, never again by name. Most of
 * the runtimes' CVEs (2021-30465, 2023-27561, 2024-45310, ...) are string paths in this place.
 */
#ifndef LIB_INROOT_H
#define LIB_INROOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/** Open path (absolute or not) inside root_fd; O_CLOEXEC added; mode for O_CREAT. fd or negative
 * errno. */
int inroot_open(int root_fd, const char *path, int flags, mode_t mode, struct error *err);
/** The same without following a symlink in the last component or, with no_symlinks, anywhere. */
int inroot_open_nofollow(int root_fd, const char *path, int flags, bool no_symlinks,
			 struct error *err);

/** mkdir -p inside the root; symlinks are followed inside it, also to what does not exist; O_PATH
 * fd of the last folder. New folders get mode exactly (umask is 0) and owner uid:gid unless
 * (uid_t)-1. */
int inroot_mkdir_all(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid,
		     struct error *err);

/**
 * Open the folder at path, made (0755, missing parents too) when it is not there. *out_made says
 * that its last component was made by this very call: then it is an ordinary folder of a file
 * system that takes folders, so not one of procfs or sysfs.
 */
int inroot_open_or_make(int root_fd, const char *path, bool *out_made, struct error *err);

/** Make an empty file, missing folders (0755) too, where path leads; nothing may be there yet. A
 *  symlink to something that does not exist is followed inside the root, as programs would. */
int inroot_make_file(int root_fd, const char *path, mode_t mode, struct error *err);

/** Open the folder that holds path's last component (created with 0755 if create), and give that
 *  component's name (points into path). "/" and ".." as last component are -EINVAL. */
int inroot_parent(int root_fd, const char *path, bool create, const char **out_name,
		  struct error *err);

/** Where path leads inside the root: no symlink, no ".."; what does not exist is taken as folders
 *  that will be made. "/..." and owned ("" is the root), or NULL. */
char *inroot_resolve(int root_fd, const char *path, struct error *err);

/** Does the entry exist (follows symlinks inside the root)? 1, 0, or negative errno. */
int inroot_exists(int root_fd, const char *path);

/** Read a whole regular file of at most max bytes inside the root. */
struct strbuf;
int inroot_read_file(int root_fd, const char *path, size_t max, struct strbuf *buf,
		     struct error *err);

#endif
