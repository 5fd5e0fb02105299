/* SPDX-License-Identifier: Apache-2.0 */
/* Where a repository is asked: its registry, and before that the mirrors of the configuration. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "builder/registry/hosts-toml.h"
#include "builder/registry/networks.h"
#include "builder/registry/registry-internal.h"
#include "builder/registry/url.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

#define HUB "docker.io"
#define HUB_HOST "registry-1.docker.io"

void endpoint_done(struct endpoint *endpoint)
{
	free(endpoint->path);
	free(endpoint->query);
	free(endpoint->credential_path);
}

/* -- certificates --------------------------------------------------------------------------------
 */

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name), tail = strlen(end);

	return size > tail && strcmp(name + size - tail, end) == 0;
}

/* HOST[:PORT]/ of a certs.d: NAME.crt whom to trust, NAME.cert and NAME.key who we are. */
static void read_certificates(struct server *server, const char *folder)
{
	cleanup_free char *path = xasprintf("%s/%s", folder, server->host);
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char **slot = ends_with(entry->d_name, ".crt")	  ? &server->ca_file
			      : ends_with(entry->d_name, ".cert") ? &server->certificate
			      : ends_with(entry->d_name, ".key")  ? &server->key
								  : NULL;

		if (slot && !*slot)
			*slot = xasprintf("%s/%s", path, entry->d_name);
	}
	server->tls.ca_file = server->ca_file;
	server->tls.certificate = server->certificate;
	server->tls.key = server->key;
}

static void find_certificates(struct server *server)
{
	const char *home = getenv("HOME");
	cleanup_free char *own = xasprintf("%s/.config/containers/certs.d", home ? home : "");
	const char *folders[] = { own, "/etc/containers/certs.d", "/etc/docker/certs.d" };

	for (size_t i = home && *home ? 0 : 1; i < ARRAY_SIZE(folders) && !server->ca_file; i++)
		read_certificates(server, folders[i]);
}

/* -- endpoints -----------------------------------------------------------------------------------
 */

/* The same host with another path, or trusted for another name only, is another server. */
static struct server *server_of(struct registry *registry, const char *host, const char *prefix,
				bool insecure)
{
	struct server *server;

	insecure |= registry->options.insecure || networks_contain(&registry->hosts.networks, host);
	for (server = registry->servers; server; server = server->next)
		if (strcmp(server->host, host) == 0 && strcmp(server->prefix, prefix) == 0 &&
		    server->tls.insecure == insecure)
			return server;
	server = xzalloc(sizeof(*server));
	server->host = xstrdup(host);
	server->prefix = xstrdup(prefix);
	server->tls.insecure = insecure;
	server->allows_http = server->tls.insecure || url_is_loopback(host);
	find_certificates(server);
	server->next = registry->servers;
	registry->servers = server;
	return server;
}

/* location: HOST[:PORT]/PATH */
static int add_endpoint(struct repository *repository, const char *location,
			const struct host_mirror *how, struct error *err)
{
	const char *slash = strchr(location, '/');
	cleanup_free char *host = NULL;
	struct endpoint *endpoint;

	if (!slash || slash == location || !slash[1])
		return error_invalid(err, "\"%s\" names no repository of a registry", location);
	host = xstrndup(location, (size_t)(slash - location));
	repository->endpoints = xreallocarray(repository->endpoints, repository->endpoint_count + 1,
					      sizeof(*endpoint));
	endpoint = &repository->endpoints[repository->endpoint_count++];
	*endpoint = (struct endpoint){
		.server = server_of(repository->registry, strcmp(host, HUB) == 0 ? HUB_HOST : host,
				    "/v2", how->insecure),
		.path = xstrdup(slash + 1),
		.credential_path = xstrdup(location),
		.for_tags = !how->only_digests,
		.for_digests = !how->only_tags,
	};
	return 0;
}

static int add_rewritten(struct repository *repository, const struct host_rule *rule,
			 const struct host_mirror *how, struct error *err)
{
	const char *name = repository->name.name;
	cleanup_free char *location =
		xasprintf("%s%s", how->location, name + host_rule_matches(rule, name));

	return add_endpoint(repository, location, how, err);
}

