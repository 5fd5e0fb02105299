/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a document, and where: pointer, line and column of what is being decoded.
 */
#include "spec/json-decoder.h"

#include <string.h>

#include <yajl/yajl_parse.h>

#include "lib/cleanup.h"

size_t json_consumed(const struct json_decoder *decoder)
{
	size_t offset = yajl_get_bytes_consumed(decoder->yajl);

	return offset < decoder->source->size && !decoder->at_end ? offset : decoder->source->size;
}

/* Where the token that yajl reports right now begins. */
size_t json_token_start(const struct json_decoder *decoder)
{
	const char *text = decoder->source->text;
	size_t offset = decoder->token_end;

	/* \v and \f are no blanks of JSON, but yajl takes them as such */
	while (offset < decoder->source->size && text[offset] &&
	       strchr(" \t\r\n\v\f,:", text[offset]))
		offset++;
	return offset;
}

static void pointer_build(const struct json_decoder *decoder, struct strbuf *pointer)
{
	/* the first frame stands for the document itself */
	for (unsigned int i = 1; i < decoder->depth; i++) {
		const struct json_frame *frame = &decoder->frames[i];

		if (json_frame_is_struct(frame)) {
			if (frame->current)
				json_pointer_add(pointer, frame->current->name);
			else if (frame->key)
				json_pointer_add(pointer, frame->key);
		} else if (json_frame_is_map(frame)) {
			if (frame->key)
				json_pointer_add(pointer, frame->key);
		} else {
			strbuf_addf(pointer, "/%zu", frame->count);
		}
	}
}

static void position_find(const struct json_source *source, size_t offset, size_t *line,
			  size_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset && i < source->size; i++) {
		if (source->text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)source->text[i] & 0xc0) != 0x80) {
			++*column; /* a character, not a byte of one */
		}
	}
}

/* A message of the caller's that wants no list. */
static void error_fill(struct json_decoder *decoder, const char *pointer, size_t offset,
		       const char *message)
{
	struct error *err = decoder->err;
	size_t line, column;

	position_find(decoder->source, offset, &line, &column);
	(void)error_invalid(err, "%s", message);
	if (*pointer) {
		(void)error_prefix(err, -EINVAL, "%s", pointer);
		(void)error_pointer(err, -EINVAL, "%s", pointer);
	}
	(void)error_prefix(err, -EINVAL, "%s:%zu:%zu", decoder->source->name, line, column);
	(void)error_phase(err, -EINVAL, PHASE_CONFIG);
}

struct finding *json_report_at(struct json_decoder *decoder, const char *rule, size_t offset,
			       const char *format, ...)
{
	cleanup_strbuf struct strbuf pointer = STRBUF_INIT, message = STRBUF_INIT;
	struct finding *finding = NULL;
	va_list ap;

	va_start(ap, format);
	strbuf_vaddf(&message, format, ap);
	va_end(ap);
	pointer_build(decoder, &pointer);
	if (!decoder->ret)
		error_fill(decoder, strbuf_text(&pointer), offset, strbuf_text(&message));
	decoder->ret = -EINVAL;
	if (decoder->findings)
		finding = findings_add(decoder->findings, rule, strbuf_text(&pointer), "%s",
				       strbuf_text(&message));
	if (finding)
		finding->offset = offset;
	return finding;
}

bool json_goes_on(const struct json_decoder *decoder)
{
	return decoder->findings && !decoder->findings->dropped;
}
