/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder without root: before it does anything it becomes root of a user namespace
 * (lib/userns.h), and from there on it is the same program that root has. All that one user runs
 * is in the same namespace, as long as any of it lives, because only who is in it can signal,
 * enter and end the containers there. Its number is in $XDG_RUNTIME_DIR/orlop-builder/namespace.
 */
#ifndef BUILDER_CLI_ROOTLESS_H
#define BUILDER_CLI_ROOTLESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

/** Who has called us. */
struct rootless {
	bool entered; /* not as root: we are in a namespace of his */
	uid_t uid;    /* who he is outside */
	gid_t gid;
};

/**
 * Enter, unless we are root (of whatever) or have entered. One thread only. Sets XDG_RUNTIME_DIR
 * and HOME where they are missing, for us and for all that we start.
 */
int rootless_enter(struct rootless *rootless, struct error *err);

#endif
