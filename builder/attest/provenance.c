/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The predicate of the provenance attestation. What SLSA defines stands where it says; what it
 * leaves open (request, metadata) has the names that BuildKit gives it. Secrets are named by id,
 * and in mode=max only.
 */
#include "builder/attest/provenance.h"

#include <inttypes.h>
#include <string.h>

#include "builder/attest/attestation.h"
#include "builder/build/step-kinds.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "spec/json-write.h"

#define BUILD_TYPE "urn:orlop:dockerfile-build:v1"

static void put_time(struct json_writer *json, const char *name, int64_t seconds)
{
	char text[CLOCK_TEXT_SIZE];

	json_put_string(json, name, clock_format_seconds(seconds, text));
}

static void put_digest(struct json_writer *json, const char *algorithm, const char *value)
{
	json_key(json, "digest");
	json_begin_object(json);
	json_put_string(json, algorithm, value);
	json_end_object(json);
}

/* A git commit by the length of its name. */
static void put_commit(struct json_writer *json, const char *commit)
{
	put_digest(json, strlen(commit) == 40 ? "sha1" : "sha256", commit);
}

/* -- what it was made of -------------------------------------------------------------------------
 */

static void write_image(struct json_writer *json, const struct graph_image *image)
{
	const struct reference *found = &image->image.top.name;
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	cleanup_free char *purl = NULL;

	if (found->name[0])
		reference_familiar(found, true, &name);
	purl = purl_of_image(name.size ? name.data : image->name, image->platform);
	json_begin_object(json);
	json_put_string(json, "uri", purl);
	put_digest(json, "sha256", digest_hex(&image->image.top.digest));
	json_end_object(json);
}

static void write_remote(struct json_writer *json, const struct remote *remote)
{
	cleanup_free char *url = transport_redact(remote->location.text);
	const struct digest *digest = remote->found.text[0] ? &remote->found : &remote->checksum;

	json_begin_object(json);
	json_put_string(json, "uri", url);
	if (remote->commit[0])
		put_commit(json, remote->commit);
	else if (digest->text[0])
		put_digest(json, "sha256", digest_hex(digest));
	json_end_object(json);
}

static void write_dependencies(struct json_writer *json, const struct provenance_input *input)
{
	const struct graph *graph = input->graph;

	json_key(json, "resolvedDependencies");
	json_begin_array(json);
	for (const struct graph_image *image = graph->images; image; image = image->next)
		write_image(json, image);
	for (size_t i = 0; i < graph->order_count; i++) {
		const struct graph_stage *stage = graph->order[i];

		for (size_t j = 0; j < stage->step_count; j++) {
			const struct step *step = stage->steps[j];
			bool copies = step->kind == &step_kind_copy;

			for (size_t k = 0; copies && k < step->copy.item_count; k++)
				if (step->copy.items[k].remote)
					write_remote(json, step->copy.items[k].remote);
		}
	}
	if (input->location && input->context->is_commit) {
		json_begin_object(json);
		json_put_string(json, "uri", input->location);
		put_commit(json, input->context->commit);
		json_end_object(json);
	}
	json_end_array(json);
}

/* -- what was asked for --------------------------------------------------------------------------
 */

static void write_pairs(struct json_writer *json, const char *prefix, const struct strv *pairs)
{
	for (size_t i = 0; pairs && i < pairs->count; i++) {
		const char *text = pairs->items[i], *value = strchr(text, '=');
		cleanup_free char *name =
			xasprintf("%s:%.*s", prefix, (int)strcspn(text, "="), text);

		json_put_string(json, name, value ? value + 1 : "");
	}
}

