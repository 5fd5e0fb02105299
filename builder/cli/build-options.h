/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of build: its table of options, and what the words come to. */
#ifndef BUILDER_CLI_BUILD_OPTIONS_H
#define BUILDER_CLI_BUILD_OPTIONS_H

#include <stdbool.h>

#include "builder/build/cache-options.h"
#include "builder/build/engine.h"
#include "builder/build/entitlements.h"
#include "builder/build/gc.h"
#include "builder/cli/attest-options.h"
#include "builder/cli/cli.h"
#include "builder/cli/output-options.h"
#include "builder/cli/progress.h"
#include "builder/cli/registry-args.h"
#include "builder/cli/sandbox-options.h"
#include "builder/context/context.h"
#include "builder/registry/source.h"
#include "lib/strv.h"

/** As given. */
struct build_args {
	struct strv tags, build_args, labels, volumes, secrets, agents, contexts, allowed;
	const char *file, *target, *network, *runtime, *progress, *iidfile, *metadata, *platform;
	const char *pull, *call, *lint, *jobs, *on_error, *trace, *report, *gc;
	struct strv no_cache_stages, cache_from, cache_to, outputs, annotations;
	const char *format, *timestamp, *epoch, *provenance, *sbom, *lock, *locked;
	struct strv attest;
	bool push, load, rewrite_timestamp, squash;
	bool no_cache, quiet, check, http_proxy, subsecond, why, normalize_modes;
	struct sandbox_args sandbox;
	struct registry_args registry;
};
extern const struct option_spec build_option_table[];
/** Those of them that have an effect on the image, without what is not to be kept: secrets. */
extern const struct option_spec build_input_options[];
/** These, and those that say how it is made: what building an image again takes. */
extern const struct option_spec build_again_options[];

/** The time of an image that is to be built again. */
struct pinned_time {
	bool is_set;
	int64_t now; /* what the build has for the present */
	bool dated;  /* its image says this time everywhere */
	bool commit_times;
	bool may_be_commit; /* nobody knows: it is dated if that is the time of the context's commit
			     */
};

/** What they come to; the options of the graph and of the engine point into it. */
struct build_options {
	struct build_args args;
	struct strv build_args;	     /* "NAME=VALUE" only */
	struct strv no_cache_stages; /* one each */
	struct reference *tags;	     /* of args.tags */
	char *platform, *host;	     /* to build for; of this machine */
	struct strv platforms;	     /* all of --platform, the first one being platform */
	char *runtime;
	struct named_contexts contexts;
	struct cache_option *cache_from, *cache_to;
	size_t cache_from_count, cache_to_count;
	struct output_option *outputs; /* one that gives the image its names among them */
	size_t output_count;
	struct attest_options attest;
	struct pins pins; /* of --locked, or to be written */
	struct gc_policy gc;
	struct pinned_time pinned;
	const char *lint; /* names of rules that are on besides; NULL = none */
	enum pull_policy pull;
	bool shell_on_error;
	enum progress_kind progress;
	struct sandbox sandbox;
	struct entitlements entitlements;
	struct strv proxies; /* of the host, for RUN: "NAME=VALUE" */
	struct graph_options graph;
	struct engine_options engine;
};

/** Resolve options->args. Nothing is opened; all that can be wrong with the words is found. */
int build_options_read(struct build_options *options, struct cli *cli);
void build_options_done(struct build_options *options);

#endif
