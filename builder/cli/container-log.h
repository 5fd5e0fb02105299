/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has said, as conmon wrote it down. */
#ifndef BUILDER_CLI_CONTAINER_LOG_H
#define BUILDER_CLI_CONTAINER_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "builder/container/record.h"
#include "lib/error.h"

struct container_log {
	bool timestamps;
	bool follow;   /* until it ends */
	uint64_t tail; /* only so many lines; UINT64_MAX = all */
	/* only from then on, and until then; 0 = all */
	struct timespec since, until;
};

/** Print it, each stream to ours of the same number. With follow it ends at until, too. */
int container_log_print(struct store *store, const struct container_record *record,
			const struct container_log *options, struct error *err);

/** A time (RFC 3339, seconds since 1970) or how long ago ("10m"). option: of the command line, for
 *  errors. */
int container_log_time(const char *option, const char *text, struct timespec *out,
		       struct error *err);

#endif
