/* SPDX-License-Identifier: Apache-2.0 */
/* Called by hosts.c, once for a client. */
#include "builder/registry/hosts-config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/toml.h"
#include "spec/json-table.h"

#define FILE_MAX ((size_t)1 << 20)
#define NO_TABLE SIZE_MAX

void hosts_config_done(struct hosts_config *config)
{
	free(config->rules);
	arena_done(&config->arena);
}

static struct host_rule *add_rule(struct hosts_config *config)
{
	ARRAY_GROW(config->rules, config->rule_count, config->rule_capacity);
	config->rules[config->rule_count] = (struct host_rule){ .prefix = NULL };
	return &config->rules[config->rule_count++];
}

static struct host_mirror *add_mirror(struct hosts_config *config, struct host_rule *rule)
{
	struct host_mirror *mirrors =
		arena_alloc(&config->arena, (rule->mirror_count + 1) * sizeof(*mirrors));

	if (rule->mirror_count)
		memcpy(mirrors, rule->mirrors, rule->mirror_count * sizeof(*mirrors));
	rule->mirrors = mirrors;
	return &mirrors[rule->mirror_count++];
}

/* -- registries.conf -----------------------------------------------------------------------------
 */

struct reading {
	struct hosts_config *config;
	size_t registry, mirror; /* of this file, those that were seen last */
};

static bool is_true(const struct toml_value *value)
{
	return strcmp(value->items.items[0], "true") == 0;
}

static void take_registry(struct reading *reading, const struct toml_value *value)
{
	struct hosts_config *config = reading->config;
	struct host_rule *rule;

	if (reading->registry != value->table_index)
		add_rule(config);
	reading->registry = value->table_index;
	rule = &config->rules[config->rule_count - 1];
	if (strcmp(value->key, "prefix") == 0)
		rule->prefix = arena_strdup(&config->arena, value->items.items[0]);
	else if (strcmp(value->key, "location") == 0)
		rule->location = arena_strdup(&config->arena, value->items.items[0]);
	else if (strcmp(value->key, "insecure") == 0)
		rule->insecure = is_true(value);
	else if (strcmp(value->key, "blocked") == 0)
		rule->blocked = is_true(value);
	else if (strcmp(value->key, "mirror-by-digest-only") == 0)
		rule->only_digests = is_true(value);
}

static void take_mirror(struct reading *reading, const struct toml_value *value)
{
	struct hosts_config *config = reading->config;
	struct host_rule *rule = &config->rules[config->rule_count - 1];
	struct host_mirror *mirror;

	if (reading->mirror != value->table_index || !rule->mirror_count)
		add_mirror(config, rule);
	reading->mirror = value->table_index;
	mirror = &rule->mirrors[rule->mirror_count - 1];
	if (strcmp(value->key, "location") == 0) {
		mirror->location = arena_strdup(&config->arena, value->items.items[0]);
	} else if (strcmp(value->key, "insecure") == 0) {
		mirror->insecure = is_true(value);
	} else if (strcmp(value->key, "pull-from-mirror") == 0) {
		mirror->only_digests = strcmp(value->items.items[0], "digest-only") == 0;
		mirror->only_tags = strcmp(value->items.items[0], "tag-only") == 0;
	}
}

/* Keys have quotes when they have slashes; an empty value takes an earlier alias back. */
static void take_alias(struct hosts_config *config, const struct toml_value *value)
{
	size_t size = strlen(value->key);
	bool quoted = size > 1 && strchr("\"'", *value->key) && value->key[size - 1] == *value->key;
	cleanup_free char *name = quoted ? xstrndup(value->key + 1, size - 2) : xstrdup(value->key);

	if (*value->items.items[0])
		json_map_set(&config->aliases, &config->arena, name, value->items.items[0]);
	else
		json_map_remove(&config->aliases, name);
}

/* The whole list of a later file. */
static void take_search(struct hosts_config *config, const struct toml_value *value)
{
	config->search = (struct json_strings){ .count = 0 };
	for (size_t i = 0; i < value->items.count; i++)
		json_strings_add(&config->search, &config->arena, value->items.items[i]);
}

static int take_value(void *context, const struct toml_value *value, struct error *err)
{
	struct reading *reading = context;

	if (!*value->table && strcmp(value->key, "unqualified-search-registries") == 0)
		take_search(reading->config, value);
	if (!value->items.count || value->is_array)
		return 0;
	if (strcmp(value->table, "aliases") == 0) {
		take_alias(reading->config, value);
	} else if (strcmp(value->table, "registry") == 0) {
		take_registry(reading, value);
	} else if (strcmp(value->table, "registry.mirror") == 0) {
		if (reading->registry == NO_TABLE)
			return error_invalid(err, "a mirror of no registry");
		take_mirror(reading, value);
	}
	return 0;
}

/* 1 read, 0 there is none. */
static int read_file(struct hosts_config *config, const char *path, struct error *err)
{
	struct reading reading = { config, NO_TABLE, NO_TABLE };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct error why = ERROR_INIT;
	int ret = io_read_file(AT_FDCWD, path, FILE_MAX, &text, &why);

	if (ret == -ENOENT || ret == -ENOTDIR || ret == -EACCES)
		return 0;
	if (ret < 0) {
		if (err)
			*err = why;
		return ret;
	}
	ret = toml_read(path, strbuf_text(&text), take_value, &reading, err);
	return ret < 0 ? ret : 1;
}

