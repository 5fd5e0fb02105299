/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes given on the command line. */
#include "builder/container/volume.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/path.h"

static int parse_options(const char *text, const char *options, bool *out_read_only,
			 struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;

	strv_split(&words, options, ',');
	for (size_t i = 0; i < words.count; i++) {
		if (strcmp(words.items[i], "ro") == 0)
			*out_read_only = true;
		else if (strcmp(words.items[i], "rw") == 0)
			*out_read_only = false;
		else
			return error_invalid(err, "volume \"%s\": unknown option \"%s\" (ro, rw)",
					     text, words.items[i]);
	}
	return 0;
}

static int parse_one(const char *text, struct arena *arena, struct run_volume *out,
		     struct error *err)
{
	cleanup_strv struct strv parts = STRV_INIT;
	cleanup_free char *source = NULL, *target = NULL;
	int ret;

	strv_split(&parts, text, ':');
	if (parts.count < 2 || parts.count > 3 || !*parts.items[0])
		return error_invalid(err, "volume \"%s\": expected SOURCE:TARGET[:ro]", text);
	if (parts.items[1][0] != '/')
		return error_invalid(err, "volume \"%s\": the target must be an absolute path",
				     text);
	source = path_absolute(parts.items[0]);
	target = path_clean(parts.items[1]);
	if (!source)
		return error_errno(err, errno, "volume \"%s\": working directory", text);
	if (strcmp(target, "/") == 0)
		return error_invalid(err, "volume \"%s\": the target must not be /", text);
	if (access(source, F_OK) < 0)
		return error_errno(err, errno, "volume \"%s\": source \"%s\"", text, source);
	*out = (struct run_volume){ arena_strdup(arena, source), arena_strdup(arena, target),
				    false };
	ret = parts.count == 3 ? parse_options(text, parts.items[2], &out->read_only, err) : 0;
	return ret;
}

int volumes_parse(const struct strv *texts, struct arena *arena, struct run_volume **out,
		  size_t *out_count, struct error *err)
{
	struct run_volume *items = arena_alloc(arena, texts->count * sizeof(*items));

	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_one(texts->items[i], arena, &items[i], err);

		if (ret < 0)
			return ret;
	}
	*out = items;
	*out_count = texts->count;
	return 0;
}
