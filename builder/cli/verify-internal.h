/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the verb verify. */
#ifndef BUILDER_CLI_VERIFY_INTERNAL_H
#define BUILDER_CLI_VERIFY_INTERNAL_H

#include "builder/cli/build-internal.h"
#include "builder/cli/verify-origin.h"
#include "builder/cli/verify-report.h"

struct verify_args {
	const char *format;
	struct build_args build;
};
extern const struct option_spec verify_options[];

struct verify {
	struct cli *cli;
	struct verify_args given; /* on the command line */
	const char *name, *context;
	char *platform;	    /* of the image */
	struct image image; /* that is verified */
	struct image rebuilt;
	struct verify_origin origin;
	struct build build;
	struct verify_report report;
};

/* -- verify-request.c: what it is built from -----------------------------------------------------
 */

/** Load the image by its name, for the platform that was asked for; held by the store's session. */
int verify_load_image(struct verify *verify, struct store *store, struct error *err);
/** The image, how it was built, and of that and argv the options and the context: all that must be
 *  known before the build's own store is open. */
int verify_read_request(struct verify *verify, int argc, char **argv, struct error *err);

/* -- verify-time.c -------------------------------------------------------------------------------
 */

/** The time of the image, before anything is planned. */
void verify_pin_time(struct verify *verify);
/** That of each step, when the graph is there. */
void verify_pin_steps(struct verify *verify);

/* -- verify-compare.c ----------------------------------------------------------------------------
 */

/** Report what differs between image and rebuild: 1 something does, 0 nothing. */
int verify_compare(struct verify *verify, struct error *err);

#endif
