/* SPDX-License-Identifier: Apache-2.0 */
/* Called by builder/cli/cmd-login.c. What else is in the files stays there. */
#include "builder/registry/login.h"

#include <stdio.h>
#include <string.h>

#include "builder/registry/credential-files.h"
#include "builder/registry/credential-helper.h"
#include "builder/registry/registry-internal.h"
#include "lib/base64.h"
#include "lib/cleanup.h"

#define HUB "docker.io"
#define HUB_KEY "https://index.docker.io/v1/"
#define ANSWER_MAX ((uint64_t)1 << 20)

int registry_check_login(struct registry *registry, const char *host, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	struct repository *repository = NULL;
	struct reference name = { "", "", { "" } };
	cleanup_call struct call call = { .method = "GET", .target = "" };
	int ret;

	if (strlen(host) + strlen("/check") >= sizeof(name.name) || strchr(host, '/'))
		return error_set(err, ERROR_USAGE, 0, "\"%s\" is no host", host);
	snprintf(name.name, sizeof(name.name), "%s/check", host);
	ret = repository_open(registry, &name, REPOSITORY_PULL, &repository, err);
	if (ret < 0)
		return ret;
	call.server = repository_own(repository)->server;
	call.credential_path = host;
	call.request.max = ANSWER_MAX;
	ret = call_make(registry, &call, &response, err);
	if (ret == 0 && response.status != 200)
		ret = error_set(err, ERROR_STATE, 0,
				"%s does not accept these credentials (status %ld)", host,
				response.status);
	repository_close(repository);
	return ret;
}

static const char *key_of(const char *host)
{
	return strcmp(host, HUB) == 0 ? HUB_KEY : host;
}

static struct auth_entry *find_entry(struct auth_file *file, const char *key)
{
	for (size_t i = 0; i < file->auths.count; i++)
		if (strcmp(file->auths.items[i].key, key) == 0)
			return &file->auths.items[i];
	return NULL;
}

static const char *helper_of(const struct auth_file *file, const char *key)
{
	const char *own = json_map_get(&file->helpers, key);

	return own && *own ? own : file->store && *file->store ? file->store : NULL;
}

static bool is_writable(const char *path)
{
	static const char old[] = "/.dockercfg"; /* another format, which nobody writes any more */
	size_t size = strlen(path);

	return size > strlen(old) && strcmp(path + size - strlen(old), old) != 0;
}

/* The file to write to. */
static int choose(const char *authfile, const char *key, struct arena *arena, const char **out_path,
		  struct auth_file **out, struct error *err)
{
	cleanup_strv struct strv paths = STRV_INIT;
	const char *fallback = NULL;
	bool there = false;

	auth_file_paths(authfile, &paths);
	*out_path = NULL;
	for (size_t i = 0; i < paths.count; i++) {
		struct auth_file *file = NULL;
		int ret = is_writable(paths.items[i])
				  ? auth_file_read(paths.items[i], arena, &file, err)
				  : 0;

		if (ret < 0)
			return ret;
		if (is_writable(paths.items[i]) && !there)
			fallback = paths.items[i]; /* docker's comes last */
		if (ret == 0 || (there && !find_entry(file, key)))
			continue;
		there = true;
		*out = file;
		*out_path = arena_strdup(arena, paths.items[i]);
		if (find_entry(file, key))
			return 0;
	}
	if (there)
		return 0;
	if (!fallback)
		return error_set(err, ERROR_STATE, 0,
				 "there is no place for credentials: HOME is not set");
	*out = arena_alloc(arena, sizeof(**out));
	*out_path = arena_strdup(arena, fallback);
	return 0;
}

int login_store(const char *authfile, const char *host, const char *user, const char *password,
		struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf auth = STRBUF_INIT;
	cleanup_free char *pair = xasprintf("%s:%s", user, password);
	const struct credentials credentials = { (char *)user, (char *)password, NULL, NULL };
	const char *path, *key = key_of(host), *helper;
	struct auth_file *file = NULL;
	struct auth_entry *entry, *items;
	int ret = choose(authfile, key, &arena, &path, &file, err);

	if (ret < 0)
		return ret;
	helper = helper_of(file, key);
	if (helper)
		return credential_helper_store(helper, key, &credentials, err);
	entry = find_entry(file, key);
	if (!entry) {
		items = arena_alloc(&arena, (file->auths.count + 1) * sizeof(*items));
		if (file->auths.count)
			memcpy(items, file->auths.items, file->auths.count * sizeof(*items));
		entry = &items[file->auths.count++];
		file->auths.items = items;
	}
	base64_encode(pair, strlen(pair), &auth);
	*entry = (struct auth_entry){ .key = key, .auth = strbuf_text(&auth) };
	ret = auth_file_write(path, file, err);
	explicit_bzero(pair, strlen(pair));
	explicit_bzero(auth.data, auth.size);
	return ret;
}

static int remove_from(const char *path, const char *key, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct auth_file *file = NULL;
	struct auth_entry *entry;
	int ret = auth_file_read(path, &arena, &file, err);

	if (ret <= 0)
		return ret;
	if (helper_of(file, key))
		ret = credential_helper_erase(helper_of(file, key), key, NULL) == 0;
	else
		ret = 0;
	entry = find_entry(file, key);
	if (!entry)
		return ret;
	memmove(entry, entry + 1,
		(size_t)(file->auths.items + file->auths.count - entry - 1) * sizeof(*entry));
	file->auths.count--;
	ret = auth_file_write(path, file, err);
	return ret < 0 ? ret : 1;
}

int login_remove(const char *authfile, const char *host, struct error *err)
{
	cleanup_strv struct strv paths = STRV_INIT;
	int removed = 0;

	auth_file_paths(authfile, &paths);
	for (size_t i = 0; i < paths.count; i++) {
		int ret = is_writable(paths.items[i])
				  ? remove_from(paths.items[i], key_of(host), err)
				  : 0;

		if (ret < 0)
			return ret;
		removed |= ret;
	}
	return removed;
}
