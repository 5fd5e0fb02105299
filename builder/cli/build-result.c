/* SPDX-License-Identifier: Apache-2.0 */
/* See build-result.h. */
#include "builder/cli/build-result.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/format.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/json-write.h"

void build_result_done(struct build_result *result)
{
	store_ref_done(&result->ref);
	strv_done(&result->names);
	free(result->created);
}

void build_result_count(struct build_result *result, const struct graph *graph)
{
	for (size_t i = 0; i < graph->order_count; i++) {
		const struct graph_stage *stage = graph->order[i];

		result->steps += stage->step_count;
		for (size_t j = 0; j < stage->step_count; j++)
			result->cached += stage->steps[j]->cached;
	}
}

/* The id of an image for several platforms is that of the index. */
static bool is_index(const struct build_result *result)
{
	return strcmp(result->image_id.text, result->ref.digest.text) == 0;
}

int build_result_measure(struct build_result *result, struct store *store, const char *platform,
			 struct error *err)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = image_load_ref_for(store, &result->ref, platform, &image, err);

	if (ret < 0)
		return ret;
	result->size = image_size(&image);
	free(result->created);
	result->created = NULL;
	if (image.config->created && !is_index(result))
		result->created = xstrdup(image.config->created);
	return 0;
}

/* -- as JSON -------------------------------------------------------------------------------------
 */

static void write_build(const struct build_result *result, struct json_writer *json)
{
	cleanup_free char *seconds = xasprintf("%.3f", (double)result->us / 1e6);

	json_begin_object(json);
	if (result->number)
		json_put_u64(json, "number", result->number);
	json_put_u64(json, "steps", result->steps);
	json_put_u64(json, "cached", result->cached);
	json_put_u64(json, "warnings", result->warnings);
	json_put_u64(json, "size", result->size);
	json_key(json, "seconds");
	json_raw(json, seconds);
	json_end_object(json);
}

static void write_descriptor(const struct build_result *result, struct json_writer *json)
{
	json_begin_object(json);
	if (!is_index(result)) {
		json_key(json, "annotations");
		json_begin_object(json);
		json_put_string(json, "config.digest", result->image_id.text);
		if (result->created)
			json_put_string(json, "org.opencontainers.image.created", result->created);
		json_end_object(json);
	}
	json_put_string(json, "mediaType", result->ref.media_type);
	json_put_string(json, "digest", result->ref.digest.text);
	json_put_u64(json, "size", result->ref.size);
	json_end_object(json);
}

static void write_image(const struct build_result *result, struct json_writer *json)
{
	cleanup_strbuf struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < result->names.count; i++)
		strbuf_addf(&names, "%s%s", i ? "," : "", result->names.items[i]);
	if (!is_index(result))
		json_put_string(json, "containerimage.config.digest", result->image_id.text);
	json_key(json, "containerimage.descriptor");
	write_descriptor(result, json);
	json_put_string(json, "containerimage.digest", result->ref.digest.text);
	if (names.size)
		json_put_string(json, "image.name", names.data);
}

/* buildx: builder, node and build, by which its history has it. */
static void write_build_ref(const struct build_result *result, struct json_writer *json)
{
	cleanup_free char *ref = xasprintf("orlop/orlop/%" PRIu64, result->number);

	if (result->number)
		json_put_string(json, "buildx.build.ref", ref);
}

static void write_result(const struct build_result *result, enum json_style style,
			 struct strbuf *out)
{
	struct json_writer json = { .out = out, .style = style };

	json_begin_object(&json);
	write_build_ref(result, &json);
	write_image(result, &json);
	json_key(&json, "orlop.build");
	write_build(result, &json);
	json_end_object(&json);
	strbuf_addc(out, '\n');
}

int build_result_write(const struct build_result *result, const char *path, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	write_result(result, JSON_INDENT_2, &text);
	return io_write_result(path, text.data, text.size, err);
}

/* -- for people ----------------------------------------------------------------------------------
 */

static void print_summary(const struct build_result *result, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "Built %s\n", result->image_id.text);
	for (size_t i = 0; i < result->names.count; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "  named ", result->names.items[i]);
	if (result->names.count)
		strbuf_addc(&text, '\n');
	strbuf_addf(&text, "  %zu step%s, %zu cached, in ", result->steps,
		    result->steps == 1 ? "" : "s", result->cached);
	format_duration((double)result->us / 1e6, &text);
	strbuf_adds(&text, "; ");
	format_size(result->size, &text);
	if (result->warnings)
		strbuf_addf(&text, "; %zu warning%s", result->warnings,
			    result->warnings == 1 ? "" : "s");
	fprintf(out, "%s\n", strbuf_text(&text));
}

void build_result_print(const struct build_result *result, enum progress_kind kind, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	switch (kind) {
	case PROGRESS_AUTO:
	case PROGRESS_PLAIN:
	case PROGRESS_TTY:
		print_summary(result, out);
		break;
	case PROGRESS_RAWJSON:
		write_result(result, JSON_COMPACT, &text);
		fputs(text.data, out);
		break;
	case PROGRESS_QUIET:
		puts(result->image_id.text);
		break;
	case PROGRESS_NONE:
		break;
	}
}
