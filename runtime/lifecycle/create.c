/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create, and the larger part of run: a table of steps, each with what undoes it. The intent is on
 * disk before anything is made, so that a create that is killed in any moment leaves something
 * that `delete --force` finds and removes.
 */
#include "runtime/lifecycle/create.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/signals.h"
#include "lib/syscalls.h"
#include "lib/trace.h"
#include "runtime/lifecycle/agent.h"
#include "runtime/lifecycle/hooks.h"
#include "runtime/lifecycle/seal.h"
#include "runtime/plan/annotations.h"
#include "runtime/texts.h"

/* Both kinds; more would collide with fds of our own. */
#define PRESERVED_MAX 1024

/* -- the steps -- */

static int check_sealing(struct creation *c, struct error *err)
{
	return seal_check(c->globals->unsealed, err);
}

static int take_signals(struct creation *c, struct error *err)
{
	/* until the process is there, what stops us undoes it; all else waits for a foreground verb
	 * to forward it */
	c->stop_fd = signal_open_stop_fd(err);
	if (c->stop_fd < 0 || c->detached)
		return c->stop_fd < 0 ? c->stop_fd : 0;
	c->signal_fd = foreground_signals(err);
	return c->signal_fd < 0 ? c->signal_fd : 0;
}

static int reserve(struct creation *c, struct error *err)
{
	return error_phase(err, record_reserve(c->globals, c->id, &c->dirfd, err), PHASE_STATE);
}

static void unreserve(struct creation *c)
{
	if (c->dirfd >= 0)
		(void)record_remove(c->globals, c->id, c->dirfd, NULL); /* nothing better to do */
}

/* The state folder is there already, so the socket of sd_notify(3) can be a mount like others. */
static int add_notification(struct creation *c, struct error *err)
{
	const char *path = arena_printf(&c->arena, "%s/%s", c->globals->root, c->id);
	int ret = notify_add_to_config(c->config, c->dirfd, path, &c->arena, err);

	return ret < 0 || !c->run ? ret : notify_listen(&c->notify, c->dirfd, err);
}

static int load_config(struct creation *c, struct error *err)
{
	cleanup_free char *in_bundle = NULL;
	const char *path = c->options->config;
	int ret;

	if (!path)
		path = in_bundle = xasprintf("%s/config.json", c->options->bundle);
	ret = config_load(AT_FDCWD, path, &c->arena, &c->config_text, &c->config, err);
	if (ret == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, 0, TEXT_NO_CONFIG,
				 c->options->config ? path : "config.json");
	if (ret == 0)
		ret = config_check(c->config, err);
	if (ret == 0 && c->run &&
	    !c->config->process) /* create has nothing against it, start has */
		ret = error_pointer(err, error_invalid(err, "/process: " TEXT_NO_PROCESS),
				    "/process");
	if (ret == 0)
		ret = add_notification(c, err);
	return error_phase(err, ret, PHASE_CONFIG);
}

static int compile(struct creation *c, struct error *err)
{
	const struct plan_request request = {
		.id = c->id,
		.bundle = c->options->bundle,
		.cgroup_manager = c->globals->cgroup_manager,
		.no_pivot = c->options->no_pivot,
		.no_new_keyring = c->options->no_new_keyring,
		.rootless = c->globals->rootless,
		.detached = c->detached,
		.seccomp_cache = c->globals->seccomp_cache,
	};
	int ret = plan_compile(c->config, &request, &c->plan, err);

	c->cgroup.stop_fd = c->stop_fd;
	if (ret == 0)
		ret = cgroup_locate(&c->plan, &c->cgroup, err);
	return error_phase(err, ret, PHASE_PLAN);
}

/* Socket activation, sd_listen_fds(3): meant for us only when it names our pid. */
static unsigned int count_listen_fds(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint32_t number, owner;

	if (!count || !pid || number_parse_u32(pid, &owner) < 0 || owner != (uint32_t)getpid() ||
	    number_parse_u32(count, &number) < 0)
		return 0;
	return number;
}

