/* SPDX-License-Identifier: Apache-2.0 */
/* Checking, storing and forgetting credentials. */
#ifndef BUILDER_REGISTRY_LOGIN_H
#define BUILDER_REGISTRY_LOGIN_H

#include "builder/registry/registry.h"
#include "lib/error.h"

/** Does the host take the registry's credentials? */
int registry_check_login(struct registry *registry, const char *host, struct error *err);

/** Into the file that has the host already, else the first that there is, else docker's; or to the
 *  helper program that it names. */
int login_store(const char *authfile, const char *host, const char *user, const char *password,
		struct error *err);
/** From all files: 1 there was one, 0 none. */
int login_remove(const char *authfile, const char *host, struct error *err);

#endif
