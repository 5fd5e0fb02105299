/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text: lexical only, nothing here looks at a file system except where it says so. */
#ifndef LIB_PATH_H
#define LIB_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/error.h"

/** Lexically clean (no //, ., trailing /; .. resolved, never above / of an absolute path). "" ->
 * "."; owned. */
char *path_clean(const char *path);
/** base/path cleaned; path wins when absolute. Owned. */
char *path_join(const char *base, const char *path);
/** Three pieces of a path one behind the other, for `list`, where printf was a sixth of all
 *  instructions; false, and "", when they do not fit. */
bool path_put(char *out, size_t room, const char *first, const char *second, const char *third);
/** Last component of a cleaned path (borrowed from path). */
const char *path_base(const char *path);
/** The folder part, "." or "/" when there is none; owned. */
char *path_parent(const char *path);
/** Is path equal to or below prefix, both clean and absolute? */
bool path_is_below(const char *path, const char *prefix);
/** Absolute form by the caller's working directory (looks at getcwd); owned, NULL with errno. */
char *path_absolute(const char *path);
/** mkdir -p on the host's own, trusted paths (not for a rootfs: lib/inroot). */
int path_mkdir_all(const char *path, mode_t mode, struct error *err);
/** Remove a tree below dirfd without following symlinks or crossing upwards; absent = fine. */
int path_remove_tree(int dirfd, const char *name, struct error *err);

#endif
