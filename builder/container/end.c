/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a container: what it left on the host, what is remembered of it, and its removal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "builder/build/step-cgroup.h"
#include "builder/container/container.h"
#include "builder/container/host-mount.h"
#include "builder/container/network.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/proc.h"

#define KILLED_MS 10000 /* for a killed container to be seen to end */
#define CLEANED_MS 10000
#define TURN_MS 10
#define KILL_ROUNDS 3

/* Its cgroup, whose counters say what it died of. */
static void end_cgroup(struct container_record *record)
{
	cleanup_step_cgroup struct step_cgroup cgroup = STEP_CGROUP_INIT;

	step_cgroup_make(record->cgroup_parent, record->id, &cgroup);
	record->oom_killed |= step_cgroup_oom_killed(&cgroup);
}

static void unmount(struct container *container)
{
	cleanup_free char *netns = xasprintf("%s/netns", container->bundle);
	cleanup_free char *pidns = xasprintf("%s/pidns", container->bundle);
	cleanup_free char *ipcns = xasprintf("%s/ipcns", container->bundle);
	cleanup_free char *shm = xasprintf("%s/shm", container->bundle);

	/* what is attached in our namespace */
	(void)umount2(netns, MNT_DETACH);
	(void)umount2(pidns, MNT_DETACH);
	(void)umount2(ipcns, MNT_DETACH);
	(void)umount2(shm, MNT_DETACH); /* before the folder is removed: it is another's */
	/* also what whoever started us has mounted: conmon's namespace is our parent's */
	(void)umount2(container->rootfs, MNT_DETACH);
	container->mounted = false;
}

int container_end(struct container *container, const int *status, struct error *err)
{
	struct container_record *record = &container->record;
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	char *words[] = { "delete", "--force", record->id, NULL };
	cleanup_free char *netns = xasprintf("%s/netns", container->bundle);
	struct container_state state;
	char now[CLOCK_TEXT_SIZE];

	container_state_get(container->store, record, &state);
	if (state.status == CONTAINER_EXITED || status || !record->started)
		(void)runtime_verb(&runtime, words, NULL); /* there may be nothing to delete */
	end_cgroup(record);
	network_end(container->store, record->id, netns);
	unmount(container);
	if (record->exited || !record->started)
		return 0;
	record->exited = true;
	record->exit_status = status ? *status : state.exit_status;
	record->finished =
		arena_strdup(&record->arena, *state.finished ? state.finished : clock_text(now));
	if (record->oom_killed)
		log_warning("the container was killed for lack of memory");
	return container_record_save(container->store, record, err);
}

/* Is somebody else about to look after it? conmon is our parent, or we took its place, when it has
 * executed us. */
static bool has_other_monitor(const struct container_record *record)
{
	return record->monitor_pid > 0 && record->monitor_pid != getpid() &&
	       record->monitor_pid != getppid() &&
	       proc_is_alive(record->monitor_pid, record->monitor_start);
}

int container_cleanup(struct store *store, const char *id, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct container_state state;
	struct error why = ERROR_INIT;
	int ret;

	container_wait_clients(store, id);
	ret = container_open(store, id, &container, &why);
	if (ret < 0 && why.code == ERROR_NOT_FOUND)
		return 0; /* done by a client, or removed */
	if (ret < 0) {
		*err = why;
		return ret;
	}
	container_state_get(store, &container.record, &state);
	if (container_is_up(&state) || has_other_monitor(&container.record))
		return error_set(err, ERROR_STATE, 0, "container %s is running",
				 container.record.name);
	if (state.status == CONTAINER_CREATED && !container.record.remove)
		return 0;
	ret = container_end(&container, NULL, err);
	if (ret == 0 && container.record.remove)
		ret = container_delete(&container, false, true, err);
	return ret;
}

/* Who stops a container expects its network and, with --rm, its name to be free: whoever saw its
 * end is about to do that. */
static void wait_cleaned(struct store *store, const char *id)
{
	for (int left = CLEANED_MS; left > 0; left -= TURN_MS) {
		cleanup_container_record struct container_record record = { .arena = ARENA_INIT };

		if (container_record_load(store, id, &record, NULL) < 0 ||
		    (record.exited && !record.remove) ||
		    !proc_is_alive(record.monitor_pid, record.monitor_start))
			return;
		(void)poll(NULL, 0, TURN_MS);
	}
}

