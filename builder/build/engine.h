/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a graph: step by step, key -> record there? reuse its layer : make it, publish it, record
 * it. Nothing of the image is visible before all is done; every step that was finished stays in the
 * cache, also when a later one fails.
 */
#ifndef BUILDER_BUILD_ENGINE_H
#define BUILDER_BUILD_ENGINE_H

#include <stdbool.h>

#include "builder/build/graph.h"
#include "builder/build/run-step.h"
#include "builder/build/step-kinds.h"
#include "builder/context/context.h"
#include "lib/error.h"

enum build_event_kind {
	EVENT_BEGIN,  /* id, name */
	EVENT_OUTPUT, /* data of the command that runs in it */
	EVENT_NOTE,   /* a line of our own */
	EVENT_CACHED,
	EVENT_DONE,
	EVENT_FAILED, /* data: the message */
	EVENT_CANCELED,
};

struct build_event {
	enum build_event_kind kind;
	unsigned int id; /* of the thing that happens, counted from 1 */
	const char *name;
	const char *data;
	size_t size;
};

typedef void (*build_event_fn)(void *context, const struct build_event *event);

struct engine_options {
	bool no_cache;
	const struct run_volume *volumes; /* of every RUN; in no key */
	size_t volume_count;
	const struct secret *secrets; /* --secret */
	size_t secret_count;
	const struct secret *agents; /* --ssh */
	size_t agent_count;
	const char *runtime;
	int cancel_fd; /* readable = stop; -EBADF = never */
	build_event_fn event;
	void *event_context;
};

struct engine {
	struct store *store;
	struct graph *graph;
	const struct context *context;
	const struct engine_options *options;
	unsigned int events;  /* ids given */
	unsigned int running; /* id of the step that is being made */
	const struct step *failed;
};

/** Run all stages that the graph has in order. On failure engine->failed is the guilty step. */
int engine_run(struct engine *engine, struct error *err);

/** Write the target's image; it has no name yet. */
int engine_create_image(struct engine *engine, struct store_ref *out_ref, struct digest *out_id,
			struct error *err);

/** Make a step that belongs to another one, or take it from the cache: key and layer are known
 * then.
 */
int engine_make(struct engine *engine, struct step *step, struct error *err);

/** Begin something in the progress; returns its id. */
unsigned int engine_begin(struct engine *engine, const char *name);
void engine_event(struct engine *engine, enum build_event_kind kind, unsigned int id,
		  const char *data, size_t size);

/** -ECANCELED (ERROR_CANCELLED) when the build is to stop. */
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
