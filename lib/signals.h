/* SPDX-License-Identifier: Apache-2.0 */
/* Signal names and numbers, signalfd set-up, and a clean slate for children. */
#ifndef LIB_SIGNALS_H
#define LIB_SIGNALS_H

#include <signal.h>

#include "lib/error.h"

/** "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3": the number, or -EINVAL. */
int signal_parse(const char *text);
/** "SIGTERM", "SIGRTMIN+3"; static or NULL when unknown. */
const char *signal_name(int number);

/** Block these signals and return a signalfd (CLOEXEC, NONBLOCK) for them. */
int signal_open_fd(const int *signals, size_t count, struct error *err);
/** The same for those that ask a program to stop: SIGTERM, SIGINT, SIGHUP, SIGQUIT. */
int signal_open_stop_fd(struct error *err);

/**
 * The default disposition for one signal, by the kernel's own call: glibc refuses the two that it
 * uses itself (32 and 33), and an ignored one of them would be inherited through exec all the same.
 */
void signal_set_default(int number);

/** The same, for a signal that is to be ignored. */
void signal_ignore(int number);

/** Default disposition for every signal and an empty mask; async-signal-safe, for children. */
void signal_reset_all(void);

#endif