/* -- hosts.toml ----------------------------------------------------------------------------------
 */

static char *replaced(char *old, const char *text)
{
	if (!text)
		return old;
	free(old);
	return xstrdup(text);
}

/* What the file says counts more than what is beside it. registry: the host of the registry itself,
 * whose credentials are for no other. */
static void add_toml_endpoint(struct repository *repository, const struct toml_host *host,
			      const char *registry)
{
	const char *name = repository->name.name, *path = strchr(name, '/') + 1;
	bool own = strcmp(host->host, registry) == 0;
	struct server *server =
		server_of(repository->registry, host->host, host->prefix, host->skip_verify);
	struct endpoint *endpoint;

	if (*host->scheme)
		server->scheme = host->scheme;
	server->allows_http |= strcmp(host->scheme, "http") == 0;
	server->tls.ca_file = server->ca_file = replaced(server->ca_file, host->ca);
	server->tls.certificate = server->certificate =
		replaced(server->certificate, host->certificate);
	server->tls.key = server->key = replaced(server->key, host->key);
	strv_done(&server->headers);
	strv_add_all(&server->headers, strv_items(&host->headers));
	repository->endpoints = xreallocarray(repository->endpoints, repository->endpoint_count + 1,
					      sizeof(*endpoint));
	endpoint = &repository->endpoints[repository->endpoint_count++];
	*endpoint = (struct endpoint){
		.server = server,
		.path = xstrdup(path),
		/* a mirror of many registries tells them apart by it */
		.query = own ? NULL : xasprintf("?ns=%.*s", (int)(path - name - 1), name),
		.credential_path = own ? xstrdup(name) : xasprintf("%s/%s", host->host, path),
		.for_tags = host->resolve,
		.for_digests = host->pull,
	};
}

/* 1 = a hosts.toml says where; 0 = there is none. What is pushed goes to the first that takes it.
 */
static int resolve_by_toml(struct repository *repository, struct error *err)
{
	const char *name = repository->name.name;
	cleanup_free char *registry = xstrndup(name, strcspn(name, "/"));
	__attribute__((cleanup(hosts_toml_done))) struct hosts_toml file = HOSTS_TOML_INIT;
	const char *server = strcmp(registry, HUB) == 0 ? HUB_HOST : registry;
	int ret = hosts_toml_read(registry, server, &file, err);

	if (ret <= 0)
		return ret;
	if (repository->access != REPOSITORY_PULL) {
		size_t i = 0;

		while (i + 1 < file.count && !file.hosts[i].push)
			i++;
		add_toml_endpoint(repository, &file.hosts[i], server);
		return 1;
	}
	for (size_t i = 0; i < file.count; i++)
		add_toml_endpoint(repository, &file.hosts[i], server);
	return 1;
}

int hosts_load(struct registry *registry, struct error *err)
{
	int ret = registry->has_hosts ? 0 : hosts_config_read(&registry->hosts, err);

	registry->has_hosts |= ret == 0;
	return ret;
}

int hosts_resolve(struct repository *repository, struct error *err)
{
	struct registry *registry = repository->registry;
	const char *name = repository->name.name;
	struct host_mirror own = { .location = NULL };
	const struct host_rule *rule;
	int ret = hosts_load(registry, err);

	if (ret < 0)
		return ret;
	rule = hosts_config_find(&registry->hosts, name);
	if (!rule) {
		ret = resolve_by_toml(repository, err);
		return ret ? (ret < 0 ? ret : 0) : add_endpoint(repository, name, &own, err);
	}
	if (rule->blocked)
		return error_set(err, ERROR_STATE, 0,
				 "\"%s\" is blocked by the configuration of registries", name);
	for (size_t i = 0; ret == 0 && i < rule->mirror_count; i++) {
		struct host_mirror mirror = rule->mirrors[i];

		mirror.only_digests |= rule->only_digests;
		if (mirror.location && *mirror.location)
			ret = add_rewritten(repository, rule, &mirror, err);
	}
	own.insecure = rule->insecure;
	own.location = rule->location;
	if (ret < 0)
		return ret;
	return own.location && *own.location ? add_rewritten(repository, rule, &own, err)
					     : add_endpoint(repository, name, &own, err);
}
