/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New file systems through fsopen(2), fsconfig(2), fsmount(2). A failure carries what the file
 * system says of it ("tmpfs: Bad value for 'size'"): the kernel keeps that in the context's fd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/syscalls.h"
#include "runtime/init/mounts.h"

/* One message for each read, "e " in front of errors; the last of those is nearest to the cause. */
static void read_words(int fsfd, char *words, size_t size)
{
	char line[256];
	ssize_t length;

	*words = '\0';
	while ((length = read(fsfd, line, sizeof(line) - 1)) > 2) {
		line[length] = '\0';
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == 'e')
			(void)snprintf(words, size, ": %s", line + 2);
	}
}

static int failed(int fsfd, const char *call, int errnum, const char *action, const char *what,
		  struct error *err)
{
	char words[256];

	read_words(fsfd, words, sizeof(words));
	return error_syscall(err, error_errno(err, errnum, "%s \"%s\"%s", action, what, words),
			     call);
}

/* "key=value" or "flag"; which ones the type takes is the kernel's business. */
static int set_parameter(int fsfd, const char *option, struct error *err)
{
	const char *equals = strchr(option, '=');
	char key[256];
	int ret;

	if (!equals) {
		ret = fsconfig(fsfd, FSCONFIG_SET_FLAG, option, NULL, 0);
	} else {
		if ((size_t)(equals - option) >= sizeof(key))
			return error_errno(err, ENAMETOOLONG, "mount option \"%s\"", option);
		memcpy(key, option, (size_t)(equals - option));
		key[equals - option] = '\0';
		ret = fsconfig(fsfd, FSCONFIG_SET_STRING, key, equals + 1, 0);
	}
	return ret < 0 ? failed(fsfd, "fsconfig", errno, "mount option", option, err) : 0;
}

static int set_parameters(int fsfd, const char *const *data, struct error *err)
{
	int ret = 0;

	for (; *data && ret == 0; data++)
		ret = set_parameter(fsfd, *data, err);
	return ret;
}

/* The context stays open until init_sweep_fds. */
int fs_context_mount(const char *type, const char *source, const char *const *data,
		     uint64_t attributes, struct error *err)
{
	int fsfd = fsopen(type, FSOPEN_CLOEXEC), fd, ret;

	if (fsfd < 0)
		return error_syscall(err, error_errno(err, errno, "file system type \"%s\"", type),
				     "fsopen");
	/* only a name for most; a few refuse it, and nobody needs it then */
	if (source)
		(void)fsconfig(fsfd, FSCONFIG_SET_STRING, "source", source, 0);
	ret = set_parameters(fsfd, data, err);
	if (ret < 0)
		return ret;
	if (fsconfig(fsfd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return failed(fsfd, "fsconfig", errno, "create the file system", type, err);
	fd = fsmount(fsfd, FSMOUNT_CLOEXEC, (unsigned int)attributes);
	return fd < 0 ? failed(fsfd, "fsmount", errno, "mount the file system", type, err) : fd;
}

/* A value of fsconfig(2) has at most 255 bytes; the layers of an overlay are easily more. */
#define VALUE_MAX 255

bool fs_context_can_take(const char *const *data)
{
	for (; *data; data++) {
		const char *equals = strchr(*data, '=');

		if (equals && strlen(equals + 1) > VALUE_MAX)
			return false;
	}
	return true;
}

int fs_mount_by_place(const struct plan_mount *what, const char *place, struct error *err)
{
	cleanup_strbuf struct strbuf options = STRBUF_INIT;
	struct mount_attr attr = { .attr_set = what->attr_set };
	cleanup_close int fd = -EBADF;

	if (strcmp(place, "/") == 0) /* which no path leads over */
		return error_errno(err, ENAMETOOLONG, "mount options of \"%s\"", what->type);
	for (const char *const *item = what->data; *item; item++)
		strbuf_addf(&options, "%s%s", options.size ? "," : "", *item);
	if (mount(what->source, place, what->type, 0, strbuf_text(&options)) < 0)
		return error_errno(err, errno, "create the file system \"%s\"", what->type);
	fd = open_tree(AT_FDCWD, place, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 || fd < 0 ||
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "mount the file system \"%s\"", what->type);
	return TAKE_FD(fd);
}

int fs_context_change(int fd, const char *const *data, struct error *err)
{
	int fsfd = fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC), ret;

	if (fsfd < 0)
		return error_errno(err, errno, "change the file system's parameters");
	ret = set_parameters(fsfd, data, err);
	if (ret == 0 && fsconfig(fsfd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		ret = failed(fsfd, "fsconfig", errno, "change the parameters of", "the file system",
			     err);
	return ret;
}