/* LISTEN_FDS come first, then those of --preserve-fds. */
static int check_preserved_fds(struct creation *c, struct error *err)
{
	c->listen_fds = count_listen_fds();
	if (c->options->preserve_fds > PRESERVED_MAX || c->listen_fds > PRESERVED_MAX)
		return error_set(err, ERROR_INVALID, 0, "too many file descriptors to preserve");
	c->preserve_fds = c->options->preserve_fds + c->listen_fds;
	return launch_check_preserved(c->preserve_fds, err);
}

static int open_resctrl(struct creation *c, struct error *err)
{
	const struct plan_rdt *rdt = &c->plan.rdt;
	int ret;

	if (!rdt->group)
		return 0;
	ret = resctrl_open(&c->resctrl, c->globals->resctrl, err);
	if (ret == 0)
		ret = resctrl_check(&c->resctrl, rdt, err);
	if (ret < 0)
		(void)error_pointer(err, ret, "/linux/intelRdt");
	return error_phase(err, ret, PHASE_PLAN);
}

static int open_console(struct creation *c, struct error *err)
{
	int ret = console_check(c->plan.process.terminal, c->detached, c->options->console_socket,
				err);

	return ret < 0 ? ret : console_open(&c->console, c->options->console_socket, err);
}

static void fill_record(struct creation *c)
{
	const struct plan *plan = &c->plan;
	char now[CLOCK_TEXT_SIZE];

	c->record = (struct record){
		.version = RECORD_VERSION,
		.id = c->id,
		.bundle = plan->bundle,
		.rootfs = plan->rootfs,
		.created = arena_strdup(&c->arena, clock_text(now)),
		.owner = (uint32_t)getauxval(AT_EUID),
		.rootless = plan->rootless,
		.manager = record_manager_name(c->cgroup.manager),
		.cgroup_mount = c->cgroup.mount,
		.cgroup_path = c->cgroup.path,
		.cgroup_origin = c->cgroup.origin,
		.cgroup_unit = c->cgroup.unit,
		.annotations = c->config->annotations,
		.new_pid_namespace = plan->namespaces[NS_PID].mode == NS_NEW,
		.no_new_keyring = plan->no_new_keyring,
		.poststart = plan->hooks[HOOK_POSTSTART].count > 0,
		.poststop = plan->hooks[HOOK_POSTSTOP].count > 0,
		.has_seccomp = plan->process.seccomp.filter != NULL,
		.seccomp_flags = plan->process.seccomp.flags,
	};
	if (plan->rdt.group) {
		c->record.rdt_root = c->resctrl.root;
		c->record.rdt_group = plan->rdt.group;
		c->record.rdt_is_own = plan->rdt.is_own;
		if (plan->rdt.monitor)
			c->record.rdt_monitor = arena_printf(&c->arena, "%s/%s", plan->rdt.group,
							     plan->rdt.monitor);
	}
	for (size_t i = 0; i < NS_COUNT; i++)
		if (plan->namespaces[i].mode != NS_INHERIT)
			c->record.namespaces |= 1U << i;
	record_oci_state(&c->record, CONTAINER_CREATING, 0, &c->state);
}

static int write_new(int dirfd, const char *name, const void *data, size_t size, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int ret = fd < 0 ? -errno : io_write_all(fd, data, size);

	return ret < 0 ? error_errno(err, -ret, "write \"%s\" of the state", name) : 0;
}

/* From here on a delete can undo us, whatever happens. */
static int record_intent(struct creation *c, struct error *err)
{
	const struct plan_seccomp *seccomp = &c->plan.process.seccomp;
	int ret;

	fill_record(c);
	ret = record_write(c->dirfd, &c->record, err);
	if (ret == 0)
		ret = write_new(c->dirfd, RECORD_CONFIG, c->config_text.data, c->config_text.size,
				err);
	if (ret == 0 && seccomp->filter)
		ret = write_new(c->dirfd, RECORD_SECCOMP, seccomp->filter,
				seccomp->length * sizeof(*seccomp->filter), err);
	if (ret == 0 && !c->run && mkfifoat(c->dirfd, RECORD_FIFO, 0622) < 0)
		ret = error_errno(err, errno, "create \"%s\"", RECORD_FIFO);
	return error_phase(err, ret, PHASE_STATE);
}

