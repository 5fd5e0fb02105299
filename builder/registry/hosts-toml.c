/* SPDX-License-Identifier: Apache-2.0 */
/* Called by hosts.c for a registry that registries.conf has nothing about. containerd's
 * docs/hosts.md. */
#include "builder/registry/hosts-toml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "lib/toml.h"

#define FILE_MAX ((size_t)1 << 20)
#define HOST_TABLE "host."
#define HEADER_TABLE ".header"

struct reading {
	struct hosts_toml *out;
	struct toml_host server;
	const char *server_url, *folder;
};

void hosts_toml_done(struct hosts_toml *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		strv_done(&hosts->hosts[i].headers);
	free(hosts->hosts);
	arena_done(&hosts->arena);
}

/* "https://HOST[:PORT][/PATH]" */
static int take_url(struct hosts_toml *out, const char *url, struct toml_host *host,
		    struct error *err)
{
	const char *rest = strstr(url, "://");
	size_t size;

	host->scheme = !rest ? "" : strncmp(url, "http://", 7) == 0 ? "http" : "https";
	if (rest && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return error_invalid(err, "host \"%s\" is neither http nor https", url);
	rest = rest ? rest + 3 : url;
	size = strcspn(rest, "/");
	if (!size || strcspn(rest, "@?#") < strlen(rest))
		return error_invalid(err, "host \"%s\" is not SCHEME://HOST[:PORT][/PATH]", url);
	host->host = arena_strndup(&out->arena, rest, size);
	host->prefix =
		arena_strdup(&out->arena, rest + size); /* until all is known: the URL's path */
	return 0;
}

/* The host that a table is about, a new one when it is the first about it. */
static int find_host(struct reading *reading, const char *table, size_t size,
		     struct toml_host **out, struct error *err)
{
	struct hosts_toml *file = reading->out;
	cleanup_free char *url = xstrndup(table, size);
	struct toml_host host = { .headers = STRV_INIT };
	int ret = take_url(file, url, &host, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < file->count; i++) {
		*out = &file->hosts[i];
		if (strcmp((*out)->host, host.host) == 0 &&
		    strcmp((*out)->scheme, host.scheme) == 0 &&
		    strcmp((*out)->prefix, host.prefix) == 0)
			return 0;
	}
	file->hosts = xreallocarray(file->hosts, file->count + 1, sizeof(*file->hosts));
	file->hosts[file->count] = host;
	*out = &file->hosts[file->count++];
	return 0;
}

static const char *path_of(const struct reading *reading, const char *path)
{
	cleanup_free char *whole = xasprintf("%s/%s", reading->folder, path);

	return arena_strdup(&reading->out->arena, *path == '/' ? path : whole);
}

static int take_capability(struct toml_host *host, const char *word, struct error *err)
{
	if (strcmp(word, "pull") == 0)
		host->pull = true;
	else if (strcmp(word, "resolve") == 0)
		host->resolve = true;
	else if (strcmp(word, "push") == 0)
		host->push = true;
	else
		return error_invalid(err, "unknown capability \"%s\" (pull, resolve, push)", word);
	return 0;
}

static int take_member(struct reading *reading, struct toml_host *host,
		       const struct toml_value *value, struct error *err)
{
	const struct strv *items = &value->items;
	const char *first = items->count ? items->items[0] : "";
	int ret = 0;

	if (strcmp(value->key, "capabilities") == 0) {
		host->has_capabilities = true;
		for (size_t i = 0; ret == 0 && i < items->count; i++)
			ret = take_capability(host, items->items[i], err);
	} else if (strcmp(value->key, "ca") == 0) {
		if (items->count != 1)
			return error_set(err, ERROR_UNSUPPORTED, 0,
					 "ca: one file is read; put all authorities into it");
		host->ca = path_of(reading, first);
	} else if (strcmp(value->key, "client") == 0) {
		if (items->count != 1 && items->count != 2)
			return error_set(err, ERROR_UNSUPPORTED, 0,
					 "client: one certificate is read, with or without a file "
					 "of its key");
		host->certificate = path_of(reading, first);
		host->key = path_of(reading, items->items[items->count - 1]);
	} else if (strcmp(value->key, "skip_verify") == 0) {
		host->skip_verify = strcmp(first, "true") == 0;
	} else if (strcmp(value->key, "override_path") == 0) {
		host->override_path = strcmp(first, "true") == 0;
	}
	return ret;
}

static int take_value(void *context, const struct toml_value *value, struct error *err)
{
	struct reading *reading = context;
	size_t size = strlen(value->table), head = strlen(HOST_TABLE), tail = strlen(HEADER_TABLE);
	bool is_header =
		size > head + tail && strcmp(value->table + size - tail, HEADER_TABLE) == 0;
	struct toml_host *host = &reading->server;
	int ret = 0;

	if (strcmp(value->table, "") == 0 && strcmp(value->key, "server") == 0 &&
	    value->items.count) {
		reading->server_url = arena_strdup(&reading->out->arena, value->items.items[0]);
		return 0;
	}
	if (strncmp(value->table, HOST_TABLE, head) == 0)
		ret = find_host(reading, value->table + head, size - head - (is_header ? tail : 0),
				&host, err);
	else if (*value->table && strcmp(value->table, "header") != 0)
		return 0;
	if (ret < 0 || (!is_header && strcmp(value->table, "header") != 0))
		return ret < 0 ? ret : take_member(reading, host, value, err);
	for (size_t i = 0; i < value->items.count; i++) {
		if (strpbrk(value->items.items[i], "\r\n") || strpbrk(value->key, "\r\n"))
			return error_invalid(err, "the header \"%s\" has several lines",
					     value->key);
		strv_addf(&host->headers, "%s: %s", value->key, value->items.items[i]);
	}
	return 0;
}

/* What follows from the whole of it. */
static void settle(struct hosts_toml *file)
{
	for (size_t i = 0; i < file->count; i++) {
		struct toml_host *host = &file->hosts[i];
		cleanup_free char *path = xstrdup(host->prefix);
		size_t size = strlen(path);

		while (size && path[size - 1] == '/')
			path[--size] = '\0';
		host->prefix = host->override_path ? arena_strdup(&file->arena, path)
						   : arena_printf(&file->arena, "%s/v2", path);
		if (!host->has_capabilities)
			host->pull = host->resolve = host->push = true;
	}
}

static int parse(const char *path, const char *folder, const char *text, const char *server,
		 struct hosts_toml *out, struct error *err)
{
	struct reading reading = { .out = out,
				   .server = { .headers = STRV_INIT },
				   .server_url = server,
				   .folder = folder };
	int ret = toml_read(path, text, take_value, &reading, err);

