/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of things on the container side, as tables of steps. The runner names the step in
 * debug lines with its time, and sends the first failure to the host side.
 */
#include "runtime/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "lib/trace.h"
#include "runtime/lifecycle/hooks.h"

/* -- small steps that have no file of their own -- */

/*
 * The payload starts with the default action for every signal. Handlers go with the exec; what our
 * caller ignored would stay. SIGPIPE we ignore ourselves, until the end: the log may be a pipe.
 */
static void stop_ignoring_signals(const struct plan_process *process)
{
	uint64_t ignored = process->has_ignored_signals ? process->ignored_signals : UINT64_MAX;

	for (int number = 1; ignored; number++, ignored >>= 1)
		if (ignored & 1 && number != SIGPIPE)
			signal_set_default(number);
}

static int stop_ignoring_pipes(struct init *init, struct error *err)
{
	(void)init;
	(void)err;
	signal_set_default(SIGPIPE);
	return 0;
}

static int begin_session(struct init *init, struct error *err)
{
	sigset_t none;

	stop_ignoring_signals(&init->plan->process);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* the host side blocks what it forwards */
	return setsid() < 0 ? error_errno(err, errno, "setsid") : 0;
}

/* Of this process itself, for what is written or opened again through it. */
static int open_self(struct init *init, struct error *err)
{
	init->self_fd = openat(init->proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return init->self_fd < 0 ? error_errno(err, errno, "open /proc/self") : 0;
}

static int hide(struct init *init, struct error *err)
{
	(void)init;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, errno, "make the process non-dumpable");
	return 0;
}

static int wait_for_maps(struct init *init, struct error *err)
{
	struct sync_message message;

	return sync_expect(init->sync, SYNC_MAPPED, &message, err);
}

static int wait_for_go(struct init *init, struct error *err)
{
	struct sync_message message;
	int ret = sync_expect(init->sync, SYNC_GO, &message, err);

	if (ret == 0)
		init->host_pid = message.value;
	return ret;
}

static int wait_for_host_hooks(struct init *init, struct error *err)
{
	struct sync_message message;
	int ret = sync_send(init->sync, SYNC_MOUNTED, 0, -EBADF, err);

	return ret < 0 ? ret : sync_expect(init->sync, SYNC_HOOKS_DONE, &message, err);
}

/* Hooks in the container see the pid that it has there. */
static int run_hooks(struct init *init, enum hook_kind kind, const char *status, const char *cwd,
		     struct error *err)
{
	struct oci_state state = *init->args->state;
	const struct hook_place place = {
		.state = &state, .cwd = cwd, .signal_fd = -EBADF, .output = init->args->hook_output
	};

	state.status = status;
	state.pid = getpid();
	return hooks_run(init->plan, kind, &place, err);
}

static int run_create_container_hooks(struct init *init, struct error *err)
{
	return run_hooks(init, HOOK_CREATE_CONTAINER, "creating", init->plan->bundle, err);
}

static int run_start_container_hooks(struct init *init, struct error *err)
{
	return run_hooks(init, HOOK_START_CONTAINER, "created", NULL, err);
}

