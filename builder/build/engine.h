/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a graph. Every step: key -> record there? reuse its layer : make it, publish it, record
 * it. Stages that do not need each other run at the same time; what comes out does not depend on
 * which of them is first. Nothing of the image is visible before all is done; every step that was
 * finished stays in the cache, also when a later one fails.
 */
#ifndef BUILDER_BUILD_ENGINE_H
#define BUILDER_BUILD_ENGINE_H

#include <stdbool.h>

#include "builder/build/events.h"
#include "builder/build/graph.h"
#include "builder/build/run-step.h"
#include "builder/build/step-kinds.h"
#include "builder/build/timeline.h"
#include "builder/context/context.h"
#include "lib/error.h"

struct cache_imports;
struct schedule;

struct engine_options {
	bool no_cache;
	const struct strv *no_cache_stages; /* by name or number; NULL = none */
	bool normalize_modes;	   /* of the context's files: 0755 and 0644, in keys and layers */
	bool why;		   /* say of each step that is made why it is */
	struct timeline *timeline; /* NULL = nobody wants to know what took how long */
	bool sources;		   /* somebody wants to know what was downloaded */
	bool squash;		   /* the image has one layer on its base */
	bool inline_cache;	   /* the image's configuration has the records of its steps */
	const struct run_volume *volumes; /* of every RUN; in no key */
	size_t volume_count;
	const struct sandbox *sandbox; /* of every RUN: --ulimit and the like; NULL = defaults */
	const struct secret *secrets;  /* --secret */
	size_t secret_count;
	struct agent *agents; /* --ssh */
	size_t agent_count;
	const char *runtime;
	unsigned int jobs; /* steps at once; 0 = by what the processors have to do */
	int signal_fd;	   /* a signalfd: the first signal stops, the next one kills; or -EBADF */
	build_event_fn event;
	void *event_context;
	/* A RUN has failed, and a shell is to be entered where it did, with our standard input and
	 * output: say so. NULL = no shells. */
	void (*before_shell)(void *context, const struct step *step, const struct error *why);
	void *shell_context;
};

/** A build as one of its branches sees it (schedule.h): each has its own, with its own step. */
struct engine {
	struct store *store;
	struct graph *graph;
	const struct context *context;
	struct cache_imports *imports; /* --cache-from; NULL = none */
	struct stat_cache *stats; /* of files of contexts on this machine; NULL = none is kept */
	const struct engine_options *options;
	struct schedule *schedule;
	int stop_fd;	      /* readable: stop what you do */
	int kill_fd;	      /* readable: at once */
	uint64_t build;	      /* number of its journal; 0 = it has none */
	unsigned int running; /* id of the step that is being made */
	unsigned int row;     /* of the timeline */
	bool has_place;	      /* one of the schedule's is its own: while it makes a step */
	bool failure_told;    /* it has had its event */
};

/** Give it its schedule; the members above it are set. Close in any case. */
int engine_open(struct engine *engine, struct error *err);
void engine_close(struct engine *engine);

/** Run all stages that the graph has in order, those that need not wait for each other at once. */
int engine_run(struct engine *engine, struct error *err);

/** The step that is to blame for the failure of engine_run; NULL = none is. */
const struct step *engine_failed(const struct engine *engine);

/** Write the target's image; it has no name yet. */
int engine_create_image(struct engine *engine, struct store_ref *out_ref, struct digest *out_id,
			struct error *err);

/** Make a step that belongs to another one, or take it from the cache: key and layer are known
 * then.
 */
int engine_make(struct engine *engine, struct step *step, struct error *err);

/** The layer of a step into the store, and its record; a draft without digest is read here. */
int engine_publish(struct engine *engine, struct step *step, struct layer_draft *draft,
		   char *manifest, struct error *err);

/** Begin something in the progress; returns its id. */
unsigned int engine_begin(struct engine *engine, const char *name);
/** The same of what is no step and counts as none: a download. */
unsigned int engine_begin_beside(struct engine *engine, const char *name);
void engine_event(struct engine *engine, enum build_event_kind kind, unsigned int id,
		  const char *data, size_t size);

/** Part of the running step, from now on, in the timeline. */
struct timeline_mark engine_span(const struct engine *engine, enum timeline_phase phase);

/** How something that was begun beside the steps has ended. */
void engine_end(struct engine *engine, unsigned int id, int ret, const struct error *err);

/** The event of the running step's failure; only the first call has an effect. */
void engine_tell_failure(struct engine *engine, const struct error *err);

/** Take one of the places (--jobs); it is ours even when that fails. */
int engine_enter(struct engine *engine, struct error *err);
/** Give it back, while only something else is waited for; false: there was none. */
bool engine_leave(struct engine *engine);

/** Is this step to be made whatever the cache has? */
bool engine_ignores_cache(const struct engine *engine, const struct step *step);

/** -ECANCELED (ERROR_CANCELLED) when the build is to stop. For any thread. */
int engine_check_cancel(const struct engine *engine, struct error *err);

/** The trees that a stage's next step stands on, bottom to top. */
int engine_trees(struct engine *engine, struct graph_stage *stage, struct strv *out,
		 struct error *err);
/** The same of any image (held by the session). */
int engine_image_trees(struct engine *engine, struct image *image, struct strv *out,
		       struct error *err);
/** Resolve a user name in the root filesystem of these trees. */
struct user;
int engine_resolve_user(struct engine *engine, const struct strv *trees, const char *name,
			struct user *out, struct error *err);

#endif
