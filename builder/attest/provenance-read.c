/* SPDX-License-Identifier: Apache-2.0 */
/* See provenance-read.h. Called by verify. */
#include "builder/attest/provenance-read.h"

#include <string.h>

#include "builder/attest/attestation.h"
#include "builder/context/location.h"
#include "builder/image/image-index.h"
#include "lib/cleanup.h"
#include "spec/image-manifest.h"
#include "spec/json-table.h"

#define STATEMENT_MAX ((size_t)16 << 20)
#define PREDICATE_OLD "https://slsa.dev/provenance/v0.2"

struct named_id {
	const char *id;
};
struct dependency {
	const char *uri;
	struct json_map digest;
};
struct request {
	struct json_map args;
	JSON_LIST(struct named_id) secrets, agents;
};
struct source {
	const char *uri, *path, *entry_point;
	struct json_map digest;
};
struct parameters {
	struct source source;
	struct request request;
};
struct definition {
	struct parameters external;
	JSON_LIST(struct dependency) dependencies;
};
struct invocation { /* v0.2 */
	struct source source;
	struct request parameters;
};
struct predicate {
	struct definition definition;
	struct invocation invocation;
	JSON_LIST(struct dependency) materials;
};
struct statement {
	const char *type;
	struct predicate predicate;
};

/* clang-format off */
static const struct json_field id_fields[] = {
	JSON_STRING(struct named_id, "id", id),
};
static const struct json_object id_object = JSON_TABLE(struct named_id, id_fields);

static const struct json_field dependency_fields[] = {
	JSON_STRING(struct dependency, "uri", uri),
	JSON_MAP(struct dependency, "digest", digest),
};
static const struct json_object dependency_object = JSON_TABLE(struct dependency, dependency_fields);

static const struct json_field request_fields[] = {
	JSON_MAP(struct request, "args", args),
	JSON_OBJECTS(struct request, "secrets", secrets, &id_object),
	JSON_OBJECTS(struct request, "ssh", agents, &id_object),
};
static const struct json_object request_object = JSON_TABLE(struct request, request_fields);

static const struct json_field source_fields[] = {
	JSON_STRING(struct source, "uri", uri),
	JSON_MAP(struct source, "digest", digest),
	JSON_STRING(struct source, "path", path),
	JSON_STRING(struct source, "entryPoint", entry_point),
};
static const struct json_object source_object = JSON_TABLE(struct source, source_fields);

static const struct json_field parameters_fields[] = {
	JSON_INLINE(struct parameters, "configSource", source, &source_object),
	JSON_INLINE(struct parameters, "request", request, &request_object),
};
static const struct json_object parameters_object = JSON_TABLE(struct parameters, parameters_fields);

static const struct json_field definition_fields[] = {
	JSON_INLINE(struct definition, "externalParameters", external, &parameters_object),
	JSON_OBJECTS(struct definition, "resolvedDependencies", dependencies, &dependency_object),
};
static const struct json_object definition_object = JSON_TABLE(struct definition, definition_fields);

static const struct json_field invocation_fields[] = {
	JSON_INLINE(struct invocation, "configSource", source, &source_object),
	JSON_INLINE(struct invocation, "parameters", parameters, &request_object),
};
static const struct json_object invocation_object = JSON_TABLE(struct invocation, invocation_fields);

static const struct json_field predicate_fields[] = {
	JSON_INLINE(struct predicate, "buildDefinition", definition, &definition_object),
	JSON_INLINE(struct predicate, "invocation", invocation, &invocation_object),
	JSON_OBJECTS(struct predicate, "materials", materials, &dependency_object),
};
static const struct json_object predicate_object = JSON_TABLE(struct predicate, predicate_fields);

static const struct json_field statement_fields[] = {
	JSON_STRING(struct statement, "predicateType", type),
	JSON_INLINE(struct statement, "predicate", predicate, &predicate_object),
};
static const struct json_object statement_object = JSON_TABLE(struct statement, statement_fields);
/* clang-format on */

/* -- finding it ----------------------------------------------------------------------------------
 */

