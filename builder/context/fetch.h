/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts that are not folders of this machine become folders. */
#ifndef BUILDER_CONTEXT_FETCH_H
#define BUILDER_CONTEXT_FETCH_H

#include "builder/context/location.h"
#include "lib/error.h"
#include "lib/strbuf.h"

struct store;

/**
 * The context's folder, opened (not a LOCATION_FOLDER's). What was no archive but text goes to
 * dockerfile; the folder is empty then.
 */
int fetch_context(const struct location *location, struct store *store, int cancel_fd,
		  struct strbuf *dockerfile, struct error *err);

/** A small file of a web server. */
int fetch_text(const char *url, struct store *store, int cancel_fd, size_t max, struct strbuf *out,
	       struct error *err);

#endif
