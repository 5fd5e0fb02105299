/* SPDX-License-Identifier: Apache-2.0 */
/* A container as docker's inspect shows one. */
#ifndef BUILDER_CLI_CONTAINER_INSPECT_H
#define BUILDER_CLI_CONTAINER_INSPECT_H

#include "builder/container/record.h"
#include "spec/json-write.h"

/** size: also how much place it takes, which is dear to find out. */
void container_inspect(struct store *store, const struct container_record *record, bool size,
		       struct json_writer *writer);

#endif