static int prepare_cgroup(struct creation *c, struct error *err)
{
	int ret;

	c->begun = true;
	ret = cgroup_prepare(&c->cgroup, &c->plan, err);
	if (ret == 0)
		record_note_cgroup(&c->record, &c->cgroup);
	return ret;
}

static void remove_cgroup(struct creation *c)
{
	if (!c->cgroup.made)
		return;			     /* it was there before us and stays */
	(void)cgroup_kill(&c->cgroup, NULL); /* what cannot be removed remains to be seen */
	(void)cgroup_remove(&c->cgroup, NULL);
}

static int start_init(struct creation *c, struct error *err)
{
	int ret;

	launch_init(&c->launch, &c->plan, &c->state);
	c->launch.signal_fd = c->stop_fd;
	c->launch.cgroup = &c->cgroup;
	c->launch.args.preserve_fds = c->preserve_fds;
	c->launch.args.listen_fds = c->listen_fds;
	if (hooks_run_inside(&c->plan)) {
		ret = hooks_open_output(&c->plan, c->launch.args.hook_output, err);
		if (ret < 0)
			return error_phase(err, ret, PHASE_HOOK);
	}
	c->launch.args.mount_for_cgroups = c->cgroup.mount;
	c->launch.args.cgroup_path = c->cgroup.path;
	if (!c->run) {
		c->launch.args.fifo_fd = openat(c->dirfd, RECORD_FIFO, O_PATH | O_CLOEXEC);
		if (c->launch.args.fifo_fd < 0)
			return error_errno(err, errno, "open \"%s\"", RECORD_FIFO);
	}
	ret = launch_start(&c->launch, err);
	if (ret == 0)
		ret = cgroup_adopt(&c->cgroup, &c->plan, c->launch.pid, err);
	if (ret == 0 && c->cgroup.unit) /* its manager made the cgroup only now */
		record_note_cgroup(&c->record, &c->cgroup);
	return ret;
}

static void stop_init(struct creation *c)
{
	launch_abort(&c->launch);
}

/* init waits for GO and has its namespaces, all but those it joins: that one we have open. */
static int move_net_devices(struct creation *c, struct error *err)
{
	int joined = c->launch.args.join_fds[NS_NETWORK];
	char path[64];

	if (!c->plan.net_device_count)
		return 0;
	if (joined >= 0)
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", joined);
	else
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)c->launch.pid);
	return net_devices_move(&c->net_devices, &c->plan, path, err);
}

static void return_net_devices(struct creation *c)
{
	net_devices_return(&c->net_devices);
}

static int join_resctrl(struct creation *c, struct error *err)
{
	if (!c->plan.rdt.group)
		return 0;
	return resctrl_apply(&c->resctrl, &c->plan.rdt, c->launch.pid, err);
}

static void leave_resctrl(struct creation *c)
{
	resctrl_undo(&c->resctrl, &c->plan.rdt);
}

/* What the kernel allows of these depends on the CPUs and memory nodes of the cgroup. */
static bool limits_come_first(const struct creation *c)
{
	return c->plan.process.scheduler.policy || c->plan.memory_policy;
}

/* Else init mounts meanwhile; it cannot get past READY before we are back. */
static int let_init_go(struct creation *c, struct error *err)
{
	int ret = limits_come_first(c) ? cgroup_apply(&c->cgroup, &c->plan, err) : 0;

	return ret < 0 ? ret : launch_go(&c->launch, err);
}

static int apply_limits(struct creation *c, struct error *err)
{
	return limits_come_first(c) ? 0 : cgroup_apply(&c->cgroup, &c->plan, err);
}

/* Everything that it will say is known by now, and init has still to do: only the rename is left
 * for the end. */
static int write_record(struct creation *c, struct error *err)
{
	int ret;

	/* what preparation may have changed: rootless without permission has no cgroup */
	c->record.cgroup_path = c->cgroup.path;
	ret = record_set_process(&c->record, c->dirfd, c->launch.pid, c->launch.pidfd, err);
	if (ret < 0)
		return ret;
	return error_phase(err, record_write_next(c->dirfd, &c->record, err), PHASE_STATE);
}

/* -- serving init -- */