static int read_blob(struct store *store, const char *name, size_t max, struct strbuf *out)
{
	struct digest digest;
	int ret = digest_parse(name, &digest, NULL);

	/* what was not fetched or is damaged says nothing */
	return ret < 0 ? ret : store_blob_get(store, &digest, max, out, NULL);
}

static bool is_about(const struct descriptor *entry, const struct digest *manifest)
{
	const char *type = json_map_get(&entry->annotations, "vnd.docker.reference.type");
	const char *digest = json_map_get(&entry->annotations, "vnd.docker.reference.digest");

	return type && strcmp(type, "attestation-manifest") == 0 && digest &&
	       strcmp(digest, manifest->text) == 0;
}

static bool is_provenance(const char *type)
{
	return type &&
	       (strcmp(type, PREDICATE_PROVENANCE) == 0 || strcmp(type, PREDICATE_OLD) == 0);
}

/* 1 and the statement of an attestation manifest. */
static int read_statement(struct store *store, const char *manifest_name, struct arena *arena,
			  struct statement *out, struct error *err)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT, text = STRBUF_INIT;
	struct image_manifest *manifest = NULL;
	struct json_source source = { .name = "provenance" };
	int ret;

	if (read_blob(store, manifest_name, IMAGE_DOCUMENT_MAX, &bytes) < 0 ||
	    image_manifest_decode("attestation", strbuf_text(&bytes), bytes.size, arena, &manifest,
				  NULL) < 0)
		return 0;
	for (size_t i = 0; i < manifest->layers.count; i++) {
		const struct descriptor *layer = &manifest->layers.items[i];

		if (!is_provenance(json_map_get(&layer->annotations, "in-toto.io/predicate-type")))
			continue;
		if (read_blob(store, layer->digest, STATEMENT_MAX, &text) < 0)
			return 0;
		source.text = strbuf_text(&text);
		source.size = text.size;
		ret = json_decode(&source, &statement_object, arena, out, err);
		return ret < 0 ? ret : 1;
	}
	return 0;
}

static int find_statement(struct store *store, const struct image *image, struct arena *arena,
			  struct statement *out, struct error *err)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	struct image_index *index = NULL;
	struct digest manifest;

	if (!media_type_is_index(image->top.media_type) ||
	    store_blob_get(store, &image->top.digest, IMAGE_DOCUMENT_MAX, &bytes, NULL) < 0 ||
	    image_index_decode("index", strbuf_text(&bytes), bytes.size, arena, &index, NULL) < 0)
		return 0;
	digest_of(strbuf_text(&image->manifest_bytes), image->manifest_bytes.size, &manifest);
	for (size_t i = 0; i < index->manifests.count; i++)
		if (is_about(&index->manifests.items[i], &manifest))
			return read_statement(store, index->manifests.items[i].digest, arena, out,
					      err);
	return 0;
}

/* -- what it says --------------------------------------------------------------------------------
 */