/* -- removing ------------------------------------------------------------------------------------
 */

/*
 * By force: also a monitor that does not come to an end. What it does when the container has ended
 * it shall do, for its mount namespace has the container's network; so the lock is given back
 * meanwhile. -ENOENT: then the container is gone.
 */
static int kill_all(struct container *container)
{
	struct container_record *record = &container->record;
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	char *words[] = { "delete", "--force", record->id, NULL };
	struct container_state state;
	cleanup_close int monitor = -EBADF;

	(void)runtime_verb(&runtime, words, NULL); /* what there is of it */
	container_unlock(container);
	if (container_wait(container->store, record->id, KILLED_MS, &state, NULL) != 1 &&
	    has_other_monitor(record)) {
		monitor = pidfd_open(record->monitor_pid, 0);
		if (monitor >= 0 && has_other_monitor(record))
			(void)pidfd_send_signal(monitor, SIGKILL, NULL, 0);
	}
	wait_cleaned(container->store, record->id);
	return container_relock(container, NULL);
}

int container_delete(struct container *container, bool force, bool volumes, struct error *err)
{
	struct container_record *record = &container->record;
	struct container_state state;
	int ret;

	container_state_get(container->store, record, &state);
	if (container_is_up(&state) && !force)
		return error_set(err, ERROR_STATE, 0,
				 "container %s is running: stop it first, or remove it by force",
				 record->name);
	for (int left = KILL_ROUNDS; container_is_up(&state); left--) {
		if (left == 0)
			return error_set(err, ERROR_TIMEOUT, 0, "container %s does not end",
					 record->name);
		if (kill_all(container) < 0)
			return 0;				       /* somebody has removed it */
		container_state_get(container->store, record, &state); /* or started it again */
	}
	(void)container_end(container, NULL, NULL); /* what it left; the record goes anyway */
	ret = host_mount_end_elsewhere(container->store, record->id, err);
	if (ret == 0)
		ret = container_record_remove(container->store, record, err);
	if (ret == 0 && volumes)
		mounts_remove_anonymous(container->store, record);
	return ret;
}

/* -- stopping ------------------------------------------------------------------------------------
 */

int container_kill(const struct container_record *record, const char *signal, struct error *err)
{
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	char *words[] = { "kill", (char *)record->id, (char *)signal, NULL };

	return error_prefix(err, runtime_verb(&runtime, words, err), "container %s", record->name);
}

/* What has ended meanwhile needs no signal any more: its monitor is about to say so. */
static int signal_if_up(struct store *store, const struct container_record *record,
			const char *signal, struct error *err)
{
	struct container_state state;
	struct error why = ERROR_INIT;
	int ret = container_kill(record, signal, &why);

	if (ret == 0)
		return 0;
	container_state_get(store, record, &state);
	if (!container_is_up(&state) || state.pid == 0)
		return 0;
	*err = why;
	return ret;
}

static int signal_and_wait(struct store *store, const struct container_record *record, int seconds,
			   struct error *err)
{
	struct container_state state;
	int ret;

	container_state_get(store, record, &state);
	if (!container_is_up(&state))
		return 0;
	if (seconds < 0)
		seconds = (int)record->stop_timeout;
	ret = signal_if_up(store, record, record->stop_signal, err);
	if (ret == 0)
		ret = container_wait(store, record->id, seconds * 1000, &state, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = signal_if_up(store, record, "KILL", err);
	if (ret == 0)
		ret = container_wait(store, record->id, KILLED_MS, &state, err);
	if (ret == 0)
		return error_set(err, ERROR_TIMEOUT, 0, "container %s does not end", record->name);
	return ret < 0 ? ret : 0;
}

int container_stop(struct store *store, const struct container_record *record, int seconds,
		   struct error *err)
{
	int ret = signal_and_wait(store, record, seconds, err);

	if (ret == 0)
		wait_cleaned(store, record->id);
	return ret;
}
