/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete: removes exactly what create made, in reverse. With force it kills first, and it takes
 * half-made containers, too: those whose create was killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/trace.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/hooks.h"
#include "runtime/lifecycle/resctrl.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/plan/compile.h"
#include "runtime/texts.h"
#include "spec/config.h"

int verb_run_hooks(int dirfd, const struct record *record, enum hook_kind kind, int signal_fd,
		   struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_plan struct plan plan = { .id = record->id, .bundle = record->bundle };
	struct compiler compiler = { .plan = &plan };
	struct oci_config *config;
	struct oci_state state;
	struct hook_place place = { .state = &state, .signal_fd = signal_fd };
	int ret = record_load_config(dirfd, &arena, &config, err);

	if (ret == 0) {
		compiler.config = config;
		ret = compile_hooks(&compiler, err);
	}
	if (ret < 0)
		return ret;
	if (kind == HOOK_POSTSTART)
		record_oci_state(record, CONTAINER_RUNNING, record->pid, &state);
	else
		record_oci_state(record, CONTAINER_STOPPED, 0, &state);
	/* a bundle that is gone already must not keep them from cleaning up */
	place.cwd = access(record->bundle, X_OK) == 0 ? record->bundle : "/";
	return hooks_run(&plan, kind, &place, err);
}

/* Wait for its end: what is killed dies soon, but not within the call. */
static void wait_for_death(const struct record *record, int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0 && record_is_alive(record))
		(void)poll(&poll_fd, 1,
			   10000); /* removal of the cgroup tells if it is not enough */
}

static int kill_container(const struct record *record, struct cgroup *cgroup, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("delete", "kill what is left");
	cleanup_close int pidfd = record->pid ? pidfd_open(record->pid, 0) : -EBADF;
	int ret = 0;

	/* with nobody in it (the usual end) it can be removed at once */
	if (cgroup_remove_empty(cgroup))
		ret = 0;
	else if (cgroup->fd >= 0)
		ret = cgroup_kill(cgroup, err);
	/* it is looked at after the pidfd was opened: it is this process or none */
	if (pidfd >= 0 && record_is_alive(record)) {
		if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
			return error_errno(err, errno, "kill process %d", record->pid);
		wait_for_death(record, pidfd);
	}
	return ret;
}

static int remove_resctrl(const struct record *record, struct error *err)
{
	cleanup_with(resctrl_done) struct resctrl resctrl = RESCTRL_INIT;
	int ret;

	if (!record->rdt_root || !record->rdt_group)
		return 0;
	ret = resctrl_open(&resctrl, record->rdt_root, err);
	if (ret == -ENOENT)
		return 0; /* unmounted since, and everything in it gone */
	if (ret == 0)
		ret = resctrl_remove(&resctrl, record->rdt_group, record->rdt_monitor,
				     record->rdt_is_own, err);
	return ret;
}

int verb_destroy(const struct runtime_globals *globals, int dirfd, const struct record *record,
		 struct cgroup *cgroup, struct error *err)
{
	struct error hook_error;
	int ret = kill_container(record, cgroup, err);

	if (ret == 0)
		ret = cgroup_remove(cgroup, err);
	if (ret == 0)
		ret = remove_resctrl(record, err);
	if (ret < 0)
		return ret;
	/* while the configuration is still there; a failing one does not keep the rest back */
	if (record->poststop &&
	    verb_run_hooks(dirfd, record, HOOK_POSTSTOP, -EBADF, &hook_error) < 0)
		log_warning("%s", hook_error.msg);
	return record_remove(globals, record->id, dirfd, err);
}

/* Before the lock: its holder may be a create that hangs in the very container. */
static void kill_unlocked(const struct runtime_globals *globals, const char *id)
{
	cleanup_trace struct trace_span span = trace_begin("delete", "kill by force");
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	struct record record;

	if (record_read(globals, id, &arena, &record, NULL) < 0)
		return;
	if (record_open_cgroup(&record, &cgroup, NULL) == 0 && cgroup.fd >= 0)
		(void)cgroup_kill(&cgroup, NULL); /* once more under the lock, with errors */
}

static int check_deletable(const struct runtime_globals *globals, const struct record *record,
			   struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("delete", "check status");
	enum container_status status = record_status(globals, record);

	/* creating under our lock: its create is dead */
	if (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED)
		return error_set(err, ERROR_STATE, 0, TEXT_DELETE_ALIVE, record->id,
				 container_status_names[status]);
	return 0;
}

/* By force even what cannot be read: the reason goes into the warning of what may be left. */
static int delete_broken(const struct runtime_globals *globals, const char *id, int dirfd,
			 const struct error *reason, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct salvage salvage;
	int ret = salvage_read(dirfd, id, &arena, &salvage, err);

	return ret < 0 ? ret : salvage_delete(globals, dirfd, &salvage, reason->msg, err);
}

int container_delete(const struct runtime_globals *globals, const char *id, bool force,
		     struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	cleanup_close int dirfd = -EBADF;
	struct error why = ERROR_INIT;
	struct record record;
	int ret;

	if (force)
		kill_unlocked(globals, id);
	ret = record_lock(globals, id, VERB_LOCK_WAIT_MS, &dirfd, &why);
	if (ret == 0)
		ret = record_read_at(dirfd, id, &arena, &record, &why);
	if (ret == -EBADMSG && force)
		return delete_broken(globals, id, dirfd, &why, err);
	if (ret < 0 && err)
		*err = why;
	if (ret == -ENOENT && dirfd >= 0)
		/* killed before its intent was written: there is nothing but the folder */
		return record_remove(globals, id, dirfd, err);
	if (ret == -ENOENT && force)
		return 0;
	if (ret < 0)
		return ret;
	if (!force) {
		ret = check_deletable(globals, &record, err);
		if (ret < 0)
			return ret;
	}
	ret = record_open_cgroup(&record, &cgroup, err);
	return ret < 0 ? ret : verb_destroy(globals, dirfd, &record, &cgroup, err);
}
