/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between the managers of cgroups. */
#ifndef RUNTIME_CGROUP_DRIVER_H
#define RUNTIME_CGROUP_DRIVER_H

#include "runtime/cgroup/cgroup.h"

struct cgroup_driver {
	const char *name;
	/** Decides cgroup->path. */
	int (*locate)(const struct plan *plan, struct cgroup *cgroup, struct error *err);
	/* the others may be NULL: there is nothing to do */
	/** Makes the cgroup; opens cgroup->fd if a process can be cloned into it. */
	int (*prepare)(struct cgroup *cgroup, const struct plan *plan, struct error *err);
	/** Puts the process there, when prepare could not. */
	int (*adopt)(struct cgroup *cgroup, const struct plan *plan, pid_t pid, struct error *err);
	/** The same for one more process, later. */
	int (*attach)(const struct cgroup *cgroup, pid_t pid, struct error *err);
	/** Tells whoever else keeps limits what has been changed. */
	int (*update)(const struct cgroup *cgroup, const struct plan_cgroup *plan,
		      struct error *err);
	/** Does it then write this file, too? */
	bool (*writes)(const char *file);
	/** Before the folder is removed, when nothing lives in it any more. */
	void (*release)(struct cgroup *cgroup);
};

extern const struct cgroup_driver cgroup_fs_driver;
extern const struct cgroup_driver cgroup_systemd_driver;
extern const struct cgroup_driver cgroup_disabled_driver;

/** A small file of the kernel as text ("cpu io memory"); "" if unreadable. */
struct strbuf;
void cgroup_read_file(int dirfd, const char *file, struct strbuf *out);
/** The number behind "key " in a line of a flat keyed file (memory.events); -1: not there. */
int64_t cgroup_find_number(const char *text, const char *key);
/** Is word one of the blank-separated words of text? */
bool cgroup_has_word(const char *text, const char *word);

/** Turn on in dirfd's children what the list has; what refuses is left out: a limit that needs it
 *  will say so. */
void cgroup_enable_controllers(int dirfd, const char *wanted);
/** Opens mount_fd: the folder that path counts from, wherever in what can be seen from here it is.
 * When it is nowhere path becomes "": it is gone, or (an error, with cgroup->elsewhere) cannot be
 * seen. */
int cgroup_open_origin(struct cgroup *cgroup, struct error *err);

typedef int cgroup_visit_fn(int dirfd, void *data);
/** Every folder below dirfd and dirfd itself, deepest first: visit (if given; anything but 0 ends
 * the walk, with that), remove (if asked). */
int cgroup_walk(int dirfd, cgroup_visit_fn *visit, bool remove, void *data);
/** The folders of the cgroup, bottom-up, as cgroup_remove does. */
int cgroup_remove_folders(struct cgroup *cgroup, struct error *err);

/** Which files there are depends on kernel and scheduler: this one, or what stands in for it. */
int cgroup_write_limit(const struct cgroup *cgroup, const struct plan_cgroup_write *limit);
/** Write plan->cgroup.writes below cgroup->fd. */
int cgroup_write_limits(const struct cgroup *cgroup, const struct plan *plan, struct error *err);
/** A limit that could not be set: because its controller is missing, or by the kernel's word. */
int cgroup_limit_failed(const struct cgroup *cgroup, const struct plan_cgroup_write *limit,
			int errnum, struct error *err);

/** Give the folder and the files for it to the container's user, if the plan says so. */
int cgroup_delegate(const struct cgroup *cgroup, const struct plan *plan, struct error *err);

/** Load and attach the device program, if the plan has one. */
int cgroup_attach_devices(const struct cgroup *cgroup, const struct plan *plan, struct error *err);

struct device_change;
/** For an update: find the program that is attached, load the one of the plan (if any). */
int cgroup_devices_load(const struct cgroup *cgroup, const struct plan_cgroup *plan,
			struct device_change *out, struct error *err);
/** Put it in the other's place in one step, or take that back. */
int cgroup_devices_change(const struct cgroup *cgroup, struct device_change *devices,
			  struct error *err);
void cgroup_devices_undo(const struct cgroup *cgroup, struct device_change *devices);
void cgroup_devices_done(struct device_change *devices);

#endif
