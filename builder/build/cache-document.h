/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of an exported cache (docs/cache.md, "Exchange"): the configuration of an ordinary
 * image manifest whose layers are the blobs. An image can have it as well, without the list of
 * blobs, as a member of its own configuration.
 */
#ifndef BUILDER_BUILD_CACHE_DOCUMENT_H
#define BUILDER_BUILD_CACHE_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/store.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "spec/json-types.h"

#define MEDIA_TYPE_CACHE "application/vnd.orlop.cache.v1+json"
#define MEDIA_TYPE_CACHE_LIST "application/vnd.orlop.cache.list.v1+zstd"
#define CACHE_CONFIG_MEMBER "org.orlop.cache.v1" /* of an image's configuration */
#define CACHE_DOCUMENT_MAX ((size_t)64 << 20)

/** A record of a step. */
struct cache_step {
	const char *key;
	const char *layer; /* diffID; NULL: what a COPY's definition came to */
	const char *list;  /* "sha256:HEX" of lists/HEX; NULL = none */
	int64_t created;
	const char *manifest, *info; /* JSON; NULL = none */
	bool taken;		     /* this build has it from here */
};

/** The contents of a cache mount. */
struct cache_folder {
	const char *name;     /* "mounts/KEY" without the folder */
	const char *contents; /* digest of its tar */
};

struct cache_document {
	uint64_t version;
	struct json_strings contents; /* digests of what is in the manifest's layers, in order */
	JSON_LIST(struct cache_step) steps;
	JSON_LIST(struct cache_folder) mounts;
};

/** Decode, and check all that the members' forms can tell. */
int cache_document_decode(const char *text, size_t size, struct arena *arena,
			  struct cache_document *out, struct error *err);
void cache_document_write(const struct cache_document *document, struct strbuf *out);

/** NULL = it has none with this key. */
struct cache_step *cache_document_find(const struct cache_document *document, const char *key);

/** A step as a record of the store; to be freed as such. */
void cache_step_record(const struct cache_step *step, struct step_record *out);

#endif
