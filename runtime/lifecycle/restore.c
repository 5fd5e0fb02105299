/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: create, but that criu makes the processes from its images, as children of ours and in
 * the container's cgroup. Between the namespaces and the memory it asks for the hooks, and it hands
 * the master of a terminal over, as init does for a new container.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/protobuf.h"
#include "lib/strbuf.h"
#include "lib/trace.h"
#include "runtime/init/init.h"
#include "runtime/lifecycle/create.h"
#include "runtime/lifecycle/criu.h"
#include "runtime/lifecycle/hooks.h"
#include "spec/json-table.h"

#define LOG_NAME "restore.log"
#define DESCRIPTORS_MAX ((size_t)64 << 10)
#define STREAMS 3

/* What criu is started with; its fds are the container's standard streams, the socket, and these.
 */
struct restoring {
	struct creation *c;
	struct strbuf opts;
	struct criu_folders folders;
	struct spawn_fd fds[STREAMS + NS_COUNT];
	size_t fd_count;
	int opened[NS_COUNT]; /* joined namespaces that criu inherits */
	int mounts_fd, root_fd;
};

static void restoring_done(struct restoring *r)
{
	strbuf_done(&r->opts);
	criu_folders_done(&r->folders);
	for (size_t i = 0; i < NS_COUNT; i++)
		cleanup_close_fd(&r->opened[i]);
	cleanup_close_fd(&r->mounts_fd);
	cleanup_close_fd(&r->root_fd);
}

/* -- what is outside of the image ----------------------------------------------------------------
 */

struct stream_names {
	struct json_strings names;
};

static const struct json_field stream_fields[] = {
	JSON_STRINGS(struct stream_names, "names", names),
};
static const struct json_object stream_object = JSON_TABLE(struct stream_names, stream_fields);

/* The file is an array alone, as runc and crun have it; our decoder takes objects. */
static int read_streams(struct restoring *r, struct stream_names *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = CRIU_DESCRIPTORS };
	int ret;

	*out = (struct stream_names){ .names = { NULL, 0, false } };
	strbuf_adds(&text, "{\"names\":");
	ret = io_read_file(r->folders.images, CRIU_DESCRIPTORS, DESCRIPTORS_MAX, &text, err);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	strbuf_addc(&text, '}');
	source.text = text.data;
	source.size = text.size;
	return json_decode(&source, &stream_object, &r->c->arena, out, err);
}

/* Streams that were of the host become those that we have. */
static int add_streams(struct restoring *r, struct error *err)
{
	struct stream_names streams;
	int ret = read_streams(r, &streams, err);

	for (int fd = 0; ret == 0 && fd < STREAMS; fd++) {
		const char *name = (size_t)fd < streams.names.count ? streams.names.items[fd] : "";

		r->fds[r->fd_count++] = (struct spawn_fd){ fd, fd };
		if (strchr(name, '['))
			criu_add_inherited(&r->opts, name, fd);
	}
	return ret;
}

static int add_joined(struct restoring *r, enum namespace_kind kind, const char *path,
		      struct error *err)
{
	cleanup_strbuf struct strbuf join = STRBUF_INIT;
	int number = CRIU_SOCKET_FD + 1 + (int)kind;

	if (kind == NS_MOUNT || kind == NS_CGROUP)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "criu cannot restore into the %s namespace \"%s\"",
				 namespace_table[kind].oci_name, path);
	if (kind != NS_NETWORK && kind != NS_PID) {
		protobuf_text(&join, 1, namespace_table[kind].proc_name);
		protobuf_text(&join, 2, path);
		protobuf_message(&r->opts, CRIU_OPT_JOIN_NS, &join);
		return 0;
	}
	r->opened[kind] = open(path, O_RDONLY | O_CLOEXEC);
	if (r->opened[kind] < 0)
		return error_errno(err, errno, "open namespace \"%s\"", path);
	r->fds[r->fd_count++] = (struct spawn_fd){ r->opened[kind], number };
	criu_add_inherited(&r->opts, kind == NS_PID ? CRIU_EXTERNAL_PID : CRIU_EXTERNAL_NET,
			   number);
	return 0;
}

static int add_namespaces(struct restoring *r, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < NS_COUNT; i++) {
		const struct plan_namespace *ns = &r->c->plan.namespaces[i];

		if (ns->mode == NS_JOIN)
			ret = add_joined(r, (enum namespace_kind)i, ns->path, err);
	}
	return error_phase(err, ret, PHASE_NAMESPACES);
}

/* -- mounts --------------------------------------------------------------------------------------
 */

/* Does an earlier mount cover this destination? Then its place is criu's to restore. */
static bool is_covered(const struct plan *plan, size_t index)
{
	const char *destination = plan->mounts[index].destination;

	for (size_t i = 0; i < index; i++) {
		const char *above = plan->mounts[i].destination;
		size_t size = strlen(above);

		if (size > 1 && strncmp(destination, above, size) == 0 && destination[size] == '/')
			return true;
	}
	return false;
}

