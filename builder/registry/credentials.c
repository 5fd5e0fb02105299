/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading stored credentials. All the files have docker's format: "auths" with a key for a host, a
 * namespace or a repository, and the names of programs that keep the secrets instead.
 */
#include "builder/registry/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder/registry/credential-files.h"
#include "builder/registry/credential-helper.h"
#include "lib/alloc.h"
#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strv.h"

#define HUB "docker.io"

void credentials_done(struct credentials *credentials)
{
	free(credentials->user);
	free(credentials->password);
	free(credentials->identity_token);
	free(credentials->registry_token);
	*credentials = (struct credentials){ NULL, NULL, NULL, NULL };
}

void credentials_split(const char *text, struct credentials *out)
{
	const char *colon = strchr(text, ':');

	out->user = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	out->password = xstrdup(colon ? colon + 1 : "");
}

/* "https://index.docker.io/v1/" -> "index.docker.io", as docker writes it; owned. */
static char *plain_key(const char *key)
{
	const char *host = strstr(key, "://");
	size_t size;

	if (!host)
		return xstrdup(key);
	host += 3;
	size = strcspn(host, "/");
	if (strncmp(host + size, "/v1", 3) == 0 || strncmp(host + size, "/v2", 3) == 0 ||
	    strcmp(host + size, "/") == 0)
		return xstrndup(host, size);
	return xstrdup(host);
}

/* docker.io has had several names. */
static bool key_is(const char *key, const char *wanted)
{
	cleanup_free char *plain = plain_key(key);

	if (strcmp(plain, wanted) == 0)
		return true;
	return strcmp(wanted, HUB) == 0 && (strcmp(plain, "index.docker.io") == 0 ||
					    strcmp(plain, "registry-1.docker.io") == 0);
}

static int decode(const struct auth_entry *entry, struct credentials *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (entry->auth && *entry->auth) {
		if (base64_decode(entry->auth, &text) < 0 || !strchr(strbuf_text(&text), ':'))
			return error_invalid(err, "the entry \"%s\" has a damaged \"auth\"",
					     entry->key);
		credentials_split(strbuf_text(&text), out);
		explicit_bzero(text.data, text.size);
	} else if (entry->user && *entry->user) {
		out->user = xstrdup(entry->user);
		out->password = xstrdup(entry->password ? entry->password : "");
	}
	if (entry->identity_token && *entry->identity_token)
		out->identity_token = xstrdup(entry->identity_token);
	if (entry->registry_token && *entry->registry_token)
		out->registry_token = xstrdup(entry->registry_token);
	return out->user || out->identity_token || out->registry_token;
}

/* One file: the entry of key; 1 found. A helper for the host goes before what stands here. */
static int look_up(const struct auth_file *file, const char *key, struct credentials *out,
		   struct error *err)
{
	bool is_host = !strchr(key, '/');
	const char *helper = NULL;
	int ret = 0;

	for (size_t i = 0; i < file->helpers.count && !helper; i++)
		if (key_is(file->helpers.items[i].key, key))
			helper = file->helpers.items[i].value;
	if (!helper && is_host && file->store && *file->store)
		helper = file->store;
	if (helper && *helper) {
		ret = credential_helper_get(
			helper, strcmp(key, HUB) == 0 ? "https://index.docker.io/v1/" : key, out,
			err);
		if (ret != 0)
			return ret;
	}
	for (size_t i = 0; ret == 0 && i < file->auths.count; i++)
		if (key_is(file->auths.items[i].key, key))
			ret = decode(&file->auths.items[i], out, err);
	return ret;
}

/* The repository itself, then each namespace above it, then the host. */
static int look_up_all(const struct auth_file *file, const char *repository,
		       struct credentials *out, struct error *err)
{
	cleanup_free char *key = xstrdup(repository);
	int ret;

	for (;;) {
		char *slash;

		ret = look_up(file, key, out, err);
		slash = strrchr(key, '/');
		if (ret != 0 || !slash)
			return ret;
		*slash = '\0';
	}
}

int credentials_find(const char *authfile, const char *repository, struct credentials *out,
		     struct error *err)
{
	cleanup_strv struct strv paths = STRV_INIT;
	int ret = 0;

	auth_file_paths(authfile, &paths);
	for (size_t i = 0; ret == 0 && i < paths.count; i++) {
		cleanup_arena struct arena arena = ARENA_INIT;
		struct auth_file *file = NULL;

		ret = auth_file_read(paths.items[i], &arena, &file, err);
		if (ret == 1)
			ret = look_up_all(file, repository, out, err);
	}
	return ret;
}
