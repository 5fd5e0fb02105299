/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle of a container that is made: what its root file system decides, and config.json. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "builder/build/run-spec.h"
#include "builder/build/step-cgroup.h"
#include "builder/container/create-internal.h"
#include "builder/container/init-layer.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/userns.h"

static int add_groups(struct making *making, int root_fd, struct error *err)
{
	const struct json_strings *groups = &making->record->groups;
	int ret;

	if (!groups->count)
		return 0;
	if (userns_denies_groups())
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "--group-add: the user namespace denies setgroups(2) (without "
				 "root groups come from your lines in /etc/subgid)");
	ret = user_add_groups(root_fd, groups->items, groups->count, &making->user, err);
	return error_prefix(err, ret, "--group-add");
}

int create_resolve_in_rootfs(struct making *making, struct error *err)
{
	const char *user =
		making->options->user ? making->options->user : making_defaults(making)->user;
	const char *rootfs = making->container->rootfs;
	cleanup_close int root_fd = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int cwd_fd = -EBADF;
	int ret;

	if (root_fd < 0)
		return error_errno(err, errno, "open \"%s\"", rootfs);
	ret = user_resolve(root_fd, user ? user : "", &making->user, err);
	if (ret == 0)
		ret = add_groups(making, root_fd, err);
	if (ret < 0)
		return ret;
	cwd_fd = inroot_mkdir_all(root_fd, making->cwd, 0755, making->user.uid, making->user.gid,
				  err);
	if (cwd_fd < 0)
		return error_prefix(err, cwd_fd, "working directory");
	return mounts_make(making->container->store, making->record, root_fd, &making->user, err);
}

static const char *find_init(void)
{
	static const char *const programs[] = { "/usr/libexec/podman/catatonit",
						"/usr/bin/catatonit", "/usr/bin/tini-static",
						"/usr/bin/docker-init", "/usr/bin/tini" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	return NULL;
}

/* The program in front of the command, and its mount. */
static int add_init(struct making *making, struct run_volume *volume, struct json_strings *args,
		    struct error *err)
{
	const char *program = find_init();

	if (!program)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "--init needs the program catatonit or tini (Debian: package "
				 "catatonit)");
	*volume = (struct run_volume){ program, INIT_TARGET, true, NULL };
	*args = (struct json_strings){ .items = NULL };
	json_strings_add(args, making->arena, INIT_TARGET);
	json_strings_add(args, making->arena, "--");
	making_add_strings(making, args, making->record->args.items);
	return 0;
}

static struct run_volume *list_volumes(struct making *making, struct run_spec *spec)
{
	const struct container_record *record = making->record;
	struct run_volume *volumes =
		arena_alloc(making->arena, (record->mounts.count + 1) * sizeof(*volumes));

	for (size_t i = 0; i < record->mounts.count; i++) {
		const struct container_mount *mount = &record->mounts.items[i];

		volumes[i] = (struct run_volume){ *mount->source ? mount->source : NULL,
						  mount->target, mount->read_only, mount->options };
	}
	spec->volumes = volumes;
	spec->volume_count = record->mounts.count;
	return volumes;
}

/* The network namespace is the runtime's own, the host's, or one that will be attached. */
static void set_network(const struct container *container, struct run_spec *spec,
			struct run_netns *netns, const char *path)
{
	const char *network = container->record.network;

	spec->network = RUN_NETWORK_BRIDGE;
	if (strcmp(network, "host") == 0)
		spec->network = RUN_NETWORK_HOST;
	else if (strcmp(network, "none") == 0)
		spec->network = RUN_NETWORK_NONE;
	netns->path = path;
	spec->netns = netns;
}

static int write_config(struct making *making, const struct run_spec *spec, struct error *err)
{
	const struct container *container = making->container;
	cleanup_free char *path = xasprintf("%s/bundle/config.json", container->folder);
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	int ret = run_spec_write(spec, &config, err);

	if (ret == 0)
		ret = io_replace_file(container->store->fd, path, config.data, config.size, 0600,
				      IO_NO_SYNC, err);
	if (ret < 0)
		return ret;
	container_describe(making->options, spec, &making->image, making->record);
	return container_record_save(container->store, making->record, err);
}

int create_write_bundle(struct making *making, struct error *err)
{
	const struct container *container = making->container;
	const struct container_options *options = making->options;
	cleanup_step_cgroup struct step_cgroup cgroup = STEP_CGROUP_INIT;
	cleanup_free char *resolv = xasprintf("%s/resolv.conf", container->bundle);
	cleanup_free char *hosts = xasprintf("%s/hosts", container->bundle);
	cleanup_free char *netns_path = xasprintf("%s/netns", container->bundle);
	cleanup_free char *pidns_path = xasprintf("%s/pidns", container->bundle);
	cleanup_free char *ipcns_path = xasprintf("%s/ipcns", container->bundle);
	cleanup_free char *shm_path = xasprintf("%s/shm", container->bundle);
	struct json_strings args = making->record->args;
	struct run_netns netns = { NULL };
	struct run_volume *volumes;
	struct winsize size;
	struct run_spec spec = {
		.rootfs = container->rootfs,
		.env = strv_items(&making->env),
		.cwd = making->cwd,
		.user = &making->user,
		.hostname = making->record->hostname,
		.terminal = options->terminal,
		.read_only = options->read_only,
		.pid_namespace = making->record->pid_of ? pidns_path : NULL,
		.ipc_namespace = making->record->ipc_of ? ipcns_path : NULL,
		.shm = making->record->ipc_of ? shm_path : NULL,
		.insecure = options->sandbox && options->sandbox->privileged,
		.resolv_conf = resolv,
		.hosts = hosts,
		.sandbox = options->sandbox,
	};
	int ret = 0;

	step_cgroup_make(making->record->cgroup_parent, making->record->id, &cgroup);
	spec.cgroups_path = cgroup.path;
	set_network(container, &spec, &netns, netns_path);
	volumes = list_volumes(making, &spec);
	if (options->init)
		ret = add_init(making, &volumes[spec.volume_count++], &args, err);
	spec.args = args.items;
	/* from the start, so that no program sees a terminal without size */
	if (spec.terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
		spec.rows = size.ws_row;
		spec.columns = size.ws_col;
	}
	return ret < 0 ? ret : write_config(making, &spec, err);
}
