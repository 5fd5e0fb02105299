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
#include "lib/error.h"
#include "lib/strbuf.h"

struct conmon_run {
	const struct runtime *runtime; /* program: an absolute path */
	const char *bundle;	       /* absolute; conmon's files go there too */
	const char *id, *name;
	bool terminal;		   /* -t */
	bool interactive;	   /* -i: there is a standard input */
	bool keep_stdin;	   /* ... which stays open when a client has gone */
	char *const *exit_command; /* what it executes when the container has ended; NULL = none */
	const int *keep_fd;	   /* stays open as long as it lives; NULL = none */
};

/**
 * Start conmon, which makes the container (created, not started). Its process outlives us;
 * out_pidfd may be NULL. Its exit status will be in BUNDLE/exit/ID. On failure nothing of the
 * container is left in the runtime, and err has the runtime's words.
 */
int conmon_create(const struct conmon_run *run, pid_t *out_pid, int *out_pidfd, struct error *err);

struct conmon_client {
	const struct runtime *runtime;
	const char *bundle;
	const char *id;
	bool terminal;
	bool interactive;	 /* our stdin goes in */
	bool start;		 /* once connected, start the container */
	const char *detach_keys; /* as people write them; NULL = the default, "" = none */
};

/**
 * Move bytes between us and a container until it ends or somebody types the detach keys; our
 * terminal is raw meanwhile and restored on every way out.
 */
int conmon_attach(const struct conmon_client *client, bool *out_detached, struct error *err);

/** Is there one in PATH? */
bool conmon_is_installed(void);

/** "ctrl-p,ctrl-q", "a,b": the bytes; a usage error for anything else. Owned. */
int conmon_parse_keys(const char *text, struct strbuf *out, struct error *err);

/** Both, until its end: *out_status as a shell gives it, the container deleted from the runtime. */
int conmon_run_attached(const struct conmon_run *run, int *out_status, struct error *err);

#endif
