/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify(3) for the container: a socket of ours at /run/notify in it, and from there to the
 * service manager who set NOTIFY_SOCKET, message by message and only what a service may say.
 */
#ifndef RUNTIME_LIFECYCLE_NOTIFY_H
#define RUNTIME_LIFECYCLE_NOTIFY_H

#include <errno.h>
#include <sys/types.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/config.h"

struct notify {
	int socket; /* -EBADF = nobody wants to be told */
};

#define NOTIFY_INIT                                                                                \
	{                                                                                          \
		.socket = -EBADF                                                                   \
	}

/**
 * Add to config what the container needs to find the socket: a mount of the folder
 * state_path/notify, which is made, and the environment variable. Nothing without a manager, or
 * when config has the variable already.
 */
int notify_add_to_config(struct oci_config *config, int dirfd, const char *state_path,
			 struct arena *arena, struct error *err);

/** Before the payload runs: the socket in that folder of the state (dirfd), if it is there. */
int notify_listen(struct notify *notify, int dirfd, struct error *err);

/**
 * Pass one message on. main_pid (0 = stay it ourselves) is told together with readiness, and the
 * manager is waited for, so that it knows us while we live. 1 when the service is ready.
 */
int notify_serve(const struct notify *notify, pid_t main_pid);

/** Serve until the service is ready, the process behind pidfd ends or a signal comes. */
int notify_wait(const struct notify *notify, pid_t main_pid, int pidfd, int signal_fd,
		struct error *err);

#endif
