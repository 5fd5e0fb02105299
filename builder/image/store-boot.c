/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long is there what was written and never synced? Until the machine goes down, or the file
 * system is taken away: after a failure of the disk it may be mounted again without what was only
 * in memory. So the name of that time is the kernel's boot id and a number that no other mounting
 * of the file system has since: that of its folder below /sys/fs, which is made anew each time (the
 * kernel never gives such a number twice; sysfs(5), kernfs).
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"

/* Those that lie on one block device, and have such a folder. */
static const char *const types[] = { "ext4", "xfs", "f2fs" };

/* 0 = not known: then the boot alone counts */
static unsigned long long mounting(int fd)
{
	char link[64], device[PATH_MAX], folder[PATH_MAX];
	struct stat st;
	ssize_t size;

	if (fstat(fd, &st) < 0)
		return 0;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	size = readlink(link, device, sizeof(device) - 1);
	if (size < 0)
		return 0;
	device[size] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (snprintf(folder, sizeof(folder), "/sys/fs/%s/%s", types[i], path_base(device)) <
			    (int)sizeof(folder) &&
		    stat(folder, &st) == 0)
			return st.st_ino;
	}
	return 0;
}

void store_read_boot(struct store *store)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, NULL) < 0)
		strbuf_adds(&text, "unknown");
	snprintf(store->boot, sizeof(store->boot), "%.*s-%llx",
		 (int)(text.size > 36 ? 36 : strcspn(text.data, "\n")), text.data,
		 mounting(store->fd));
}

/*
 * The disk did not take something, and nobody says what; who opens the store from now on is not
 * told of it at all. What is not final is therefore made again, and not found as a layer either.
 */
void store_distrust(int store_fd, const char *boot)
{
	int fd = openat(store_fd, "steps", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	while (dir && (d = readdir(dir))) {
		const char *dot = strchr(d->d_name, '.');

		if (dot && strcmp(dot + 1, boot) == 0)
			(void)unlinkat(fd, d->d_name, 0);
	}
	(void)unlinkat(store_fd, STORE_BOOT_NAME, 0); /* refused: nothing can be built there */
}
