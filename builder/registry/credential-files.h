/* SPDX-License-Identifier: Apache-2.0 */
/* The files that credentials are kept in, as documents. */
#ifndef BUILDER_REGISTRY_CREDENTIAL_FILES_H
#define BUILDER_REGISTRY_CREDENTIAL_FILES_H

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"
#include "spec/json-types.h"

struct auth_entry {
	const char *key;
	const char *auth; /* base64 of USER:PASSWORD */
	const char *user, *password;
	const char *identity_token, *registry_token;
	struct json_map unknown;
};

struct auth_file {
	JSON_LIST(struct auth_entry) auths;
	struct json_map helpers; /* host -> X of docker-credential-X */
	const char *store;	 /* the same for all hosts; NULL = none */
	struct json_map unknown;
};

/** Where to look, in order; with authfile (not NULL) there alone. "" = DOCKER_AUTH_CONFIG. */
void auth_file_paths(const char *authfile, struct strv *out);

/** 1, or 0 when there is no such file. */
int auth_file_read(const char *path, struct arena *arena, struct auth_file **out,
		   struct error *err);
/** Replace it: 0600, at once; its folder is made. */
int auth_file_write(const char *path, const struct auth_file *file, struct error *err);

#endif
