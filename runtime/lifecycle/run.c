/* SPDX-License-Identifier: Apache-2.0 */
/* run: create without the fifo, then stay (or not) until the process ends, then delete. */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "runtime/lifecycle/create.h"
#include "runtime/lifecycle/hooks.h"
#include "runtime/lifecycle/verbs.h"

static int run_poststart_hooks(struct creation *c, struct error *err)
{
	record_oci_state(&c->record, CONTAINER_RUNNING, c->launch.pid, &c->state);
	return hooks_run(&c->plan, HOOK_POSTSTART, &c->state, c->plan.bundle, c->signal_fd, err);
}

/* From here on other verbs may act on the container. */
static void release_lock(struct creation *c)
{
	(void)flock(c->dirfd, LOCK_UN); /* cannot fail on our own lock */
}

static int take_lock_again(struct creation *c, const struct runtime_globals *globals,
			   struct error *err)
{
	int fd;
	int ret = record_lock(globals, c->id, VERB_LOCK_WAIT_MS, &fd, err);

	if (ret < 0)
		return ret;
	cleanup_close_fd(&c->dirfd);
	c->dirfd = fd;
	return 0;
}

static int clean_up(struct creation *c, const struct runtime_globals *globals, struct error *err)
{
	int ret = take_lock_again(c, globals, err);

	if (ret == -ENOENT)
		return 0; /* somebody deleted it as it ended */
	return ret < 0 ? ret : verb_destroy(globals, c->dirfd, &c->record, err);
}

int container_run(const struct runtime_globals *globals, const char *id,
		  const struct container_create_options *options, int *out_status,
		  struct error *err)
{
	cleanup_creation struct creation c;
	int ret = creation_make(&c, globals, id, options, true, err), status = 0;

	if (ret < 0)
		return ret;
	ret = launch_wait_exec(&c.launch, err);
	if (ret < 0) {
		ret = error_prefix(err, ret, "error during container init");
	} else {
		ret = run_poststart_hooks(&c, err);
	}
	if (ret < 0) {
		creation_undo(&c);
		return ret;
	}
	release_lock(&c);
	*out_status = 0;
	if (c.detached)
		return 0;
	ret = foreground_wait(c.launch.pid, c.launch.pidfd, c.signal_fd, &c.console, &status, err);
	if (ret < 0)
		return ret;
	c.launch.pid = 0; /* reaped */
	console_done(&c.console);
	*out_status = proc_exit_status(status);
	return options->keep ? 0 : clean_up(&c, globals, err);
}
