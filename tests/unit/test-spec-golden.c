/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases of the OCI documents: the expected file is the document as we write it, followed by
 * what the check says, or the message of the decoder.
 */
#include "spec/config.h"
#include "spec/features.h"
#include "spec/image-config.h"
#include "spec/image-index.h"
#include "spec/image-manifest.h"
#include "spec/state.h"
#include "tests/unit/golden.h"

static void add_error(struct strbuf *out, const char *label, const struct error *err)
{
	char text[2048];

	strbuf_addf(out, "%s: %s\n", label, error_text(err, text, sizeof(text)));
	if (err->pointer[0])
		strbuf_addf(out, "pointer: %s\n", err->pointer);
}

static void transform_config(const char *name, const char *text, size_t size, struct strbuf *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL;
	struct error err = ERROR_INIT;

	if (config_decode(name, text, size, &arena, &config, &err) < 0) {
		add_error(out, "invalid", &err);
		return;
	}
	config_write(config, JSON_INDENT_2, out);
	strbuf_addc(out, '\n');
	if (config_check(config, &err) < 0)
		add_error(out, "check", &err);
}

static void transform_process(const char *name, const char *text, size_t size, struct strbuf *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_process *process = NULL;
	struct error err = ERROR_INIT;

	if (process_decode(name, text, size, &arena, &process, &err) < 0) {
		add_error(out, "invalid", &err);
		return;
	}
	process_write(process, JSON_INDENT_2, out);
	strbuf_addc(out, '\n');
	if (process_check(process, &err) < 0)
		add_error(out, "check", &err);
}

/* The documents without a check of their own: decode, write or say why not. */
#define TRANSFORM(function, type, decode, ...)                                                     \
	static void function(const char *name, const char *text, size_t size, struct strbuf *out)  \
	{                                                                                          \
		cleanup_arena struct arena arena = ARENA_INIT;                                     \
		struct type *value = NULL;                                                         \
		struct error err = ERROR_INIT;                                                     \
                                                                                                   \
		if (decode(name, text, size, &arena, &value, &err) < 0) {                          \
			add_error(out, "invalid", &err);                                           \
			return;                                                                    \
		}                                                                                  \
		__VA_ARGS__;                                                                       \
		strbuf_addc(out, '\n');                                                            \
	}

TRANSFORM(transform_resources, oci_resources, resources_decode,
	  resources_write(value, JSON_INDENT_2, out))
TRANSFORM(transform_state, oci_state, state_decode, state_write(value, JSON_INDENT_2, out))
TRANSFORM(transform_features, oci_features, features_decode,
	  features_write(value, JSON_INDENT_2, out))
TRANSFORM(transform_index, image_index, image_index_decode,
	  image_index_write(value, JSON_INDENT_2, out))
TRANSFORM(transform_manifest, image_manifest, image_manifest_decode,
	  image_manifest_write(value, JSON_INDENT_2, out))
TRANSFORM(transform_image, image_config, image_config_decode,
	  image_config_write(value, JSON_INDENT_2, out))
TRANSFORM(transform_archive, docker_archive, docker_archive_decode,
	  docker_archive_write(value, out))

static void test_config(void)
{
	static const struct golden_input inputs[] = { { "config.json", transform_config },
						      { "process.json", transform_process },
						      { "resources.json", transform_resources },
						      { NULL, NULL } };

	golden_walk("config", inputs, 25);
}

static void test_state(void)
{
	static const struct golden_input inputs[] = { { "state.json", transform_state },
						      { "features.json", transform_features },
						      { NULL, NULL } };

	golden_walk("state", inputs, 4);
}

static void test_image(void)
{
	static const struct golden_input inputs[] = { { "index.json", transform_index },
						      { "manifest.json", transform_manifest },
						      { "config.json", transform_image },
						      { "archive.json", transform_archive },
						      { NULL, NULL } };

	golden_walk("image", inputs, 10);
}

CHECK_MAIN({ "config.json, process.json, resources.json", test_config },
	   { "state.json, features.json", test_state }, { "image documents", test_image })