static int serve_hooks(struct creation *c, struct error *err)
{
	static const enum hook_kind kinds[] = { HOOK_PRESTART, HOOK_CREATE_RUNTIME };
	const struct hook_place place = { .state = &c->state,
					  .cwd = c->plan.bundle,
					  .signal_fd = c->stop_fd };
	int ret = 0;

	c->state.pid = c->launch.pid;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && ret == 0; i++)
		ret = hooks_run(&c->plan, kinds[i], &place, err);
	return ret < 0 ? ret : launch_send(&c->launch, SYNC_HOOKS_DONE, 0, -EBADF, err);
}

static int serve_message(struct creation *c, const struct sync_message *message, struct error *err)
{
	switch (message->type) {
	case SYNC_NEED_FD:
		return mount_service_fd(&c->launch, message->value, err);
	case SYNC_IDMAP:
		return mount_service_idmap(&c->mounts, &c->launch, message->value, message->fd,
					   err);
	case SYNC_CONSOLE:
		return console_take(&c->console, message->fd, err);
	case SYNC_MOUNTED:
		return serve_hooks(c, err);
	case SYNC_LISTENER:
	case SYNC_LISTENER_NUMBER:
		c->state.pid = c->launch.pid;
		return agent_serve(&c->launch, &c->state, message, err);
	case SYNC_READY:
		return policies_set_from_outside(&c->launch.args, c->launch.pid, err);
	default:
		return error_set(err, ERROR_INTERNAL, EPROTO, "init sent \"%s\"",
				 sync_type_name(message->type));
	}
}

static int serve_init(struct creation *c, struct error *err)
{
	struct sync_message message = { .type = SYNC_GO, .fd = -EBADF };
	int ret = 0;

	while (ret == 0 && message.type != SYNC_READY) {
		ret = launch_receive(&c->launch, &message, err);
		if (ret == 0)
			ret = serve_message(c, &message, err);
	}
	mount_service_done(&c->mounts, &c->plan); /* all mounts are made */
	return ret;
}

/* -- the end -- */

static int enter_delegated(struct creation *c, struct error *err)
{
	/* a restored one has other processes, too */
	int ret = cgroup_enter_delegated(&c->cgroup, &c->plan, c->criu ? 0 : c->launch.pid, err);

	return error_phase(err, ret, PHASE_CGROUP);
}

static int publish_record(struct creation *c, struct error *err)
{
	return error_phase(err, record_publish(c->dirfd, err), PHASE_STATE);
}

static int hand_out(struct creation *c, struct error *err)
{
	const char *receiver = c->options->pidfd_socket;
	int ret;

	if (!receiver)
		receiver = json_map_get(&c->config->annotations, ANNOTATION_PIDFD_RECEIVER);
	ret = pidfd_socket_send(receiver, c->launch.pidfd, "standard", err);

	if (ret == 0)
		ret = pid_file_write(c->options->pid_file, c->launch.pid, err);
	c->pid_file_written = ret == 0 && c->options->pid_file;
	return ret;
}

static void take_pid_file_back(struct creation *c)
{
	if (c->pid_file_written && !io_is_in_place(c->options->pid_file))
		(void)unlink(c->options->pid_file); /* the caller may have it already */
}

static int commit(struct creation *c, struct error *err)
{
	return launch_send(&c->launch, SYNC_COMMIT, 0, -EBADF, err);
}

