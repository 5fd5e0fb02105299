/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between the managers of cgroups. */
#ifndef RUNTIME_CGROUP_DRIVER_H
#define RUNTIME_CGROUP_DRIVER_H

#include "runtime/cgroup/cgroup.h"

struct cgroup_driver {
	const char *name;
	/** Decides cgroup->path. */
	int (*locate)(const struct plan *plan, struct cgroup *cgroup, struct error *err);
	/** Makes the cgroup; opens cgroup->fd if a process can be cloned into it. */
	int (*prepare)(struct cgroup *cgroup, const struct plan *plan, struct error *err);
	/** Puts the process there, when prepare could not. */
	int (*adopt)(struct cgroup *cgroup, pid_t pid, struct error *err);
};

extern const struct cgroup_driver cgroup_fs_driver;
extern const struct cgroup_driver cgroup_systemd_driver;
extern const struct cgroup_driver cgroup_disabled_driver;

/** A small file of the kernel as text ("cpu io memory"); "" if unreadable. */
struct strbuf;
void cgroup_read_file(int dirfd, const char *file, struct strbuf *out);
/** Is word one of the blank-separated words of text? */
bool cgroup_has_word(const char *text, const char *word);

/** Write plan->cgroup.writes below cgroup->fd. */
int cgroup_write_limits(const struct cgroup *cgroup, const struct plan *plan, struct error *err);
/** Load and attach the device program, if the plan has one. */
int cgroup_attach_devices(const struct cgroup *cgroup, const struct plan *plan, struct error *err);

#endif
