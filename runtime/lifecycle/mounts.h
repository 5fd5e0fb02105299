/* SPDX-License-Identifier: Apache-2.0 */
/* What init may not do itself for a mount: the host side's answers. */
#ifndef RUNTIME_LIFECYCLE_MOUNTS_H
#define RUNTIME_LIFECYCLE_MOUNTS_H

#include "runtime/lifecycle/launch.h"

/** User namespaces by number in plan.mount_maps, the container's in front; opened when the first
 *  mount asks for one. Starts zeroed. */
struct mount_service {
	int *map_fds;
};

/** Open the source of mounts[index], or the rootfs for SYNC_ROOTFS, and send it. */
int mount_service_fd(struct launch *launch, int index, struct error *err);
/** Map the ids of the detached mount, of mounts[index], and say so. Closes mount_fd. */
int mount_service_idmap(struct mount_service *service, struct launch *launch, int index,
			int mount_fd, struct error *err);
void mount_service_done(struct mount_service *service, const struct plan *plan);

#endif
