/* SPDX-License-Identifier: Apache-2.0 */
/* Called by credentials.c and by the login of builder/cli. */
#include "builder/registry/credential-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "spec/json-table.h"

#define FILE_MAX ((size_t)1 << 20)

/* clang-format off */
static const struct json_field entry_fields[] = {
	JSON_STRING(struct auth_entry, "auth", auth),
	JSON_STRING(struct auth_entry, "username", user),
	JSON_STRING(struct auth_entry, "password", password),
	JSON_STRING(struct auth_entry, "identitytoken", identity_token),
	JSON_STRING(struct auth_entry, "registrytoken", registry_token),
};
static const struct json_object entry_object = JSON_TABLE_OPEN(struct auth_entry, entry_fields);

static const struct json_field file_fields[] = {
	JSON_OBJECT_MAP(struct auth_file, "auths", auths, &entry_object),
	JSON_MAP(struct auth_file, "credHelpers", helpers),
	JSON_STRING(struct auth_file, "credsStore", store),
};
static const struct json_object file_object = JSON_TABLE_OPEN(struct auth_file, file_fields);
/* clang-format on */

static void add_below(struct strv *out, const char *folder, const char *name)
{
	if (folder && folder[0] == '/')
		strv_addf(out, "%s/%s", folder, name);
}

void auth_file_paths(const char *authfile, struct strv *out)
{
	const char *home = getenv("HOME"), *docker = getenv("DOCKER_CONFIG");
	const char *config = getenv("XDG_CONFIG_HOME"), *chosen = getenv("REGISTRY_AUTH_FILE");

	if (authfile || (chosen && *chosen)) {
		strv_add(out, authfile ? authfile : chosen);
		return;
	}
	add_below(out, getenv("XDG_RUNTIME_DIR"), "containers/auth.json");
	if (config && *config)
		add_below(out, config, "containers/auth.json");
	else
		add_below(out, home, ".config/containers/auth.json");
	if (docker && *docker)
		strv_addf(out, "%s/config.json", docker);
	else
		add_below(out, home, ".docker/config.json");
	strv_add(out, "");
	add_below(out, home, ".dockercfg");
}

/* The old form is wrapped into the new one. */
static void wrap(const char *path, struct strbuf *text)
{
	static const char name[] = "/.dockercfg";
	size_t size = strlen(path);
	cleanup_free char *old = NULL;

	if (size < strlen(name) || strcmp(path + size - strlen(name), name) != 0)
		return;
	old = strbuf_take(text);
	strbuf_addf(text, "{\"auths\":%s}", old);
	explicit_bzero(old, strlen(old));
}

int auth_file_read(const char *path, struct arena *arena, struct auth_file **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *variable = getenv("DOCKER_AUTH_CONFIG");
	struct json_source source = { .name = *path ? path : "DOCKER_AUTH_CONFIG",
				      .flags = JSON_LAST_WINS };
	struct auth_file *file;
	struct error why = ERROR_INIT;
	int ret = 0;

	if (*path)
		ret = io_read_file(AT_FDCWD, path, FILE_MAX, &text, &why);
	else
		strbuf_adds(&text, variable ? variable : "");
	if (ret == -ENOENT || ret == -ENOTDIR || (ret == 0 && !text.size))
		return 0;
	if (ret < 0) {
		if (err)
			*err = why;
		return ret;
	}
	wrap(path, &text);
	source.text = text.data;
	source.size = text.size;
	file = arena_alloc(arena, sizeof(*file));
	ret = json_decode(&source, &file_object, arena, file, err);
	explicit_bzero(text.data, text.size);
	if (ret < 0)
		return ret;
	*out = file;
	return 1;
}

int auth_file_write(const char *path, const struct auth_file *file, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *folder = path_parent(path);
	int ret = path_mkdir_all(folder, 0700, err);

	if (ret < 0)
		return ret;
	json_encode(&file_object, file, JSON_INDENT_TAB, &text);
	strbuf_addc(&text, '\n');
	ret = io_replace_file(AT_FDCWD, path, text.data, text.size, 0600, IO_SYNC, err);
	explicit_bzero(text.data, text.size);
	return ret;
}
