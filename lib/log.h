/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: errors travel up as values and are written here once, by main(). Warnings and debug
 * lines may come from anywhere. The only module with mutable file-scope state.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>

#include "lib/error.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format {
	LOG_FORMAT_PLAIN,
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
	LOG_FORMAT_JOURNAL, /* the datagram of systemd-journald's socket */
	LOG_FORMAT_SYSLOG,  /* that of /dev/log */
};

/**
 * Where and how to log. fd is borrowed and must outlive all logging (2 = stderr); PLAIN writes
 * "level: message" lines for people, TEXT logfmt (time= level= msg=), JSON one object a line with
 * the keys level, msg, time. name goes in front of plain lines ("orlop-runtime: ..."), and is the
 * identifier in the journal and in syslog.
 */
void log_setup(int fd, enum log_format format, enum log_level level, const char *name);

/** The level that is written at most; a cheap test before costly messages. */
bool log_enabled(enum log_level level);

/** The fd given to log_setup, so that a child can keep it. */
int log_fd(void);

/** Log to another fd, borrowed as in log_setup; returns the one before. */
int log_redirect(int fd);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_enabled(LOG_DEBUG))                                                        \
			log_write(LOG_DEBUG, __VA_ARGS__);                                         \
	} while (0)

/**
 * Write an error value at level error. The JSON form adds an object "error" with what is known of
 * code, phase, syscall, errno, path, json_pointer and the hint (NULL = none).
 */
void log_error_value(const struct error *err, const char *hint);

#endif
