/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of the host, for a container that gets all of them (--privileged). */
#ifndef BUILDER_CONTAINER_HOST_DEVICES_H
#define BUILDER_CONTAINER_HOST_DEVICES_H

#include "builder/container/edits.h"

/** Append the nodes below /dev, where they are there, without those that every container has of its
 *  own (terminals, /dev/console). What vanishes meanwhile is not an error. */
void host_devices_add(struct container_edits *edits, struct arena *arena);

#endif
