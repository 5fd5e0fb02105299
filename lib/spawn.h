/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that starts other programs: vfork, then only async-signal-safe calls in the child
 * (reset signals, pdeathsig, dup fds, fchdir, exec). Not for container processes: those are clone3.
 */
#ifndef LIB_SPAWN_H
#define LIB_SPAWN_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/error.h"

struct spawn_fd {
	int from; /* this fd of ours ... */
	int to;	  /* ... is this number in the child */
};

struct spawn {
	const char *path; /* program; searched in PATH when it has no slash and search */
	bool search;
	char *const *argv;
	char *const *envp;	    /* NULL = our environment */
	int cwd_fd;		    /* fchdir there; -EBADF = stay */
	const char *cwd;	    /* chdir there; NULL = stay */
	const struct spawn_fd *fds; /* nothing above the listed ones stays open */
	size_t fd_count;
	bool new_session; /* setsid */
	bool new_group;	  /* setpgid(0, 0) */
	int umask;	  /* -1 = ours */
	int mounts_fd;	  /* a mount namespace to enter first; -EBADF = ours */
	int root_fd;	  /* ... and the root in it */
	int death_signal; /* PR_SET_PDEATHSIG, 0 = none */
};

#define SPAWN_INIT                                                                                 \
	{                                                                                          \
		.cwd_fd = -EBADF, .umask = -1, .mounts_fd = -EBADF, .root_fd = -EBADF              \
	}

/** Starts it; *out_pidfd (may be NULL) gets a pidfd. An exec failure is reported here, by errno. */
int spawn_start(const struct spawn *spawn, pid_t *out_pid, int *out_pidfd, struct error *err);

/**
 * Have it started when we have ended, however we do, also by SIGKILL: in a session of its own, in
 * "/", with /dev/null for its first three fds and no others. Of spawn path, argv, envp, mounts_fd
 * and root_fd count. Until then a copy of this process waits: *out_pid, to be killed and waited for
 * by who no longer wants it.
 */
int spawn_after_end(const struct spawn *spawn, pid_t *out_pid, struct error *err);

/** Starts it and waits; *out_status is the wait status. */
int spawn_run(const struct spawn *spawn, int *out_status, struct error *err);

/**
 * Starts it without input and collects what it prints on both streams, at most max bytes (-EFBIG);
 * *out_status is the exit status as a shell has it. It dies with us.
 */
struct strbuf;
int spawn_capture(char *const *argv, size_t max, struct strbuf *output, int *out_status,
		  struct error *err);

#endif
