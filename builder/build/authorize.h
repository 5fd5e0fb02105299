/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of the build for web servers, by BuildKit's names: HTTP_AUTH_HEADER_HOST and
 * HTTP_AUTH_TOKEN_HOST for files, GIT_AUTH_HEADER and GIT_AUTH_TOKEN (.HOST first) for
 * repositories.
 */
#ifndef BUILDER_BUILD_AUTHORIZE_H
#define BUILDER_BUILD_AUTHORIZE_H

#include "builder/build/secrets.h"
#include "builder/context/location.h"
#include "lib/alloc.h"
#include "lib/error.h"

/** Set location->authorization (in arena) if a secret says what its server wants. */
int authorize(struct location *location, const struct secret *secrets, size_t count,
	      struct arena *arena, struct error *err);

#endif
