/* SPDX-License-Identifier: Apache-2.0 */
/* Git repositories by the git program: what a reference is, and its files. */
#ifndef BUILDER_CONTEXT_GIT_H
#define BUILDER_CONTEXT_GIT_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/context/location.h"
#include "lib/error.h"

#define GIT_COMMIT_SIZE 65 /* hex of sha256, and NUL */

/** The full name of one: 40 or 64 hex digits. */
bool git_is_commit(const char *text);

/** Ask the repository for the commit that the location means; checked against location->commit. */
int git_resolve(const struct location *location, int cancel_fd, char out_commit[GIT_COMMIT_SIZE],
		struct error *err);

struct git_checkout {
	const char *commit;
	const char *path; /* an empty folder; absolute */
	int cancel_fd;
	int64_t time; /* result: when the commit was made */
};

/**
 * Check a commit out, with its submodules; .git stays only if location->keep_git_dir.
 * location->subdir is the caller's to look into.
 */
int git_checkout(const struct location *location, struct git_checkout *checkout, struct error *err);

#endif
