/* SPDX-License-Identifier: Apache-2.0 */
/* The time of the commit that a folder is a clean checkout of. */
#ifndef BUILDER_CONTEXT_COMMIT_TIME_H
#define BUILDER_CONTEXT_COMMIT_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/context/git.h"

struct store;

/**
 * True, and the commit and its committer's time, when path is in a checkout in which nothing below
 * path differs from the commit and nothing is untracked (what is ignored does not count, nor do
 * submodules). False when it is not, or when that cannot be found out: there is no git program, or
 * a repository that needs settings of its own. Nothing that the repository brings along is run: its
 * configuration is never read (see CVE-2022-24765 for what that can do). The git folder that is
 * made for it is a scratch folder of the store: whoever comes after a builder that was killed
 * removes it.
 */
bool commit_time(const char *path, struct store *store, char out_commit[GIT_COMMIT_SIZE],
		 int64_t *out_seconds);

#endif
