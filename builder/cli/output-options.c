/* SPDX-License-Identifier: Apache-2.0 */
/* Reading --output, --push, --load, --format and --annotation. */
#include "builder/cli/output-options.h"

#include <string.h>

#include "builder/cli/cli.h"
#include "lib/cleanup.h"
#include "lib/csv.h"
#include "lib/table.h"

/* A field on its way. */
struct field {
	const char *name, *value;
	struct arena *arena;
	struct output_option *out;
	const char *level;
	const char *compression;
	bool has_type;
};

static int bad_value(const struct field *field, const char *wanted, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "%s is %s, not \"%s\"", field->name, wanted,
			 field->value);
}

static int read_bool(const struct field *field, bool *out, struct error *err)
{
	static const struct name_value words[] = {
		{ "true", true },   { "1", true },  { "", true },
		{ "false", false }, { "0", false }, { NULL, 0 }
	};
	const struct name_value *word = table_find(words, field->value);

	if (!word)
		return bad_value(field, "true or false", err);
	*out = word->value;
	return 0;
}

static int read_type(struct field *field, struct error *err)
{
	static const struct name_value types[] = {
		{ "image", OUTPUT_IMAGE },
		{ "registry", OUTPUT_IMAGE },
		{ "oci", OUTPUT_OCI },
		{ "docker", OUTPUT_DOCKER },
		{ "local", OUTPUT_LOCAL },
		{ "tar", OUTPUT_TAR },
		{ NULL, 0 },
	};
	const struct name_value *type = table_find(types, field->value);

	if (!type)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the type \"%s\" is not supported (image, registry, oci, docker, "
				 "local and tar are)",
				 field->value);
	field->out->type = (enum output_type)type->value;
	field->out->push |= strcmp(field->value, "registry") == 0;
	field->has_type = true;
	return 0;
}

static int read_dest(struct field *field, struct error *err)
{
	if (!*field->value)
		return bad_value(field, "a file or folder", err);
	field->out->dest = arena_strdup(field->arena, field->value);
	return 0;
}

/* Several, with commas: in one field that is quoted. */
static int read_name(struct field *field, struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	int ret = 0;

	strv_split(&names, field->value, ',');
	field->out->names = arena_alloc(field->arena, names.count * sizeof(*field->out->names));
	for (size_t i = 0; ret == 0 && i < names.count; i++)
		ret = cli_read_name(names.items[i], &field->out->names[field->out->name_count++],
				    err);
	return ret;
}

static int read_push(struct field *field, struct error *err)
{
	return read_bool(field, &field->out->push, err);
}

static int read_by_digest(struct field *field, struct error *err)
{
	return read_bool(field, &field->out->by_digest, err);
}

static int read_insecure(struct field *field, struct error *err)
{
	return read_bool(field, &field->out->insecure, err);
}

static int read_tar(struct field *field, struct error *err)
{
	bool tar = true;
	int ret = read_bool(field, &tar, err);

	field->out->folder = !tar;
	return ret;
}

static int read_mode(struct field *field, struct error *err)
{
	field->out->exact = strcmp(field->value, "delete") == 0;
	if (!field->out->exact && strcmp(field->value, "copy") != 0)
		return bad_value(field, "copy or delete", err);
	return 0;
}

static int read_compression(struct field *field, struct error *err)
{
	(void)err;
	field->compression = arena_strdup(field->arena, field->value);
	return 0;
}

static int read_level(struct field *field, struct error *err)
{
	(void)err;
	field->level = arena_strdup(field->arena, field->value);
	return 0;
}

static int read_force(struct field *field, struct error *err)
{
	return read_bool(field, &field->out->all, err);
}

static int read_oci_types(struct field *field, struct error *err)
{
	bool oci = true;
	int ret = read_bool(field, &oci, err);

	field->out->format = oci ? IMAGE_FORMAT_OCI : IMAGE_FORMAT_DOCKER;
	return ret;
}

static int read_rewrite(struct field *field, struct error *err)
{
	return read_bool(field, &field->out->rewrite_timestamp, err);
}

/* Layers are unpacked, and what is written is stored, whatever this says. */
static int read_always(struct field *field, struct error *err)
{
	bool value;

	return read_bool(field, &value, err);
}

#define SIDE(type) (1 << (type))
#define IMAGES (SIDE(OUTPUT_IMAGE) | SIDE(OUTPUT_OCI) | SIDE(OUTPUT_DOCKER))
#define FILES (SIDE(OUTPUT_OCI) | SIDE(OUTPUT_DOCKER) | SIDE(OUTPUT_LOCAL) | SIDE(OUTPUT_TAR))

