/* SPDX-License-Identifier: Apache-2.0 */
/* The tmpcopyup mount option: a tmpfs starts with what the folder below it holds. */
#ifndef RUNTIME_INIT_TMPCOPYUP_H
#define RUNTIME_INIT_TMPCOPYUP_H

#include "lib/error.h"

/** Copy the tree of folder from_fd (any kind of fd) into the empty folder to_fd: owners, modes,
 *  times, links and devices included; symlinks are copied, never followed. */
int tmpcopyup(int from_fd, int to_fd, struct error *err);

#endif
