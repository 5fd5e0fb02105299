/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by name and number. */
#ifndef RUNTIME_PLAN_CAPS_H
#define RUNTIME_PLAN_CAPS_H

#include <stdint.h>

#include "spec/json-types.h"

#define CAPABILITY_NAME_MAX 48

/** "CAP_CHOWN": 0; negative when unknown (lower case is). */
int capability_number(const char *name);

/** 0: "CAP_CHOWN" in buffer, which is returned; NULL past the last one that is known. */
const char *capability_name(int number, char buffer[CAPABILITY_NAME_MAX]);

/** The names as a mask; those unknown or not in available are left out with a warning. */
uint64_t capability_mask(const struct json_strings *names, uint64_t available);

#endif
