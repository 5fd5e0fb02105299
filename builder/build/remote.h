/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of ADD that are not here: a file of a web server, a git repository. Fetched once a build,
 * into a scratch folder, and only when the cache does not know what they are.
 */
#ifndef BUILDER_BUILD_REMOTE_H
#define BUILDER_BUILD_REMOTE_H

#include <stdbool.h>

#include "builder/context/git.h"
#include "builder/context/location.h"
#include "builder/image/digest.h"
#include "builder/image/store.h"
#include "lib/error.h"

struct engine;

struct remote {
	struct location location;
	const char *name;	/* of the file that is downloaded */
	struct digest checksum; /* of that file; "" = any */

	/* while running */
	char commit[GIT_COMMIT_SIZE];
	struct digest found; /* of the file, when somebody wants to know (engine_options.sources) */
	char folder[STORE_NAME_SIZE]; /* what was fetched; "" = nothing yet */
	bool busy;		      /* a branch of the build is about it, the others wait */
	struct error *failure;	      /* what whoever asks again is told; NULL = it did not fail */
};

/** By what is written alone; --checksum (may be NULL) and --keep-git-dir go into it. */
int remote_plan(const struct location *location, const char *checksum, bool keep_git_dir,
		struct arena *arena, struct remote *out, struct error *err);

/** Find out what it is without fetching it, if that can be: the commit of a reference. */
int remote_identify(struct engine *engine, struct remote *remote, struct error *err);
/** Can it have no other contents next time? */
bool remote_is_immutable(const struct remote *remote);

/** Does nothing but fetching tell what it is? */
bool remote_is_unknown(const struct remote *remote);

/** Fetch; the fd of the folder with the file, or of the folder of the repository that is meant. */
int remote_fetch(struct engine *engine, struct remote *remote, struct error *err);

#endif
