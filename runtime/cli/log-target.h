/* SPDX-License-Identifier: Apache-2.0 */
/* Where --log leads: a file, or a service by its socket. */
#ifndef RUNTIME_CLI_LOG_TARGET_H
#define RUNTIME_CLI_LOG_TARGET_H

#include "lib/error.h"
#include "lib/log.h"

/**
 * Open "PATH", "file:PATH", "journald:NAME" or "syslog:NAME" (crun's words). *out_fd is the
 * caller's; *format is changed for a service, which has one of its own, and *out_name is the
 * identifier there (in target's memory; NULL for a file).
 */
int log_target_open(const char *target, int *out_fd, enum log_format *format, const char **out_name,
		    struct error *err);

#endif
