/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line says of the containers that it leads to, for a container of `run` and all
 * steps of a build alike: names and resolvers, limits, capabilities, devices. Values only;
 * config.json is run-spec.c's.
 */
#ifndef BUILDER_CONTAINER_SANDBOX_H
#define BUILDER_CONTAINER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/container/cdi.h"
#include "builder/container/edits.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "spec/config.h"

/** --add-host. */
struct sandbox_host {
	const char *name, *address; /* NULL = the host itself */
};

struct seccomp_file;
struct block_io;

struct sandbox {
	struct sandbox_host *hosts;
	size_t host_count;
	struct json_strings name_servers, searches, resolver_options;
	uint64_t shm_size; /* 0 = 64 MiB */
	struct oci_rlimit *rlimits;
	size_t rlimit_count;
	struct json_strings cap_added, cap_dropped;
	const char *cgroup_parent; /* absolute; NULL = the default */
	struct oci_memory *memory; /* NULL = no limits */
	struct oci_cpu *cpu;
	uint64_t nano_cpus; /* --cpus, which is in cpu, too; 0 = not said */
	struct oci_pids *pids;
	bool no_filter;			   /* no seccomp filter */
	const struct seccomp_file *filter; /* instead of the default; NULL = that */
	bool no_new_privileges;
	bool system_paths; /* /proc and /sys have nothing masked or read-only */
	struct json_strings masked,
		unmasked;		  /* paths that are and that are not, beside the usual */
	const char *apparmor_profile;	  /* NULL = the runtime's choice */
	struct json_strings security;	  /* --security-opt, as given */
	struct container_edits edits;	  /* --device */
	struct json_strings device_names; /* as they were given, or in full */
	struct cdi *cdi;		  /* what edits point into; NULL = nothing */

	/* of run and create alone */
	bool privileged;	  /* all capabilities, nothing masked, no filter */
	uint64_t host_namespaces; /* CLONE_NEW*: the host's, instead of new ones; NEWUSER: said */
	const char *pid_of, *ipc_of; /* containers whose namespaces it has; NULL = none's */
	bool ipc_shareable;	     /* others may have its message queues and /dev/shm */
	bool no_shm;		     /* there is no /dev/shm */
	struct json_strings groups;  /* supplementary; names of the image or numbers */
	struct json_map sysctls, annotations;
	struct oci_device_rule *device_rules; /* what may be used, beside the usual */
	size_t device_rule_count;
	struct block_io *block_io; /* NULL = nothing */
	int32_t oom_score;
	bool has_oom_score;
	struct json_strings exposed; /* "80/tcp" */
};

void sandbox_done(struct sandbox *sandbox);
#define cleanup_sandbox __attribute__((cleanup(sandbox_done)))

/* -- values of options; each appends. Failures are usage errors. --------------------------------
 */

/** "NAME:ADDRESS" or "NAME=ADDRESS"; the address host-gateway is this machine. */
int sandbox_add_host(struct sandbox *sandbox, const char *text, struct arena *arena,
		     struct error *err);
/** An address. */
int sandbox_add_name_server(struct sandbox *sandbox, const char *text, struct arena *arena,
			    struct error *err);
/** "NAME=SOFT[:HARD]", -1 = unlimited. */
int sandbox_add_ulimit(struct sandbox *sandbox, const char *text, struct arena *arena,
		       struct error *err);
/** The name of a limit on the command line: "nofile". Owned. */
char *sandbox_ulimit_name(int type);
/** "seccomp=unconfined|builtin|FILE", "apparmor=PROFILE", "no-new-privileges",
 * "systempaths=unconfined", "mask=PATH[:PATH]", "unmask=ALL|PATH[:PATH]". */
int sandbox_add_security(struct sandbox *sandbox, const char *text, struct arena *arena,
			 struct error *err);
/** A path below the root of all cgroups. */
int sandbox_set_cgroup_parent(struct sandbox *sandbox, const char *text, struct arena *arena,
			      struct error *err);

/* -- what follows from them ---------------------------------------------------------------------
 */

/**
 * What of it decides a result, one text each, for cache keys: names of hosts without addresses,
 * /dev/shm, limits per process, capabilities, the cgroup, devices. Not: resolvers, limits of memory
 * and processors, which say where a step runs and not what it does.
 */
void sandbox_describe(const struct sandbox *sandbox, struct strv *out);

/** A resolv.conf in which what was given stands instead of what was there. */
void sandbox_edit_resolv_conf(const struct sandbox *sandbox, struct strbuf *text);
/** Lines for /etc/hosts; gateway: what "host-gateway" is from there. */
void sandbox_add_hosts_lines(const struct sandbox *sandbox, const char *gateway,
			     struct strbuf *out);

#endif
