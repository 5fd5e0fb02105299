/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a container: mount, network and namespaces (start-namespaces.c), cgroup, and then
 * conmon, which makes it and is told to start it; or the runtime directly.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "builder/container/conmon.h"
#include "builder/container/leftovers.h"
#include "builder/container/start-internal.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/path.h"
#include "lib/proc.h"

#define COMMAND_FAILED "container %s: %s\n"

static void starting_done(struct starting *starting)
{
	network_down(&starting->network);
	step_cgroup_remove(&starting->cgroup);
	cleanup_close_fd(&starting->client_fd);
}

/* -- executing -----------------------------------------------------------------------------------
 */

/* In the foreground and to be removed, nobody asks for its log; nor can there be one without
 * conmon. */
static bool is_direct(const struct starting *starting)
{
	const struct container_record *record = starting->record;

	return starting->how->attach && !record->terminal &&
	       (record->remove || !conmon_is_installed());
}

static int run_direct(struct starting *starting, int *out_status, struct error *err)
{
	const struct container *container = starting->container;
	const bool interactive = starting->how->interactive && starting->record->interactive;
	struct runtime_result result = { 0 };
	const struct runtime_run run = {
		.runtime = &starting->runtime,
		.bundle = container->bundle,
		.id = starting->record->id,
		.stdin_fd = interactive ? STDIN_FILENO : -EBADF,
		.cancel_fd = -EBADF,
		.kill_fd = -EBADF,
		.forward_signals = true,
	};
	int ret = runtime_run(&run, &result, err);

	*out_status = result.exit_status;
	return ret;
}

/* conmon has it now: it is not ours to end any more. */
static int hand_over(struct starting *starting, pid_t pid, struct error *err)
{
	struct container_record *record = starting->record;
	char state;

	record->monitored = true;
	record->monitor_pid = pid;
	(void)proc_start_time(pid, &record->monitor_start, &state); /* if it has ended, none fits */
	start_release(starting);
	network_leave(&starting->network);
	step_cgroup_leave(&starting->cgroup);
	return container_record_save(starting->container->store, record, err);
}

static int create_monitored(struct starting *starting, struct error *err)
{
	const struct container *container = starting->container;
	const char *words[] = { starting->how->program, "--store",
				container->store->path, "cleanup",
				starting->record->id,	NULL };
	const struct conmon_run run = {
		.runtime = &starting->runtime,
		.bundle = container->bundle,
		.id = starting->record->id,
		.name = starting->record->id,
		.terminal = starting->record->terminal,
		.interactive = starting->record->interactive,
		/* a terminal's end is typed; the end of a client's input is the end */
		.keep_stdin = starting->record->terminal || !starting->how->attach,
		.exit_command = (char *const *)words,
		.keep_fd = &starting->network.record_fd,
	};
	pid_t pid = 0;
	int ret = conmon_create(&run, &pid, NULL, err);

	return ret < 0 ? ret : hand_over(starting, pid, err);
}

static int attach(struct container *container, const struct container_start *how, bool start,
		  bool *out_detached, struct error *err)
{
	const struct container_record *record = &container->record;
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	struct conmon_container target = { &runtime, record->id };
	const struct conmon_client client = {
		.target = &conmon_container_target,
		.context = &target,
		.bundle = container->bundle,
		.terminal = record->terminal,
		.interactive = how->interactive && record->interactive,
		.start = start,
		.detach_keys = how->detach_keys ? how->detach_keys : record->detach_keys,
	};

	return conmon_attach(&client, out_detached, err);
}

/* Its end, seen by a client: what it left goes before we go. */
static int finish(struct container *container, int *out_status, struct error *err)
{
	struct container_state state = { .exit_status = 0 };
	int ret = container_wait(container->store, container->record.id, -1, &state, err);

	*out_status = state.exit_status;
	if (ret < 0)
		return ret;
	container_unlock(container);
	if (container_relock(container, NULL) < 0)
		return 0; /* somebody has removed it */
	container_state_get(container->store, &container->record, &state);
	if (container_is_up(&state))
		return 0; /* or started it again */
	ret = container_end(container, NULL, err);
	if (ret == 0 && container->record.remove)
		ret = container_delete(container, false, true, err);
	return ret;
}

static int run_monitored(struct starting *starting, int *out_status, struct error *err)
{
	struct container *container = starting->container;
	char *words[] = { "start", starting->record->id, NULL };
	bool detached = true;
	int ret;

	if (starting->how->attach)
		starting->client_fd = container_lock_client(container->store, starting->record->id);
	ret = create_monitored(starting, err);
	if (ret == 0)
		ret = store_lease_note(container->store, LEFTOVER_KEPT, starting->record->id, err);
	if (ret < 0)
		return ret;
	if (!starting->how->attach)
		return runtime_verb(&starting->runtime, words, err);
	/* others may want it while we are attached */
	container_unlock(container);
	ret = attach(container, starting->how, true, &detached, err);
	if (ret < 0 || detached)
		return ret;
	return finish(container, out_status, err);
}

/* -- starting ------------------------------------------------------------------------------------
 */

