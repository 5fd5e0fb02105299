/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's side of secret mounts. */
#include "builder/build/secrets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"

#define SECRET_MAX ((size_t)500 << 10) /* BuildKit's limit */

/* One field of --secret. */
static int read_field(const char *field, struct secret *out, const char **type, struct arena *arena,
		      struct error *err)
{
	static const char *const names[] = { "id", "src", "source", "env", "type" };
	size_t size = strcspn(field, "="), i = 0;
	const char *value = field[size] ? arena_strdup(arena, field + size + 1) : NULL;

	while (i < ARRAY_SIZE(names) &&
	       (strlen(names[i]) != size || strncmp(names[i], field, size) != 0))
		i++;
	if (i == ARRAY_SIZE(names) || !value || !*value)
		return error_set(err, ERROR_USAGE, 0, "unexpected field \"%s\"", field);
	switch (i) {
	case 0:
		out->id = value;
		return 0;
	case 4:
		*type = value;
		return 0;
	default:
		out->source = value;
		out->is_variable = i == 3;
		return 0;
	}
}

static int parse_secret(const char *text, struct arena *arena, struct secret *out,
			struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;
	const char *type = NULL;

	strv_split(&fields, text, ',');
	for (size_t i = 0; i < fields.count; i++) {
		int ret = read_field(fields.items[i], out, &type, arena, err);

		if (ret < 0)
			return ret;
	}
	if (!out->id)
		return error_set(err, ERROR_USAGE, 0, "an id is missing");
	if (type && strcmp(type, "file") != 0 && strcmp(type, "env") != 0)
		return error_set(err, ERROR_USAGE, 0, "the type is file or env, not \"%s\"", type);
	if (!out->source) {
		out->source = out->id;
		out->is_variable = type ? strcmp(type, "env") == 0 : getenv(out->id) != NULL;
	} else if (type) {
		out->is_variable = strcmp(type, "env") == 0;
	}
	if (out->is_variable || access(out->source, R_OK) == 0)
		return 0;
	return error_errno(err, errno, "\"%s\"", out->source);
}

int secrets_parse(const struct strv *texts, struct arena *arena, struct secret **out,
		  size_t *out_count, struct error *err)
{
	struct secret *secrets = arena_alloc(arena, texts->count * sizeof(*secrets));

	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_secret(texts->items[i], arena, &secrets[i], err);

		if (ret < 0)
			return error_prefix(err, ret, "--secret %s", texts->items[i]);
	}
	*out = secrets;
	*out_count = texts->count;
	return 0;
}

const struct secret *secret_find(const struct secret *secrets, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(secrets[i].id, id) == 0)
			return &secrets[i];
	return NULL;
}

int secret_read(const struct secret *secret, struct strbuf *out, struct error *err)
{
	const char *value;
	int ret;

	if (secret->is_variable) {
		value = getenv(secret->source);
		if (!value)
			return error_set(err, ERROR_NOT_FOUND, 0,
					 "secret %s: the variable \"%s\" is not set", secret->id,
					 secret->source);
		strbuf_adds(out, value);
		return 0;
	}
	ret = io_read_file(AT_FDCWD, secret->source, SECRET_MAX, out, err);
	return error_prefix(err, ret, "secret %s", secret->id);
}

void secret_value_done(struct strbuf *value)
{
	if (value->data)
		explicit_bzero(value->data, value->capacity);
	strbuf_done(value);
}