/* clang-format off */
static const struct {
	const char *name;
	int types; /* that take it */
	int (*read)(struct field *field, struct error *err);
} field_table[] = {
	{ "dest",              FILES,              read_dest },
	{ "name",              IMAGES,             read_name },
	{ "push",              SIDE(OUTPUT_IMAGE), read_push },
	{ "push-by-digest",    SIDE(OUTPUT_IMAGE), read_by_digest },
	{ "registry.insecure", SIDE(OUTPUT_IMAGE), read_insecure },
	{ "unpack",            SIDE(OUTPUT_IMAGE), read_always },
	{ "store",             SIDE(OUTPUT_IMAGE), read_always },
	{ "tar",               SIDE(OUTPUT_OCI),   read_tar },
	{ "mode",              SIDE(OUTPUT_LOCAL), read_mode },
	{ "compression",       IMAGES,             read_compression },
	{ "compression-level", IMAGES,             read_level },
	{ "force-compression", IMAGES,             read_force },
	{ "oci-mediatypes",    IMAGES,             read_oci_types },
	{ "rewrite-timestamp", IMAGES | FILES,     read_rewrite },
};
/* clang-format on */

#define ANNOTATION "annotation."

/* KEY or "manifest:KEY", "index:KEY", "manifest-descriptor:KEY", and several of the words. */
static int add_annotation(struct output_option *out, const char *key, const char *value,
			  struct error *err)
{
	const struct {
		const char *name;
		struct strv *list;
	} places[] = {
		{ "manifest", &out->annotations },
		{ "index", &out->index_annotations },
		{ "manifest-descriptor", &out->descriptor_annotations },
	};
	const char *colon = strchr(key, ':');
	cleanup_free char *words = xstrndup(key, colon ? (size_t)(colon - key) : 0);
	cleanup_strv struct strv list = STRV_INIT;

	strv_split(&list, colon ? words : "manifest", ',');
	key = colon ? colon + 1 : key;
	if (!*key)
		return error_set(err, ERROR_USAGE, 0, "an annotation has no name");
	for (size_t i = 0; i < list.count; i++) {
		size_t j = 0;

		while (j < ARRAY_SIZE(places) && strcmp(places[j].name, list.items[i]) != 0)
			j++;
		if (j == ARRAY_SIZE(places))
			return error_set(err, ERROR_UNSUPPORTED, 0,
					 "annotations are for manifest, index or "
					 "manifest-descriptor, not for \"%s\"",
					 list.items[i]);
		strv_addf(places[j].list, "%s=%s", key, value);
	}
	return 0;
}

static bool has_annotations(const struct output_option *option)
{
	return option->annotations.count || option->index_annotations.count ||
	       option->descriptor_annotations.count;
}

static int read_field(struct field *field, const char *text, struct error *err)
{
	size_t size = strcspn(text, "=");
	cleanup_free char *name = xstrndup(text, size);
	struct suggestion near = { .word = name };
	int ret;

	field->name = name;
	field->value = text + size + (text[size] == '=');
	if (strcmp(name, "type") == 0)
		return 0;
	if (strncmp(name, ANNOTATION, strlen(ANNOTATION)) == 0)
		return add_annotation(field->out, name + strlen(ANNOTATION), field->value, err);
	for (size_t i = 0; i < ARRAY_SIZE(field_table); i++) {
		suggestion_consider(&near, field_table[i].name);
		if (strcmp(field_table[i].name, name) != 0)
			continue;
		if (field_table[i].types & SIDE(field->out->type))
			return field_table[i].read(field, err);
		return error_set(err, ERROR_USAGE, 0, "%s is not for this type", name);
	}
	ret = error_set(err, ERROR_USAGE, 0, "unexpected field \"%s\"", name);
	return near.best ? error_suffix(err, ret, " (did you mean %s?)", near.best) : ret;
}

/* The type decides about the others, wherever it stands. */
static int find_type(struct field *field, const struct strv *fields, struct error *err)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (strncmp(fields->items[i], "type=", 5) != 0)
			continue;
		field->name = "type";
		field->value = fields->items[i] + 5;
		return read_type(field, err);
	}
	return error_set(err, ERROR_USAGE, 0, "type= is missing");
}

/* What each type needs, and has when nothing is said. */
static int check(struct field *field, struct error *err)
{
	struct output_option *out = field->out;
	bool compressed = out->push || out->type == OUTPUT_OCI;
	int ret;

	if ((out->type == OUTPUT_LOCAL || out->type == OUTPUT_TAR || out->type == OUTPUT_OCI) &&
	    !out->dest)
		return error_set(err, ERROR_USAGE, 0, "dest= is missing");
	if (out->dest && strcmp(out->dest, "-") == 0 && (out->folder || out->type == OUTPUT_LOCAL))
		return error_set(err, ERROR_USAGE, 0, "a folder cannot be standard output");
	out->has_compression = field->compression || field->level || compressed;
	ret = compression_parse(field->compression, field->level, &out->compression, err);
	if (ret == 0 && out->all && !out->has_compression)
		return error_set(err, ERROR_USAGE, 0, "force-compression needs compression=");
	if (ret == 0 && out->format == IMAGE_FORMAT_DOCKER && has_annotations(out))
		return error_set(err, ERROR_USAGE, 0, "docker's manifests have no annotations");
	return ret;
}

