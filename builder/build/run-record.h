/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a RUN was, kept beside its log (builds/N/EVENT.run), so that it can be entered and run again
 * when the Dockerfile and the context have changed since: its command, what it stood on and what
 * was mounted. The RUN that failed last also leaves its files, builds/N/EVENT.upper. Values of
 * secrets and proxies are in neither.
 */
#ifndef BUILDER_BUILD_RUN_RECORD_H
#define BUILDER_BUILD_RUN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build/engine.h"
#include "builder/build/place.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/json-types.h"

/** RUN --mount with everything looked up. */
struct record_mount {
	int type;	    /* enum run_mount_type */
	const char *target; /* NULL: a secret that is a variable only */
	const char *id, *env, *source;
	struct json_strings layers; /* bind: what source is a path in */
	const char *cache;	    /* the folder of a cache mount in the store */
	int sharing;
	bool readonly, required;
	uint32_t mode, uid, gid;
	uint64_t size;
};

/* Nothing of the machine is in it: volumes and secrets of the command line are lent anew. */
struct run_record {
	const char *text;	    /* "RUN make" */
	const char *key;	    /* of the step's record; its layer is what came of it */
	struct json_strings layers; /* what it stood on, bottom to top */
	struct json_strings args, env;
	const char *cwd, *user, *hostname;
	bool no_network, insecure;
	bool bridge;				 /* instead of the host's network */
	const char *script_target, *script_body; /* NULL = none */
	JSON_LIST(struct record_mount) mounts;
};

/** Write the records of all RUNs of a stage that this build made. stopped: the step that failed,
 * which has one as well; NULL = all were made. Best effort: a build does not fail for it. */
void run_record_stage(struct engine *engine, struct graph_stage *stage, const struct step *stopped);

/** Keep the files of the place where a RUN has failed; they are unmounted. Best effort. */
void run_record_keep(struct engine *engine, struct place *place);

/** 1 read into arena, 0 there is none. */
int run_record_read(struct store *store, uint64_t build, uint64_t event, struct arena *arena,
		    struct run_record *out, struct error *err);

/** "builds/N/EVENT.upper", owned; NULL when nothing was kept. */
char *run_record_upper(struct store *store, uint64_t build, uint64_t event);

#endif
