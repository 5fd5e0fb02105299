/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build removes of the cache by itself: only when the cache is over a limit, the longest
 * unused first, and never what an image, a container or a running builder needs. docs/cache.md,
 * "What goes, and when", has the defaults and the file where they are set.
 */
#ifndef BUILDER_BUILD_GC_H
#define BUILDER_BUILD_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build/usage.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strbuf.h"

/** Bytes, or a share of the disk. */
struct gc_size {
	uint64_t bytes;
	unsigned int percent; /* 0 = bytes counts; both given: the smaller one */
};

struct gc_policy {
	bool off;
	struct gc_size reserved, max_used, min_free;
	uint64_t logs;	      /* bytes of the logs of builds; what is over them goes at once */
	uint64_t interval_ns; /* between two looks at the store */
};

/** The defaults, then what the configuration files say, then words ("off", or "KEY=VALUE,..."; NULL
 *  = none), each over the one before. Messages name the file and line. */
int gc_policy_read(struct gc_policy *policy, const char *words, struct error *err);

/** The limits on this disk. */
void gc_limits(const struct gc_policy *policy, const struct store *store, struct usage_limits *out);

/** Look, unless somebody did a short while ago, and remove what is over the limits: 1, and said
 * says what; 0 there was nothing to do. */
int gc_run(struct store *store, const struct gc_policy *policy, struct strbuf *said,
	   struct error *err);

#endif
