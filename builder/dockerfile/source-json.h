/* SPDX-License-Identifier: Apache-2.0 */
/* Places in a Dockerfile, and the Dockerfile itself, as members of JSON documents. */
#ifndef BUILDER_DOCKERFILE_SOURCE_JSON_H
#define BUILDER_DOCKERFILE_SOURCE_JSON_H

#include "builder/dockerfile/lines.h"
#include "spec/json-write.h"

/** "location": {"ranges": [{"start": {"line": 1}, "end": {"line": 1}}, one for each line]} */
void source_write_location(struct json_writer *json, const struct source_range *range);

/** A string: the text in base64. */
void source_write_base64(struct json_writer *json, const struct source_text *source);

#endif
