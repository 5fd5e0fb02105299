/* SPDX-License-Identifier: Apache-2.0 */
/* --cache-to and --cache-from as they are written: "type=local,dest=DIR,mode=max". */
#ifndef BUILDER_BUILD_CACHE_OPTIONS_H
#define BUILDER_BUILD_CACHE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/image/digest.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

/** The most of one cache mount that is exported, unless mounts-max says something else. */
#define CACHE_MOUNT_MAX ((uint64_t)2 << 30)

enum cache_type { CACHE_LOCAL, CACHE_REGISTRY, CACHE_INLINE };

struct cache_option {
	enum cache_type type;
	const char *text;   /* as given */
	const char *path;   /* src, dest: a folder */
	const char *ref;    /* registry: name of an image */
	const char *tag;    /* of the manifest in a layout; NULL = "latest" */
	const char *digest; /* the same; NULL = by tag */
	bool all_stages;    /* mode=max */
	bool mounts;	    /* also the contents of cache mounts */
	uint64_t mounts_max;
	bool ignore_error;
	bool compress; /* with zstd; else tar */
};

/** Parse a list of either option; strings live in arena. */
int cache_options_parse(const struct strv *texts, bool to, struct arena *arena,
			struct cache_option **out, size_t *out_count, struct error *err);

#endif
