/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a container of an image: record, writable snapshot, bundle, runtime (or conmon when there is
 * a terminal), record of its end. The image's config decides what was not said on the command line
 * (image-spec, conversion.md).
 */
#include "builder/container/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/run-spec.h"
#include "builder/build/runtime-exec.h"
#include "builder/build/step-cgroup.h"
#include "builder/build/stubs.h"
#include "builder/container/conmon.h"
#include "builder/container/leftovers.h"
#include "builder/container/network.h"
#include "builder/container/record.h"
#include "builder/container/sandbox.h"
#include "builder/container/user.h"
#include "builder/container/volume.h"
#include "builder/image/image.h"
#include "builder/image/snapshot.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/log.h"

/* One container on its way from the image to its end. */
struct run {
	struct store *store;
	const struct run_options *options;
	struct arena arena;
	struct image image;
	struct container_record record;
	char *folder;  /* relative to the store */
	char *rootfs;  /* absolute */
	char *bundle;  /* absolute */
	char *runtime; /* the program */
	bool attached; /* something is mounted at rootfs */
	struct strv env;
	const char *cwd;
	struct user user;
	struct network network;
	struct run_volume *volumes;
	size_t volume_count;
};

static void run_done(struct run *run)
{
	network_down(&run->network);
	if (run->attached)
		(void)snapshot_detach(run->rootfs, NULL);
	arena_done(&run->arena);
	image_done(&run->image);
	container_record_done(&run->record);
	free(run->folder);
	free(run->rootfs);
	free(run->bundle);
	free(run->runtime);
	strv_done(&run->env);
	user_done(&run->user);
}

static const struct image_defaults *defaults(const struct run *run)
{
	static const struct image_defaults none;
	const struct image_config *config = run->image.config;

	return config->config ? config->config : &none;
}

/* Entrypoint and command: arguments replace the command, --entrypoint clears it (docker's rule). */
static int collect_args(struct run *run, struct error *err)
{
	const struct image_defaults *config = defaults(run);
	const struct run_options *options = run->options;

	if (options->entrypoint) {
		if (*options->entrypoint)
			strv_add(&run->record.args, options->entrypoint);
	} else {
		strv_add_all(&run->record.args, config->entrypoint.items);
	}
	if (*options->args)
		strv_add_all(&run->record.args, options->args);
	else if (!options->entrypoint)
		strv_add_all(&run->record.args, config->cmd.items);
	if (!run->record.args.count)
		return error_invalid(
			err,
			"no command: image \"%s\" has neither ENTRYPOINT nor CMD, and none "
			"was given",
			options->image);
	return 0;
}

