/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing of the runtime's own executable against a container that writes to /proc/PID/exe. */
#ifndef RUNTIME_LIFECYCLE_SEAL_H
#define RUNTIME_LIFECYCLE_SEAL_H

#include "lib/error.h"

/**
 * Make sure that the running executable cannot be opened for writing through /proc/PID/exe
 * (CVE-2019-5736). When it can, executes itself again (same argv and environment) through a
 * read-only detached clone of its mount, or from a sealed copy in memory, and does not return.
 * Returns 0 when there is nothing to do. The first act of main() for create, run and exec: before
 * any input is read.
 */
int seal_self(char *const *argv, struct error *err);

/** What a verb that needs it does first: seal_self's failure (NULL = none) becomes its own. */
int seal_check(const struct error *unsealed, struct error *err);

#endif
