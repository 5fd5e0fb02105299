/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts that are not folders of this machine become folders. */
#ifndef BUILDER_CONTEXT_FETCH_H
#define BUILDER_CONTEXT_FETCH_H

#include "builder/context/context.h"
#include "lib/error.h"
#include "lib/strbuf.h"

struct store;

/**
 * The context's folder, opened (not a LOCATION_FOLDER's). What was no archive but text goes to
 * out->dockerfile, and the folder is empty then. out->time is that of the commit, else what the
 * server said, else that of the archive's newest file.
 */
int fetch_context(const struct context_options *options, struct context *out, struct error *err);

/** A small file of a web server. */
int fetch_text(const struct context_options *options, const char *url, size_t max,
	       struct strbuf *out, struct error *err);

#endif