static void collect_env(struct run *run)
{
	const struct image_defaults *config = defaults(run);

	strv_add_all(&run->env, config->env.items);
	if (!strv_env_get(&run->env, "PATH"))
		strv_add(&run->env,
			 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (run->options->terminal && !strv_env_get(&run->env, "TERM"))
		strv_add(&run->env, "TERM=xterm");
	for (size_t i = 0; i < run->options->env->count; i++) {
		const char *text = run->options->env->items[i], *equals = strchr(text, '=');
		cleanup_free char *name =
			xstrndup(text, equals ? (size_t)(equals - text) : strlen(text));
		const char *value = equals ? equals + 1 : getenv(name);

		/* a bare name that we do not have either is not set, as in docker */
		if (value)
			strv_env_set(&run->env, name, value);
	}
}

/* What comes from the command line and the image alone: nothing is made yet. */
static int prepare(struct run *run, struct error *err)
{
	const struct run_options *options = run->options;
	int ret = image_load_for(run->store, options->image, options->platform, &run->image, err);

	if (ret == 0)
		ret = collect_args(run, err);
	if (ret == 0)
		ret = volumes_parse(options->volumes, &run->arena, &run->volumes,
				    &run->volume_count, err);
	if (ret < 0)
		return ret;
	collect_env(run);
	run->cwd = options->cwd ? options->cwd : defaults(run)->working_dir;
	if (!run->cwd || !*run->cwd)
		run->cwd = "/";
	if (*run->cwd != '/')
		return error_invalid(err, "working directory \"%s\" is not an absolute path",
				     run->cwd);
	run->record.name = xstrdup(options->name ? options->name : "");
	run->record.image = xstrdup(options->image);
	run->record.image_id = xstrdup(run->image.id.text);
	return 0;
}

/* The writable snapshot, mounted at rootfs. */
static int mount_rootfs(struct run *run, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int mount_fd = -EBADF;
	struct snapshot_upper upper;
	cleanup_free char *layer = xasprintf("%s/layer", run->folder);
	int ret = image_trees(run->store, &run->image, &trees, err);

	if (ret < 0)
		return ret;
	if (mkdirat(run->store->fd, layer, 0700) < 0)
		return error_errno(err, errno, "mkdir \"%s/%s\"", run->store->path, layer);
	ret = snapshot_upper_create_at(run->store, &trees, layer, &upper, err);
	if (ret == 0)
		ret = snapshot_mount(run->store, &trees, &upper, 0, &mount_fd, err);
	if (ret == 0)
		ret = snapshot_attach(mount_fd, AT_FDCWD, run->rootfs, err);
	run->attached = ret == 0;
	return ret;
}

static int write_bundle_file(const struct run *run, const char *name, const struct strbuf *text,
			     struct error *err)
{
	cleanup_free char *path = xasprintf("%s/bundle/%s", run->folder, name);

	return io_replace_file(run->store->fd, path, strbuf_text(text), text->size, 0644,
			       IO_NO_SYNC, err);
}

static int resolve_in_rootfs(struct run *run, struct stubs *stubs, struct error *err)
{
	const struct image_defaults *config = defaults(run);
	const char *user = run->options->user ? run->options->user : config->user;
	cleanup_close int root_fd = open(run->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int cwd_fd = -EBADF;
	int ret;

	if (root_fd < 0)
		return error_errno(err, errno, "open \"%s\"", run->rootfs);
	ret = user_resolve(root_fd, user ? user : "", &run->user, err);
	if (ret < 0)
		return ret;
	cwd_fd = inroot_mkdir_all(root_fd, run->cwd, 0755, run->user.uid, run->user.gid, err);
	if (cwd_fd < 0)
		return error_prefix(err, cwd_fd, "working directory");
	/* so that a later diff or commit shows only what the container did */
	for (const char *const *point = run_spec_mount_points; *point && ret == 0; point++)
		ret = stubs_note(stubs, root_fd, *point, err);
	for (size_t i = 0; i < run->volume_count && ret == 0; i++)
		ret = stubs_note(stubs, root_fd, run->volumes[i].target, err);
	if (ret == 0 && run->options->sandbox)
		ret = stubs_note_edits(stubs, root_fd, &run->options->sandbox->edits, err);
	return ret;
}

static int write_bundle(struct run *run, const char *cgroup, struct error *err)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT, resolv = STRBUF_INIT,
				     hosts = STRBUF_INIT;
	cleanup_free char *resolv_path = xasprintf("%s/resolv.conf", run->bundle);
	cleanup_free char *hosts_path = xasprintf("%s/hosts", run->bundle);
	char short_id[13];
	const char *hostname = run->options->hostname;
	struct winsize size;
	struct run_spec spec = {
		.rootfs = run->rootfs,
		.args = strv_items(&run->record.args),
		.env = strv_items(&run->env),
		.cwd = run->cwd,
		.user = &run->user,
		.cgroups_path = cgroup,
		.network = run->options->network,
		.netns = &run->network.netns,
		.terminal = run->options->terminal,
		.volumes = run->volumes,
		.volume_count = run->volume_count,
		.resolv_conf = resolv_path,
		.hosts = hosts_path,
		.sandbox = run->options->sandbox,
	};
	int ret;

	/* from the start, so that no program sees a terminal without size */
	if (spec.terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
		spec.rows = size.ws_row;
		spec.columns = size.ws_col;
	}
	memcpy(short_id, run->record.id, sizeof(short_id) - 1);
	short_id[sizeof(short_id) - 1] = '\0';
	spec.hostname = hostname ? hostname : short_id;
	ret = run_spec_resolv_conf(&spec, &resolv, err);
	if (ret == 0)
		ret = run_spec_hosts(&spec, &hosts, err);
	if (ret == 0)
		ret = run_spec_write(&spec, &config, err);
	if (ret == 0)
		ret = write_bundle_file(run, "resolv.conf", &resolv, err);
	if (ret == 0)
		ret = write_bundle_file(run, "hosts", &hosts, err);
	return ret < 0 ? ret : write_bundle_file(run, "config.json", &config, err);
}

static int execute(struct run *run, int *out_status, struct error *err)
{
	const struct runtime runtime = { run->runtime, RUNTIME_ROOT_CONTAINERS };
	struct runtime_result result = { 0 };
	const struct runtime_run direct = {
		.runtime = &runtime,
		.bundle = run->bundle,
		.id = run->record.id,
		.stdin_fd = run->options->interactive ? STDIN_FILENO : -EBADF,
		.cancel_fd = -EBADF,
		.kill_fd = -EBADF,
		.forward_signals = true,
	};
	const struct conmon_run monitored = {
		.runtime = &runtime,
		.bundle = run->bundle,
		.id = run->record.id,
		.name = run->record.id,
		.terminal = run->options->terminal,
		.interactive = run->options->interactive,
	};
	int ret;

	if (run->options->terminal)
		return conmon_run_attached(&monitored, out_status, err);
	ret = runtime_run(&direct, &result, err);
	*out_status = result.exit_status;
	return ret;
}

static int connect_network(struct run *run, struct error *err)
{
	const struct run_options *options = run->options;
	const char *name = *run->record.name ? run->record.name : run->record.id;

	if (options->network != RUN_NETWORK_BRIDGE)
		return 0;
	return network_up(&run->network, run->store, run->record.id, name, options->ports,
			  options->port_count, err);
}

/* From the record to the end of the process; what is mounted is detached by the caller. */
static int make_and_execute(struct run *run, int *out_status, struct error *err)
{
	cleanup_step_cgroup struct step_cgroup cgroup = STEP_CGROUP_INIT;
	const struct sandbox *sandbox = run->options->sandbox;
	cleanup_stubs struct stubs stubs = STUBS_INIT;
	int ret;

	run->rootfs = xasprintf("%s/%s/rootfs", run->store->path, run->folder);
	run->bundle = xasprintf("%s/%s/bundle", run->store->path, run->folder);
	ret = mount_rootfs(run, err);
	if (ret == 0)
		ret = resolve_in_rootfs(run, &stubs, err);
	if (ret < 0)
		return ret;
	ret = connect_network(run, err);
	if (ret < 0)
		return ret;
	step_cgroup_make(sandbox ? sandbox->cgroup_parent : NULL, run->record.id, &cgroup);
	ret = write_bundle(run, cgroup.path, err);
	if (ret < 0)
		return ret;
	ret = execute(run, out_status, err);
	stubs_remove(&stubs);
	if (ret == 0 && step_cgroup_oom_killed(&cgroup))
		log_warning("the container was killed for lack of memory");
	return ret;
}

/* The record, and before it what is to be done about it should we be killed. */
static int make_record(struct run *run, struct error *err)
{
	struct store *store = run->store;
	const char *id = run->record.id;
	int ret = container_id_make(run->record.id, err);

	run->runtime = runtime_find(run->options->runtime);
	if (ret == 0)
		ret = store_lease_note(store, LEFTOVER_RUNTIME, run->runtime, err);
	if (ret == 0)
		ret = store_lease_note(store, LEFTOVER_CONTAINER, id, err);
	if (ret == 0 && run->options->sandbox && run->options->sandbox->cgroup_parent)
		ret = store_lease_note(store, LEFTOVER_CGROUP, run->options->sandbox->cgroup_parent,
				       err);
	if (ret == 0 && run->options->remove)
		ret = store_lease_note(store, LEFTOVER_REMOVE, id, err);
	return ret < 0 ? ret
		       : container_record_create(store, &run->image, &run->record, &run->folder,
						 err);
}

int container_run(struct store *store, const struct run_options *options, int *out_status,
		  struct error *err)
{
	__attribute__((cleanup(run_done))) struct run run = { .store = store,
							      .options = options,
							      .network = NETWORK_INIT };
	int ret;

	if (options->terminal && options->interactive && !isatty(STDIN_FILENO))
		return error_invalid(err, "-t and -i need a terminal on standard input");
	ret = prepare(&run, err);
	if (ret == 0)
		ret = make_record(&run, err);
	if (ret < 0)
		return ret;
	ret = make_and_execute(&run, out_status, err);
	if (run.attached && snapshot_detach(run.rootfs, NULL) == 0)
		run.attached = false;
	if (ret < 0 || options->remove) {
		int removed = container_record_remove(store, &run.record, NULL);

		if (removed < 0)
			log_warning("container %s could not be removed: %s", run.record.id,
				    strerrordesc_np(-removed));
		return ret;
	}
	run.record.exited = true;
	run.record.exit_status = *out_status;
	return container_record_save(store, &run.record, err);
}
