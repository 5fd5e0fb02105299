/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROOT/ID/exit.json: how a container's process ended, as far as one of our own processes saw it.
 * Nothing of ours stays with a container, so only a `run` or a `wait` can know.
 */
#ifndef RUNTIME_LIFECYCLE_EXIT_RECORD_H
#define RUNTIME_LIFECYCLE_EXIT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/cgroup.h"
#include "spec/json-types.h"

#define RECORD_EXIT "exit.json"

/** What the process used, getrusage(2); only its parent, a `run`, is told. */
struct exit_usage {
	uint64_t user_us, system_us;
	uint64_t max_rss; /* bytes */
	uint64_t major_faults, in_blocks, out_blocks;
};

/** What the whole container used; 0 = the cgroup has no such file. */
struct exit_cgroup {
	uint64_t memory_peak, swap_peak; /* bytes */
	uint64_t pids_peak;
	uint64_t oom_kills;
	uint64_t cpu_us, cpu_user_us, cpu_system_us;
	uint64_t io_read, io_written; /* bytes */
};

struct exit_record {
	int32_t status;	 /* as a shell has it: the code, or 128 + signal */
	uint32_t signal; /* that ended it, 0 = none */
	bool oom_killed; /* the signal was the OOM killer's, as far as can be told */
	const char *finished;
	struct exit_usage *usage;   /* NULL = not known */
	struct exit_cgroup *cgroup; /* NULL = no cgroup */
};

/** From a wait status; cgroup is the container's, open or not; rusage may be NULL. */
struct rusage;
void exit_record_fill(struct exit_record *record, int wait_status, const struct rusage *rusage,
		      const struct cgroup *cgroup, struct arena *arena);
/** Write it into the container's folder, whose lock the caller holds. */
int exit_record_write(int dirfd, const struct exit_record *record, struct error *err);
/** -ENOENT (and no message) when nobody has seen the end. */
int exit_record_read(int dirfd, struct arena *arena, struct exit_record *out, struct error *err);
/** Append it as an object. */
void exit_record_print(const struct exit_record *record, enum json_style style, struct strbuf *out);

#endif
