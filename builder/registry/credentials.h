/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored credentials, in the files of docker and podman: REGISTRY_AUTH_FILE,
 * ${XDG_RUNTIME_DIR}/containers/auth.json, ${XDG_CONFIG_HOME}/containers/auth.json,
 * ${DOCKER_CONFIG:-~/.docker}/config.json, DOCKER_AUTH_CONFIG, ~/.dockercfg; and the helper
 * programs docker-credential-* that these name.
 */
#ifndef BUILDER_REGISTRY_CREDENTIALS_H
#define BUILDER_REGISTRY_CREDENTIALS_H

#include "lib/error.h"

struct credentials {
	char *user;	      /* NULL = none */
	char *password;	      /* with a user */
	char *identity_token; /* to be changed into tokens */
	char *registry_token; /* to be used as it is */
};
void credentials_done(struct credentials *credentials);
#define cleanup_credentials __attribute__((cleanup(credentials_done)))

/**
 * Those for HOST[:PORT]/PATH, the most specific ones; 1 found, 0 there are none. authfile: look
 * there alone; NULL = the usual files. The messages of failures never have secrets.
 */
int credentials_find(const char *authfile, const char *repository, struct credentials *out,
		     struct error *err);

/** From "USER:PASSWORD". */
void credentials_split(const char *text, struct credentials *out);

#endif
