/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: an additional process in a running container, with the configuration and the seccomp
 * program that create has saved (the bundle may be gone or changed).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/signals.h"
#include "lib/trace.h"
#include "runtime/lifecycle/agent.h"
#include "runtime/lifecycle/console.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/launch.h"
#include "runtime/lifecycle/record.h"
#include "runtime/lifecycle/resctrl.h"
#include "runtime/lifecycle/seal.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/plan/annotations.h"
#include "runtime/texts.h"
#include "spec/config.h"

struct execution {
	const struct runtime_globals *globals;
	const char *id;
	const struct container_exec_options *options;
	struct arena arena;
	struct record record;
	struct oci_config *config;
	struct oci_process process;
	struct oci_capabilities capabilities;
	struct plan plan;
	struct oci_state state;
	struct cgroup cgroup;
	struct launch launch;
	struct console console;
	int dirfd;
	int container_fd;
	int stop_fd, signal_fd; /* as in struct creation */
};

/* -- which process -- */

/* uid or uid:gid, digits only: a lenient parser once ran the wrong user (CVE-2026-30892). */
static int parse_user(const char *text, struct oci_user *user, struct error *err)
{
	cleanup_free char *copy = xstrdup(text);
	char *gid = strchr(copy, ':');

	if (gid)
		*gid++ = '\0';
	if (number_parse_id(copy, &user->uid) < 0 || (gid && number_parse_id(gid, &user->gid) < 0))
		return error_set(err, ERROR_INVALID, 0, "invalid user \"%s\": UID[:GID] in numbers",
				 text);
	return 0;
}

static int add_groups(struct execution *e, struct error *err)
{
	const struct strv *added = &e->options->additional_gids;
	struct json_numbers *gids = &e->process.user.additional_gids;
	uint32_t *items;

	if (!added->count)
		return 0;
	items = arena_alloc(&e->arena, (gids->count + added->count) * sizeof(*items));
	for (size_t i = 0; i < gids->count; i++)
		items[i] = gids->items[i];
	for (size_t i = 0; i < added->count; i++)
		if (number_parse_id(added->items[i], &items[gids->count + i]) < 0)
			return error_set(err, ERROR_INVALID, 0, "invalid group id \"%s\"",
					 added->items[i]);
	gids->items = items;
	gids->count += added->count;
	return 0;
}

/* Copies first: the lists belong to the decoded configuration. */
static void append(struct json_strings *list, struct arena *arena, const struct strv *added)
{
	struct json_strings copy = { .null = false };

	for (size_t i = 0; i < list->count; i++)
		json_strings_add(&copy, arena, list->items[i]);
	for (size_t i = 0; i < added->count; i++)
		json_strings_add(&copy, arena, added->items[i]);
	*list = copy;
}

/* --cap never touches the inheritable set, and the ambient one only within it (CVE-2022-29162). */
static void add_capabilities(struct execution *e)
{
	const struct strv *added = &e->options->caps;

	if (!added->count)
		return;
	if (e->process.capabilities)
		e->capabilities = *e->process.capabilities;
	append(&e->capabilities.bounding, &e->arena, added);
	append(&e->capabilities.effective, &e->arena, added);
	append(&e->capabilities.permitted, &e->arena, added);
	for (size_t i = 0; i < added->count; i++)
		if (json_strings_contain(&e->capabilities.inheritable, added->items[i]))
			json_strings_add(&e->capabilities.ambient, &e->arena, added->items[i]);
	e->process.capabilities = &e->capabilities;
}

static int process_from_options(struct execution *e, struct error *err)
{
	const struct container_exec_options *options = e->options;
	size_t count = 0;
	int ret;

	while (options->args && options->args[count])
		count++;
	if (!count)
		return error_set(err, ERROR_INVALID, 0, TEXT_EXEC_EMPTY);
	if (e->config->process)
		e->process = *e->config->process;
	else
		e->process.cwd = "/";
	e->process.args = (struct json_strings){ .items = options->args, .count = count };
	e->process.terminal = options->terminal;
	if (options->cwd)
		e->process.cwd = options->cwd;
	append(&e->process.env, &e->arena, &options->env);
	e->process.no_new_privileges |= options->no_new_privileges;
	if (options->process_label)
		e->process.selinux_label = options->process_label;
	if (options->apparmor)
		e->process.apparmor_profile = options->apparmor;
	ret = options->user ? parse_user(options->user, &e->process.user, err) : 0;
	if (ret == 0)
		ret = add_groups(e, err);
	add_capabilities(e);
	return ret;
}

