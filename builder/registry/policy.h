/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers-policy.json(5): from which registries, archives and layouts images may come. We cannot
 * check signatures, so what asks for one is refused as what is rejected is.
 */
#ifndef BUILDER_REGISTRY_POLICY_H
#define BUILDER_REGISTRY_POLICY_H

#include "builder/image/reference.h"
#include "lib/error.h"

/** May an image of this name be pulled? The user's policy.json, else the system's; without either
 *  everything may. 0, or ERROR_STATE with the place that forbids it and the way out. */
int policy_check(const struct reference *name, struct error *err);

/** The same of what lies in a file or folder; transport: "oci", "oci-archive", "docker-archive".
 *  path: of what is there, links on the way are followed; NULL = it came through a pipe, so no
 * scope but the transport's own can be meant. */
int policy_check_path(const char *transport, const char *path, struct error *err);

#endif
