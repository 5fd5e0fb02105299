/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A build context: a folder held by its fd, with its .dockerignore. It may be on this machine, an
 * archive from standard input or a web server, or a git repository; those are unpacked or checked
 * out into scratch folders of the store.
 */
#ifndef BUILDER_CONTEXT_CONTEXT_H
#define BUILDER_CONTEXT_CONTEXT_H

#include <stdint.h>

#include "builder/context/git.h"
#include "builder/context/ignore.h"
#include "builder/context/location.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define CONTEXT_DOCKERFILE_MAX ((size_t)64 << 20)

struct store;
struct transport_meter;

struct context {
	int fd;	       /* of the folder; O_PATH is enough */
	bool in_place; /* the caller's own folder: its files keep their inodes until next time */
	struct ignore ignore;
	char *dockerfile_name; /* as messages show it */
	struct strbuf dockerfile;
	bool keeps_owners; /* files of an archive have theirs; all others are root's */
	int64_t time;	   /* of a commit or a download, seconds; CONTEXT_NO_TIME = unknown */
	bool is_commit;	   /* all of it is what a commit has, and time is that commit's */
	char commit[GIT_COMMIT_SIZE]; /* that one */
};

#define CONTEXT_NO_TIME INT64_MIN

#define CONTEXT_INIT                                                                               \
	{                                                                                          \
		.fd = -EBADF, .time = CONTEXT_NO_TIME                                              \
	}

struct context_options {
	const struct location *location;
	struct store *store; /* for scratch folders; may be NULL for a folder on this machine */
	int cancel_fd;	     /* readable = stop a download; -EBADF = never */
	const struct transport_meter *meter; /* of a download; NULL = nobody asks */
	/*
	 * NULL = Dockerfile, dockerfile or Containerfile in the context; "-" = standard input; a
	 * URL; else a path: the caller's for a folder on this machine, else one in the context.
	 */
	const char *dockerfile;
	bool files_only; /* a named context: there is no Dockerfile to be read */
};

/**
 * Open a context, read its Dockerfile and ignore file. The latter is DOCKERFILE.dockerignore (or
 * .containerignore) beside the Dockerfile, else .dockerignore or .containerignore in the context.
 */
int context_open(struct context *context, const struct context_options *options, struct error *err);
void context_close(struct context *context);
/** Find out whether a folder on this machine is a clean checkout (commit-time.h); nothing to do for
 *  others. path: as it was opened; store: for a scratch folder. */
void context_look_for_commit(struct context *context, const char *path, struct store *store);
#define cleanup_context __attribute__((cleanup(context_close)))

/** Is a scratch folder needed for this? */
bool context_needs_store(const struct context_options *options);

/** One of --build-context NAME=LOCATION, opened when something asks for it. */
struct named_context {
	const char *name;
	struct location location;
	bool opened;
	const char *refusal; /* why it may not be opened; NULL = it may */
	struct context context;
};

struct named_contexts {
	struct named_context *items;
	size_t count;
};

/** "NAME=LOCATION" each. */
int named_contexts_parse(const struct strv *texts, struct arena *arena, struct named_contexts *out,
			 struct error *err);
struct named_context *named_contexts_find(const struct named_contexts *contexts, const char *name);
/** Open it if it is not open yet. */
int named_context_open(struct named_context *context, struct store *store, struct error *err);
void named_contexts_done(struct named_contexts *contexts);

#endif
