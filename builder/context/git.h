/* SPDX-License-Identifier: Apache-2.0 */
/* Git repositories by the git program: what a reference is, and its files. */
#ifndef BUILDER_CONTEXT_GIT_H
#define BUILDER_CONTEXT_GIT_H

#include "builder/context/location.h"
#include "lib/error.h"

#define GIT_COMMIT_SIZE 65 /* hex of sha256, and NUL */

/** Ask the repository for the commit that the location means; checked against location->commit. */
int git_resolve(const struct location *location, int cancel_fd, char out_commit[GIT_COMMIT_SIZE],
		struct error *err);

/**
 * Check the commit out into an empty folder (path: absolute), with its submodules; .git stays only
 * if location->keep_git_dir. location->subdir is the caller's to look into.
 */
int git_checkout(const struct location *location, const char *commit, const char *path,
		 int cancel_fd, struct error *err);

#endif