/* clang-format off */
static const struct creation_step {
	const char *name;
	int (*run)(struct creation *c, struct error *err);
	void (*undo)(struct creation *c); /* also of a half-done run */
} fresh_steps[] = {
	{ "sealing",          check_sealing,       NULL },
	{ "signals",          take_signals,        NULL },
	{ "preserved fds",    check_preserved_fds, NULL },
	{ "reserve id",       reserve,             unreserve },
	{ "load config",      load_config,         NULL },
	{ "compile plan",     compile,             NULL },
	{ "console",          open_console,        NULL },
	{ "find resctrl",     open_resctrl,        NULL },
	{ "record intent",    record_intent,       NULL },
	{ "prepare cgroup",   prepare_cgroup,      remove_cgroup },
	{ "start init",       start_init,          stop_init },
	{ "network devices",  move_net_devices,    return_net_devices },
	{ "resctrl group",    join_resctrl,        leave_resctrl },
	{ "go",               let_init_go,         NULL },
	{ "apply limits",     apply_limits,        NULL },
	{ "write record",     write_record,        NULL },
	{ "serve init",       serve_init,          NULL },
	{ "delegated cgroup", enter_delegated,     NULL },
	{ "publish record",   publish_record,      NULL },
	{ "hand out",         hand_out,            take_pid_file_back },
	{ "commit",           commit,              NULL },
	{ NULL,               NULL,                NULL },
}, restore_steps[] = {
	{ "signals",           take_signals,       NULL },
	{ "reserve id",        reserve,            unreserve },
	{ "load config",       load_config,        NULL },
	{ "compile plan",      compile,            NULL },
	{ "console",           open_console,       NULL },
	{ "find resctrl",      open_resctrl,       NULL },
	{ "record intent",     record_intent,      NULL },
	{ "prepare cgroup",    prepare_cgroup,     remove_cgroup },
	{ "restore processes", restore_processes,  stop_init },
	{ "delegated cgroup",  enter_delegated,    NULL },
	{ "resctrl group",     join_resctrl,       leave_resctrl },
	{ "write record",      write_record,       NULL },
	{ "publish record",    publish_record,     NULL },
	{ "hand out",          hand_out,           take_pid_file_back },
	{ NULL,                NULL,               NULL },
};
/* clang-format on */

static void undo_from(struct creation *c, size_t last)
{
	cleanup_trace struct trace_span span = trace_begin("create", "undo");
	struct oci_state state;
	const struct hook_place place = { .state = &state,
					  .cwd = c->plan.bundle,
					  .signal_fd = -EBADF };

	for (size_t i = last + 1; i-- > 0;)
		if (c->steps[i].undo)
			c->steps[i].undo(c);
	/* hooks of the host may have run: their counterparts get the word that it is over */
	if (c->begun && c->plan.hooks[HOOK_POSTSTOP].count) {
		record_oci_state(&c->record, CONTAINER_STOPPED, 0, &state);
		(void)hooks_run(&c->plan, HOOK_POSTSTOP, &place, NULL);
	}
}

void creation_undo(struct creation *c)
{
	size_t last = 0;

	while (c->steps[last + 1].name)
		last++;
	undo_from(c, last);
}

int creation_make(struct creation *c, const struct runtime_globals *globals, const char *id,
		  const struct container_create_options *options, bool run,
		  const struct container_criu_options *criu, struct error *err)
{
	*c = (struct creation){
		.globals = globals,
		.id = id,
		.options = options,
		.criu = criu,
		.steps = criu ? restore_steps : fresh_steps,
		.run = run,
		.detached = !run || options->detach,
		.cgroup = CGROUP_INIT,
		.dirfd = -EBADF,
		.stop_fd = -EBADF,
		.signal_fd = -EBADF,
		.console = CONSOLE_INIT,
		.notify = NOTIFY_INIT,
		.net_devices = NET_DEVICES_INIT,
		.resctrl = RESCTRL_INIT,
	};
	launch_init(&c->launch, NULL, NULL);
	for (size_t i = 0; c->steps[i].name; i++) {
		struct trace_span span = trace_begin("create", c->steps[i].name);
		int ret = c->steps[i].run(c, err);

		trace_end(&span);
		if (ret < 0) {
			undo_from(c, i);
			return ret;
		}
	}
	return 0;
}

/* A namespace that we hold open would outlive the container as long as we wait for it. */
void creation_keep(struct creation *c)
{
	net_devices_done(&c->net_devices);
}

/* The process ends now: memory and fds go with it, but not the mode of our terminal. */
void creation_done(struct creation *c)
{
	tty_restore(&c->console.saved);
	mount_service_done(&c->mounts, &c->plan);
	plan_done(&c->plan);
	strbuf_done(&c->config_text);
	arena_done(&c->arena);
}

int container_create(const struct runtime_globals *globals, const char *id,
		     const struct container_create_options *options, struct error *err)
{
	cleanup_creation struct creation creation;

	return creation_make(&creation, globals, id, options, false, NULL, err);
}
