/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error value: plain data, last argument of whatever can fail, NULL = ignore. Functions
 * return 0 (or a positive result) or a negative errno. It crosses the socket from a container's
 * init to its parent as raw bytes (the same image on both sides of clone; never across an exec).
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>

/** What kind of failure it is; decides exit statuses and machine-readable output. */
enum error_code {
	ERROR_NONE,
	ERROR_SYSTEM,	   /* a system call failed: errnum says how */
	ERROR_USAGE,	   /* the command line */
	ERROR_INVALID,	   /* a document, file or archive that breaks its rules */
	ERROR_UNSUPPORTED, /* valid, but not to be had here */
	ERROR_NOT_FOUND,   /* the named thing does not exist */
	ERROR_EXISTS,	   /* the named thing exists already */
	ERROR_STATE,	   /* the thing is not in a state that allows this */
	ERROR_TIMEOUT,
	ERROR_CANCELLED, /* a signal asked us to stop */
	ERROR_INTERNAL,	 /* our own bug */
};

/** Where in a container's or build's life it happened. */
enum phase {
	PHASE_NONE,
	PHASE_CONFIG,
	PHASE_PLAN,
	PHASE_STATE,
	PHASE_CGROUP,
	PHASE_CLONE,
	PHASE_NAMESPACES,
	PHASE_ROOTFS,
	PHASE_PROCESS,
	PHASE_EXEC,
	PHASE_HOOK,
	PHASE_IMAGE,
	PHASE_BUILD,
};

/** Of struct error and what its numbers mean: counts up with each change, because init and a start
 *  by a newer program exchange one (runtime/init/init.h). */
#define ERROR_FORMAT 2

struct error {
	int errnum; /* 0 = none; strerror is appended by the printer, not stored */
	enum error_code code;
	enum phase phase;
	char syscall[24];    /* its name, when it is known which one failed */
	char path[PATH_MAX]; /* the object, when it is a path */
	char pointer[256];   /* JSON pointer into the document, when it came from one */
	char msg[1024];	     /* what was attempted on what; lower case, no period */
};

/** An error that needs no initialiser is safe to read; this one is for clarity. */
#define ERROR_INIT                                                                                 \
	{                                                                                          \
		.errnum = 0                                                                        \
	}

/**
 * Record a failure: code, errno (0 = none) and a formatted message. A message too long for the
 * buffer is cut in the middle, never at the end (callers of the runtime match on the tail).
 * Returns the negative errno that fits: -errnum, or one chosen by the code.
 */
int error_set(struct error *err, enum error_code code, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int error_vset(struct error *err, enum error_code code, int errnum, const char *format, va_list ap)
	__attribute__((format(printf, 4, 0)));

/** A failed system call: returns -errnum. Pass errno (or a positive errno) as errnum. */
int error_errno(struct error *err, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Input that breaks its rules: code ERROR_INVALID, no errno; returns -EINVAL. */
int error_invalid(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * What follows adds to an error and returns ret unchanged; with a ret that is no failure (0 or
 * more) there is nothing to add to.
 */

/** Put "context: " in front of the message, once per layer. */
int error_prefix(struct error *err, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Put text behind the message (a hint on what to do); returns ret unchanged. */
int error_suffix(struct error *err, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Set where it happened / the JSON pointer / the path, unless set already; return ret. */
int error_phase(struct error *err, int ret, enum phase phase);
int error_pointer(struct error *err, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int error_path(struct error *err, int ret, const char *path);
int error_syscall(struct error *err, int ret, const char *name);

/** The line for people: "msg: strerror". size should be at least 1200. Returns buffer. */
const char *error_text(const struct error *err, char *buffer, size_t size);

/** One that came from another process: ends its texts, whatever was sent. Its negative errno. */
int error_received(struct error *err);

/** Stable lower-case names for machine-readable output ("system", "invalid", ...). */
const char *error_code_name(enum error_code code);
const char *phase_name(enum phase phase);

#endif