static char *unescape(const char *text, size_t size, struct arena *arena)
{
	char *out = arena_strndup(arena, text, size), *to = out;

	for (const char *p = out; *p; p++) {
		char hex[3] = { p[0] == '%' ? p[1] : '\0', p[0] == '%' && p[1] ? p[2] : '\0',
				'\0' };

		if (strlen(hex) == 2 && strspn(hex, "0123456789abcdefABCDEF") == 2) {
			*to++ = (char)strtol(hex, NULL, 16);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return out;
}

/* "pkg:docker/NAME@TAG?platform=linux%2Famd64" */
static void add_image(const struct dependency *image, struct arena *arena, struct pins *pins)
{
	const char *name = image->uri + strlen("pkg:docker/");
	const char *at = name + strcspn(name, "@?"), *query = name + strcspn(name, "?");
	const char *platform = strstr(query, "platform=");
	const char *hex = json_map_get(&image->digest, "sha256");
	char *text;

	if (!hex || !digest_is_hex(hex))
		return;
	text = unescape(name, (size_t)(at - name), arena);
	if (*at == '@')
		text = arena_printf(arena, "%s:%s", text,
				    unescape(at + 1, (size_t)(query - at - 1), arena));
	if (platform)
		platform = unescape(platform + 9, strcspn(platform + 9, "&"), arena);
	pins_add_image(pins, text, platform, arena_printf(arena, "sha256:%s", hex));
}

static void add_dependency(const struct dependency *item, struct arena *arena, struct pins *pins)
{
	const char *hex = json_map_get(&item->digest, "sha256");
	const char *commit = json_map_get(&item->digest, "sha1");

	if (!item->uri)
		return;
	if (strncmp(item->uri, "pkg:docker/", 11) == 0)
		add_image(item, arena, pins);
	else if (commit && git_is_commit(commit))
		pins_add_remote(pins, item->uri, commit);
	else if (hex && digest_is_hex(hex))
		pins_add_remote(pins, item->uri, arena_printf(arena, "sha256:%s", hex));
}

static void add_word(struct journal_request *out, struct arena *arena, const char *option,
		     const char *value)
{
	json_strings_add(&out->arguments, arena, arena_printf(arena, "--%s=%s", option, value));
}

/* Arguments and labels alone: an image does not say what this machine is to allow. */
static bool add_arguments(const struct json_map *args, struct arena *arena,
			  struct journal_request *out)
{
	bool found = false;

	for (size_t i = 0; i < args->count; i++) {
		const char *key = args->items[i].key, *value = args->items[i].value;
		static const char *const prefixes[] = { "build-arg:", "label:" };
		static const char *const options[] = { "build-arg", "label" };

		if (strcmp(key, "target") == 0)
			add_word(out, arena, "target", value);
		for (size_t j = 0; j < ARRAY_SIZE(prefixes); j++) {
			size_t size = strlen(prefixes[j]);

			if (strncmp(key, prefixes[j], size) != 0)
				continue;
			found = true;
			add_word(out, arena, options[j],
				 arena_printf(arena, "%s=%s", key + size, value));
		}
	}
	return found;
}

static void add_source(const struct source *source, struct arena *arena,
		       struct journal_request *out)
{
	const char *path = source->path ? source->path : source->entry_point;
	const char *commit = json_map_get(&source->digest, "sha1");
	struct location location;

	if (source->uri && location_parse(source->uri, true, arena, &location, NULL) == 0 &&
	    (location.kind == LOCATION_GIT || location.kind == LOCATION_HTTP))
		out->context = source->uri;
	if (commit && git_is_commit(commit))
		out->commit = commit;
	/* of the context; a path of this machine is not for an image to say */
	if (out->context && path && path[0] != '/' && !strstr(path, ".."))
		add_word(out, arena, "file", path);
}

int provenance_read(struct store *store, const struct image *image, struct arena *arena,
		    struct journal_request *out, bool *has_arguments, struct error *err)
{
	struct statement statement = { .type = NULL };
	const struct predicate *predicate = &statement.predicate;
	const struct request *request = &predicate->definition.external.request;
	const struct source *source = &predicate->definition.external.source;
	int ret = find_statement(store, image, arena, &statement, err);

	if (ret <= 0)
		return ret;
	if (strcmp(statement.type ? statement.type : "", PREDICATE_OLD) == 0) {
		request = &predicate->invocation.parameters;
		source = &predicate->invocation.source;
	}
	*has_arguments = add_arguments(&request->args, arena, out);
	add_source(source, arena, out);
	for (size_t i = 0; i < request->secrets.count; i++)
		if (request->secrets.items[i].id)
			json_strings_add(&out->secrets, arena, request->secrets.items[i].id);
	for (size_t i = 0; i < request->agents.count; i++)
		if (request->agents.items[i].id)
			json_strings_add(&out->agents, arena, request->agents.items[i].id);
	for (size_t i = 0; i < predicate->definition.dependencies.count; i++)
		add_dependency(&predicate->definition.dependencies.items[i], arena, &out->pins);
	for (size_t i = 0; i < predicate->materials.count; i++)
		add_dependency(&predicate->materials.items[i], arena, &out->pins);
	return 1;
}
