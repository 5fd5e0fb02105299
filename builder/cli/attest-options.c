/* SPDX-License-Identifier: Apache-2.0 */
/* Reading --provenance, --sbom and --attest, which say the same in several ways, as buildx's do. */
#include "builder/cli/attest-options.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/csv.h"
#include "lib/table.h"

static const struct name_value bools[] = {
	{ "true", true }, { "1", true }, { "false", false }, { "0", false }, { NULL, 0 }
};

static int bad(const char *what, const char *text, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "%s: unexpected \"%s\"", what, text);
}

static int read_mode(const char *value, struct attest_options *out, struct error *err)
{
	static const struct name_value modes[] = { { "min", PROVENANCE_MIN },
						   { "max", PROVENANCE_MAX },
						   { NULL, 0 } };
	const struct name_value *mode = table_find(modes, value);

	if (!mode)
		return error_set(err, ERROR_USAGE, 0, "mode is min or max, not \"%s\"", value);
	out->provenance = (enum provenance_mode)mode->value;
	return 0;
}

static int read_version(const char *value, struct error *err)
{
	return strcmp(value, "v1") == 0
		       ? 0
		       : error_set(err, ERROR_UNSUPPORTED, 0,
				   "the provenance is SLSA's version 1 (version=v1)");
}

static int refuse_generator(struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, 0,
			 "the list of packages is made by orlop-builder: no generator= is run");
}

/* "true", "mode=max,builder-id=URI"; type: "provenance" or "sbom". */
static int read_fields(const char *type, const struct strv *fields, struct arena *arena,
		       struct attest_options *out, struct error *err)
{
	bool is_sbom = strcmp(type, "sbom") == 0, on = true;
	int ret = 0;

	if (!is_sbom && out->provenance == PROVENANCE_NONE)
		out->provenance = PROVENANCE_MIN;
	for (size_t i = 0; ret == 0 && i < fields->count; i++) {
		const char *text = fields->items[i];
		const struct name_value *word = table_find(bools, text);

		if (strncmp(text, "disabled=", 9) == 0)
			on = strcmp(text + 9, "true") != 0;
		else if (word)
			on = word->value;
		else if (is_sbom && strncmp(text, "generator=", 10) == 0)
			ret = refuse_generator(err);
		else if (!is_sbom && strncmp(text, "mode=", 5) == 0)
			ret = read_mode(text + 5, out, err);
		else if (!is_sbom && strncmp(text, "builder-id=", 11) == 0)
			out->builder_id = arena_strdup(arena, text + 11);
		else if (!is_sbom && strncmp(text, "version=", 8) == 0)
			ret = read_version(text + 8, err);
		else
			ret = bad(type, text, err);
	}
	if (is_sbom)
		out->sbom = on;
	else if (!on)
		out->provenance = PROVENANCE_NONE;
	return ret;
}

static int split(const char *text, struct strv *fields, struct error *err)
{
	const char *why = "";

	if (*text && csv_split(text, fields, &why) < 0)
		return error_set(err, ERROR_USAGE, 0, "%s", why);
	return 0;
}

static int read_one(const char *type, const char *text, struct arena *arena,
		    struct attest_options *out, struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;
	int ret = split(text, &fields, err);

	return ret < 0 ? ret : read_fields(type, &fields, arena, out, err);
}

static int read_attest(const char *text, struct arena *arena, struct attest_options *out,
		       struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;
	cleanup_free char *type = NULL;
	int ret = split(text, &fields, err);

	for (size_t i = fields.count; ret == 0 && i-- > 0;)
		if (strncmp(fields.items[i], "type=", 5) == 0) {
			free(type);
			type = xstrdup(fields.items[i] + 5);
			strv_remove(&fields, i);
		}
	if (ret == 0 && (!type || (strcmp(type, "sbom") != 0 && strcmp(type, "provenance") != 0)))
		ret = error_set(err, ERROR_USAGE, 0, "type= is provenance or sbom");
	return ret < 0 ? ret : read_fields(type, &fields, arena, out, err);
}

int attest_options_parse(const char *provenance, const char *sbom, const struct strv *attest,
			 struct arena *arena, struct attest_options *out, struct error *err)
{
	int ret = 0;

	*out = (struct attest_options){ .builder_id = "" };
	for (size_t i = 0; ret == 0 && i < attest->count; i++) {
		ret = read_attest(attest->items[i], arena, out, err);
		ret = error_prefix(err, ret, "--attest %s", attest->items[i]);
	}
	if (ret == 0 && provenance)
		ret = error_prefix(err, read_one("provenance", provenance, arena, out, err),
				   "--provenance");
	if (ret == 0 && sbom)
		ret = error_prefix(err, read_one("sbom", sbom, arena, out, err), "--sbom");
	return ret;
}
