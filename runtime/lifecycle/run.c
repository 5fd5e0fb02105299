/* SPDX-License-Identifier: Apache-2.0 */
/* run: create without the fifo, then stay (or not) until the process ends, then delete. */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "lib/trace.h"
#include "runtime/lifecycle/create.h"
#include "runtime/lifecycle/exit-record.h"
#include "runtime/lifecycle/hooks.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/texts.h"

static int run_poststart_hooks(struct creation *c, struct error *err)
{
	const struct hook_place place = { .state = &c->state,
					  .cwd = c->plan.bundle,
					  .signal_fd = c->stop_fd };

	record_oci_state(&c->record, CONTAINER_RUNNING, c->launch.pid, &c->state);
	return hooks_run(&c->plan, HOOK_POSTSTART, &place, err);
}

/* From here on other verbs may act on the container. */
static void release_lock(struct creation *c)
{
	(void)flock(c->dirfd, LOCK_UN); /* cannot fail on our own lock */
}

/* The folder that we hold open may have been removed since, and even made anew by another. */
static bool was_deleted(int dirfd)
{
	struct stat status;

	return fstat(dirfd, &status) == 0 && status.st_nlink == 0;
}

/* The container's lock again, and whether somebody has deleted it since. */
static int take_lock(struct creation *c, bool *out_deleted, struct error *err)
{
	while (flock(c->dirfd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "lock the state of container \"%s\"", c->id);
	*out_deleted = was_deleted(c->dirfd);
	return 0;
}

static int clean_up(struct creation *c, const struct runtime_globals *globals, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("run", "clean up");
	bool deleted;
	int ret = take_lock(c, &deleted, err);

	if (ret < 0 || deleted)
		return ret;
	/* init is reaped: nothing is left to be killed by its number */
	c->record.pid = 0;
	return verb_destroy(globals, c->dirfd, &c->record, &c->cgroup, err);
}

/* What the parent alone was told, for `state` and `wait`. The exit status is the process's,
 * whatever becomes of the record. */
static void keep_exit(struct creation *c, int status, const struct rusage *rusage)
{
	struct exit_record record;
	struct error why = ERROR_INIT;
	bool deleted;
	int ret = take_lock(c, &deleted, &why);

	if (ret == 0 && !deleted) {
		exit_record_fill(&record, status, rusage, &c->cgroup, &c->arena);
		ret = exit_record_write(c->dirfd, &record, &why);
	}
	if (ret < 0)
		log_warning("record the end of container \"%s\": %s", c->id, why.msg);
}

int creation_stay(struct creation *c, int *out_status, struct error *err)
{
	struct rusage rusage;
	int ret, status = 0;

	creation_keep(c);
	release_lock(c);
	*out_status = 0;
	if (c->detached)
		return notify_wait(&c->notify, c->launch.pid, c->launch.pidfd, c->stop_fd, err);
	ret = foreground_wait(&(struct foreground){ .pid = c->launch.pid,
						    .pidfd = c->launch.pidfd,
						    .signal_fd = c->signal_fd,
						    .console = &c->console,
						    .notify = &c->notify },
			      &status, &rusage, err);
	if (ret < 0)
		return ret;
	c->launch.pid = 0; /* reaped */
	console_done(&c->console);
	*out_status = proc_exit_status(status);
	if (!c->options->keep)
		return clean_up(c, c->globals, err);
	keep_exit(c, status, &rusage);
	return 0;
}

int container_run(const struct runtime_globals *globals, const char *id,
		  const struct container_create_options *options, int *out_status,
		  struct error *err)
{
	cleanup_creation struct creation c;
	int ret = creation_make(&c, globals, id, options, true, NULL, err);

	if (ret < 0)
		return ret;
	ret = launch_wait_exec(&c.launch, err);
	if (ret < 0) {
		ret = error_prefix(err, ret, TEXT_INIT_FAILED);
	} else {
		ret = run_poststart_hooks(&c, err);
	}
	if (ret < 0) {
		creation_undo(&c);
		return ret;
	}
	return creation_stay(&c, out_status, err);
}