static int open_root(struct init *init, struct error *err)
{
	int root_fd = init->args->root_fd;

	/* a container without a mount namespace of its own is a chroot */
	if (root_fd >= 0 && (fchdir(root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0))
		return error_errno(err, errno, "chroot to the container's root");
	init->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return init->root_fd < 0 ? error_errno(err, errno, "open the container's root") : 0;
}

int init_sweep_fds(struct init *init, struct error *err)
{
	const int own[] = { init->sync->fd,
			    init->proc_fd,
			    init->self_fd,
			    init->fifo_fd,
			    init->root_fd,
			    log_fd(),
			    init->args->hook_output[HOOK_STDOUT],
			    init->args->hook_output[HOOK_STDERR] };
	size_t count = ARRAY_SIZE(own) + init->late_count;
	cleanup_free int *keep = xzalloc(count * sizeof(*keep));
	int ret;

	memcpy(keep, own, sizeof(own));
	if (init->late_count)
		memcpy(keep + ARRAY_SIZE(own), init->late_fds, init->late_count * sizeof(*keep));
	ret = fd_close_except(3 + (int)init->args->preserve_fds, keep, count);
	return ret < 0 ? error_errno(err, -ret, "close file descriptors") : 0;
}

static bool has_start_container_hooks(const struct init *init)
{
	return init->plan->hooks[HOOK_START_CONTAINER].count > 0;
}

/*
 * Everything that a process in the container could be interested in goes before the wait for
 * start, which can be long; the log, too, so what may fail later is told to start alone.
 */
static int drop_fds(struct init *init, struct error *err)
{
	const int *output = init->args->hook_output;
	const int keep[] = { init->sync->fd, init->fifo_fd, init->fifo_fd >= 0 ? init->self_fd : -1,
			     has_start_container_hooks(init) ? output[HOOK_STDOUT] : -1,
			     has_start_container_hooks(init) ? output[HOOK_STDERR] : -1 };
	int ret = fd_close_except(3 + (int)init->args->preserve_fds, keep, ARRAY_SIZE(keep));

	if (log_fd() > 2)
		log_setup(-1, LOG_FORMAT_PLAIN, LOG_ERROR, NULL);
	init->root_fd = init->proc_fd = -EBADF;
	return ret < 0 ? error_errno(err, -ret, "close file descriptors") : 0;
}

static int preserve_fds(struct init *init, struct error *err)
{
	for (int fd = 3; fd < 3 + (int)init->args->preserve_fds; fd++)
		if (fd_set_cloexec(fd, false) < 0)
			return error_errno(err, EBADF, "file descriptor %d to preserve", fd);
	return 0;
}

static int announce_ready(struct init *init, struct error *err)
{
	struct sync_message message;
	int ret = sync_send(init->sync, SYNC_READY, 0, -EBADF, err);

	return ret < 0 ? ret : sync_expect(init->sync, SYNC_COMMIT, &message, err);
}

/*
 * Blocks until start opens the other end. From here on failures go there: the sync socket ends,
 * because create does, and the fifo takes its place.
 */
static int wait_for_start(struct init *init, struct error *err)
{
	char path[32];
	int fd;

	cleanup_close_fd(&init->sync->fd);
	(void)snprintf(path, sizeof(path), "fd/%d", init->fifo_fd);
	do {
		fd = openat(init->self_fd, path, O_WRONLY | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return error_errno(err, errno, "open the start fifo");
	cleanup_close_fd(&init->fifo_fd);
	cleanup_close_fd(&init->self_fd);
	init->start_fd = fd;
	return io_write_all(fd, "0", 1) < 0 ? error_errno(err, EPIPE, "answer start") : 0;
}

static int set_umask(struct init *init, struct error *err)
{
	(void)err;
	(void)umask(init->plan->process.umask);
	return 0;
}

/* -- conditions -- */

static bool is_namespace_new(const struct init *init, enum namespace_kind kind)
{
	return init->plan->namespaces[kind].mode == NS_NEW;
}

static bool args_need_self(const struct init_args *args)
{
	const struct plan_process *process = &args->plan->process;

	return args->fifo_fd >= 0 || process->terminal || process->apparmor_profile ||
	       process->selinux_label || process->has_oom_score_adj;
}

bool init_needs_proc(const struct init_args *args)
{
	return args_need_self(args) || args->plan->sysctl_count || args->plan->time_offsets;
}

static bool needs_self(const struct init *init)
{
	return args_need_self(init->args);
}

static bool has_user_namespace(const struct init *init)
{
	return !init->joined && is_namespace_new(init, NS_USER);
}

static bool has_no_user_namespace(const struct init *init)
{
	return !has_user_namespace(init);
}

static bool has_joins(const struct init *init)
{
	return !init->joined && plan_clone_flags(init->plan, NS_JOIN) != 0;
}

static bool has_own_namespaces(const struct init *init)
{
	return init->args->own_namespaces != 0;
}

static bool brings_loopback_up(const struct init *init)
{
	return is_namespace_new(init, NS_NETWORK) && !init->args->network_later;
}

static bool needs_network(const struct init *init)
{
	return init->args->network_later;
}

static bool has_mounts_left(const struct init *init)
{
	return init->mounted < init->plan->mount_count;
}

static bool has_names(const struct init *init)
{
	return init->plan->hostname || init->plan->domainname;
}

static bool has_sysctls(const struct init *init)
{
	return init->plan->sysctl_count > 0;
}

static bool has_terminal(const struct init *init)
{
	return init->plan->process.terminal;
}

static bool has_host_hooks(const struct init *init)
{
	return init->plan->hooks[HOOK_PRESTART].count ||
	       init->plan->hooks[HOOK_CREATE_RUNTIME].count;
}

static bool has_create_container_hooks(const struct init *init)
{
	return init->plan->hooks[HOOK_CREATE_CONTAINER].count > 0;
}

static bool has_personality(const struct init *init)
{
	return init->plan->has_personality;
}

static bool wants_keyring(const struct init *init)
{
	return !init->plan->no_new_keyring;
}

static bool sets_own_limits(const struct init *init)
{
	return !policies_need_host(init->args);
}

/* What the host side may not do either is tried here, where the kernel says how it is. */
static bool sets_own_policies(const struct init *init)
{
	return sets_own_limits(init) || init->plan->rootless;
}

/* A joiner has done it before it lost the right to open the file. */
static bool sets_oom_score(const struct init *init)
{
	return init->plan->process.has_oom_score_adj &&
	       (sets_own_limits(init) || (init->plan->rootless && !init->joined));
}

static bool has_memory_policy(const struct init *init)
{
	return init->plan->memory_policy != NULL;
}

static bool has_late_mounts(const struct init *init)
{
	return init->late_count > 0;
}

static bool has_labels(const struct init *init)
{
	return init->plan->process.apparmor_profile || init->plan->process.selinux_label;
}

static bool has_no_new_privileges(const struct init *init)
{
	return init->plan->process.no_new_privileges;
}

/* Without no_new_privs only CAP_SYS_ADMIN may install a filter: before the capabilities go. */
static bool has_early_filter(const struct init *init)
{
	return init->plan->process.seccomp.filter && !init->plan->process.no_new_privileges;
}

/* A listener is found by the verb that makes the process, which must be there still. */
static bool has_filter_with_listener(const struct init *init)
{
	return init->plan->process.seccomp.notifies && init->plan->process.no_new_privileges;
}

/* What is left to do then is seen by the filter, and a small one has no need of sigaction(2). */
static bool is_filtered_early(const struct init *init)
{
	return has_early_filter(init) || has_filter_with_listener(init);
}

static bool is_not_filtered_early(const struct init *init)
{
	return !is_filtered_early(init);
}

static bool has_late_filter(const struct init *init)
{
	return init->plan->process.seccomp.filter && init->plan->process.no_new_privileges &&
	       !init->plan->process.seccomp.notifies;
}

static bool is_chdir_late(const struct init *init)
{
	return init->chdir_late;
}

static bool waits_for_start(const struct init *init)
{
	return init->fifo_fd >= 0;
}

static bool has_program(const struct init *init)
{
	return init->plan->process.args != NULL;
}

static bool has_no_program(const struct init *init)
{
	return !has_program(init);
}

static bool preserves_fds(const struct init *init)
{
	return init->args->preserve_fds > 0;
}

/* -- the tables -- */

/* clang-format off */
static const struct init_step container_steps[] = {
	{ "begin session",            begin_session,                 NULL },
	{ "open /proc/self",          open_self,                     needs_self },
	{ "OOM score",                limits_set_oom_score,          sets_oom_score },
	{ "non-dumpable",             hide,                          has_no_user_namespace },
	{ "wait for id maps",         wait_for_maps,                 has_user_namespace },
	{ "user namespace",           namespaces_become_root,        has_user_namespace },
	{ "join namespaces",          namespaces_join,               has_joins },
	{ "wait for cgroup",          wait_for_go,                   NULL },
	{ "CPU affinity",             policies_set_cpus,             NULL },
	{ "own namespaces",           namespaces_unshare_own,        has_own_namespaces },
	{ "session keyring",          labels_join_keyring,           wants_keyring },
	{ "host name",                namespaces_set_names,          has_names },
	{ "rootfs",                   rootfs_prepare,                NULL },
	{ "mounts",                   mounts_apply,                  NULL },
	{ "devices",                  devices_create,                NULL },
	{ "network namespace",        namespaces_need_network,       needs_network },
	{ "mounts of /sys",           mounts_apply_rest,             has_mounts_left },
	{ "loopback",                 namespaces_bring_loopback_up,  brings_loopback_up },
	{ "console",                  console_setup,                 has_terminal },
	{ "hooks of the host",        wait_for_host_hooks,           has_host_hooks },
	{ "createContainer hooks",    run_create_container_hooks,    has_create_container_hooks },
	{ "masked paths",             masks_apply,                   NULL },
	{ "kernel parameters",        sysctl_apply,                  has_sysctls },
	{ "pivot root",               rootfs_pivot,                  NULL },
	{ "finish rootfs",            rootfs_finish,                 NULL },
	{ "read-only mounts",         mounts_make_readonly,          has_late_mounts },
};

static const struct init_step joined_steps[] = {
	{ "begin session",            begin_session,                 NULL },
	{ "open /proc/self",          open_self,                     needs_self },
	{ "OOM score",                limits_set_oom_score,          sets_oom_score },
	{ "non-dumpable",             hide,                          NULL },
	{ "wait for go",              wait_for_go,                   NULL },
	{ "CPU affinity",             policies_set_cpus,             NULL },
	{ "root",                     open_root,                     NULL },
	{ "session keyring",          labels_join_keyring,           wants_keyring },
	{ "console",                  console_setup,                 has_terminal },
};

/* The user of the container and the last preparations; all of it fails before READY. */
static const struct init_step process_steps[] = {
	{ "personality",              policies_set_personality,      has_personality },
	{ "memory policy",            policies_set_memory,           has_memory_policy },
	{ "rlimits",                  limits_apply,                  sets_own_limits },
	{ "scheduling",               policies_apply,                sets_own_policies },
	{ "working directory",        process_enter_cwd,             NULL },
	{ "labels",                   labels_apply,                  has_labels },
	{ "environment",              process_make_environment,      NULL },
	{ "preserve fds",             preserve_fds,                  preserves_fds },
	{ "no_new_privs",             credentials_set_no_new_privileges, has_no_new_privileges },
	{ "SIGPIPE",                  stop_ignoring_pipes,           is_filtered_early },
	{ "seccomp",                  filter_install,                has_early_filter },
	{ "credentials",              credentials_apply,             NULL },
	{ "working directory",        process_enter_cwd_late,        is_chdir_late },
	{ "find program",             process_find_program,          has_program },
	{ "close fds",                drop_fds,                      NULL },
	{ "seccomp",                  filter_install,                has_filter_with_listener },
	{ "ready",                    announce_ready,                NULL },
	{ "wait for start",           wait_for_start,                waits_for_start },
	{ "no program",               process_is_missing,            has_no_program },
	{ "startContainer hooks",     run_start_container_hooks,     has_start_container_hooks },
	{ "umask",                    set_umask,                     NULL },
	{ "SIGPIPE",                  stop_ignoring_pipes,           is_not_filtered_early },
	{ "rlimits",                  limits_apply_files,            NULL },
	{ "seccomp",                  filter_install,                has_late_filter },
	{ "exec",                     process_execute,               NULL },
};
/* clang-format on */

static int run_steps(struct init *init, const struct init_step *steps, size_t count,
		     struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct trace_span span;
		int ret;

		if (steps[i].condition && !steps[i].condition(init))
			continue;
		span = trace_begin("init", steps[i].name);
		ret = steps[i].run(init, err);
		trace_end(&span);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Whoever listens at this moment: create, run and exec on the socket, start on the fifo. */
static void report(struct init *init, const struct error *err)
{
	const struct init_failure failure = { ERROR_FORMAT, sizeof(*err), *err };

	if (init->start_fd >= 0)
		(void)io_write_all(init->start_fd, &failure, sizeof(failure));
	else if (init->sync->fd >= 0)
		sync_send_error(init->sync, err);
}

static int keep_only(const struct init_args *args, struct error *err)
{
	int keep[NS_COUNT + HOOK_STREAMS + 5], ret;
	size_t count = 0;

	for (size_t i = 0; i < NS_COUNT; i++)
		keep[count++] = args->join_fds[i];
	for (size_t i = 0; i < HOOK_STREAMS; i++)
		keep[count++] = args->hook_output[i];
	keep[count++] = args->sync->fd;
	keep[count++] = args->proc_fd;
	keep[count++] = args->root_fd;
	keep[count++] = args->fifo_fd;
	keep[count++] = log_fd();
	ret = fd_close_except(3 + (int)args->preserve_fds, keep, count);
	return ret < 0 ? error_errno(err, -ret, "close file descriptors") : 0;
}

void init_main(const struct init_args *args, bool joined)
{
	bool additional = args->container_fd >= 0;
	struct init init = {
		.args = args,
		.plan = args->plan,
		.sync = args->sync,
		.proc_fd = args->proc_fd,
		.self_fd = -EBADF,
		.root_fd = -EBADF,
		.fifo_fd = args->fifo_fd,
		.start_fd = -EBADF,
		.joined = joined,
	};
	struct error err = ERROR_INIT;
	int ret = joined ? 0 : keep_only(args, &err); /* the joiner closed them before us */

	trace_become(TRACE_INIT);
	if (ret == 0 && additional)
		ret = run_steps(&init, joined_steps, ARRAY_SIZE(joined_steps), &err);
	else if (ret == 0)
		ret = run_steps(&init, container_steps, ARRAY_SIZE(container_steps), &err);
	if (ret == 0)
		ret = run_steps(&init, process_steps, ARRAY_SIZE(process_steps), &err);
	report(&init, &err);
	_exit(1);
}
