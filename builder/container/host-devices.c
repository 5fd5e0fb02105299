/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through /dev. Symlinks in it are the host's names of devices, and stay there. */
#include "builder/container/host-devices.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/fd.h"

#define DEPTH_MAX 8 /* /dev/snd/by-path is 2 */

/* What a container has of its own, at the top. */
static bool is_own(const char *name)
{
	static const char *const names[] = { "pts",  "shm",	"mqueue", "fd",	 "console",
					     "ptmx", "null",	"zero",	  "tty", "full",
					     "core", "urandom", "random", NULL };

	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void add_folder(int parent_fd, const char *name, const char *path, unsigned int depth,
		       struct container_edits *edits, struct arena *arena)
{
	cleanup_close int fd =
		openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd_dup_above(fd, 3));
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *child = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] == '.' || (depth == 0 && is_own(entry->d_name)))
			continue;
		if (entry->d_type == DT_DIR && depth < DEPTH_MAX)
			add_folder(fd, entry->d_name, child, depth + 1, edits, arena);
		else if ((entry->d_type == DT_CHR || entry->d_type == DT_BLK) &&
			 !strchr(child, ':')) /* a name that --device could not say either */
			(void)edits_add_host_device(edits, child, arena, NULL);
	}
}

void host_devices_add(struct container_edits *edits, struct arena *arena)
{
	add_folder(AT_FDCWD, "/dev", "/dev", 0, edits, arena);
}
