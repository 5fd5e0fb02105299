/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that keep credentials: docker-credential-NAME, asked over their standard input. */
#ifndef BUILDER_REGISTRY_CREDENTIAL_HELPER_H
#define BUILDER_REGISTRY_CREDENTIAL_HELPER_H

#include "builder/registry/credentials.h"
#include "lib/error.h"

/** 1, or 0 when it has none for this server. */
int credential_helper_get(const char *name, const char *server, struct credentials *out,
			  struct error *err);
int credential_helper_store(const char *name, const char *server,
			    const struct credentials *credentials, struct error *err);
int credential_helper_erase(const char *name, const char *server, struct error *err);

#endif
