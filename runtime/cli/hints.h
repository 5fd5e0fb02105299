/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about a failure, for the log's readers; never part of the message. */
#ifndef RUNTIME_CLI_HINTS_H
#define RUNTIME_CLI_HINTS_H

#include "lib/error.h"

/** A sentence, or NULL when there is nothing to say that would help. */
const char *hint_for(const struct error *err);

#endif
