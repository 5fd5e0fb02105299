/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proxies that RUN steps get besides those of --build-arg: what other tools on this machine are
 * configured with.
 */
#ifndef BUILDER_CLI_HOST_PROXIES_H
#define BUILDER_CLI_HOST_PROXIES_H

#include <stdbool.h>

#include "lib/strv.h"

/**
 * Append "K=V", weakest first: our own environment (if use_environment, or containers.conf says
 * http_proxy = true); containers.conf's env of the engine and of containers; the proxies of
 * docker's config.json. A file that cannot be read is told.
 */
void host_proxies(bool use_environment, struct strv *out);

#endif
