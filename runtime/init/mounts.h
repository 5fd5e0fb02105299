/* SPDX-License-Identifier: Apache-2.0 */
/* Inside mounts: where a mount comes from, where it goes, and what it may do. */
#ifndef RUNTIME_INIT_MOUNTS_H
#define RUNTIME_INIT_MOUNTS_H

#include "runtime/init/init.h"

/* fs-context.c */
/** A detached mount of a new file system; data is NULL-terminated. What the file system itself says
 *  of a failure is in the message. */
int fs_context_mount(const char *type, const char *source, const char *const *data,
		     uint64_t attributes, struct error *err);
/** Is no value too long for that? */
bool fs_context_can_take(const char *const *data);
/** The same by mount(2), which takes a page of options and wants a place for a moment: in a mount
 *  namespace where nobody else is yet. */
int fs_mount_by_place(const struct plan_mount *what, const char *place, struct error *err);
/** Change parameters of the file system that is mounted at fd. */
int fs_context_change(int fd, const char *const *data, struct error *err);

/* mount-source.c */
/** The detached mount of an entry of mounts[], with all its attributes. */
int mount_source_open(struct init *init, const struct plan_mount *mount, struct error *err);

/* mount-target.c */
/** What the mount goes onto; made if need be, as a file for a source that is no folder. */
int mount_target_open(struct init *init, const struct plan_mount *mount, int source_fd,
		      struct error *err);
/** copy-symlink: 1 when the source is a symlink and now in the container, 0 when it is none. */
int mount_target_copy_symlink(struct init *init, const struct plan_mount *mount, struct error *err);

/* mount-attributes.c */
int mount_set_attributes(int fd, const struct plan_mount *mount, struct error *err);
int mount_set_propagation(int fd, const struct plan_mount *mount, struct error *err);

#endif
