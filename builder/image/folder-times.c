/* SPDX-License-Identifier: Apache-2.0 */
/* See folder-times.h. Used where files are made: unpack.c, layer-writer.c, copy-target.c. */
#include "builder/image/folder-times.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"

void folder_times_add(struct folder_times *times, const struct tar_entry *entry)
{
	const struct timespec mtime = { entry->mtime, entry->mtime_nsec };

	strbuf_add(&times->records, &mtime, sizeof(mtime));
	strbuf_add(&times->records, entry->path, strlen(entry->path) + 1);
}

int folder_times_set(const struct folder_times *times, int root_fd, bool no_symlinks,
		     struct error *err)
{
	for (size_t i = 0; i < times->records.size;) {
		const char *record = times->records.data + i;
		const char *path = record + sizeof(struct timespec);
		cleanup_close int fd = inroot_open_nofollow(root_fd, path, O_RDONLY | O_DIRECTORY,
							    no_symlinks, NULL);
		struct timespec both[2];

		memcpy(&both[0], record, sizeof(both[0]));
		both[1] = both[0];
		i += sizeof(both[0]) + strlen(path) + 1;
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue; /* replaced by something else since */
		if (fd < 0 || futimens(fd, both) < 0)
			return error_errno(err, fd < 0 ? -fd : errno, "set the time of \"%s\"",
					   path);
	}
	return 0;
}

void folder_times_done(struct folder_times *times)
{
	strbuf_done(&times->records);
}
