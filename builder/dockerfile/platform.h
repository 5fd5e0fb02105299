/* SPDX-License-Identifier: Apache-2.0 */
/* "os/architecture[/variant]" as people write it, and as images name it. */
#ifndef BUILDER_DOCKERFILE_PLATFORM_H
#define BUILDER_DOCKERFILE_PLATFORM_H

#include "lib/error.h"

/**
 * The normal form of a platform: "amd64" and "linux/x86_64" are "linux/amd64", "arm" is
 * "linux/arm/v7"; a system alone gets the architecture of host ("linux/amd64"). *out is owned.
 */
int platform_normalize(const char *text, const char *host, char **out, struct error *err);

#endif
