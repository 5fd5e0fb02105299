/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers under conmon, the monitor that podman and CRI-O use: it owns the terminal (by the
 * runtime's --console-socket), writes the log and the exit file, and outlives us. We start it and
 * are its client.
 */
#ifndef BUILDER_CONTAINER_CONMON_H
#define BUILDER_CONTAINER_CONMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "builder/build/runtime-exec.h"
#include "builder/container/conmon-client.h"
#include "lib/error.h"

struct conmon_run {
	const struct runtime *runtime; /* program: an absolute path */
	const char *bundle;	       /* absolute; conmon's files go there too */
	const char *id, *name;
	bool terminal;		   /* -t */
	bool interactive;	   /* -i: there is a standard input */
	bool keep_stdin;	   /* ... which stays open when a client has gone */
	char *const *exit_command; /* what it executes when the container has ended; NULL = none */
	const int *keep_fd;	   /* stays open as long as it lives; NULL = none */
	const char *process;	   /* a document: execute that in the container of this id, which is
				    * there; NULL = make the container */
};

/**
 * Start conmon, which makes the container (created, not started). Its process outlives us;
 * out_pidfd may be NULL. Its exit status will be in BUNDLE/exit/ID. On failure nothing of the
 * container is left in the runtime, and err has the runtime's words.
 */
int conmon_create(const struct conmon_run *run, pid_t *out_pid, int *out_pidfd, struct error *err);

/** A container as what a client is attached to. */
struct conmon_container {
	const struct runtime *runtime;
	const char *id;
};
extern const struct conmon_target conmon_container_target;

/** Is there one in PATH? */
bool conmon_is_installed(void);

/**
 * Execute run->process, with our terminal on its own, until its end or until somebody types the
 * detach keys: then conmon stays with it. *out_status as a shell gives it, 0 when detached; on
 * failure err has the runtime's words.
 */
int conmon_exec(const struct conmon_run *run, const char *detach_keys, int *out_status,
		struct error *err);

/** Make it and attach to it, until its end: *out_status as a shell gives it, the container deleted
 * from the runtime. */
int conmon_run_attached(const struct conmon_run *run, int *out_status, struct error *err);

#endif
