/* SPDX-License-Identifier: Apache-2.0 */
/* --output as it is written: "type=oci,dest=FILE,compression=zstd", and what stands for it. */
#ifndef BUILDER_CLI_OUTPUT_OPTIONS_H
#define BUILDER_CLI_OUTPUT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/image/compress.h"
#include "builder/image/image-variant.h"
#include "builder/image/reference.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

enum output_type { OUTPUT_IMAGE, OUTPUT_OCI, OUTPUT_DOCKER, OUTPUT_LOCAL, OUTPUT_TAR };

struct output_option {
	const char *text; /* as given */
	enum output_type type;
	const char *dest; /* file or folder; "-" = standard output; NULL = none */
	struct reference *names;
	size_t name_count;
	bool push, by_digest, insecure; /* image */
	bool folder;			/* oci: a layout, no archive */
	bool exact;			/* local: what else is there goes away */
	bool has_compression;
	struct compression compression;
	bool all;		/* force-compression */
	bool rewrite_timestamp; /* of all outputs: they are of one image */
	enum image_format format;
	struct strv annotations; /* "KEY=VALUE", of the manifests */
	struct strv index_annotations, descriptor_annotations;
};

/** What stands beside --output on the command line. */
struct output_words {
	const struct strv *outputs, *annotations;
	const char *format;
	bool push, load;
};

/** All of them, --push and --load among them; what was not said of an output is said for all by
 *  format and annotations. Strings live in arena. */
int output_options_parse(const struct output_words *words, struct arena *arena,
			 struct output_option **out, size_t *out_count, struct error *err);
void output_options_done(struct output_option *options, size_t count);

#endif