static void write_ids(struct json_writer *json, const char *name, const char *const *ids)
{
	if (!*ids)
		return;
	json_key(json, name);
	json_begin_array(json);
	for (; *ids; ids++) {
		json_begin_object(json);
		json_put_string(json, "id", *ids);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_request(struct json_writer *json, const struct provenance_input *input)
{
	const struct graph_options *options = input->graph->options;
	bool all = input->mode == PROVENANCE_MAX;

	json_key(json, "request");
	json_begin_object(json);
	json_put_string(json, "frontend", "dockerfile.v0");
	json_key(json, "args");
	json_begin_object(json);
	if (all) {
		write_pairs(json, "build-arg", options->build_args);
		write_pairs(json, "label", options->labels);
	}
	if (input->target)
		json_put_string(json, "target", input->target);
	json_end_object(json);
	if (all) {
		write_ids(json, "secrets", input->secrets);
		write_ids(json, "ssh", input->agents);
	}
	if (!input->location) {
		const char *const locals[] = { "context", "dockerfile" };

		json_key(json, "locals");
		json_begin_array(json);
		for (size_t i = 0; i < 2; i++) {
			json_begin_object(json);
			json_put_string(json, "name", locals[i]);
			json_end_object(json);
		}
		json_end_array(json);
	}
	json_end_object(json);
}

static void write_definition(struct json_writer *json, const struct provenance_input *input)
{
	json_key(json, "buildDefinition");
	json_begin_object(json);
	json_put_string(json, "buildType", BUILD_TYPE);
	json_key(json, "externalParameters");
	json_begin_object(json);
	json_key(json, "configSource");
	json_begin_object(json);
	if (input->location)
		json_put_string(json, "uri", input->location);
	if (input->location && input->context->is_commit)
		put_commit(json, input->context->commit);
	json_put_string(json, "path", input->dockerfile->name);
	json_end_object(json);
	write_request(json, input);
	json_end_object(json);
	json_key(json, "internalParameters");
	json_begin_object(json);
	json_put_string(json, "builderPlatform", input->host);
	json_end_object(json);
	write_dependencies(json, input);
	json_end_object(json);
}

/* -- how it went ---------------------------------------------------------------------------------
 */

/* The Dockerfile as it was. */
static void write_source(struct json_writer *json, const struct source_text *source)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < source->count; i++)
		strbuf_addf(&text, "%s%s", source->lines[i].text, source->lines[i].ending);
	json_key(json, "source");
	json_begin_object(json);
	json_key(json, "infos");
	json_begin_array(json);
	json_begin_object(json);
	json_put_string(json, "filename", source->name);
	json_put_string(json, "language", "Dockerfile");
	json_key(json, "data");
	json_base64(json, strbuf_text(&text), text.size);
	json_end_object(json);
	json_end_array(json);
	json_end_object(json);
}

static void write_metadata(struct json_writer *json, const struct provenance_input *input)
{
	const struct context *context = input->context;
	cleanup_free char *id = xasprintf("%" PRIu64, input->build);

	json_key(json, "metadata");
	json_begin_object(json);
	json_put_string(json, "invocationId", id);
	put_time(json, "startedOn", input->begin);
	put_time(json, "finishedOn", input->end);
	json_key(json, "buildkit_metadata");
	json_begin_object(json);
	if (context->is_commit) {
		json_key(json, "vcs");
		json_begin_object(json);
		json_put_string(json, "revision", context->commit);
		json_end_object(json);
	}
	if (input->mode == PROVENANCE_MAX)
		write_source(json, input->dockerfile);
	json_end_object(json);
	json_put_bool(json, "buildkit_hermetic", false); /* nor looked at that */
	json_key(json, "buildkit_completeness");
	json_begin_object(json);
	json_put_bool(json, "request", input->mode == PROVENANCE_MAX);
	/* a folder here is no dependency that could be named */
	json_put_bool(json, "resolvedDependencies", input->location != NULL);
	json_end_object(json);
	json_put_bool(json, "buildkit_reproducible", false); /* nobody has promised that */
	json_end_object(json);
}

char *provenance_write(const struct provenance_input *input)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer json = { .out = &text, .style = JSON_COMPACT };

	json_begin_object(&json);
	write_definition(&json, input);
	json_key(&json, "runDetails");
	json_begin_object(&json);
	json_key(&json, "builder");
	json_begin_object(&json);
	json_put_string(&json, "id", input->builder_id);
	json_end_object(&json);
	write_metadata(&json, input);
	json_end_object(&json);
	json_end_object(&json);
	return xstrdup(strbuf_text(&text));
}
