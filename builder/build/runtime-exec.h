/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract with an OCI runtime program (any: ours, runc, crun): a bundle in, its command line,
 * a log file of its own, an exit status out (design.md, idea 9). Containers of `run` go through
 * conmon instead, but read errors and clean up through here too.
 */
#ifndef BUILDER_BUILD_RUNTIME_EXEC_H
#define BUILDER_BUILD_RUNTIME_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "lib/error.h"

/** Where runtimes keep their state: apart from everyone else's, steps apart from containers. */
enum runtime_place { RUNTIME_STEPS, RUNTIME_CONTAINERS };

/** The folder (run_folder), for --root; owned. */
char *runtime_root(enum runtime_place place);

/** Which program, and where it keeps its state. */
struct runtime {
	const char *program; /* a path, or a name to be found in PATH */
	enum runtime_place place;
};

/** Where the runtime is: ours beside our own program, then in PATH; owned. --runtime wins. */
char *runtime_find(const char *wanted);

struct runtime_run {
	const struct runtime *runtime;
	const char *bundle; /* absolute: config.json is there; log.json is written there */
	const char *id;
	char *const *words; /* another verb and its words, which shall not end the container; NULL =
			     * run */
	const char *trace;  /* the runtime writes one there, which not every one can; NULL = none */
	int stdin_fd;	    /* given to the container; -EBADF = /dev/null */
	/* Output in pieces of any size; NULL = the container has our stdout and stderr. */
	void (*output)(void *context, int stream, const char *data, size_t size);
	void *context;
	int cancel_fd;	      /* readable = stop; -EBADF = never */
	int kill_fd;	      /* readable = KILL at once; -EBADF = never */
	bool forward_signals; /* INT, TERM, HUP, QUIT, ... go on to the runtime, which passes them
				 on */
};

struct runtime_result {
	int exit_status;      /* as a shell gives it */
	struct rusage rusage; /* of the runtime and all it waited for */
};

/**
 * RUNTIME --root DIR --log F --log-format json run --bundle B ID, and wait. 0: the payload ran (or
 * was not found: 127, not executable: 126, and the runtime said so on stderr). Negative: the
 * runtime could not make the container; the message is the runtime's own. After cancel_fd -EINTR
 * (ERROR_CANCELLED): TERM, 10 s, KILL, delete. Nothing of the container is left in any case.
 */
int runtime_run(const struct runtime_run *run, struct runtime_result *out, struct error *err);

/** One short verb ("delete --force ID", "kill ID TERM"; NULL-terminated). What it says on stderr is
 *  the message of its failure; its output is dropped. */
int runtime_verb(const struct runtime *runtime, char *const *words, struct error *err);

/** The same, and what it prints is appended to out. */
struct strbuf;
int runtime_output(const struct runtime *runtime, char *const *words, struct strbuf *out,
		   struct error *err);

/** Does it know --trace FILE? */
bool runtime_has_trace(const struct runtime *runtime);

/**
 * The last error in a runtime's JSON log, cut to what people need ("... container process: ").
 * Returns false when there is none. Owned text.
 */
bool runtime_log_error(int dirfd, const char *path, char **out_message);

/** 127 for "not found", 126 for "not executable", 0 for anything else, by the words that runc, crun
 *  and we use. */
int runtime_error_status(const char *message);

#endif
