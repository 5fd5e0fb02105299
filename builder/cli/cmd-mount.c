/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder mount and umount: the root file systems of images and containers on the host. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "builder/cli/container-args.h"
#include "builder/cli/listing.h"
#include "builder/cli/root-view.h"
#include "builder/container/host-mount.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "spec/json-write.h"

struct mount_arguments {
	bool all, force, ignore;
	const char *format;
};

/* clang-format off */
static const struct option_spec mount_options[] = {
	OPT_STRING(0, "format", struct mount_arguments, format, LISTING_FORMATS, LISTING_HELP),
	OPT_END
};

static const struct option_spec umount_options[] = {
	OPT_BOOL('a', "all", struct mount_arguments, all, "all that mount has mounted"),
	OPT_BOOL('f', "force", struct mount_arguments, force, "also what is in use: it goes when nobody uses it any more"),
	OPT_BOOL('i', "ignore", struct mount_arguments, ignore, "what is not mounted is no error"),
	OPT_END
};
/* clang-format on */

/* -- mount ---------------------------------------------------------------------------------------
 */

static int list(struct cli *cli, struct store *store, const char *format)
{
	static const struct listing listing = { .table = "{{.ID}}\t{{.Name}}\t{{.Path}}" };
	cleanup_strv struct strv ids = STRV_INIT, rows = STRV_INIT;
	int ret = host_mount_list(store, &ids, &cli->err);

	for (size_t i = 0; i < ids.count; i++) {
		cleanup_free char *path = host_mount_path(store, ids.items[i]);
		cleanup_free char *name = host_mount_name(store, ids.items[i]);
		cleanup_free char *id = xstrndup(ids.items[i], 12);
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct json_writer writer = { .out = &text };

		json_begin_object(&writer);
		json_put_text(&writer, "ID", id);
		json_put_text(&writer, "Name", name);
		json_put_text(&writer, "Path", path);
		json_end_object(&writer);
		strv_add(&rows, text.data);
	}
	return ret < 0 ? ret : listing_print(cli, &listing, format, &rows);
}

/* The root as its first process sees it, without what is mounted in it: from its mount namespace,
 * which we leave again. Nothing is looked up there but "/". */
