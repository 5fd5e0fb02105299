/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of a repository: its tags, page by page, and the referrers of a manifest. */
#include <stdlib.h>
#include <string.h>

#include "builder/registry/registry-internal.h"
#include "builder/registry/url.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "spec/image-index.h"
#include "spec/json-table.h"

#define PAGE "1000"
#define TAGS_MAX ((size_t)1 << 20)
#define PAGES_MAX 10000 /* of any size: a server must not lead us on for ever */
#define LIST_MAX ((uint64_t)16 << 20)

/* -- pages ---------------------------------------------------------------------------------------
 */

/* <URL>; rel="next", owned; NULL = this is the last page. */
static char *next_page(const struct transport_response *response)
{
	const char *link = transport_header(&response->headers, "link", 0);
	const char *end = link && *link == '<' ? strchr(link, '>') : NULL;

	if (!end || !strstr(end, "next"))
		return NULL;
	return xstrndup(link + 1, (size_t)(end - link - 1));
}

/* Get a page; *target becomes the next one's, NULL after the last. A page of another host would
 * be asked without credentials. */
static int get_page(struct repository *repository, char **target, size_t *pages,
		    struct transport_response *response, struct error *err)
{
	cleanup_free char *page = TAKE_PTR(*target), *next = NULL;
	cleanup_call struct call call;
	int ret;

	if (++*pages > PAGES_MAX)
		return error_invalid(err, "%s: the list has more than %d pages", page, PAGES_MAX);
	call_prepare(repository, repository_own(repository), "GET", page, &call);
	call.request.max = LIST_MAX;
	ret = call_make(repository->registry, &call, response, err);
	if (ret == 0 && response->status != 200)
		ret = call_refused(&call, response, err);
	if (ret < 0)
		return ret;
	next = next_page(response);
	if (!next)
		return 0;
	return call_resolve(repository->registry, &call, next, target, err);
}

/* -- tags ----------------------------------------------------------------------------------------
 */

struct tag_list {
	struct json_strings tags;
};

/* clang-format off */
static const struct json_field tag_fields[] = {
	JSON_STRINGS(struct tag_list, "tags", tags),
};
static const struct json_object tag_object = JSON_TABLE(struct tag_list, tag_fields);
/* clang-format on */

static int add_tags(const struct transport_response *response, struct strv *out, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct tag_list list = { .tags = { NULL, 0, false } };
	const struct json_source source = { .name = "tags",
					    .text = strbuf_text(&response->body),
					    .size = response->body.size,
					    .flags = JSON_LAST_WINS };
	int ret = json_decode(&source, &tag_object, &arena, &list, err);

	if (ret < 0)
		return ret;
	if (list.tags.count > TAGS_MAX - out->count)
		return error_invalid(err, "the repository has more than %zu tags", TAGS_MAX);
	for (size_t i = 0; i < list.tags.count; i++)
		strv_add(out, list.tags.items[i]);
	return 0;
}

int repository_tags(struct repository *repository, struct strv *out, struct error *err)
{
	cleanup_free char *target =
		xasprintf("%s/tags/list?n=" PAGE, repository_own(repository)->path);
	size_t pages = 0;
	int ret = 0;

	while (ret == 0 && target) {
		cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
		size_t before = out->count;

		ret = get_page(repository, &target, &pages, &response, err);
		if (ret == 0)
			ret = add_tags(&response, out, err);
		if (ret == 0 && target && out->count == before)
			ret = error_invalid(err, "the list of tags does not end");
	}
	return ret;
}

/* -- referrers -----------------------------------------------------------------------------------
 */

/* Collected over all pages. */
struct referrers {
	struct arena arena;
	struct descriptor *items;
	size_t count, capacity;
	const char *artifact_type;
};

static void referrers_done(struct referrers *referrers)
{
	arena_done(&referrers->arena);
	free(referrers->items);
}

/* Servers need not filter: what is not asked for is left out here. */
static int add_referrers(struct referrers *referrers, const struct strbuf *bytes, struct error *err)
{
	struct image_index *index = NULL;
	int ret = image_index_decode("referrers", strbuf_text(bytes), bytes->size,
				     &referrers->arena, &index, err);

	for (size_t i = 0; ret == 0 && i < index->manifests.count; i++) {
		const struct descriptor *one = &index->manifests.items[i];

		if (referrers->artifact_type &&
		    (!one->artifact_type ||
		     strcmp(one->artifact_type, referrers->artifact_type) != 0))
			continue;
		ARRAY_GROW(referrers->items, referrers->count, referrers->capacity);
		referrers->items[referrers->count++] = *one;
	}
	return ret;
}

/* A registry that has no list of them has a tag that stands for it. */
static int read_fallback(struct repository *repository, const struct digest *digest,
			 struct referrers *out, struct error *err)
{
	cleanup_manifest struct registry_manifest manifest = REGISTRY_MANIFEST_INIT;
	cleanup_free char *tag = xasprintf("sha256-%s", digest_hex(digest));
	struct error why = ERROR_INIT;
	int ret = repository_get_manifest(repository, tag, &manifest, &why);

	if (ret == 0)
		return add_referrers(out, &manifest.bytes, err);
	if (why.code == ERROR_NOT_FOUND)
		return 0;
	if (err)
		*err = why;
	return ret;
}

static int read_list(struct repository *repository, const struct digest *digest,
		     struct referrers *out, struct error *err)
{
	cleanup_strbuf struct strbuf first = STRBUF_INIT;
	cleanup_free char *target = NULL;
	size_t pages = 0;
	int ret = 0;

	strbuf_addf(&first, "%s/referrers/%s", repository_own(repository)->path, digest->text);
	if (out->artifact_type) {
		strbuf_adds(&first, "?artifactType=");
		url_escape(out->artifact_type, &first);
	}
	target = strbuf_take(&first);
	while (ret == 0 && target) {
		cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
		size_t before = out->count;

		ret = get_page(repository, &target, &pages, &response, err);
		if (ret == 0)
			ret = add_referrers(out, &response.body, err);
		if (ret == 0 && target && out->count == before)
			break; /* a page without any: do not let it lead us on for ever */
	}
	return ret;
}

int repository_referrers(struct repository *repository, const struct digest *digest,
			 const char *artifact_type, struct strbuf *out, struct error *err)
{
	__attribute__((cleanup(
		referrers_done))) struct referrers referrers = { .artifact_type = artifact_type };
	struct image_index index = { .schema_version = 2, .media_type = MEDIA_TYPE_INDEX };
	struct error why = ERROR_INIT;
	int ret = read_list(repository, digest, &referrers, &why);

	if (ret < 0 && why.code == ERROR_NOT_FOUND && !referrers.count)
		ret = read_fallback(repository, digest, &referrers, &why);
	if (ret < 0) {
		if (err)
			*err = why;
		return ret;
	}
	index.manifests.items = referrers.items;
	index.manifests.count = referrers.count;
	image_index_write(&index, JSON_COMPACT, out);
	return 0;
}
