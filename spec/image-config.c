/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of image configurations. Absent, null and [] stay apart; what docker or others add and we
 * have no field for is kept raw at every level, so that a derived image carries it on.
 */
#include "spec/image-config.h"

#include <string.h>

#include "lib/cleanup.h"
#include "spec/tables.h"

/* clang-format off */
static const struct json_field healthcheck_fields[] = {
	JSON_STRINGS(struct image_healthcheck, "Test", test, .flags = JSON_KEEP_NULL),
	JSON_I64(struct image_healthcheck, "Interval", interval),
	JSON_I64(struct image_healthcheck, "Timeout", timeout),
	JSON_I64(struct image_healthcheck, "StartPeriod", start_period),
	JSON_I64(struct image_healthcheck, "StartInterval", start_interval),
	JSON_I64(struct image_healthcheck, "Retries", retries),
};
static const struct json_object healthcheck_object =
	JSON_TABLE_OPEN(struct image_healthcheck, healthcheck_fields);

static const struct json_field defaults_fields[] = {
	JSON_STRING(struct image_defaults, "User", user),
	JSON_SET(struct image_defaults, "ExposedPorts", exposed_ports, .flags = JSON_KEEP_NULL),
	JSON_STRINGS(struct image_defaults, "Env", env, .flags = JSON_KEEP_NULL),
	JSON_STRINGS(struct image_defaults, "Entrypoint", entrypoint, .flags = JSON_KEEP_NULL),
	JSON_STRINGS(struct image_defaults, "Cmd", cmd, .flags = JSON_KEEP_NULL),
	JSON_OBJECT(struct image_defaults, "Healthcheck", healthcheck, &healthcheck_object),
	JSON_BOOL(struct image_defaults, "ArgsEscaped", args_escaped),
	JSON_SET(struct image_defaults, "Volumes", volumes, .flags = JSON_KEEP_NULL),
	JSON_STRING(struct image_defaults, "WorkingDir", working_dir),
	JSON_STRINGS(struct image_defaults, "OnBuild", on_build, .flags = JSON_KEEP_NULL),
	JSON_MAP(struct image_defaults, "Labels", labels, .flags = JSON_KEEP_NULL),
	JSON_STRING(struct image_defaults, "StopSignal", stop_signal),
	JSON_STRINGS(struct image_defaults, "Shell", shell, .flags = JSON_KEEP_NULL),
};
static const struct json_object defaults_object =
	JSON_TABLE_OPEN(struct image_defaults, defaults_fields);

static const struct json_field rootfs_fields[] = {
	JSON_STRING(struct image_rootfs, "type", type, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct image_rootfs, "diff_ids", diff_ids,
		     .flags = JSON_ALWAYS | JSON_KEEP_NULL),
};
static const struct json_object rootfs_object =
	JSON_TABLE_OPEN(struct image_rootfs, rootfs_fields);

static const struct json_field history_fields[] = {
	JSON_STRING(struct image_history, "created", created),
	JSON_STRING(struct image_history, "created_by", created_by),
	JSON_STRING(struct image_history, "author", author),
	JSON_STRING(struct image_history, "comment", comment),
	JSON_BOOL(struct image_history, "empty_layer", empty_layer),
};
static const struct json_object history_object =
	JSON_TABLE_OPEN(struct image_history, history_fields);

static const struct json_field image_config_fields[] = {
	JSON_STRING(struct image_config, "created", created),
	JSON_STRING(struct image_config, "author", author),
	JSON_STRING(struct image_config, "architecture", architecture),
	JSON_STRING(struct image_config, "variant", variant),
	JSON_STRING(struct image_config, "os", os),
	JSON_STRING(struct image_config, "os.version", os_version),
	JSON_STRINGS(struct image_config, "os.features", os_features, .flags = JSON_KEEP_NULL),
	JSON_OBJECT(struct image_config, "config", config, &defaults_object),
	JSON_OBJECT(struct image_config, "rootfs", rootfs, &rootfs_object, .flags = JSON_REQUIRED),
	JSON_OBJECTS(struct image_config, "history", history, &history_object),
};
const struct json_object image_config_object =
	JSON_TABLE_OPEN(struct image_config, image_config_fields);
/* clang-format on */

/* Far more than any image has: what makes work of each with each, or a mount, is bounded here. */
#define WORDS_MAX 8192
#define VOLUMES_MAX 1024
#define LAYERS_MAX 4096

static int check_counts(const struct image_config *config, struct error *err)
{
	static const struct image_defaults none;
	const struct image_defaults *defaults = config->config ? config->config : &none;
	const struct {
		const char *pointer;
		size_t count, max;
	} lists[] = {
		{ "/config/Env", defaults->env.count, WORDS_MAX },
		{ "/config/Entrypoint", defaults->entrypoint.count, WORDS_MAX },
		{ "/config/Cmd", defaults->cmd.count, WORDS_MAX },
		{ "/config/Shell", defaults->shell.count, WORDS_MAX },
		{ "/config/OnBuild", defaults->on_build.count, WORDS_MAX },
		{ "/config/Volumes", defaults->volumes.count, VOLUMES_MAX },
		{ "/rootfs/diff_ids", config->rootfs->diff_ids.count, LAYERS_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		int ret;

		if (lists[i].count <= lists[i].max)
			continue;
		ret = error_invalid(err, "%s has %zu entries, an image may have %zu",
				    lists[i].pointer, lists[i].count, lists[i].max);
		return error_pointer(err, ret, "%s", lists[i].pointer);
	}
	return 0;
}

int image_config_check(const struct image_config *config, struct error *err)
{
	const struct image_rootfs *rootfs = config->rootfs;
	int ret;

	if (strcmp(rootfs->type, "layers") != 0) {
		ret = error_invalid(err, "/rootfs/type: \"%s\" is not \"layers\"", rootfs->type);
		return error_pointer(err, ret, "/rootfs/type");
	}
	ret = check_counts(config, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < rootfs->diff_ids.count; i++) {
		if (descriptor_digest_is_valid(rootfs->diff_ids.items[i]))
			continue;
		ret = error_invalid(err, "/rootfs/diff_ids/%zu: \"%s\" is not a digest", i,
				    rootfs->diff_ids.items[i]);
		return error_pointer(err, ret, "/rootfs/diff_ids/%zu", i);
	}
	return 0;
}

int image_config_decode(const char *name, const char *text, size_t size, struct arena *arena,
			struct image_config **out, struct error *err)
{
	const struct json_source source = { .name = name,
					    .text = text,
					    .size = size,
					    .max_size = IMAGE_DOCUMENT_MAX,
					    .flags = JSON_LAST_WINS };
	struct image_config *config = arena_alloc(arena, sizeof(*config));
	int ret = json_decode(&source, &image_config_object, arena, config, err);

	if (ret < 0)
		return ret;
	ret = image_config_check(config, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", name);
	*out = config;
	return 0;
}

void image_config_write(const struct image_config *config, enum json_style style,
			struct strbuf *out)
{
	json_encode(&image_config_object, config, style, out);
}

struct image_history *image_config_add_history(struct image_config *config, struct arena *arena)
{
	struct image_history *items;

	items = arena_alloc(arena, (config->history.count + 1) * sizeof(*items));
	if (config->history.count)
		memcpy(items, config->history.items, config->history.count * sizeof(*items));
	config->history.items = items;
	return &items[config->history.count++];
}
