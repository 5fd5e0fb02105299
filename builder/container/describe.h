/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of what inspect tells of a container: Config (describe.c), HostConfig
 * (describe-host.c). */
#ifndef BUILDER_CONTAINER_DESCRIBE_H
#define BUILDER_CONTAINER_DESCRIBE_H

#include <stddef.h>

#include "builder/container/container.h"
#include "spec/json-write.h"

/** A member that is a list of texts. */
void describe_strings(struct json_writer *writer, const char *key, char *const *items,
		      size_t count);

/** The object: what the command line said of how the container lives on its host. */
void describe_host_config(const struct container_options *options,
			  const struct container_record *record, struct json_writer *writer);

#endif
