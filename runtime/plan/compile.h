/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the planner: one function per part of config.json, run in the order of the table in
 * plan.c. Each reads the config and what earlier parts put into the plan (namespaces come first),
 * allocates from plan->arena and touches nothing else.
 *
 * What config.json alone says to be wrong is a rule of spec/config-check*, run before, and no
 * matter here. A document that broke rules still comes by when validate looks for all that is
 * wrong: what is made of it then must only do no harm.
 */
#ifndef RUNTIME_PLAN_COMPILE_H
#define RUNTIME_PLAN_COMPILE_H

#include "lib/error.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"

struct compiler {
	const struct oci_config *config;
	const struct oci_linux *lin; /* config->linux, or an empty one: never NULL */
	const struct plan_request *request;
	struct plan *plan;
	const char *pointer;	   /* of the part, for errors that name no place of their own */
	struct findings *findings; /* all that is wrong is looked for; NULL: end at the first */
	bool is_update;		   /* of a container that is there: 0 undoes what was set before */
	bool is_known;		   /* warnings of what it leaves out were given before */
	size_t known;		   /* so many of them were there before: of decoder and rules */
};

/**
 * Around whatever may fail and does not make the rest meaningless: "ret = compile_go_on(c, ret,
 * err)". Where all that is wrong is looked for, a failure is noted, and 0 returned; what failed
 * must then be left out of the plan. Else it is ret.
 */
int compile_go_on(const struct compiler *c, int ret, struct error *err);

/** What is left out of the plan at this place and no mistake: a warning, in the log or, where all
 *  that is wrong is looked for, among the findings. */
void compile_warn(const struct compiler *c, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Where all that is wrong is looked for: is something about this place known already? */
bool compile_is_broken(const struct compiler *c, const char *pointer);

/** Every message says where in the document it belongs: at pointer, unless it knows better. */
int compile_failed(struct error *err, int ret, const char *pointer);

/** error_pointer for the member of the map at pointer, escaped as RFC 6901 asks. */
int compile_key_pointer(struct error *err, int ret, const char *pointer, const char *key);

int compile_namespaces(const struct compiler *c, struct error *err);
int compile_idmaps(const struct compiler *c, struct error *err);
int compile_mounts(const struct compiler *c, struct error *err);
struct mount_options;
/** mount-idmap.c: is the mount id-mapped, and by which map? Adds to maps, the plan's mount_maps
 *  while they are made: there is room for one with each mount. */
int compile_mount_idmap(const struct compiler *c, const struct oci_mount *config,
			const struct mount_options *options, struct plan_idmaps *maps,
			struct plan_mount *mount, struct error *err);
/** The annotation that names one cgroup below another one: *out is NULL when it is not there. */
int compile_sub_cgroup(const struct compiler *c, const char *annotation, const char **out,
		       struct error *err);
int compile_net_devices(const struct compiler *c, struct error *err);
int compile_devices(const struct compiler *c, struct error *err);
int compile_device_program(const struct compiler *c, const struct oci_resources *resources,
			   struct error *err);
int compile_sysctls(const struct compiler *c, struct error *err);
int compile_personality(const struct compiler *c, struct error *err);
int compile_memory_policy(const struct compiler *c, struct error *err);
int compile_hooks(const struct compiler *c, struct error *err);
int compile_intel_rdt(const struct compiler *c, struct error *err);
int compile_cgroup(const struct compiler *c, struct error *err);
/** Where the cgroupfs manager makes it; owned. It may be "/", which is no container's. */
char *cgroup_config_path(const char *cgroups_path, const char *id);
/** The files of the cgroup and what to write there; resources may be NULL. */
int compile_resources(const struct compiler *c, const struct oci_resources *resources,
		      struct error *err);
/** delegation.c: whose cgroup it is. */
int compile_delegation(const struct compiler *c, struct error *err);
/** unit.c, for the systemd manager: names and place of the unit, its properties by annotations. */
int compile_unit(const struct compiler *c, struct error *err);
int compile_unit_properties(const struct compiler *c, struct error *err);

/* of a process: the container's own (process_pointer "/process") or exec's ("") */
int compile_process(const struct compiler *c, const struct oci_process *process,
		    const char *process_pointer, struct error *err);
void compile_policies(const struct compiler *c, const struct oci_process *process);
int compile_capabilities(const struct oci_capabilities *capabilities, struct plan *plan,
			 struct error *err);
void compile_rlimits(const struct compiler *c, const struct oci_process *process);

/** What decides a filter. */
struct seccomp_source {
	const struct oci_seccomp *config; /* may be NULL */
	const struct json_map *annotations;
	const char *cache; /* directory of compiled programs; NULL = none */
};
int compile_seccomp(const struct seccomp_source *source, struct arena *arena,
		    struct plan_seccomp *out, struct error *err);

/** Labels asked for on a host whose kernel does not have that LSM are an error. */
bool lsm_has_selinux(void);
bool lsm_has_apparmor(void);
int compile_labels(const struct compiler *c, const struct oci_process *process,
		   const char *mount_label, struct error *err);

/** In the container's own namespace of this kind, be it new or joined? */
static inline bool plan_has_namespace(const struct plan *plan, enum namespace_kind kind)
{
	return plan->namespaces[kind].mode != NS_INHERIT;
}

/** enum namespace_kind by its clone flag, or -ENOENT. */
int plan_namespace_kind(uint64_t clone_flag);

/** Is the container's namespace of this kind the runtime's own, inherited or by another name? */
bool plan_namespace_is_ours(const struct plan *plan, enum namespace_kind kind);

#endif
