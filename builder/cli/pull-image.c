/* SPDX-License-Identifier: Apache-2.0 */
/* Called by pull and run; export and save need the layers, too. */
#include "builder/cli/pull-image.h"

#include <string.h>

#include "builder/image/image-index.h"
#include "builder/registry/short-names.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strv.h"
#include "spec/image-index.h"

static void tell_layer(void *context, const char *digest, bool was_there)
{
	FILE *out = context;

	if (out)
		fprintf(out, "%.12s: %s\n", digest + strlen("sha256:"),
			was_there ? "Already exists" : "Pull complete");
}

/* The layers of one platform. */
static int pull_platform(const struct pull_image *pull, const struct store_ref *ref,
			 const char *platform, struct error *err)
{
	const struct pull_events events = { .layer = tell_layer, .context = pull->out };
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = image_load_ref_for(pull->store, ref, platform, &image, err);

	if (ret < 0)
		return ret;
	return pull_layers(pull->store, pull->registry, &image, &events, err);
}

/* Of all platforms; what is no image (attestations) is kept as it is. */
static int pull_all(const struct pull_image *pull, const struct store_ref *ref, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct image_index *index = NULL;
	int ret = store_blob_get(pull->store, &ref->digest, IMAGE_DOCUMENT_MAX, &text, err);

	if (ret == 0)
		ret = image_index_decode("index", text.data, text.size, &arena, &index, err);
	for (size_t i = 0; ret == 0 && i < index->manifests.count; i++) {
		const struct descriptor *one = &index->manifests.items[i];
		struct store_ref child = { .media_type = (char *)one->media_type,
					   .size = one->size };

		ret = digest_parse(one->digest, &child.digest, err);
		if (ret == 0 && one->platform && one->platform->os &&
		    strcmp(one->platform->os, "unknown") == 0)
			ret = pull_manifest_blobs(pull->store, pull->registry, &child.digest, err);
		else if (ret == 0)
			ret = pull_platform(pull, &child, NULL, err);
	}
	return ret;
}

/* 1: the name stood for this image before. */
static int name_it(const struct pull_image *pull, const struct reference *name,
		   const struct store_ref *ref, struct error *err)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref old = { .size = 0 };
	bool by_digest = name->digest.text[0];
	bool same = !by_digest && store_ref_get(pull->store, name, &old, NULL) == 1 &&
		    digest_equal(&old.digest, &ref->digest);
	int ret = store_ref_set(pull->store, by_digest ? NULL : name, ref, err);

	return ret < 0 ? ret : same;
}

int pull_image(const struct pull_image *pull, const struct reference *name, struct error *err)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref ref = { .size = 0 };
	cleanup_strbuf struct strbuf familiar = STRBUF_INIT;
	FILE *out = pull->out;
	int ret;

	if (out)
		fprintf(out, "%s: Pulling from %s\n",
			name->digest.text[0] ? name->digest.text : name->tag,
			strchr(name->name, '/') + 1);
	ret = pull_documents(pull->store, pull->registry, name, pull->platform, pull->all, &ref,
			     err);
	if (ret == 0)
		ret = pull->all && media_type_is_index(ref.media_type)
			      ? pull_all(pull, &ref, err)
			      : pull_platform(pull, &ref, pull->platform, err);
	if (ret == 0)
		ret = name_it(pull, name, &ref, err);
	if (ret < 0 || !out)
		return ret < 0 ? ret : 0;
	reference_familiar(name, true, &familiar);
	fprintf(out, "Digest: %s\nStatus: %s for %s\n", ref.digest.text,
		ret == 1 ? "Image is up to date" : "Downloaded newer image",
		strbuf_text(&familiar));
	return 0;
}

int pull_image_first(const struct pull_image *pull, const char *word, struct reference *out_name,
		     struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	int ret = short_names_list(pull->registry, word, &names, err);

	for (size_t i = 0; (i == 0 || ret < 0) && i < names.count; i++) {
		struct error why = ERROR_INIT;

		ret = reference_parse(names.items[i], out_name, &why);
		if (ret == 0)
			ret = pull_image(pull, out_name, &why);
		if (ret < 0)
			*err = why;
		if (why.code == ERROR_CANCELLED)
			return ret;
	}
	return ret;
}

int pull_lazy_layers(struct store *store, const struct image *image, struct error *err)
{
	const struct registry_options options = { .cancel_fd = -EBADF };
	struct registry *registry = registry_open(&options);
	struct error why = ERROR_INIT;
	int ret = pull_layers(store, registry, image, NULL, &why);

	registry_close(registry);
	/* no registry is known to have one: who needs it says which */
	if (ret == 0 || (why.code == ERROR_NOT_FOUND && why.errnum == ENOENT))
		return 0;
	if (err)
		*err = why;
	return ret;
}
