/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build is going to do: stages and, in each, the steps that make layers, with everything
 * expanded and resolved. plan.c makes it from stages and base images without running anything;
 * engine.c runs it. All of it lives in the graph's arena.
 */
#ifndef BUILDER_BUILD_GRAPH_H
#define BUILDER_BUILD_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build/cache-key.h"
#include "builder/build/entitlements.h"
#include "builder/build/pins.h"
#include "builder/build/remote.h"
#include "builder/build/run-step.h"
#include "builder/container/cdi.h"
#include "builder/context/context.h"
#include "builder/dockerfile/run-mount.h"
#include "builder/dockerfile/scope.h"
#include "builder/dockerfile/stages.h"
#include "builder/image/image.h"
#include "builder/image/store.h"
#include "builder/image/time-rule.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

/** A file in the root filesystem of a RUN that comes from a here-document with "#!". */
struct step_script {
	const char *target; /* "/dev/pipes/NAME" */
	const char *body;
};

/** Where files come from; all NULL: the build context. */
struct graph_source {
	struct graph_stage *stage;
	struct image *image;
	struct named_context *context;
};

/** RUN --mount with its defaults. */
struct step_mount {
	enum run_mount_type type;
	size_t number;	    /* among those of its type */
	const char *target; /* absolute; NULL: a secret that is a variable only */
	const char *id;	    /* cache, secret, ssh */
	const char *env;    /* secret; NULL = none */
	const char *source; /* bind: a path in what follows; cache: the same, or NULL */
	struct graph_source from;
	struct step *files; /* or a layer made of the context for it */
	bool readonly, required;
	enum run_mount_sharing sharing;
	uint32_t mode, uid, gid;
	uint64_t size;	   /* tmpfs; 0 = no limit */
	const char *cache; /* its folder in the store, when that is known already; else NULL */
};

/** RUN: all that decides what the command does. */
struct step_run {
	const char *const *args;
	size_t arg_count;
	const char *const *env; /* of the image and the ARGs; NULL-terminated */
	size_t env_count;
	const char *const *proxies; /* in no key; NULL-terminated */
	const char *cwd;
	const char *user;
	const char *hostname; /* NULL = the executor's own */
	enum run_network network;
	bool insecure;		    /* --security=insecure */
	const char *const *devices; /* --device: their full names */
	size_t device_count;
	const struct container_edits *edits; /* what they add; NULL = nothing */
	const struct step_script *script;    /* NULL = none */
	const struct step_mount *mounts;
	size_t mount_count;
};

/** What a COPY source is: a path, or the body of a here-document. */
struct copy_item {
	const char *path;      /* as written, or the file's name */
	const char *body;      /* NULL = a path */
	const char *include;   /* --parents: the pattern below path; NULL = all that is there */
	bool literal;	       /* no wildcards, no escapes in path */
	struct remote *remote; /* a URL or a repository; NULL = none */
};

/** COPY and ADD. */
struct step_copy {
	const struct copy_item *items;
	size_t item_count;
	const char *target; /* absolute; with a slash at the end when a folder is meant */
	struct graph_source from;
	const char *chown; /* NULL = none */
	const char *chmod;
	const char *const *excludes;
	size_t exclude_count;
	bool unpack;	    /* ADD: archives */
	bool unpack_remote; /* the same of what is downloaded */
	bool link;	    /* a layer of its own: the key omits the parent */

	/* while running */
	struct time_rule times; /* of what it writes: image-times.h */
	bool subsecond;	     /* of the graph's options: also what has no parent has it in its key */
	const char *folders; /* link: the folders on the way to target, as they are below */
	struct cache_key before; /* of the same with what the sources had last; "" = none */
};

/** WORKDIR: a folder to be made. */
struct step_workdir {
	const char *path; /* absolute */
	const char *user;
};

struct step {
	const struct step_kind *kind; /* its functions: engine.h */
	struct graph_stage *stage;
	size_t number;	  /* in its stage, FROM is 1 */
	const char *text; /* "RUN make", for progress */
	struct source_range range;
	size_t history;	  /* index of its entry in the stage's config */
	bool independent; /* its key says nothing about what is below */
	union {
		struct step_run run;
		struct step_copy copy;
		struct step_workdir workdir;
	};

	int64_t now; /* seconds: of the folders that it makes, and of its history entry */

	/* while running */
	struct cache_key identity; /* steps of one build with the same are made once */
	struct cache_key key;
	struct cache_key lock; /* which lock says that a builder makes it; "" = none */
	char layer[LAYER_ID_SIZE];
	char list[LAYER_ID_SIZE];      /* of what it copied: content-list.h; "" = none */
	unsigned int event;	       /* its number in the progress; 0 = it has none */
	struct rusage usage;	       /* of its command, or of our threads that copied */
	uint64_t wall_us;	       /* until it was made; hashing its layer goes on */
	struct pending_layer *pending; /* while it is made: pending_take */
	int64_t created;
	bool cached;
	bool finished; /* key, layer and created are there */
};

struct graph_stage {
	const struct stage *stage;
	const char *label;	     /* "build", "stage-1" */
	const char *platform;	     /* of FROM --platform, else of the build */
	struct graph_stage *parent;  /* NULL: base or scratch */
	struct image *base;	     /* of the first ancestor; NULL = scratch */
	struct named_context *files; /* FROM a folder: what its first step copies; else NULL */
	struct image_config *config; /* after all instructions */
	struct scope scope;
	struct step **steps;
	size_t step_count, step_capacity;
	size_t history_first; /* of this stage's own entries in config->history */
	size_t total;	      /* of the progress: steps and FROM */
	bool planned;
	bool running;	  /* being planned: a circle through ONBUILD ends here */
	bool command_set; /* CMD was given in this stage */

