/* SPDX-License-Identifier: Apache-2.0 */
/* The times of folders: they change as long as something is put in, so they are set at the end. */
#ifndef BUILDER_IMAGE_FOLDER_TIMES_H
#define BUILDER_IMAGE_FOLDER_TIMES_H

#include <stdbool.h>

#include "builder/image/tar-write.h"
#include "lib/error.h"
#include "lib/strbuf.h"

struct folder_times {
	struct strbuf records; /* mtime, path, NUL each: an archive may have very many */
};

/** Remember the time of a folder, by the path of its entry. */
void folder_times_add(struct folder_times *times, const struct tar_entry *entry);

/** Set them inside root_fd; a path that is no folder any more is passed over. no_symlinks: nor is
 *  one followed on the way. */
int folder_times_set(const struct folder_times *times, int root_fd, bool no_symlinks,
		     struct error *err);
void folder_times_done(struct folder_times *times);

#endif
