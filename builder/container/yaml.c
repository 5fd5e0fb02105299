/* SPDX-License-Identifier: Apache-2.0 */
/* See yaml.h. Called by cdi.c. */
#include "builder/container/yaml.h"

#include <errno.h>

#ifdef HAVE_YAML

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

#define DEPTH_MAX 100 /* an alias may stand for what is around it */

struct conversion {
	yaml_document_t document;
	const char *const *literals;
	size_t max;
	struct json_writer writer;
	struct error *err;
};

static const char *node_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool is_among(const char *text, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* 8, -8, 0x8, 0o10, 010: the last as in YAML 1.1, where people write modes like that. */
static bool read_number(const char *text, int64_t *out)
{
	const char *digits = text + (*text == '-' || *text == '+');
	bool octal = strncmp(digits, "0o", 2) == 0;
	int base = strncmp(digits, "0x", 2) == 0 ? 16 : *digits == '0' ? 8 : 10;
	char *end;

	digits += octal || base == 16 ? 2 : 0;
	if (*digits < '0' || strchr("xX+-", *digits))
		return false;
	errno = 0;
	*out = strtoll(digits, &end, base);
	if (*text == '-')
		*out = -*out;
	return !*end && errno == 0;
}

static void write_plain(struct conversion *to, const char *text, bool literal)
{
	static const char *const nothing[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };
	int64_t number;

	if (is_among(text, nothing))
		json_null(&to->writer);
	else if (literal && read_number(text, &number))
		json_i64(&to->writer, number);
	else if (literal && (is_among(text, yes) || is_among(text, no)))
		json_bool(&to->writer, is_among(text, yes));
	else
		json_string(&to->writer, text);
}

static int write_scalar(struct conversion *to, const yaml_node_t *node, bool literal)
{
	if (memchr(node_text(node), '\0', node->data.scalar.length))
		return error_invalid(to->err, "line %zu: a NUL byte", node->start_mark.line + 1);
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		write_plain(to, node_text(node), literal);
	else
		json_string(&to->writer, node_text(node));
	return 0;
}

static int write_node(struct conversion *to, int id, bool literal, unsigned int depth);

static int write_sequence(struct conversion *to, const yaml_node_t *node, bool literal,
			  unsigned int depth)
{
	int ret = 0;

	json_begin_array(&to->writer);
	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top && ret == 0; item++)
		ret = write_node(to, *item, literal, depth);
	json_end_array(&to->writer);
	return ret;
}

static int write_mapping(struct conversion *to, const yaml_node_t *node, unsigned int depth)
{
	int ret = 0;

	json_begin_object(&to->writer);
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top && ret == 0; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&to->document, pair->key);

		if (key->type != YAML_SCALAR_NODE || strcmp(node_text(key), "<<") == 0 ||
		    memchr(node_text(key), '\0', key->data.scalar.length))
			return error_invalid(to->err, "line %zu: such a key is not supported",
					     key->start_mark.line + 1);
		json_key(&to->writer, node_text(key));
		ret = write_node(to, pair->value, is_among(node_text(key), to->literals), depth);
	}
	json_end_object(&to->writer);
	return ret;
}

static int write_node(struct conversion *to, int id, bool literal, unsigned int depth)
{
	const yaml_node_t *node = yaml_document_get_node(&to->document, id);

	if (depth >= DEPTH_MAX || to->writer.out->size > to->max)
		return error_invalid(to->err, "line %zu: the document is too large or too deep",
				     node->start_mark.line + 1);
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return write_sequence(to, node, literal, depth + 1);
	case YAML_MAPPING_NODE:
		return write_mapping(to, node, depth + 1);
	default:
		return write_scalar(to, node, literal);
	}
}

static int convert(struct conversion *to)
{
	const yaml_node_t *root = yaml_document_get_root_node(&to->document);

	if (!root)
		return error_invalid(to->err, "there is no document");
	return write_node(to, (int)(root - to->document.nodes.start) + 1, false, 0);
}

int yaml_to_json(const struct strbuf *text, const char *const *literals, size_t max,
		 struct strbuf *out, struct error *err)
{
	struct conversion to = {
		.literals = literals, .max = max, .writer = { .out = out }, .err = err
	};
	yaml_parser_t parser;
	int ret;

	if (!yaml_parser_initialize(&parser))
		return error_errno(err, ENOMEM, "begin to read YAML");
	yaml_parser_set_input_string(&parser, (const unsigned char *)strbuf_text(text), text->size);
	if (!yaml_parser_load(&parser, &to.document)) {
		ret = error_invalid(err, "line %zu: %s", parser.problem_mark.line + 1,
				    parser.problem ? parser.problem : "no memory");
	} else {
		ret = convert(&to);
		yaml_document_delete(&to.document);
	}
	yaml_parser_delete(&parser);
	return ret;
}

#else

int yaml_to_json(const struct strbuf *text, const char *const *literals, size_t max,
		 struct strbuf *out, struct error *err)
{
	(void)text;
	(void)literals;
	(void)max;
	(void)out;
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "it is YAML, and this program was built without libyaml: wanted as JSON");
}

#endif
