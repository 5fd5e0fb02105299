/* SPDX-License-Identifier: Apache-2.0 */
/* Shares and limits of block devices, which the command line names by their paths on the host. */
#ifndef BUILDER_CONTAINER_BLOCK_IO_H
#define BUILDER_CONTAINER_BLOCK_IO_H

#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/config.h"
#include "spec/json-write.h"

enum block_limit {
	BLOCK_WEIGHT,
	BLOCK_READ_BPS,
	BLOCK_WRITE_BPS,
	BLOCK_READ_IOPS,
	BLOCK_WRITE_IOPS,
	BLOCK_LIMITS
};

/** Lives in an arena; all zero = nothing. */
struct block_io {
	struct oci_block_io resources;		   /* for config.json */
	struct json_strings devices[BLOCK_LIMITS]; /* the paths, in the order of its lists */
};

/** "300": 10 to 1000; 0 = the usual one. Failures are usage errors that name the option. */
int block_io_set_weight(struct block_io *io, const char *text, struct error *err);
/** "DEVICE:VALUE": a weight, bytes a second with units ("1mb"), or operations a second. */
int block_io_add(struct block_io *io, enum block_limit limit, const char *text, struct arena *arena,
		 struct error *err);

/** The members of docker's HostConfig. */
void block_io_write(const struct block_io *io, struct json_writer *writer);

#endif
