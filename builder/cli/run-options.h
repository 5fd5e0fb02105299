/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of run and create that steps of a build have no use for, and those of docker's that we
 * refuse: with the reason, instead of "not defined".
 */
#ifndef BUILDER_CLI_RUN_OPTIONS_H
#define BUILDER_CLI_RUN_OPTIONS_H

#include "builder/container/sandbox.h"
#include "lib/options.h"
#include "lib/strv.h"

/** To be included in a verb's table with OPT_INCLUDE. */
struct run_option_args {
	bool privileged;
	struct strv groups, sysctls, annotations, device_rules, exposed;
	struct strv device_weights, read_bps, write_bps, read_iops, write_iops;
	const char *weight;
	const char *oom_score, *pid, *ipc, *uts, *cgroupns, *userns, *reservation;
};

extern const struct option_spec run_option_table[];

/** Values and meanings into a sandbox that sandbox_parse has filled; all is in the arena. */
int run_options_parse(const struct run_option_args *args, struct arena *arena, struct sandbox *out,
		      struct error *err);

#endif
