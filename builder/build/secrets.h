/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build --secret: names that RUN --mount asks for, and where what they stand for is. The values are
 * read when a step needs them and are in no key, no layer and no message.
 */
#ifndef BUILDER_BUILD_SECRETS_H
#define BUILDER_BUILD_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

struct secret {
	const char *id;
	const char *source; /* a file, or the name of a variable */
	bool is_variable;
};

/** "id=ID[,src=FILE|,env=NAME][,type=file|env]"; with neither, the variable or the file that is
 *  called like the id. */
int secrets_parse(const struct strv *texts, struct arena *arena, struct secret **out,
		  size_t *out_count, struct error *err);

/** NULL = there is none of that id. */
const struct secret *secret_find(const struct secret *secrets, size_t count, const char *id);

/** The value; free with secret_value_done, which wipes it. */
int secret_read(const struct secret *secret, struct strbuf *out, struct error *err);
void secret_value_done(struct strbuf *value);

#endif
