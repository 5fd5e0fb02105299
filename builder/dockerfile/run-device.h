/* SPDX-License-Identifier: Apache-2.0 */
/* RUN --device=[name=]VENDOR/CLASS[=NAME][,required[=BOOL]]: the value as a struct. */
#ifndef BUILDER_DOCKERFILE_RUN_DEVICE_H
#define BUILDER_DOCKERFILE_RUN_DEVICE_H

#include <stdbool.h>

#include "lib/alloc.h"
#include "lib/error.h"

struct run_device {
	const char *name;
	bool required; /* else the command runs without it where it is not there */
};

int run_device_parse(const char *text, struct arena *arena, struct run_device *out,
		     struct error *err);

#endif
