/* SPDX-License-Identifier: Apache-2.0 */
/* The printed form of a container's state, for state and list. */
#ifndef RUNTIME_CLI_CMD_STATE_H
#define RUNTIME_CLI_CMD_STATE_H

#include "lib/strbuf.h"
#include "runtime/lifecycle/container.h"
#include "spec/json-types.h"

/** Appends the JSON object to out, without a newline behind it. */
void container_state_write(const struct container_info *info, const char *owner,
			   enum json_style style, struct strbuf *out);

#endif
