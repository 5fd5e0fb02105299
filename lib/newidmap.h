/* SPDX-License-Identifier: Apache-2.0 */
/* The programs newuidmap and newgidmap, which give a user the ids of /etc/subuid and /etc/subgid.
 */
#ifndef LIB_NEWIDMAP_H
#define LIB_NEWIDMAP_H

#include <sys/types.h>

#include "lib/error.h"
#include "lib/strv.h"

/**
 * Have program ("newuidmap", "newgidmap") write a map of the user namespace that process pid is in.
 * words: INSIDE OUTSIDE SIZE of each range, decimal. Its own words are in the error.
 */
int newidmap_run(const char *program, pid_t pid, const struct strv *words, struct error *err);

#endif