	/* it owns the headers from here on */
	out->hosts = xreallocarray(out->hosts, out->count + 1, sizeof(*out->hosts));
	if (ret == 0)
		ret = take_url(out, reading.server_url, &reading.server, err);
	out->hosts[out->count++] = reading.server;
	if (ret < 0)
		return ret;
	settle(out);
	return 1;
}

/* HOST:PORT as containerd names the folder where a colon is not wanted: HOST_PORT_. */
static char *folder_name(const char *registry)
{
	const char *colon = strrchr(registry, ':');

	return colon ? xasprintf("%.*s_%s_", (int)(colon - registry), registry, colon + 1)
		     : xstrdup(registry);
}

int hosts_toml_read(const char *registry, const char *server, struct hosts_toml *out,
		    struct error *err)
{
	const char *home = getenv("HOME");
	cleanup_free char *own = xasprintf("%s/.config/containerd/certs.d", home ? home : "");
	const char *const folders[] = { own, "/etc/containerd/certs.d", "/etc/docker/certs.d" };
	cleanup_free char *escaped = folder_name(registry);
	const char *const names[] = { escaped, registry, "_default" };

	for (size_t i = home && *home ? 0 : 1; i < ARRAY_SIZE(folders); i++)
		for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
			cleanup_free char *folder = xasprintf("%s/%s", folders[i], names[j]);
			cleanup_free char *path = xasprintf("%s/hosts.toml", folder);
			cleanup_strbuf struct strbuf text = STRBUF_INIT;
			struct error why = ERROR_INIT;
			int ret = io_read_file(AT_FDCWD, path, FILE_MAX, &text, &why);

			if (ret == -ENOENT || ret == -ENOTDIR || ret == -EACCES)
				continue;
			if (ret == 0)
				return parse(path, folder, strbuf_text(&text), server, out, err);
			if (err)
				*err = why;
			return ret;
		}
	return 0;
}
