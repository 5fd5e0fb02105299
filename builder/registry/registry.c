/* SPDX-License-Identifier: Apache-2.0 */
/* Registries and repositories: what is shared, and where a repository is asked. */
#include "builder/registry/registry.h"

#include <stdlib.h>
#include <string.h>

#include "builder/registry/registry-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"

struct registry *registry_open(const struct registry_options *options)
{
	struct registry *registry = xzalloc(sizeof(*registry));

	registry->options = *options;
	registry->transport = transport_new(options->cancel_fd);
	return registry;
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	while (registry->servers) {
		struct server *next = registry->servers->next;

		server_free(registry->servers);
		registry->servers = next;
	}
	hosts_config_done(&registry->hosts);
	transport_free(registry->transport);
	free(registry);
}

void registry_set_cancel(struct registry *registry, int cancel_fd)
{
	transport_set_cancel(registry->transport, cancel_fd);
}

int repository_open(struct registry *registry, const struct reference *name,
		    enum repository_access access, struct repository **out, struct error *err)
{
	struct repository *repository = xzalloc(sizeof(*repository));
	int ret;

	repository->registry = registry;
	repository->name = *name;
	repository->access = access;
	ret = hosts_resolve(repository, err);
	if (ret < 0) {
		repository_close(repository);
		return ret;
	}
	*out = repository;
	return 0;
}

void repository_close(struct repository *repository)
{
	if (!repository)
		return;
	for (size_t i = 0; i < repository->endpoint_count; i++)
		endpoint_done(&repository->endpoints[i]);
	free(repository->endpoints);
	free(repository);
}

const struct endpoint *repository_own(const struct repository *repository)
{
	return &repository->endpoints[repository->endpoint_count - 1];
}

const char *repository_host(const struct repository *repository)
{
	return repository_own(repository)->server->host;
}

void call_prepare(const struct repository *repository, const struct endpoint *endpoint,
		  const char *method, const char *target, struct call *out)
{
	static const char *const actions[] = { "pull", "pull,push", "pull,push,delete" };

	*out = (struct call){ .server = endpoint->server,
			      .method = method,
			      .target = target,
			      .credential_path = endpoint->credential_path };
	out->scope = xasprintf("repository:%s:%s", endpoint->path, actions[repository->access]);
}

char *endpoint_target(const struct endpoint *endpoint, const char *kind, const char *name)
{
	return xasprintf("%s/%s/%s%s", endpoint->path, kind, name,
			 endpoint->query ? endpoint->query : "");
}

int repository_each(struct repository *repository, const char *name, endpoint_fn fn, void *context,
		    struct error *err)
{
	bool by_digest = strncmp(name, "sha256:", 7) == 0;

	for (size_t i = 0;; i++) {
		const struct endpoint *endpoint = &repository->endpoints[i];
		bool last = i + 1 == repository->endpoint_count;
		struct error why = ERROR_INIT;
		int ret;

		if (!last && (repository->access != REPOSITORY_PULL ||
			      !(by_digest ? endpoint->for_digests : endpoint->for_tags)))
			continue;
		ret = fn(repository, endpoint, context, &why);
		if (ret >= 0 && (last || ret > 0))
			return ret;
		if (last || why.code == ERROR_CANCELLED) {
			if (err)
				*err = why;
			return ret;
		}
		log_debug("mirror %s: %s", endpoint->server->host, why.msg);
	}
}
