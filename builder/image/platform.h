/* SPDX-License-Identifier: Apache-2.0 */
/* "os/architecture[/variant]" as people write it, and as images name it. */
#ifndef BUILDER_IMAGE_PLATFORM_H
#define BUILDER_IMAGE_PLATFORM_H

#include "lib/error.h"

/**
 * The normal form of a platform: "amd64" and "linux/x86_64" are "linux/amd64", "arm" is
 * "linux/arm/v7"; a system alone gets the architecture of host ("linux/amd64"). *out is owned.
 */
int platform_normalize(const char *text, const char *host, char **out, struct error *err);

/** This machine's: "linux/amd64", "linux/arm/v7" ...; owned. */
char *platform_host(void);
/** Its architecture alone: "amd64", "arm" ...; "unknown" where images have no name. */
const char *platform_host_architecture(void);

#endif
