/* SPDX-License-Identifier: Apache-2.0 */
/* See source-json.h; the forms are those of BuildKit's answers. */
#include "builder/dockerfile/source-json.h"

#include "lib/cleanup.h"
#include "lib/strbuf.h"

static void write_position(struct json_writer *json, const char *name, unsigned int line)
{
	json_key(json, name);
	json_begin_object(json);
	json_key(json, "line");
	json_u64(json, line);
	json_end_object(json);
}

void source_write_location(struct json_writer *json, const struct source_range *range)
{
	json_key(json, "location");
	json_begin_object(json);
	json_key(json, "ranges");
	json_begin_array(json);
	for (unsigned int line = range->first; line <= range->last; line++) {
		json_begin_object(json);
		write_position(json, "start", line);
		write_position(json, "end", line);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

void source_write_base64(struct json_writer *json, const struct source_text *source)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < source->count; i++) {
		strbuf_adds(&text, source->lines[i].text);
		strbuf_adds(&text, source->lines[i].ending);
	}
	json_base64(json, text.data, text.size);
}