static int clone_root(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/mnt", (int)pid);
	cleanup_close int theirs = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_close int ours = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -EBADF;
	int ret;

	if (theirs < 0 || ours < 0 || root < 0 || here < 0 || setns(theirs, CLONE_NEWNS) < 0)
		return -errno;
	fd = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	ret = fd < 0 ? -errno : 0;
	if (setns(ours, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0 || fchdir(here) < 0)
		return -errno;
	return ret < 0 ? ret : TAKE_FD(fd);
}

static int open_container(struct container *container, struct error *err)
{
	cleanup_close int fd = -EBADF;
	struct container_state state;
	pid_t pid;
	int ret;

	container_state_get(container->store, &container->record, &state);
	if (!container_is_up(&state)) {
		ret = container_open_rootfs(container, &fd, err);
		return ret < 0 ? ret : TAKE_FD(fd);
	}
	pid = state.pid;
	ret = fd = pid > 0 ? clone_root(pid) : -ESRCH;
	/* it must still be that process, lest the pid was another's */
	container_state_get(container->store, &container->record, &state);
	if (ret >= 0 && state.pid != pid)
		ret = -ESRCH;
	return ret < 0 ? error_errno(err, -ret, "open the root of container %s",
				     container->record.name)
		       : TAKE_FD(fd);
}

static int mount_one(struct store *store, const char *word, void *context, struct error *err)
{
	cleanup_root_view struct root_view view = ROOT_VIEW_INIT;
	cleanup_strbuf struct strbuf holds = STRBUF_INIT;
	struct host_mount mount = { .name = word, .mount_fd = -EBADF };
	cleanup_close int mount_fd = -EBADF;
	cleanup_free char *path = NULL;
	int ret = root_view_open(store, word, &view, err);

	(void)context;
	if (ret < 0)
		return ret;
	if (*view.container.record.id) {
		mount.id = view.container.record.id;
		if (!host_mount_is_there(store, mount.id))
			ret = mount_fd = open_container(&view.container, err);
	} else {
		mount.id = digest_hex(&view.image.id);
		mount.holds = &holds;
		ret = image_holds(store, &view.image, &holds, err);
		if (ret == 0)
			ret = snapshot_mount(store, &view.trees, NULL, 0, &mount_fd, err);
	}
	mount.mount_fd = mount_fd;
	if (ret >= 0)
		ret = host_mount_make(store, &mount, err);
	if (ret < 0)
		return ret;
	path = host_mount_path(store, mount.id);
	puts(path);
	return 0;
}

/* Without root our mounts end with us. Root of a user namespace may be so for longer. */
static int check_root(struct cli *cli, const char *verb)
{
	if (geteuid() == 0)
		return 0;
	return error_set(
		&cli->err, ERROR_UNSUPPORTED, 0,
		"%s needs root, for a mount is seen in its mount namespace alone: say it in "
		"\"%s unshare\" and use the files there (cp and export give them, too)",
		verb, CLI_NAME);
}

static int run_mount(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct mount_arguments arguments = { .format = NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = check_root(cli, "mount");
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	if (words.count == 0)
		return list(cli, &store, arguments.format);
	return cli_each_container(cli, &store, words.arguments, mount_one, NULL);
}

/* -- umount --------------------------------------------------------------------------------------
 */

/* By what is mounted: the image may have lost its name meanwhile. Nothing is locked here, for who
 * removes a container calls us with its lock. Owned; NULL = nothing is it. */
static char *find_mounted(struct store *store, const char *word)
{
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_strv struct strv ids = STRV_INIT;
	const char *hex = strncmp(word, "sha256:", 7) == 0 ? word + 7 : word;

	if (digest_is_hex(hex))
		return xstrdup(hex);
	if (host_mount_list(store, &ids, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < ids.count; i++) {
		cleanup_free char *name = host_mount_name(store, ids.items[i]);
		cleanup_free char *path = host_mount_path(store, ids.items[i]);

		if (strcmp(name, word) == 0 || strcmp(path, word) == 0 ||
		    (strlen(hex) >= 4 && strncmp(ids.items[i], hex, strlen(hex)) == 0))
			return xstrdup(ids.items[i]);
	}
	if (container_record_find(store, word, &record, NULL) == 0)
		return xstrdup(record.id);
	return image_load(store, word, &image, NULL) == 0 ? xstrdup(digest_hex(&image.id)) : NULL;
}

static int umount_one(struct store *store, const char *word, void *context, struct error *err)
{
	const struct mount_arguments *arguments = context;
	cleanup_free char *id = find_mounted(store, word);
	int ret = id ? host_mount_end(store, id, arguments->force, err) : -ENOENT;

	if (ret == -ENOENT)
		return arguments->ignore
			       ? 0
			       : error_set(err, ERROR_NOT_FOUND, 0, "\"%s\" is not mounted", word);
	if (ret == 0)
		puts(word);
	return ret;
}

static int run_umount(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct mount_arguments arguments = { .all = false };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_strv struct strv ids = STRV_INIT;
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0 && arguments.all != (words.count == 0))
		ret = error_set(&cli->err, ERROR_USAGE, 0, "umount takes names, or --all");
	if (ret == 0)
		ret = check_root(cli, "umount");
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0 && arguments.all)
		ret = host_mount_list(&store, &ids, &cli->err);
	return ret < 0 ? ret
		       : cli_each_container(cli, &store,
					    arguments.all ? strv_items(&ids) : words.arguments,
					    umount_one, &arguments);
}

const struct command_spec mount_command = {
	.name = "mount",
	.arguments = "[CONTAINER|IMAGE...]",
	.options = mount_options,
	.arguments_max = -1,
	.run = run_mount,
	.summary = "mount root file systems on the host and print where, or list what is mounted",
	.candidates = "ps -a --format {{.Names}}",
};

const struct command_spec umount_command = {
	.name = "umount",
	.arguments = "CONTAINER|IMAGE...",
	.options = umount_options,
	.arguments_max = -1,
	.run = run_umount,
	.summary = "unmount what mount has mounted",
	.candidates = "mount --format {{.Name}}",
};
