/* SPDX-License-Identifier: Apache-2.0 */
/* Reading --cache-to and --cache-from. */
#include "builder/build/cache-options.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/table.h"

/* A field on its way. */
struct field {
	const char *name, *value;
	struct arena *arena;
	struct cache_option *out;
	bool has_type;
};

static int bad_value(const struct field *field, const char *wanted, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "%s is %s, not \"%s\"", field->name, wanted,
			 field->value);
}

static int read_type(struct field *field, struct error *err)
{
	static const char *const types[] = { "local", "registry", "inline" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(field->value, types[i]) != 0)
			continue;
		field->out->type = (enum cache_type)i;
		field->has_type = true;
		return 0;
	}
	return error_set(err, ERROR_UNSUPPORTED, 0,
			 "the type \"%s\" is not supported (local, registry and inline are)",
			 field->value);
}

static int read_path(struct field *field, struct error *err)
{
	(void)err;
	field->out->path = arena_strdup(field->arena, field->value);
	return 0;
}

static int read_ref(struct field *field, struct error *err)
{
	(void)err;
	field->out->ref = arena_strdup(field->arena, field->value);
	return 0;
}

static int read_tag(struct field *field, struct error *err)
{
	(void)err;
	field->out->tag = arena_strdup(field->arena, field->value);
	return 0;
}

static int read_digest(struct field *field, struct error *err)
{
	struct digest ignored;

	field->out->digest = arena_strdup(field->arena, field->value);
	return digest_parse(field->value, &ignored, err);
}

static int read_mode(struct field *field, struct error *err)
{
	field->out->all_stages = strcmp(field->value, "max") == 0;
	if (!field->out->all_stages && strcmp(field->value, "min") != 0)
		return bad_value(field, "min or max", err);
	return 0;
}

static int read_bool(const struct field *field, bool *out, struct error *err)
{
	*out = strcmp(field->value, "true") == 0 || strcmp(field->value, "1") == 0;
	if (!*out && strcmp(field->value, "false") != 0 && strcmp(field->value, "0") != 0)
		return bad_value(field, "true or false", err);
	return 0;
}

static int read_mounts(struct field *field, struct error *err)
{
	return read_bool(field, &field->out->mounts, err);
}

static int read_mounts_max(struct field *field, struct error *err)
{
	field->out->mounts = true;
	return number_parse_size(field->value, &field->out->mounts_max) < 0
		       ? bad_value(field, "a size", err)
		       : 0;
}

static int read_ignore_error(struct field *field, struct error *err)
{
	return read_bool(field, &field->out->ignore_error, err);
}

static int read_compression(struct field *field, struct error *err)
{
	field->out->compress = strcmp(field->value, "zstd") == 0;
	if (!field->out->compress && strcmp(field->value, "uncompressed") != 0)
		return bad_value(field, "zstd or uncompressed", err);
	return 0;
}

/* What BuildKit can be told, and what is always so here. */
static int read_always(struct field *field, struct error *err)
{
	bool value;
	int ret = read_bool(field, &value, err);

	return ret < 0 || value ? ret : bad_value(field, "always true here", err);
}

enum side { FROM = 1, TO = 2 };

/* clang-format off */
static const struct {
	const char *name;
	int sides;
	int (*read)(struct field *field, struct error *err);
} field_table[] = {
	{ "type", FROM | TO, read_type },
	{ "src", FROM, read_path },
	{ "dest", TO, read_path },
	{ "ref", FROM | TO, read_ref },
	{ "tag", FROM | TO, read_tag },
	{ "digest", FROM, read_digest },
	{ "mode", TO, read_mode },
	{ "mounts", TO, read_mounts },
	{ "mounts-max", TO, read_mounts_max },
	{ "ignore-error", TO, read_ignore_error },
	{ "compression", TO, read_compression },
	{ "oci-mediatypes", TO, read_always },
	{ "image-manifest", TO, read_always },
};
/* clang-format on */

static int read_field(struct field *field, const char *text, bool to, struct error *err)
{
	size_t size = strcspn(text, "=");
	cleanup_free char *name = xstrndup(text, size);

	field->name = name;
	field->value = text + size + (text[size] == '=');
	if (!*field->value)
		return error_set(err, ERROR_USAGE, 0, "\"%s\" has no value", text);
	for (size_t i = 0; i < ARRAY_SIZE(field_table); i++)
		if (strcmp(field_table[i].name, name) == 0 &&
		    field_table[i].sides & (to ? TO : FROM))
			return field_table[i].read(field, err);
	return error_set(err, ERROR_USAGE, 0, "unexpected field \"%s\"", name);
}

/* What each type needs. */
static int check(const struct cache_option *option, bool to, struct error *err)
{
	if (option->type == CACHE_LOCAL && !option->path)
		return error_set(err, ERROR_USAGE, 0, "type=local needs %s=FOLDER",
				 to ? "dest" : "src");
	if (option->type == CACHE_REGISTRY && !option->ref)
		return error_set(err, ERROR_USAGE, 0, "type=registry needs ref=IMAGE");
	if (option->type == CACHE_INLINE && !to)
		return error_set(err, ERROR_USAGE, 0,
				 "an inline cache is read with type=registry or type=local");
	if (option->type == CACHE_INLINE && (option->all_stages || option->mounts))
		return error_set(err, ERROR_USAGE, 0,
				 "an inline cache has the steps of the result and nothing else");
	return 0;
}

static int parse_one(const char *text, bool to, struct arena *arena, struct cache_option *out,
		     struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;
	struct field field = { .arena = arena, .out = out };
	int ret = 0;

	*out = (struct cache_option){ .text = text,
				      .mounts_max = CACHE_MOUNT_MAX,
				      .compress = true };
	if (!strchr(text, '=')) { /* as docker build has it */
		out->type = CACHE_REGISTRY;
		out->ref = text;
		return *text ? 0 : error_set(err, ERROR_USAGE, 0, "it is empty");
	}
	strv_split(&fields, text, ',');
	for (size_t i = 0; i < fields.count && ret == 0; i++)
		ret = read_field(&field, fields.items[i], to, err);
	if (ret == 0 && !field.has_type)
		ret = error_set(err, ERROR_USAGE, 0, "type= is missing");
	return ret < 0 ? ret : check(out, to, err);
}

int cache_options_parse(const struct strv *texts, bool to, struct arena *arena,
			struct cache_option **out, size_t *out_count, struct error *err)
{
	struct cache_option *options = arena_alloc(arena, texts->count * sizeof(*options));

	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_one(texts->items[i], to, arena, &options[i], err);

		if (ret < 0)
			return error_prefix(err, ret, "--cache-%s %s", to ? "to" : "from",
					    texts->items[i]);
	}
	*out = options;
	*out_count = texts->count;
	return 0;
}
