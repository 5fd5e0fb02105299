/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registries (the distribution specification): repositories, their manifests and blobs. All of it
 * may be called in fibers, any number side by side, and outside of them. Credentials, tokens,
 * mirrors, retries and redirects are dealt with inside; what a registry sends is taken only when
 * its digest and size are right.
 *
 * Failures: ERROR_NOT_FOUND when there is no such thing, ERROR_CANCELLED; else messages name the
 * request and give the registry's own words.
 */
#ifndef BUILDER_REGISTRY_REGISTRY_H
#define BUILDER_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/digest.h"
#include "builder/image/reference.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/** The most that a manifest or an index may have. */
#define REGISTRY_MANIFEST_MAX ((size_t)4 << 20)

struct registry;
struct repository;

struct registry_options {
	int cancel_fd;		 /* readable: stop; -EBADF = never */
	bool insecure;		 /* --tls-verify=false: any certificate, and plain http */
	const char *credentials; /* --creds USER[:PASSWORD]; NULL = those that are stored */
	const char *authfile;	 /* --authfile; NULL = the usual ones */
};

/** What there is to do with all registries: connections and tokens are shared. Nothing is
 *  connected yet; options' strings are borrowed. */
struct registry *registry_open(const struct registry_options *options);
/** NULL is fine. */
void registry_close(struct registry *registry);
/** Another cancel_fd from now on. */
void registry_set_cancel(struct registry *registry, int cancel_fd);

enum repository_access { REPOSITORY_PULL, REPOSITORY_PUSH, REPOSITORY_DELETE };

/** A repository by an image's name (its tag and digest are not looked at), which must be in the
 *  full form. Fails when the configuration does, or blocks it; nothing is asked yet. */
int repository_open(struct registry *registry, const struct reference *name,
		    enum repository_access access, struct repository **out, struct error *err);
/** NULL is fine. */
void repository_close(struct repository *repository);

/* -- manifests -----------------------------------------------------------------------------------
 */

struct registry_manifest {
	struct digest digest;
	char *media_type;
	struct strbuf bytes; /* as they came */
};
#define REGISTRY_MANIFEST_INIT                                                                     \
	{                                                                                          \
		{ "" }, NULL, STRBUF_INIT                                                          \
	}
void registry_manifest_done(struct registry_manifest *manifest);
#define cleanup_manifest __attribute__((cleanup(registry_manifest_done)))

/** A manifest or an index by its tag or "sha256:...". Schema 1 is refused. */
int repository_get_manifest(struct repository *repository, const char *name,
			    struct registry_manifest *out, struct error *err);
/** Its digest and type without its bytes (the registry's word): 1, or 0 when there is none. */
int repository_has_manifest(struct repository *repository, const char *name,
			    struct digest *out_digest, struct error *err);
/** What it refers to has to be there. name: a tag, or the digest itself. */
int repository_put_manifest(struct repository *repository, const char *name, const char *media_type,
			    const void *data, size_t size, struct error *err);
int repository_delete_manifest(struct repository *repository, const char *name, struct error *err);

/* -- blobs ---------------------------------------------------------------------------------------
 */

/** Bytes of a blob that are there so far; of several transfers at once each has its own. */
typedef void (*registry_progress_fn)(void *context, uint64_t done, uint64_t total);

struct registry_blob {
	struct digest digest;
	uint64_t size;
	registry_progress_fn progress; /* NULL = nobody asks */
	void *progress_context;
	const bool *unwanted; /* becomes true: ERROR_CANCELLED; NULL = never */
};

/**
 * A blob into a file, which may have the beginning of it already (of an earlier try: it is read
 * again for the digest, and asked for no more). On success the file holds these bytes and no other;
 * after a failure that may pass it keeps what has come. fd: for reading and writing.
 */
int repository_get_blob(struct repository *repository, const struct registry_blob *blob, int fd,
			struct error *err);
/** A small blob (a config) of at most max bytes into memory. */
int repository_read_blob(struct repository *repository, const struct registry_blob *blob,
			 size_t max, struct strbuf *out, struct error *err);
/** 1 it is there, 0 it is not. */
int repository_has_blob(struct repository *repository, const struct digest *digest,
			struct error *err);

/** A blob of more goes in chunks of so many bytes, where the registry takes them. */
#define REGISTRY_CHUNK ((uint64_t)16 << 20)

/** What to send: data, or with data NULL the file fd from its beginning. */
struct registry_source {
	const void *data;
	int fd;
	/* A file that the caller has locked, of nobody but this blob and repository: where an
	 * upload that breaks off goes on in the next process. NULL = it begins again. */
	const int *note;
	/* Names of repositories of the same registry that may have it ("library/debian"): it is
	 * mounted from the first that does. NULL = none. */
	const struct strv *mounts;
	bool missing; /* it has just been asked for, and is not there */
};

/** Send a blob, unless it is there: 1 = it was there or was mounted, 0 = sent. */
int repository_put_blob(struct repository *repository, const struct registry_blob *blob,
			const struct registry_source *source, struct error *err);
int repository_delete_blob(struct repository *repository, const struct digest *digest,
			   struct error *err);

/* -- lists ---------------------------------------------------------------------------------------
 */

/** All tags, in the registry's order. */
int repository_tags(struct repository *repository, struct strv *out, struct error *err);

/** The manifests that say of themselves that they belong to this one: an image index (owned by out;
 *  also from the tag that stands for it where a registry has no list). artifact_type: only those;
 *  NULL = all. None: an index without manifests. */
int repository_referrers(struct repository *repository, const struct digest *digest,
			 const char *artifact_type, struct strbuf *out, struct error *err);

/** HOST[:PORT] of where pushes go, for messages; borrowed. */
const char *repository_host(const struct repository *repository);

#endif
