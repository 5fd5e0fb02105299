/* SPDX-License-Identifier: Apache-2.0 */
/* containerd's certs.d/HOST[:PORT]/hosts.toml: by which hosts a registry is asked, and how. */
#ifndef BUILDER_REGISTRY_HOSTS_TOML_H
#define BUILDER_REGISTRY_HOSTS_TOML_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

/** A [host."URL"], or the server itself. */
struct toml_host {
	const char *scheme; /* "http" or "https"; "" = not said */
	const char *host;   /* HOST[:PORT] */
	const char *prefix; /* of its paths: "/v2", or with override_path what the URL has */
	const char *ca, *certificate, *key;
	bool skip_verify, override_path;
	bool pull, resolve, push, has_capabilities; /* none are said: all */
	struct strv headers;			    /* "Name: value" */
};

struct hosts_toml {
	struct arena arena;
	struct toml_host *hosts; /* in the file's order; the server is the last */
	size_t count;
};

#define HOSTS_TOML_INIT                                                                            \
	{                                                                                          \
		ARENA_INIT, NULL, 0                                                                \
	}

/**
 * What there is for a registry (as in names of images: "docker.io"): of
 * ~/.config/containerd/certs.d, /etc/containerd/certs.d and /etc/docker/certs.d, and in each of
 * HOST and _default, the first file. 1 = read, 0 = there is none. server: the URL that stands for
 * the registry itself where the file does not say.
 */
int hosts_toml_read(const char *registry, const char *server, struct hosts_toml *out,
		    struct error *err);
void hosts_toml_done(struct hosts_toml *hosts);

#endif