static int process_from_file(struct execution *e, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_process *process;
	int ret = io_read_file(AT_FDCWD, e->options->process_file, CONFIG_SIZE_MAX, &text, err);

	if (ret == 0)
		ret = process_decode(path_base(e->options->process_file), strbuf_text(&text),
				     text.size, &e->arena, &process, err);
	if (ret < 0)
		return ret;
	e->process = *process;
	if (e->options->terminal)
		e->process.terminal = true;
	return 0;
}

/* -- the steps -- */

static int check_sealing(struct execution *e, struct error *err)
{
	return seal_check(e->globals->unsealed, err);
}

static int open_container(struct execution *e, struct error *err)
{
	enum container_status status;
	int ret = record_lock(e->globals, e->id, VERB_LOCK_WAIT_MS, &e->dirfd, err);

	if (ret == 0)
		ret = record_read_at(e->dirfd, e->id, &e->arena, &e->record, err);
	if (ret < 0)
		return ret;
	e->container_fd = e->record.pid ? pidfd_open(e->record.pid, 0) : -EBADF;
	status = record_status(e->globals, &e->record);
	if (status == CONTAINER_STOPPED || status == CONTAINER_CREATING || e->container_fd < 0)
		return error_set(err, ERROR_STATE, 0, TEXT_EXEC_STOPPED);
	if (status == CONTAINER_PAUSED && !e->options->ignore_paused)
		return error_set(err, ERROR_STATE, 0, TEXT_EXEC_PAUSED);
	return 0;
}

/* The container's own compiled program: exec needs no compiler and no bundle. */
static int load_seccomp(struct execution *e, struct error *err)
{
	struct plan_seccomp *seccomp = &e->plan.process.seccomp;
	struct strbuf text = STRBUF_INIT;
	int ret;

	if (!e->record.has_seccomp)
		return 0;
	ret = io_read_file(e->dirfd, RECORD_SECCOMP, 1 << 20, &text, err);
	if (ret == 0 && (!text.size || text.size % sizeof(*seccomp->filter) ||
			 text.size / sizeof(*seccomp->filter) > BPF_MAXINSNS))
		ret = error_set(err, ERROR_INVALID, 0, "the saved seccomp program is damaged");
	if (ret == 0) {
		seccomp->length = (unsigned short)(text.size / sizeof(*seccomp->filter));
		seccomp->filter = memcpy(arena_alloc(&e->arena, text.size), text.data, text.size);
		seccomp->flags = e->record.seccomp_flags;
		ret = plan_find_listener(e->config, seccomp, err);
	}
	strbuf_done(&text);
	return ret;
}

static int compile_process(struct execution *e, struct error *err)
{
	int ret = record_load_config(e->dirfd, &e->arena, &e->config, err);

	if (ret == 0)
		ret = record_use_resources(&e->record, e->config, &e->arena, err);
	if (ret == 0)
		ret = e->options->process_file ? process_from_file(e, err)
					       : process_from_options(e, err);
	if (ret == 0)
		ret = process_check(&e->process, err);
	if (ret == 0)
		ret = plan_compile_process(&e->process, e->config, &e->plan, err);
	if (ret < 0)
		return ret;
	e->plan.id = e->id;
	e->plan.no_new_keyring = e->record.no_new_keyring;
	e->plan.rootless = e->globals->rootless;
	return load_seccomp(e, err);
}

static int check_terminal(struct execution *e, struct error *err)
{
	const struct container_exec_options *options = e->options;
	int ret = console_check(e->process.terminal, options->detach, options->console_socket, err);

	if (ret == 0)
		ret = console_open(&e->console, options->console_socket, err);
	return ret;
}

/* --cgroup PATH or CONTROLLERS:PATH (v1's form), below the container's own. */
static int enter_sub_cgroup(struct execution *e, struct error *err)
{
	const struct strv *given = &e->options->cgroup;
	cleanup_free char *clean = NULL;
	const char *path;
	int fd;

	if (!given->count)
		return 0;
	path = given->items[given->count - 1];
	if (strchr(path, ':'))
		return error_set(err, ERROR_INVALID, 0, TEXT_UNKNOWN_CONTROLLER,
				 (int)strcspn(path, ":"), path);
	/* against "/": a path that climbs comes out different when it is joined to a deeper one */
	for (const char *p = path; *p; p += strcspn(p, "/"), p += strspn(p, "/"))
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
			return error_set(err, ERROR_INVALID, 0, TEXT_SUB_CGROUP ": %s", path);
	if (e->cgroup.fd < 0)
		return error_set(err, ERROR_STATE, 0, TEXT_SUB_CGROUP ": no cgroup");
	clean = path_join("/", path);
	if (strcmp(clean, "/") == 0)
		return 0;
	fd = openat(e->cgroup.fd, clean + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open cgroup \"%s%s\"", e->cgroup.path, clean);
	(void)close(e->cgroup.fd);
	e->cgroup.fd = fd;
	return 0;
}

