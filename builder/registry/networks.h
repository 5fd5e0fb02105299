/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of docker's insecure-registries. */
#ifndef BUILDER_REGISTRY_NETWORKS_H
#define BUILDER_REGISTRY_NETWORKS_H

#include <stdbool.h>

#include "spec/json-types.h"

/** Is host ("10.1.2.3:5000", "[fd00::1]") an address of one of the networks ("10.0.0.0/8")? A name
 *  is resolved, in another thread when we are in a fiber; one that cannot be is in none. */
bool networks_contain(const struct json_strings *networks, const char *host);

#endif