/* criu mounts onto what is there; in a new root the places may be missing. */
static int make_places(const struct plan *plan, struct error *err)
{
	cleanup_close int root = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ret = 0;

	if (root < 0)
		return error_errno(err, errno, "open \"%s\"", plan->rootfs);
	for (size_t i = 0; ret >= 0 && i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];
		struct stat status;
		bool is_file = mount->kind == PLAN_MOUNT_BIND &&
			       stat(mount->source, &status) == 0 && !S_ISDIR(status.st_mode);

		if (is_covered(plan, i) || inroot_exists(root, mount->destination) == 1)
			continue;
		ret = is_file ? inroot_make_file(root, mount->destination, 0644, err)
			      : inroot_mkdir_all(root, mount->destination, 0755, (uid_t)-1,
						 (gid_t)-1, err);
		if (ret >= 0)
			(void)close(ret);
	}
	return ret < 0 ? ret : 0;
}

static void add_binds(struct restoring *r)
{
	const struct plan *plan = &r->c->plan;

	for (size_t i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].kind == PLAN_MOUNT_BIND)
			criu_add_external(&r->opts, "mnt[%s]:%s", plan->mounts[i].destination,
					  plan->mounts[i].source);
}

/*
 * The new root has to be a mount of its own: made in a mount namespace that only criu sees. Mounts
 * in it are slaves, not private: a container's root that is slave of the host's becomes so again.
 */
static int make_namespace(struct restoring *r, struct error *err)
{
	const char *rootfs = r->c->plan.rootfs;

	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(err, errno, "make a mount namespace for criu");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) < 0)
		return error_errno(err, errno, "mount \"%s\" for criu", rootfs);
	r->mounts_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	r->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->mounts_fd < 0 || r->root_fd < 0)
		return error_errno(err, errno, "open the mount namespace for criu");
	return 0;
}

/* There and back again: hooks run in the caller's namespace, in its root and its directory. */
static int prepare_mounts(struct restoring *r, struct error *err)
{
	cleanup_close int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ret = make_places(&r->c->plan, err);

	if (ret < 0)
		return error_phase(err, ret, PHASE_ROOTFS);
	if (mounts < 0 || root < 0 || cwd < 0)
		return error_errno(err, errno, "open our mount namespace");
	ret = make_namespace(r, err);
	if (setns(mounts, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0 ||
	    fchdir(cwd) < 0)
		return error_errno(err, errno, "return to our mount namespace");
	return ret;
}

/* -- the request ---------------------------------------------------------------------------------
 */

static int run_hooks(struct creation *c, pid_t pid, struct error *err)
{
	static const enum hook_kind kinds[] = { HOOK_PRESTART, HOOK_CREATE_RUNTIME };
	const struct hook_place place = { .state = &c->state,
					  .cwd = c->plan.bundle,
					  .signal_fd = c->stop_fd };
	int ret = 0;

	record_oci_state(&c->record, CONTAINER_CREATING, pid, &c->state);
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && ret == 0; i++)
		ret = hooks_run(&c->plan, kinds[i], &place, err);
	return ret;
}