/* What a start that was killed may have left. */
static void delete_old(const struct starting *starting)
{
	cleanup_free char *root = runtime_root(starting->runtime.place);
	cleanup_free char *state = xasprintf("%s/%s", root, starting->record->id);
	char *words[] = { "delete", "--force", starting->record->id, NULL };

	if (access(state, F_OK) == 0)
		(void)runtime_verb(&starting->runtime, words, NULL);
}

static int prepare(struct starting *starting, struct error *err)
{
	struct container *container = starting->container;
	struct container_record *record = starting->record;
	cleanup_free char *exit_files = xasprintf("%s/bundle/exit", container->folder);
	cleanup_free char *log = xasprintf("%s/bundle/log.json", container->folder);
	char now[CLOCK_TEXT_SIZE], state;
	int ret = path_remove_tree(container->store->fd, exit_files, err);

	(void)unlinkat(container->store->fd, log,
		       0); /* what the runtime said of an earlier start */
	record->started = arena_strdup(&record->arena, clock_text(now));
	record->finished = record->error = NULL;
	record->exited = record->oom_killed = record->monitored = false;
	record->exit_status = 0;
	/* until there is another one it is ourselves who see its end */
	record->monitor_pid = getpid();
	(void)proc_start_time(getpid(), &record->monitor_start, &state);
	delete_old(starting);
	if (ret == 0 && starting->how->attach) {
		ret = leftovers_note(container->store, record, err);
		leftovers_guard(container->store);
	}
	if (ret == 0)
		ret = container_record_save(container->store, record, err);
	if (ret == 0 && !container->mounted)
		ret = container_mount_rootfs(container, err);
	if (ret == 0)
		ret = start_connect(starting, err);
	step_cgroup_make(record->cgroup_parent, record->id, &starting->cgroup);
	return ret;
}

/* The runtime could not start it: a command that is not there is the container's end, all else our
 * failure. */
static int judge(struct starting *starting, int ret, int *out_status, struct error *err)
{
	struct container *container = starting->container;
	struct container_record *record = starting->record;
	int status = err ? runtime_error_status(err->msg) : 0;

	if (container->lock_fd < 0 && container_relock(container, NULL) < 0)
		return ret;
	record->error = arena_strdup(&record->arena, err ? err->msg : "");
	record->exit_status = status ? status : 128;
	(void)container_end(container, &record->exit_status, NULL);
	if (record->remove)
		(void)container_delete(container, true, true, NULL);
	if (!status)
		return ret;
	fprintf(stderr, COMMAND_FAILED, record->name, err->msg);
	*out_status = status;
	return 0;
}

static int end_direct(struct starting *starting, const int *status, struct error *err)
{
	struct container *container = starting->container;
	int ret;

	network_leave(&starting->network);
	step_cgroup_leave(&starting->cgroup);
	ret = container_end(container, status, err);
	if (ret < 0 || !container->record.remove)
		return ret;
	container_wait_clients(container->store, container->record.id);
	return container_delete(container, true, true, err);
}

static int run_unmonitored(struct starting *starting, int *out_status, struct error *err)
{
	int ret;

	container_unlock(starting->container);
	ret = run_direct(starting, out_status, err);
	if (ret < 0)
		return ret;
	if (container_relock(starting->container, NULL) < 0)
		return 0; /* removed by force */
	return end_direct(starting, out_status, err);
}

int container_start(struct container *container, const struct container_start *how, int *out_status,
		    struct error *err)
{
	__attribute__((cleanup(starting_done))) struct starting starting = {
		.container = container,
		.how = how,
		.record = &container->record,
		.network = NETWORK_INIT,
		.cgroup = STEP_CGROUP_INIT,
		.client_fd = -EBADF,
	};
	struct container_state state;
	struct error why = ERROR_INIT;
	int ret;

	container_state_get(container->store, &container->record, &state);
	if (container_is_up(&state))
		return error_set(err, ERROR_STATE, 0, "container %s is running",
				 container->record.name);
	starting.runtime = (struct runtime){ container->record.runtime, RUNTIME_CONTAINERS };
	ret = prepare(&starting, &why);
	if (ret == 0)
		ret = is_direct(&starting) ? run_unmonitored(&starting, out_status, &why)
					   : run_monitored(&starting, out_status, &why);
	if (ret < 0) {
		network_down(&starting.network);
		ret = judge(&starting, ret, out_status, &why);
	}
	if (ret < 0 && err)
		*err = why;
	return ret;
}

int container_attach(struct container *container, const struct container_start *how,
		     int *out_status, struct error *err)
{
	cleanup_close int client_fd = -EBADF;
	struct container_state state;
	bool detached = false;
	int ret = container_require_up(container->store, &container->record, &state, err);

	if (ret == 0 && !container->record.monitored)
		ret = error_set(err, ERROR_STATE, 0,
				"container %s runs in the foreground of another command, without "
				"conmon: it cannot be attached to",
				container->record.name);
	if (ret < 0)
		return ret;
	client_fd = container_lock_client(container->store, container->record.id);
	container_unlock(container);
	ret = attach(container, how, false, &detached, err);
	return ret < 0 || detached ? ret : finish(container, out_status, err);
}