	/* while running */
	bool finished;	      /* all of its steps */
	struct cache_key key; /* of what the last finished step left */
	struct strv layers;   /* ids on top of base, the parent's first; "" = still being hashed */
	struct strv trees;    /* of the same, for snapshots */
	struct pending_layer *pending; /* those that are being hashed: pending.h */
	bool working;		       /* a step is being made, and knows trees by name */
	bool failed;		       /* a layer could not be hashed or published */
};

struct graph_options {
	struct named_contexts *contexts; /* --build-context; NULL = none */
	const struct strv *build_args;
	const struct strv *labels;		 /* "K=V" for the final image */
	const char *platform;			 /* to build for: "linux/amd64" */
	enum run_network network;		 /* of RUN without --network */
	const struct entitlements *entitlements; /* build --allow */
	const struct strv *cdi_folders; /* of the files of devices; empty = the usual ones */
	const struct strv *proxies;	/* "K=V" for every RUN besides those of build_args */
	int64_t now;			/* seconds: the time of this build */
	bool dated;			/* somebody has said so: all that is new has this time */
	struct time_rule layer_times;	/* of the files of all new layers */
	struct time_rule copy_times;	/* of those that copy the context's files */
	bool subsecond;			/* files keep the nanoseconds of their times */
	struct image_source *images;	/* FROM and --from; NULL = the store alone */
	const struct pins *pins;	/* what all names stand for; NULL = they are looked up */
};

/** An image that FROM or --from has asked for. */
struct graph_image {
	struct graph_image *next;
	const char *name, *platform;
	struct image image;
	int ret; /* of loading it; what there is to say of a failure: */
	struct error err;
};

struct graph {
	struct arena arena;
	struct store *store;
	struct dockerfile *dockerfile;
	struct stages *stages;
	const struct graph_options *options;
	struct graph_stage *items; /* as many as stages->count; only the needed are planned */
	struct graph_stage *target;
	struct graph_stage nothing; /* what layers of the context's files stand on */
	struct graph_stage **order; /* planned ones, the needed before those who need them */
	size_t order_count;
	struct graph_image *images; /* loaded ones */
	struct graph_image *ahead;  /* those that were looked for before somebody asked */
	struct cdi *cdi;	    /* NULL: nobody has asked for a device */
	struct source_range where;  /* of a failure */
};

/** Plan all that the target needs. Free with graph_done in any case. */
int graph_plan(struct graph *graph, struct error *err);
void graph_done(struct graph *graph);
/** The step that has this number in the progress; NULL = none has. */
const struct step *graph_find_step(const struct graph *graph, unsigned int event);
#define cleanup_graph __attribute__((cleanup(graph_done)))

/** Plan one instruction, already expanded where its table row says so: plan-meta.c, plan-files.c.
 */
struct plan_context {
	struct graph *graph;
	struct graph_stage *stage;
	const struct instruction *raw; /* before expansion */
};

typedef int (*plan_fn)(struct plan_context *plan, const struct instruction *instruction,
		       struct error *err);

int plan_arg(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_cmd(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_entrypoint(struct plan_context *plan, const struct instruction *instruction,
		    struct error *err);
int plan_env(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_expose(struct plan_context *plan, const struct instruction *instruction,
		struct error *err);
int plan_healthcheck(struct plan_context *plan, const struct instruction *instruction,
		     struct error *err);
int plan_label(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_maintainer(struct plan_context *plan, const struct instruction *instruction,
		    struct error *err);
int plan_onbuild(struct plan_context *plan, const struct instruction *instruction,
		 struct error *err);
int plan_shell(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_stopsignal(struct plan_context *plan, const struct instruction *instruction,
		    struct error *err);
int plan_user(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_volume(struct plan_context *plan, const struct instruction *instruction,
		struct error *err);
int plan_run(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_copy(struct plan_context *plan, const struct instruction *instruction, struct error *err);
int plan_workdir(struct plan_context *plan, const struct instruction *instruction,
		 struct error *err);

/** An image of the store or of a registry, what the command line has under its name, or what it is
 *  pinned to; each once. It is the graph's. */
int plan_load_image(struct graph *graph, const char *name, const char *platform, struct image **out,
		    struct error *err);
/** Load the image that image's name and platform say; its ret and err are how that went. */
void plan_read_image(struct graph *graph, struct graph_image *image);
/** The same for all that the plan is going to ask for, several at once. Outside of fibers. */
int plan_images_ahead(struct graph *graph, struct error *err);
/** One entry of history; returns its index. */
size_t plan_history(struct plan_context *plan, const char *created_by, bool empty_layer);
/** A new step with its history entry. */
struct step *plan_step(struct plan_context *plan, const struct step_kind *kind,
		       const char *created_by);
/** The command as an argument list: the exec form, or the stage's SHELL with the text. */
const char *const *plan_command(struct plan_context *plan, const struct instruction *instruction,
				size_t first, size_t *out_count);
/** Plan the stage that a --from means, or load the image. */
int plan_source(struct plan_context *plan, const char *from, struct graph_source *out,
		struct error *err);
/** Plan the devices of a RUN. */
int plan_devices(struct plan_context *plan, const struct instruction *instruction,
		 struct step_run *run, struct error *err);
/** Plan the mounts of a RUN, whose cwd is known. */
int plan_mounts(struct plan_context *plan, const struct instruction *instruction,
		struct step_run *run, struct error *err);

#endif
