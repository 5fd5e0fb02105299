/* SPDX-License-Identifier: Apache-2.0 */
/* See attestation.h. Called by the outputs of a build. */
#include "builder/attest/attestation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/image.h"
#include "builder/image/index-write.h"
#include "lib/cleanup.h"
#include "spec/image-manifest.h"
#include "spec/json-write.h"

#define TYPE_STATEMENT "application/vnd.in-toto+json"
#define TYPE_ATTESTATION "application/vnd.docker.attestation.manifest.v1+json"
#define TYPE_EMPTY "application/vnd.oci.empty.v1+json"

void attestations_take(struct attestation_list *list, const char *type, char *predicate)
{
	list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = (struct attestation){ type, predicate };
}

void attestations_done(struct attestation_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].predicate);
	free(list->items);
	*list = (struct attestation_list){ .count = 0 };
}

/* -- names of packages (purl) --------------------------------------------------------------------
 */

void purl_escape(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c))
			strbuf_addc(out, (char)c);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

char *purl_of_image(const char *name, const char *platform)
{
	const char *at = strchr(name, '@');
	const char *slash = strrchr(name, '/');
	const char *end = at ? at : name + strlen(name);
	const char *colon = at ? at : strrchr(slash ? slash : name, ':');
	const char *version = colon ? colon + 1 : "";
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = xstrndup(name, (size_t)((colon ? colon : end) - name));

	strbuf_adds(&text, "pkg:docker/");
	for (char *part = path; part;) {
		char *next = strchr(part, '/');

		if (next)
			*next++ = '\0';
		purl_escape(part, &text);
		strbuf_adds(&text, next ? "/" : "");
		part = next;
	}
	if (*version) {
		strbuf_addc(&text, '@');
		purl_escape(version, &text);
	}
	strbuf_adds(&text, "?platform=");
	purl_escape(platform, &text);
	return xstrdup(strbuf_text(&text));
}

/* -- statements ----------------------------------------------------------------------------------
 */

static void write_subject(struct json_writer *json, const char *name, const char *digest)
{
	json_begin_object(json);
	json_put_string(json, "name", name);
	json_key(json, "digest");
	json_begin_object(json);
	json_put_string(json, "sha256", digest + strlen("sha256:"));
	json_end_object(json);
	json_end_object(json);
}

static void write_statement(const struct attestation *attestation, const char *digest,
			    const struct strv *names, const char *platform, struct strbuf *out)
{
	struct json_writer json = { .out = out, .style = JSON_COMPACT };

	json_begin_object(&json);
	json_put_string(&json, "_type", "https://in-toto.io/Statement/v1");
	json_put_string(&json, "predicateType", attestation->type);
	json_key(&json, "subject");
	json_begin_array(&json);
	for (size_t i = 0; i < names->count; i++) {
		cleanup_free char *purl = purl_of_image(names->items[i], platform);

		write_subject(&json, purl, digest);
	}
	if (!names->count)
		write_subject(&json, "_", digest);
	json_end_array(&json);
	json_key(&json, "predicate");
	json_raw(&json, attestation->predicate);
	json_end_object(&json);
}

static int put_blob(struct store *store, const struct strbuf *bytes, struct descriptor *out,
		    struct arena *arena, struct error *err)
{
	struct digest digest;
	int ret = store_blob_put(store, strbuf_text(bytes), bytes->size, &digest, err);

	out->digest = arena_strdup(arena, digest.text);
	out->size = bytes->size;
	return ret;
}

static int put_config(struct store *store, struct descriptor *out, struct arena *arena,
		      struct error *err)
{
	cleanup_strbuf struct strbuf empty = STRBUF_INIT;

	strbuf_adds(&empty, "{}");
	*out = (struct descriptor){ .media_type = TYPE_EMPTY, .data = "e30=" };
	return put_blob(store, &empty, out, arena, err);
}

static int put_manifest(struct store *store, const struct image_manifest *manifest,
			struct descriptor *out, struct arena *arena, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	image_manifest_write(manifest, JSON_INDENT_2, &text);
	return put_blob(store, &text, out, arena, err);
}

int attestations_add(const struct attestation_list *list, struct store *store,
		     struct image_index *index, size_t entry, const struct strv *names,
		     const char *platform, struct arena *arena, struct error *err)
{
	const struct descriptor image = index->manifests.items[entry];
	struct descriptor subject = { .media_type = image.media_type,
				      .digest = image.digest,
				      .size = image.size };
	struct image_platform nowhere = { .architecture = "unknown", .os = "unknown" };
	struct descriptor config, descriptor = { .media_type = MEDIA_TYPE_MANIFEST };
	struct image_manifest manifest = { .schema_version = 2,
					   .media_type = MEDIA_TYPE_MANIFEST,
					   .artifact_type = TYPE_ATTESTATION,
					   .config = &config,
					   .subject = &subject };
	int ret;

	if (!list->count)
		return 0;
	ret = put_config(store, &config, arena, err);
	manifest.layers.items = arena_alloc(arena, list->count * sizeof(*manifest.layers.items));
	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		struct descriptor *layer = &manifest.layers.items[manifest.layers.count++];
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		*layer = (struct descriptor){ .media_type = TYPE_STATEMENT };
		json_map_set(&layer->annotations, arena, "in-toto.io/predicate-type",
			     list->items[i].type);
		write_statement(&list->items[i], image.digest, names, platform, &text);
		ret = put_blob(store, &text, layer, arena, err);
	}
	if (ret == 0)
		ret = put_manifest(store, &manifest, &descriptor, arena, err);
	if (ret < 0)
		return error_prefix(err, ret, "attestations");
	descriptor.platform = arena_alloc(arena, sizeof(nowhere));
	*descriptor.platform = nowhere;
	json_map_set(&descriptor.annotations, arena, "vnd.docker.reference.digest", image.digest);
	json_map_set(&descriptor.annotations, arena, "vnd.docker.reference.type",
		     "attestation-manifest");
	index_add(index, &descriptor, arena);
	return 0;
}