/* By annotation init is one level down, so that the container's own cgroup has no processes. */
static void enter_delegated(struct execution *e)
{
	const char *name = json_map_get(&e->record.annotations, ANNOTATION_DELEGATE_CGROUP);
	char *path;
	int fd;

	if (!name || !*name || e->cgroup.fd < 0 || e->options->cgroup.count)
		return;
	fd = openat(e->cgroup.fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return; /* the container may have removed it */
	path = xasprintf("%s/%s", e->cgroup.path, name);
	free(e->cgroup.path);
	e->cgroup.path = path; /* by which the manager attaches */
	(void)close(e->cgroup.fd);
	e->cgroup.fd = fd;
}

static int open_cgroup(struct execution *e, struct error *err)
{
	int ret;

	record_cgroup(&e->record, &e->cgroup);
	e->cgroup.stop_fd = e->stop_fd;
	ret = cgroup_open(&e->cgroup, err);
	enter_delegated(e);
	return ret < 0 ? ret : enter_sub_cgroup(e, err);
}

/* Where init itself is now: a container with systemd has made its cgroup an inner node. */
static int open_cgroup_of_init(struct execution *e, struct error *err)
{
	cleanup_free char *path = NULL, *mount = NULL, *folder = NULL;
	int fd, ret = cgroup_of_process(e->record.pid, &path, err);

	/* that is as we see it, wherever the recorded path counts from */
	if (ret == 0)
		ret = cgroup_find_mount(NULL, &mount, err);
	if (ret < 0)
		return ret;
	folder = xasprintf("%s%s", mount ? mount : "", path);
	fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open the cgroup of process %d", e->record.pid);
	(void)close(e->cgroup.fd);
	e->cgroup.fd = fd;
	return 0;
}

/* What init gives to its children, an additional process must be given. */
static int join_resctrl(const struct execution *e, struct error *err)
{
	cleanup_with(resctrl_done) struct resctrl resctrl = RESCTRL_INIT;
	const struct record *record = &e->record;
	int ret;

	if (!record->rdt_root || !record->rdt_group)
		return 0;
	ret = resctrl_open(&resctrl, record->rdt_root, err);
	if (ret == 0)
		ret = resctrl_join(&resctrl, record->rdt_group, record->rdt_monitor, e->launch.pid,
				   err);
	return ret;
}

/* Where there is no mount namespace to join, there is a root to enter. */
static int open_container_root(struct execution *e, struct error *err)
{
	struct init_args *args = &e->launch.args;
	char path[64];

	if (e->record.namespaces & (1U << NS_MOUNT))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/root", e->record.pid);
	args->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (args->root_fd < 0)
		return error_errno(err, errno, "open the container's root");
	/* looked at afterwards: it was this process's root, not that of one with its number */
	if (!record_is_alive(&e->record))
		return error_set(err, ERROR_STATE, 0, TEXT_EXEC_STOPPED);
	return 0;
}

/* Not allowed to clone it into the cgroup: the manager puts it there. */
static int start_and_attach(struct execution *e, struct error *err)
{
	int ret;

	cleanup_close_fd(&e->cgroup.fd);
	cleanup_close_fd(&e->dirfd); /* the manager may let us wait: without the lock */
	ret = launch_start(&e->launch, err);
	return ret < 0 ? ret : cgroup_attach(&e->cgroup, e->launch.pid, err);
}

static int start_process(struct execution *e, struct error *err)
{
	int ret;

	launch_init(&e->launch, &e->plan, &e->state);
	ret = open_container_root(e, err);
	if (ret < 0)
		return ret;
	e->launch.signal_fd = e->stop_fd;
	e->launch.cgroup = &e->cgroup;
	e->launch.args.preserve_fds = e->options->preserve_fds;
	e->launch.args.container_flags = record_namespaces_to_join(&e->record);
	e->launch.args.container_fd = TAKE_FD(e->container_fd);
	ret = policies_enter_initial_cpus(&e->plan.process, err);
	if (ret < 0)
		return ret;
	ret = launch_start(&e->launch, err);
	if (ret == -EBUSY && !e->launch.joiner && !e->options->cgroup.count) {
		ret = open_cgroup_of_init(e, err);
		if (ret == 0)
			ret = launch_start(&e->launch, err);
	}
	if (ret == -EACCES && !e->options->cgroup.count && cgroup_can_attach(&e->cgroup))
		ret = start_and_attach(e, err);
	if (ret == 0)
		ret = join_resctrl(e, err);
	return ret < 0 ? ret : launch_go(&e->launch, err);
}

static int serve_message(struct execution *e, const struct sync_message *message, struct error *err)
{
	switch (message->type) {
	case SYNC_CONSOLE:
		return console_take(&e->console, message->fd, err);
	case SYNC_LISTENER:
	case SYNC_LISTENER_NUMBER:
		record_oci_state(&e->record, CONTAINER_RUNNING, e->record.pid, &e->state);
		return agent_serve(&e->launch, &e->state, message, err);
	case SYNC_READY:
		return 0;
	default:
		return error_set(err, ERROR_INTERNAL, EPROTO, "the process sent \"%s\"",
				 sync_type_name(message->type));
	}
}

static int serve_process(struct execution *e, struct error *err)
{
	struct sync_message message = { .type = SYNC_GO, .fd = -EBADF };

	while (message.type != SYNC_READY) {
		int ret = launch_receive(&e->launch, &message, err);

		if (ret == 0)
			ret = serve_message(e, &message, err);
		if (ret < 0)
			return ret;
	}
	return policies_set_from_outside(&e->launch.args, e->launch.pid, err);
}

static int commit_process(struct execution *e, struct error *err)
{
	int ret = pidfd_socket_send(e->options->pidfd_socket, e->launch.pidfd, "setns", err);

	if (ret == 0)
		ret = pid_file_write(e->options->pid_file, e->launch.pid, err);
	if (ret == 0)
		ret = launch_send(&e->launch, SYNC_COMMIT, 0, -EBADF, err);
	return ret < 0 ? ret : launch_wait_exec(&e->launch, err);
}

static int check_preserved_fds(struct execution *e, struct error *err)
{
	return launch_check_preserved(e->options->preserve_fds, err);
}

static int take_signals(struct execution *e, struct error *err)
{
	e->stop_fd = signal_open_stop_fd(err);
	if (e->stop_fd < 0 || e->options->detach)
		return e->stop_fd < 0 ? e->stop_fd : 0;
	e->signal_fd = foreground_signals(err);
	return e->signal_fd < 0 ? e->signal_fd : 0;
}

/* clang-format off */
static const struct {
	const char *name;
	int (*run)(struct execution *e, struct error *err);
} execution_steps[] = {
	{ "sealing",         check_sealing },
	{ "preserved fds",   check_preserved_fds },
	{ "signals",         take_signals },
	{ "open container",  open_container },
	{ "compile process", compile_process },
	{ "terminal",        check_terminal },
	{ "open cgroup",     open_cgroup },
	{ "start process",   start_process },
	{ "serve process",   serve_process },
	{ "commit",          commit_process },
};
/* clang-format on */

static int execute(struct execution *e, int *out_status, struct error *err)
{
	int status = 0, ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(execution_steps) && ret == 0; i++) {
		cleanup_trace struct trace_span span = trace_begin("exec", execution_steps[i].name);

		ret = execution_steps[i].run(e, err);
	}
	if (ret < 0) {
		launch_abort(&e->launch);
		return ret;
	}
	cleanup_close_fd(&e->dirfd); /* the lock: others may act on the container from here on */
	*out_status = 0;
	if (e->options->detach)
		return 0;
	ret = foreground_wait(&(struct foreground){ .pid = e->launch.pid,
						    .pidfd = e->launch.pidfd,
						    .signal_fd = e->signal_fd,
						    .console = &e->console },
			      &status, NULL, err);
	if (ret < 0)
		return ret;
	*out_status = proc_exit_status(status);
	return 0;
}

static void execution_done(struct execution *e)
{
	console_done(&e->console);
	launch_done(&e->launch);
	cgroup_done(&e->cgroup);
	plan_done(&e->plan);
	arena_done(&e->arena);
	cleanup_close_fd(&e->dirfd);
	cleanup_close_fd(&e->container_fd);
	cleanup_close_fd(&e->stop_fd);
	cleanup_close_fd(&e->signal_fd);
}

int container_exec(const struct runtime_globals *globals, const char *id,
		   const struct container_exec_options *options, int *out_status, struct error *err)
{
	cleanup_with(execution_done) struct execution execution = {
		.globals = globals,
		.id = id,
		.options = options,
		.cgroup = CGROUP_INIT,
		.console = CONSOLE_INIT,
		.dirfd = -EBADF,
		.container_fd = -EBADF,
		.stop_fd = -EBADF,
		.signal_fd = -EBADF,
	};

	launch_init(&execution.launch, NULL, NULL);
	return execute(&execution, out_status, err);
}
