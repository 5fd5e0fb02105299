/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execute one RUN: resolve the user, write the bundle, run it, and leave nothing of the mounts in
 * the root filesystem, whose upper folder becomes the layer.
 */
#include "builder/build/run-step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "builder/build/run-spec.h"
#include "builder/build/runtime-exec.h"
#include "builder/build/step-cgroup.h"
#include "builder/build/stubs.h"
#include "builder/container/conmon.h"
#include "builder/container/user.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "lib/table.h"

const struct name_value run_networks[] = {
	{ "host", RUN_NETWORK_HOST },
	{ "none", RUN_NETWORK_NONE },
	{ "bridge", RUN_NETWORK_BRIDGE },
	{ NULL, 0 },
};

/* The folder the command starts in belongs to its user when the image does not have it. */
static int make_cwd(int root_fd, const struct run_step *step, const struct user *user,
		    struct error *err)
{
	cleanup_close int fd = -EBADF;

	if (!step->cwd || !*step->cwd)
		return 0;
	fd = inroot_mkdir_all(root_fd, step->cwd, 0755, user->uid, user->gid, err);
	return fd < 0 ? error_prefix(err, fd, "working directory") : 0;
}

static int write_file(const char *folder, const char *name, const struct strbuf *text,
		      char **out_path, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", folder, name);
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "create \"%s\"", path);
	ret = io_write_all(fd, text->data, text->size);
	if (ret < 0)
		return error_errno(err, -ret, "write \"%s\"", path);
	if (out_path)
		*out_path = TAKE_PTR(path);
	return 0;
}

static bool has_terminal(const struct run_step *step)
{
	return step->interactive && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* The bundle: config.json and the two files of the network, in the step's scratch folder. */
static int write_bundle(const struct run_step *step, const struct user *user, const char *cgroup,
			struct error *err)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT, resolv = STRBUF_INIT,
				     hosts = STRBUF_INIT;
	cleanup_free char *resolv_path = NULL, *hosts_path = NULL;
	struct run_spec spec = {
		.rootfs = step->rootfs,
		.args = step->args,
		.env = step->env,
		.cwd = step->cwd,
		.user = user,
		.hostname = step->hostname,
		.cgroups_path = cgroup,
		.network = step->network,
		.netns = step->netns,
		.insecure = step->insecure,
		.volumes = step->volumes,
		.volume_count = step->volume_count,
		.sandbox = step->sandbox,
		.edits = step->edits,
	};
	struct winsize size;
	int ret;

	spec.terminal = has_terminal(step);
	/* from the start, so that no program sees a terminal without size */
	if (spec.terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
		spec.rows = size.ws_row;
		spec.columns = size.ws_col;
	}
	ret = run_spec_resolv_conf(&spec, &resolv, err);

	if (ret == 0)
		ret = run_spec_hosts(&spec, &hosts, err);
	if (ret == 0)
		ret = write_file(step->scratch, "resolv.conf", &resolv, &resolv_path, err);
	if (ret == 0)
		ret = write_file(step->scratch, "hosts", &hosts, &hosts_path, err);
	if (ret < 0)
		return ret;
	spec.resolv_conf = resolv_path;
	spec.hosts = hosts_path;
	ret = run_spec_write(&spec, &config, err);
	return ret < 0 ? ret : write_file(step->scratch, "config.json", &config, NULL, err);
}

static int make_stubs(const struct run_step *step, int root_fd, struct stubs *stubs,
		      struct error *err)
{
	const struct container_edits *edits[] = { step->sandbox ? &step->sandbox->edits : NULL,
						  step->edits };
	int ret = 0;

	for (const char *const *point = run_spec_mount_folders; *point && ret == 0; point++)
		ret = stubs_make(stubs, root_fd, *point, S_IFDIR, err);
	for (const char *const *point = run_spec_mount_files; *point && ret == 0; point++)
		ret = stubs_make(stubs, root_fd, *point, S_IFREG, err);
	for (size_t i = 0; i < step->volume_count && ret == 0; i++)
		ret = stubs_make_for(stubs, root_fd, step->volumes[i].target,
				     step->volumes[i].source, err);
	for (size_t i = 0; i < ARRAY_SIZE(edits) && ret == 0; i++)
		if (edits[i])
			ret = stubs_make_edits(stubs, root_fd, edits[i], err);
	return ret;
}

static void pass_output(void *context, int stream, const char *data, size_t size)
{
	const struct run_step *step = context;

	step->output(step->context, stream == 1 ? RUN_STDOUT : RUN_STDERR, data, size);
}

/* The runtime, or conmon where the command has a terminal. */
static int execute(const struct run_step *step, struct runtime_result *out, struct error *err)
{
	const struct runtime runtime = { step->runtime, step->runtime_place };
	const struct runtime_run run = {
		.runtime = &runtime,
		.bundle = step->scratch,
		.id = step->id,
		.trace = step->trace,
		.stdin_fd = step->interactive ? STDIN_FILENO : -EBADF,
		.output = step->interactive ? NULL : pass_output,
		.context = (void *)(uintptr_t)step,
		.cancel_fd = step->interactive ? -EBADF : step->cancel_fd,
		.kill_fd = step->kill_fd,
		/* a build has its own way with signals */
		.forward_signals = step->interactive && step->kill_fd < 0,
	};
	const struct conmon_run monitored = { .runtime = &runtime,
					      .bundle = step->scratch,
					      .id = step->id,
					      .name = step->id,
					      .terminal = true,
					      .interactive = true };

	if (has_terminal(step))
		return conmon_run_attached(&monitored, &out->exit_status, err);
	return runtime_run(&run, out, err);
}

int run_step_execute(const struct run_step *step, struct run_result *out, struct error *err)
{
	cleanup_close int root_fd = open(step->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_step_cgroup struct step_cgroup cgroup = STEP_CGROUP_INIT;
	cleanup_stubs struct stubs stubs = STUBS_INIT;
	cleanup_user struct user user = { 0 };
	struct runtime_result result = { 0 };
	int ret;

	if (root_fd < 0)
		return error_errno(err, errno, "open the root filesystem \"%s\"", step->rootfs);
	ret = user_resolve(root_fd, step->user ? step->user : "", &user, err);
	if (ret == 0)
		ret = make_cwd(root_fd, step, &user, err);
	if (ret < 0)
		return ret;
	step_cgroup_make(step->sandbox ? step->sandbox->cgroup_parent : NULL, step->id, &cgroup);
	ret = write_bundle(step, &user, cgroup.path, err);
	if (ret == 0)
		ret = make_stubs(step, root_fd, &stubs, err);
	if (ret == 0)
		ret = execute(step, &result, err);
	stubs_remove(&stubs);
	if (ret < 0)
		return ret;
	out->exit_status = result.exit_status;
	out->rusage = result.rusage;
	out->oom_killed = step_cgroup_oom_killed(&cgroup);
	return 0;
}
