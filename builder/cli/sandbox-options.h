/* SPDX-License-Identifier: Apache-2.0 */
/* The options that say what containers are like: of build for its steps, of run, shell and rerun.
 */
#ifndef BUILDER_CLI_SANDBOX_OPTIONS_H
#define BUILDER_CLI_SANDBOX_OPTIONS_H

#include "builder/container/sandbox.h"
#include "lib/options.h"
#include "lib/strv.h"

/** To be included in a verb's table with OPT_INCLUDE. */
struct sandbox_args {
	struct strv hosts, name_servers, searches, resolver_options, ulimits;
	struct strv cap_added, cap_dropped, devices, cdi_folders, security;
	const char *cgroup_parent, *memory, *memory_swap, *cpu_quota, *cpus, *mems;
	const char *cpu_count, *pids;
	uint64_t shm_size, cpu_shares, cpu_period;
};

extern const struct option_spec sandbox_options[];

/** Values and meanings; all is in the arena. A bad one is a usage error that names its option. */
int sandbox_parse(const struct sandbox_args *args, struct arena *arena, struct sandbox *out,
		  struct error *err);

#endif
