/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files are docker's (~/.docker/config.json) and podman's (containers.conf(5): that of the
 * distribution, of the machine, of the user, each with a folder of drop-ins; later ones win).
 */
#include "builder/cli/host-proxies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/dockerfile/scope.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "lib/toml.h"
#include "spec/json-table.h"

#define FILE_MAX ((size_t)1 << 20)

static void add_pair(const char *pair, struct strv *out)
{
	cleanup_free char *name = xstrndup(pair, strcspn(pair, "="));

	if (pair[strlen(name)] && scope_is_proxy(name))
		strv_env_set(out, name, pair + strlen(name) + 1);
}

/* -- docker --------------------------------------------------------------------------------------
 */

struct docker_proxies {
	const char *host; /* the key: a daemon's, or "default" */
	const char *http, *https, *ftp, *none, *all;
};

struct docker_config {
	JSON_LIST(struct docker_proxies) proxies;
};

/* clang-format off */
static const struct json_field proxies_fields[] = {
	JSON_STRING(struct docker_proxies, "httpProxy", http),
	JSON_STRING(struct docker_proxies, "httpsProxy", https),
	JSON_STRING(struct docker_proxies, "ftpProxy", ftp),
	JSON_STRING(struct docker_proxies, "noProxy", none),
	JSON_STRING(struct docker_proxies, "allProxy", all),
};
static const struct json_object proxies_object = JSON_TABLE(struct docker_proxies, proxies_fields);

static const struct json_field docker_fields[] = {
	JSON_OBJECT_MAP(struct docker_config, "proxies", proxies, &proxies_object),
};
static const struct json_object docker_object = JSON_TABLE(struct docker_config, docker_fields);
/* clang-format on */

static char *docker_path(void)
{
	const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");

	if (folder && *folder)
		return xasprintf("%s/config.json", folder);
	return home && *home ? xasprintf("%s/.docker/config.json", home) : NULL;
}

static void add_docker(const struct docker_proxies *proxies, struct strv *out)
{
	const struct {
		const char *name, *value;
	} pairs[] = {
		{ "HTTP_PROXY", proxies->http }, { "HTTPS_PROXY", proxies->https },
		{ "FTP_PROXY", proxies->ftp },	 { "NO_PROXY", proxies->none },
		{ "ALL_PROXY", proxies->all },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i].value && *pairs[i].value)
			strv_env_set(out, pairs[i].name, pairs[i].value);
}

static void read_docker(struct strv *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = docker_path();
	struct json_source source = { .name = path, .flags = JSON_LAST_WINS };
	struct docker_config config = { .proxies = { NULL, 0 } };
	struct error why = ERROR_INIT;
	int ret = path ? io_read_file(AT_FDCWD, path, FILE_MAX, &text, &why) : -ENOENT;

	if (ret == -ENOENT || ret == -ENOTDIR)
		return;
	source.text = strbuf_text(&text);
	source.size = text.size;
	if (ret == 0)
		ret = json_decode(&source, &docker_object, &arena, &config, &why);
	if (ret < 0)
		log_warning("proxies of docker's configuration: %s", why.msg);
	/* those of single daemons are not about us */
	for (size_t i = 0; ret == 0 && i < config.proxies.count; i++)
		if (strcmp(config.proxies.items[i].host, "default") == 0)
			add_docker(&config.proxies.items[i], out);
}

/* -- containers.conf -----------------------------------------------------------------------------
 */

struct containers_conf {
	bool http_proxy;
	struct strv env;
};

static int read_setting(void *context, const struct toml_value *value, struct error *err)
{
	struct containers_conf *conf = context;
	bool engine = strcmp(value->table, "engine") == 0;

	(void)err;
	if (!engine && strcmp(value->table, "containers") != 0)
		return 0;
	if (!engine && strcmp(value->key, "http_proxy") == 0 && value->items.count == 1)
		conf->http_proxy = strcmp(value->items.items[0], "true") == 0;
	for (size_t i = 0; strcmp(value->key, "env") == 0 && i < value->items.count; i++)
		add_pair(value->items.items[i], &conf->env);
	return 0;
}

static void read_conf(const char *path, struct containers_conf *conf)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct error why = ERROR_INIT;
	int ret = io_read_file(AT_FDCWD, path, FILE_MAX, &text, &why);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return;
	if (ret == 0)
		ret = toml_read(path, strbuf_text(&text), read_setting, conf, &why);
	if (ret < 0)
		log_warning("proxies of containers.conf: %s", why.msg);
}

/* The file, then FILE.d/NAME.conf. */
static void read_conf_and_folder(const char *path, struct containers_conf *conf)
{
	cleanup_free char *folder = xasprintf("%s.d", path);
	cleanup_dir DIR *dir = opendir(folder);
	cleanup_strv struct strv names = STRV_INIT;
	const struct dirent *entry;

	read_conf(path, conf);
	while (dir && (entry = readdir(dir))) {
		size_t size = strlen(entry->d_name);

		if (size > 5 && strcmp(entry->d_name + size - 5, ".conf") == 0)
			strv_add(&names, entry->d_name);
	}
	strv_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *name = xasprintf("%s/%s", folder, names.items[i]);

		read_conf(name, conf);
	}
}

static char *user_conf_path(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config)
		return xasprintf("%s/containers/containers.conf", config);
	return home && *home ? xasprintf("%s/.config/containers/containers.conf", home) : NULL;
}

static void read_containers_conf(struct containers_conf *conf)
{
	const char *only = getenv("CONTAINERS_CONF");
	cleanup_free char *user = user_conf_path();

	if (only && *only) {
		read_conf(only, conf);
		return;
	}
	read_conf_and_folder("/usr/share/containers/containers.conf", conf);
	read_conf_and_folder("/etc/containers/containers.conf", conf);
	if (user)
		read_conf_and_folder(user, conf);
}

void host_proxies(bool use_environment, struct strv *out)
{
	struct containers_conf conf = { .http_proxy = false };

	read_containers_conf(&conf);
	for (char *const *pair = environ; (use_environment || conf.http_proxy) && *pair; pair++)
		add_pair(*pair, out);
	for (size_t i = 0; i < conf.env.count; i++)
		add_pair(conf.env.items[i], out);
	strv_done(&conf.env);
	read_docker(out);
}
