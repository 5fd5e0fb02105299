/* SPDX-License-Identifier: Apache-2.0 */
/* How an image was built, as far as anything still says so. */
#ifndef BUILDER_CLI_VERIFY_ORIGIN_H
#define BUILDER_CLI_VERIFY_ORIGIN_H

#include <stdbool.h>

#include "builder/build/journal.h"
#include "builder/image/image.h"

enum verify_origin_kind {
	VERIFY_COMMAND_LINE, /* nothing says it but the command line */
	VERIFY_JOURNAL,
	VERIFY_PROVENANCE,
};

struct verify_origin {
	struct arena arena;
	enum verify_origin_kind kind;
	uint64_t build;			 /* its number */
	const char *name;		 /* "build 12": for messages */
	bool has_arguments;		 /* of a provenance: mode=max */
	struct journal_request *request; /* NULL = there is none */
};
void verify_origin_done(struct verify_origin *origin);

/** Find the newest build of the store that made the image, else its provenance, else nothing. */
int verify_origin_find(struct store *store, const struct image *image, struct verify_origin *out,
		       struct error *err);

#endif
