/* SPDX-License-Identifier: Apache-2.0 */
/* Where a repository is asked: its registry, and before that the mirrors of the configuration. */
#include <stdlib.h>
#include <string.h>

#include "builder/registry/registry-internal.h"
#include "lib/alloc.h"

#define HUB "docker.io"
#define HUB_HOST "registry-1.docker.io"

void endpoint_done(struct endpoint *endpoint)
{
	free(endpoint->path);
	free(endpoint->query);
	free(endpoint->credential_path);
}

static struct server *server_of(struct registry *registry, const char *host, bool insecure)
{
	struct server *server;

	for (server = registry->servers; server; server = server->next)
		if (strcmp(server->host, host) == 0)
			return server;
	server = xzalloc(sizeof(*server));
	server->host = xstrdup(host);
	server->prefix = xstrdup("/v2");
	server->tls.insecure = insecure || registry->options.insecure;
	server->allows_http = server->tls.insecure || transport_is_loopback(host);
	server->next = registry->servers;
	registry->servers = server;
	return server;
}

static void add_endpoint(struct repository *repository, const char *host, const char *path)
{
	struct endpoint *endpoint;

	repository->endpoints = xreallocarray(repository->endpoints, repository->endpoint_count + 1,
					      sizeof(*endpoint));
	endpoint = &repository->endpoints[repository->endpoint_count++];
	*endpoint = (struct endpoint){
		.server = server_of(repository->registry, strcmp(host, HUB) == 0 ? HUB_HOST : host,
				    false),
		.path = xstrdup(path),
		.credential_path = xasprintf("%s/%s", host, path),
		.for_tags = true,
		.for_digests = true,
	};
}

int hosts_resolve(struct repository *repository, struct error *err)
{
	const char *name = repository->name.name, *slash = strchr(name, '/');
	char *host;

	if (!slash)
		return error_invalid(err, "\"%s\" names no registry", name);
	host = xstrndup(name, (size_t)(slash - name));
	add_endpoint(repository, host, slash + 1);
	free(host);
	return 0;
}
