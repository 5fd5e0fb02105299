/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes place in the store beside images with names, and since when nobody used it: for `du`,
 * `history --build` and `prune`.
 */
#ifndef BUILDER_BUILD_USAGE_H
#define BUILDER_BUILD_USAGE_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "builder/build/step-info.h"
#include "builder/image/store.h"
#include "lib/error.h"

enum usage_kind {
	USAGE_IMAGE, /* without a name */
	USAGE_STEP,  /* a record of a build step */
	USAGE_MOUNT, /* of RUN --mount=type=cache */
	USAGE_LOG,   /* the journal of a build */
	USAGE_STAT,  /* a stat cache */
	USAGE_NOTE,  /* where a blob can be had, or as what a layer was packed (origins, packed) */
	USAGE_KINDS,
};

struct usage_item {
	enum usage_kind kind;
	const char *name;  /* in the store: "steps/KEY"; of an image its digest */
	const char *layer; /* of a step; NULL = none */
	uint64_t size;	   /* bytes of it; of a step's layer, as a tar stream */
	bool in_use;	   /* an image, a container or a builder needs it: removing frees nothing */
	time_t used;
	size_t uses; /* usage_count_uses: of a step, how often the kept builds made or took it */
	struct step_info info;	       /* of a step */
	const struct json_map *labels; /* of an image; NULL = none */
	bool doomed;		       /* usage_select */
};

struct usage {
	struct arena arena;
	struct usage_item *items; /* sorted by their last use, oldest first */
	size_t count, capacity;
};

/** The word for a kind, "step"; NULL beyond the last. */
const char *usage_kind_name(enum usage_kind kind);

#define USAGE_NOTES_MAX 4096 /* so many of USAGE_NOTE a store keeps that no image needs */

/** Bytes on the disk of all that is in a folder. What cannot be read counts as nothing. */
uint64_t usage_folder_size(int dirfd, const char *name);

int usage_read(struct store *store, struct usage *out, struct error *err);
/** Fill in the uses of steps, from the journals of the builds that are kept: their count, not that
 *  since ever. */
void usage_count_uses(struct store *store, struct usage *usage);
void usage_done(struct usage *usage);
#define cleanup_usage __attribute__((cleanup(usage_done)))

/** What may stay, in bytes; the longest unused goes first until the rest is within it. */
struct usage_limits {
	bool given;	   /* false: nothing need stay */
	uint64_t reserved; /* so much of the cache stays whatever the rest says */
	uint64_t max_used; /* the most that the cache may have; 0 = reserved alone counts */
	uint64_t min_free; /* so much is to be free on the disk */
	uint64_t free;	   /* and so much is */
};

/** Bytes of all that could be removed, each layer once. */
uint64_t usage_total(const struct usage *usage);
/** How much of total may stay. */
uint64_t usage_keep(const struct usage_limits *limits, uint64_t total);

/** An item's name for people: without its folder. Borrowed. */
const char *usage_id(const struct usage_item *item);

/** Which items are to go. */
struct usage_filter {
	bool all;	    /* also what is in use or costs nothing, mounts, logs and stat caches */
	unsigned int kinds; /* bits by kind; 0 = those that all says */
	time_t until;	    /* last used before this; 0 = whenever */
	const struct strv *labels, *not_labels; /* "K" or "K=V", images only; NULL = none */
	const regex_t *id;			/* of usage_id; NULL = any */
	struct usage_limits limits;
};

/** Mark what the filter means; returns the bytes that become free. */
uint64_t usage_select(struct usage *usage, const struct usage_filter *filter);

/** Remove what is marked. *out_kept: what was used meanwhile and stays. */
int usage_remove(struct store *store, const struct usage *usage, struct store_collected *collected,
		 size_t *out_kept, struct error *err);

#endif