static int read_folder(struct hosts_config *config, const char *folder, struct error *err)
{
	cleanup_dir DIR *dir = opendir(folder);
	cleanup_strv struct strv names = STRV_INIT;
	struct dirent *entry;
	int ret = 0;

	while (dir && (entry = readdir(dir))) {
		size_t size = strlen(entry->d_name);

		if (size > 5 && strcmp(entry->d_name + size - 5, ".conf") == 0)
			strv_addf(&names, "%s/%s", folder, entry->d_name);
	}
	strv_sort(&names);
	for (size_t i = 0; ret >= 0 && i < names.count; i++)
		ret = read_file(config, names.items[i], err);
	return ret < 0 ? ret : 0;
}

/* The user's file stands for the system's; the drop-ins of both count. */
static int read_registries(struct hosts_config *config, struct error *err)
{
	const char *chosen = getenv("CONTAINERS_REGISTRIES_CONF"), *home = getenv("HOME");
	cleanup_free char *own =
		xasprintf("%s/.config/containers/registries.conf", home ? home : "");
	cleanup_free char *own_folder = xasprintf("%s.d", own);
	int ret;

	if (chosen && *chosen) {
		ret = read_file(config, chosen, err);
		return ret < 0 ? ret : 0;
	}
	ret = home && *home ? read_file(config, own, err) : 0;
	if (ret == 0)
		ret = read_file(config, "/etc/containers/registries.conf", err);
	if (ret >= 0)
		ret = read_folder(config, "/etc/containers/registries.conf.d", err);
	if (ret >= 0 && home && *home)
		ret = read_folder(config, own_folder, err);
	return ret;
}

/* -- docker --------------------------------------------------------------------------------------
 */

struct daemon_file {
	struct json_strings mirrors, insecure;
};

/* clang-format off */
static const struct json_field daemon_fields[] = {
	JSON_STRINGS(struct daemon_file, "registry-mirrors", mirrors),
	JSON_STRINGS(struct daemon_file, "insecure-registries", insecure),
};
static const struct json_object daemon_object = JSON_TABLE(struct daemon_file, daemon_fields);
/* clang-format on */

static void take_daemon(struct hosts_config *config, const struct daemon_file *file)
{
	struct host_rule *rule = NULL;

	for (size_t i = 0; i < file->mirrors.count; i++) {
		const char *url = file->mirrors.items[i], *host = strstr(url, "://");
		struct host_mirror *mirror;
		char *location;

		if (!host)
			continue;
		if (!rule)
			rule = add_rule(config);
		rule->prefix = rule->location = "docker.io";
		mirror = add_mirror(config, rule);
		location = arena_strdup(&config->arena, host + 3);
		if (*location && location[strlen(location) - 1] == '/')
			location[strlen(location) - 1] = '\0';
		mirror->location = location;
		mirror->insecure = strncmp(url, "http://", 7) == 0;
	}
	for (size_t i = 0; i < file->insecure.count; i++) {
		if (strchr(file->insecure.items[i], '/')) {
			json_strings_add(&config->networks, &config->arena,
					 file->insecure.items[i]);
			continue;
		}
		rule = add_rule(config);
		rule->prefix = arena_strdup(&config->arena, file->insecure.items[i]);
		rule->insecure = true;
	}
}

static int read_daemon(struct hosts_config *config, const char *path, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct daemon_file file = { .mirrors = { NULL, 0, false } };
	struct json_source source = { .name = path, .flags = JSON_LAST_WINS };
	int ret;

	if (io_read_file(AT_FDCWD, path, FILE_MAX, &text, NULL) < 0 || !text.size)
		return 0;
	source.text = text.data;
	source.size = text.size;
	ret = json_decode(&source, &daemon_object, &arena, &file, err);
	if (ret == 0)
		take_daemon(config, &file);
	return ret;
}

int hosts_config_read(struct hosts_config *config, struct error *err)
{
	const char *home = getenv("HOME");
	cleanup_free char *own = xasprintf("%s/.config/docker/daemon.json", home ? home : "");
	int ret = read_registries(config, err);

	if (ret >= 0)
		ret = read_daemon(config, "/etc/docker/daemon.json", err);
	if (ret >= 0 && home && *home)
		ret = read_daemon(config, own, err);
	return ret < 0 ? ret : 0;
}

/* -- looking up ----------------------------------------------------------------------------------
 */

static const char *prefix_of(const struct host_rule *rule)
{
	return rule->prefix && *rule->prefix ? rule->prefix : rule->location;
}

size_t host_rule_matches(const struct host_rule *rule, const char *name)
{
	const char *prefix = prefix_of(rule);
	size_t size = prefix ? strlen(prefix) : 0, host = strcspn(name, "/");

	if (size > 2 && strncmp(prefix, "*.", 2) == 0) { /* any host below, and nothing of a path */
		size_t domain = size - 1;

		return host > domain && strncmp(name + host - domain, prefix + 1, domain) == 0
			       ? host
			       : 0;
	}
	return size && strncmp(name, prefix, size) == 0 && (!name[size] || name[size] == '/') ? size
											      : 0;
}

const struct host_rule *hosts_config_find(const struct hosts_config *config, const char *name)
{
	const struct host_rule *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < config->rule_count; i++) {
		size_t size = host_rule_matches(&config->rules[i], name);

		if (size > longest) {
			longest = size;
			best = &config->rules[i];
		}
	}
	return best;
}
