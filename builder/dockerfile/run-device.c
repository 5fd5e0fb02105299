/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of RUN --device, by BuildKit's rules: fields between commas, keys in any case; the
 * first field that is no key is the name, which has a '=' of its own. Called by instructions.c when
 * the parser meets the flag, and by the planner.
 */
#include "builder/dockerfile/run-device.h"

#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "lib/strv.h"
#include "lib/table.h"

static const struct name_value booleans[] = {
	{ "true", 1 }, { "1", 1 }, { "t", 1 }, { "false", 0 }, { "0", 0 }, { "f", 0 }, { NULL, 0 },
};

static bool is_key(const char *field, const char *key)
{
	size_t size = strcspn(field, "=");

	return strlen(key) == size && strncasecmp(field, key, size) == 0;
}

static int set_required(const char *field, struct run_device *out, struct error *err)
{
	const char *value = strchr(field, '=');
	cleanup_free char *lower = xstrdup(value ? value + 1 : "true");
	const struct name_value *named;

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	named = table_find(booleans, lower);
	if (!named)
		return error_invalid(err, "invalid value for required: %s", value + 1);
	out->required = named->value != 0;
	return 0;
}

static int set_name(const char *name, struct arena *arena, struct run_device *out,
		    struct error *err)
{
	if (out->name)
		return error_invalid(err, "device name already set to %s", out->name);
	out->name = arena_strdup(arena, name);
	return 0;
}

static int read_field(const char *field, struct arena *arena, struct run_device *out,
		      struct error *err)
{
	if (is_key(field, "required"))
		return set_required(field, out, err);
	if (is_key(field, "name") && strchr(field, '='))
		return set_name(strchr(field, '=') + 1, arena, out, err);
	if (!out->name)
		return set_name(field, arena, out, err);
	if (!strchr(field, '='))
		return error_invalid(err, "invalid field '%s' must be a key=value pair", field);
	return error_invalid(err, "unexpected key '%.*s' in '%s'", (int)strcspn(field, "="), field,
			     field);
}

int run_device_parse(const char *text, struct arena *arena, struct run_device *out,
		     struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;

	*out = (struct run_device){ .name = NULL };
	strv_split(&fields, text, ',');
	for (size_t i = 0; i < fields.count; i++) {
		int ret = read_field(fields.items[i], arena, out, err);

		if (ret < 0)
			return ret;
	}
	if (!out->name || !*out->name)
		return error_invalid(err, "a device needs a name: VENDOR/CLASS[=NAME]");
	return 0;
}
