/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of any kind that containers are told of by a path: kept there, and shared. */
#ifndef BUILDER_CONTAINER_NAMESPACE_H
#define BUILDER_CONTAINER_NAMESPACE_H

#include "builder/image/store.h"
#include "lib/error.h"

/** A new network namespace, which lives as long as the descriptor; we stay in ours. */
int namespace_make_net(int *out_fd, struct error *err);

/** Let the namespace appear at this file, which is made, in our mount namespace: that keeps it. */
int namespace_attach(int ns_fd, const char *path, struct error *err);

/** The same of a namespace of another container, which must run; kind: its name in /proc/PID/ns. */
int namespace_share(struct store *store, const char *id, const char *kind, const char *path,
		    struct error *err);

/** Let a folder of another container appear at path, a folder that is made: as it is mounted there,
 *  with what is mounted below it. inside: no symlinks are followed. */
int namespace_share_folder(struct store *store, const char *id, const char *inside,
			   const char *path, struct error *err);

#endif
