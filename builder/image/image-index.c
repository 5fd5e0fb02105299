/* SPDX-License-Identifier: Apache-2.0 */
/* Called by image.c and layout.c when the top document of an image is an index. */
#include "builder/image/image-index.h"

#include <errno.h>
#include <string.h>

#include "builder/image/image.h"
#include "builder/image/platform.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

bool media_type_is_index(const char *media_type)
{
	return strcmp(media_type, MEDIA_TYPE_INDEX) == 0 ||
	       strcmp(media_type, MEDIA_TYPE_DOCKER_LIST) == 0;
}

/* Its platform's normal form, owned; NULL: it has none, or is no image (attestations are
 * "unknown"). */
static char *platform_of(const struct descriptor *descriptor)
{
	const struct image_platform *platform = descriptor->platform;
	cleanup_free char *text = NULL;
	char *normal = NULL;

	if (!platform || !platform->os || !platform->architecture ||
	    strcmp(platform->os, "unknown") == 0)
		return NULL;
	text = xasprintf("%s/%s%s%s", platform->os, platform->architecture,
			 platform->variant && *platform->variant ? "/" : "",
			 platform->variant ? platform->variant : "");
	(void)platform_normalize(text, text, &normal, NULL); /* what is no platform matches none */
	return normal;
}

bool descriptor_is_image(const struct descriptor *descriptor)
{
	cleanup_free char *platform = platform_of(descriptor);

	return platform != NULL;
}

/* 0: no; 1: but for the variant; 2: the same. */
static int match(const char *found, const char *wanted)
{
	const char *slash = strchr(wanted, '/');
	size_t size =
		slash ? (size_t)(slash + 1 - wanted) + strcspn(slash + 1, "/") : strlen(wanted);

	if (strcmp(found, wanted) == 0)
		return 2;
	return strncmp(found, wanted, size) == 0 && (!found[size] || found[size] == '/');
}

static int nothing(const char *wanted, const struct strbuf *list, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, 0, "the image has no manifest for %s (it has%s)",
			 wanted, list->size ? strbuf_text(list) : " none for any platform");
}

int image_index_choose(const struct image_index *index, const char *platform,
		       const struct descriptor **out, struct error *err)
{
	cleanup_free char *host = platform_host();
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	const struct descriptor *best = NULL, *only = NULL;
	int best_match = 0;
	size_t images = 0;

	for (size_t i = 0; i < index->manifests.count; i++) {
		const struct descriptor *descriptor = &index->manifests.items[i];
		cleanup_free char *found = platform_of(descriptor);
		int matches = found ? match(found, platform ? platform : host) : 0;

		if (!found)
			continue;
		images++;
		only = descriptor;
		strbuf_addf(&list, "%s %s", list.size ? "," : "", found);
		if (matches > best_match) {
			best = descriptor;
			best_match = matches;
		}
	}
	if (!best && !platform && images == 1)
		best = only;
	/* an index of one image that says nothing about platforms */
	if (!best && index->manifests.count == 1 && !images)
		best = &index->manifests.items[0];
	if (!best)
		return nothing(platform ? platform : host, &list, err);
	*out = best;
	return 0;
}