/* "-" is a tar to standard output, a path a folder: as BuildKit has it. */
static bool read_short(const char *text, struct output_option *out)
{
	if (strchr(text, '=') || !*text)
		return false;
	out->type = strcmp(text, "-") == 0 ? OUTPUT_TAR : OUTPUT_LOCAL;
	out->dest = text;
	return true;
}

static int parse_one(const char *text, struct arena *arena, struct output_option *out,
		     struct error *err)
{
	struct field field = { .arena = arena, .out = out };
	cleanup_strv struct strv fields = STRV_INIT;
	const char *why = "";
	int ret;

	out->text = text;
	if (read_short(text, out))
		return 0;
	if (csv_split(text, &fields, &why) < 0)
		return error_set(err, ERROR_USAGE, 0, "%s", why);
	ret = find_type(&field, &fields, err);
	for (size_t i = 0; i < fields.count && ret == 0; i++)
		ret = read_field(&field, fields.items[i], err);
	return ret < 0 ? ret : check(&field, err);
}

/* -- what is said for all ------------------------------------------------------------------------
 */

static int read_format(const char *text, enum image_format *out, struct error *err)
{
	static const struct name_value formats[] = { { "oci", IMAGE_FORMAT_OCI },
						     { "docker", IMAGE_FORMAT_DOCKER },
						     { NULL, 0 } };
	const struct name_value *format = text ? table_find(formats, text) : NULL;

	if (text && !format)
		return error_set(err, ERROR_USAGE, 0, "--format is oci or docker, not \"%s\"",
				 text);
	*out = format ? (enum image_format)format->value : IMAGE_FORMAT_SAME;
	return 0;
}

static int add_common(struct output_option *out, const struct output_words *words,
		      enum image_format format, struct error *err)
{
	int ret = 0;

	if (out->format == IMAGE_FORMAT_SAME)
		out->format = format;
	for (size_t i = 0; ret == 0 && i < words->annotations->count; i++) {
		char *text = words->annotations->items[i];
		cleanup_free char *key = xstrndup(text, strcspn(text, "="));

		ret = text[strlen(key)]
			      ? add_annotation(out, key, text + strlen(key) + 1, err)
			      : error_set(err, ERROR_USAGE, 0, "\"%s\" has no value", text);
		if (ret == 0 && out->format == IMAGE_FORMAT_DOCKER)
			ret = error_set(err, ERROR_USAGE, 0,
					"docker's manifests have no annotations");
		if (ret < 0)
			return error_prefix(err, ret, "--annotation");
	}
	return ret;
}

/* --push is said of the first image that is an output anyhow. */
static bool add_push(struct output_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (options[i].type == OUTPUT_IMAGE) {
			options[i].push = options[i].has_compression = true;
			return true;
		}
	return false;
}

int output_options_parse(const struct output_words *words, struct arena *arena,
			 struct output_option **out, size_t *out_count, struct error *err)
{
	size_t count = 0, room = words->outputs->count + 3;
	struct output_option *options = arena_alloc(arena, room * sizeof(*options));
	enum image_format format = IMAGE_FORMAT_SAME;
	bool has_image = false;
	int ret = read_format(words->format, &format, err);

	*out = options;
	for (size_t i = 0; ret == 0 && i < words->outputs->count; i++) {
		const char *text = words->outputs->items[i];

		ret = parse_one(text, arena, &options[count++], err);
		*out_count = count;
		has_image |= options[count - 1].type == OUTPUT_IMAGE;
		ret = error_prefix(err, ret, "--output %s", text);
	}
	if (ret == 0 && words->push && !add_push(options, count)) {
		ret = parse_one("type=registry", arena, &options[count++], err);
		has_image = true;
	}
	if (ret == 0 && words->load)
		ret = parse_one("type=docker", arena, &options[count++], err);
	if (ret == 0 && !has_image) /* the store has it in any case */
		ret = parse_one("type=image", arena, &options[count++], err);
	*out_count = count;
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = add_common(&options[i], words, format, err);
	return ret;
}

void output_options_done(struct output_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		strv_done(&options[i].annotations);
		strv_done(&options[i].index_annotations);
		strv_done(&options[i].descriptor_annotations);
	}
}
