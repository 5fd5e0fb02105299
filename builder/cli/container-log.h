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
	time_t since;  /* only from then on; 0 = all */
};

/** Print it, each stream to ours of the same number. */
int container_log_print(struct store *store, const struct container_record *record,
			const struct container_log *options, struct error *err);

/** A time (RFC 3339, seconds since 1970) or how long ago ("10m"). */
int container_log_since(const char *text, time_t *out, struct error *err);

#endif