/* As create leaves a new network namespace to the hooks. We are back in our own in any case. */
static int bring_loopback_up(pid_t pid, struct error *err)
{
	cleanup_close int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cleanup_free char *path = xasprintf("/proc/%d/ns/net", (int)pid);
	cleanup_close int theirs = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (own < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "enter the restored network namespace");
	ret = namespaces_loopback_up(err);
	if (setns(own, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "return to our network namespace");
	return ret;
}

static int set_up_namespaces(struct creation *c, pid_t pid, struct error *err)
{
	int ret = 0;

	if (c->plan.namespaces[NS_NETWORK].mode == NS_NEW &&
	    criu_leaves_network_empty(c->criu, c->config))
		ret = bring_loopback_up(pid, err);
	return ret < 0 ? ret : run_hooks(c, pid, err);
}

static int on_notification(const struct criu_answer *answer, void *data, struct error *err)
{
	struct creation *c = data;

	if (answer->fd >= 0 && strcmp(answer->script, "orphan-pts-master") == 0)
		return console_take(&c->console, answer->fd, err);
	if (answer->fd >= 0)
		(void)close(answer->fd);
	return strcmp(answer->script, "setup-namespaces") == 0
		       ? set_up_namespaces(c, answer->pid, err)
		       : 0;
}

static int add_options(struct restoring *r, struct error *err)
{
	const struct container_criu_options *options = r->c->criu;
	cleanup_strbuf struct strbuf cgroup = STRBUF_INIT;
	int ret = criu_add_options(&r->opts, options, &r->folders, r->c->config, LOG_NAME, "ignore",
				   err);

	if (ret < 0)
		return ret;
	protobuf_text(&r->opts, CRIU_OPT_ROOT, r->c->plan.rootfs);
	protobuf_number(&r->opts, CRIU_OPT_SIBLING, true);
	protobuf_text(&r->opts, CRIU_OPT_LSM_PROFILE, options->lsm_profile);
	protobuf_text(&r->opts, CRIU_OPT_LSM_MOUNT_CONTEXT, options->lsm_mount_context);
	if (options->manage_cgroups_mode && r->c->cgroup.fd >= 0) {
		protobuf_text(&cgroup, 2, r->c->cgroup.path);
		protobuf_message(&r->opts, CRIU_OPT_CGROUP_ROOT, &cgroup);
	}
	add_binds(r);
	ret = add_streams(r, err);
	return ret < 0 ? ret : add_namespaces(r, err);
}

/* What criu makes is born where criu is, under its limits. */
static int enter_cgroup(struct creation *c, pid_t pid, struct error *err)
{
	char text[16];
	int ret = cgroup_adopt(&c->cgroup, &c->plan, pid, err);

	if (ret == 0 && c->cgroup.manager == CGROUP_FS && c->cgroup.fd >= 0) {
		(void)snprintf(text, sizeof(text), "%d", (int)pid);
		ret = io_write_kernel_file(c->cgroup.fd, "cgroup.procs", text, err);
	}
	if (ret < 0)
		return error_prefix(err, ret, "put criu into cgroup \"%s\"", c->cgroup.path);
	return cgroup_apply(&c->cgroup, &c->plan, err);
}

static int request(struct restoring *r, struct error *err)
{
	const struct criu_place place = { .fds = r->fds,
					  .fd_count = r->fd_count,
					  .mounts_fd = r->mounts_fd,
					  .root_fd = r->root_fd };
	const struct criu_call call = { .request = CRIU_RESTORE,
					.what = "restore",
					.options = &r->opts,
					.notify = on_notification,
					.data = r->c,
					.stop_fd = r->c->stop_fd,
					.work_path = r->folders.work_path,
					.log = LOG_NAME };
	cleanup_trace struct trace_span span = trace_begin("create", "criu");
	cleanup_criu struct criu criu = CRIU_INIT;
	struct launch *launch = &r->c->launch;
	struct criu_answer answer;
	int ret = criu_start(&criu, &place, err);

	if (ret == 0)
		ret = enter_cgroup(r->c, criu.pid, err);
	if (ret == 0)
		ret = criu_call(&criu, &call, &answer, err);
	if (ret < 0)
		return ret;
	if (answer.pid <= 0)
		return error_set(err, ERROR_SYSTEM, EBADMSG, "criu names no restored process");
	launch->pid = answer.pid;
	launch->pidfd = pidfd_open(answer.pid, 0);
	return launch->pidfd < 0
		       ? error_errno(err, errno, "open a pidfd of process %d", (int)answer.pid)
		       : 0;
}

/*
 * criu makes the container's first process as a child of ours, and killed in the middle it leaves
 * it: not every container has a cgroup to be killed by. Those that it leaves become ours, too.
 */
static void end_children(void)
{
	pid_t child;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* we are going to fail, and end */
	while ((child = proc_first_child(getpid())) > 0) {
		(void)kill(child, SIGKILL);
		if (proc_wait(child, NULL, NULL) < 0)
			return;
	}
}

int restore_processes(struct creation *c, struct error *err)
{
	cleanup_with(restoring_done) struct restoring r = {
		.c = c, .folders = CRIU_FOLDERS_INIT, .mounts_fd = -EBADF, .root_fd = -EBADF
	};
	/* of whoever executed us: they are not to be ended */
	const bool had_children = proc_first_child(getpid()) > 0;
	int ret;

	for (size_t i = 0; i < NS_COUNT; i++)
		r.opened[i] = -EBADF;
	launch_init(&c->launch, &c->plan, &c->state);
	ret = criu_check_features(false, c->criu->lazy_pages, err);
	if (ret == 0)
		ret = criu_folders_open(&r.folders, c->criu, false, err);
	if (ret == 0)
		ret = add_options(&r, err);
	if (ret == 0)
		ret = prepare_mounts(&r, err);
	if (ret == 0)
		ret = request(&r, err);
	if (ret < 0 && c->launch.pid <= 0 && !had_children)
		end_children();
	return ret;
}

int container_restore(const struct runtime_globals *globals, const char *id,
		      const struct container_create_options *options,
		      const struct container_criu_options *criu, int *out_status, struct error *err)
{
	cleanup_creation struct creation c;
	int ret;

	if (globals->rootless)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "a container cannot be restored without privilege");
	ret = creation_make(&c, globals, id, options, true, criu, err);
	return ret < 0 ? ret : creation_stay(&c, out_status, err);
}
