/* SPDX-License-Identifier: Apache-2.0 */
/* See verify-origin.h. Called by cmd-verify.c. */
#include "builder/cli/verify-origin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "builder/attest/provenance-read.h"
#include "lib/cleanup.h"

void verify_origin_done(struct verify_origin *origin)
{
	if (origin->request)
		pins_done(&origin->request->pins);
	arena_done(&origin->arena);
	*origin = (struct verify_origin){ .build = 0 };
}

static bool has_made(const struct journal_build *build, const struct image *image)
{
	return build->request && build->state && strcmp(build->state, "done") == 0 &&
	       json_strings_contain(&build->request->images, image->id.text);
}

/* 1 found */
static int find_build(struct store *store, const struct image *image, struct verify_origin *out)
{
	size_t count;
	cleanup_free uint64_t *numbers = journal_list(store, &count);

	for (size_t i = count; i-- > 0;) {
		cleanup_arena struct arena arena = ARENA_INIT;
		struct journal_build build;

		if (!journal_read(store, numbers[i], &arena, &build) || !has_made(&build, image))
			continue;
		*out = (struct verify_origin){ .arena = arena,
					       .kind = VERIFY_JOURNAL,
					       .build = numbers[i],
					       .has_arguments = true,
					       .request = build.request };
		out->name = arena_printf(&out->arena, "build %" PRIu64, numbers[i]);
		arena = (struct arena)ARENA_INIT;
		return 1;
	}
	return 0;
}

int verify_origin_find(struct store *store, const struct image *image, struct verify_origin *out,
		       struct error *err)
{
	struct verify_origin origin = { .arena = ARENA_INIT, .kind = VERIFY_PROVENANCE };
	struct journal_request *request;
	int ret;

	if (find_build(store, image, out) == 1)
		return 0;
	request = arena_alloc(&origin.arena, sizeof(*request));
	ret = provenance_read(store, image, &origin.arena, request, &origin.has_arguments, err);
	if (ret == 1) {
		origin.request = request;
		origin.name = "its provenance";
		*out = origin;
		return 0;
	}
	pins_done(&request->pins);
	arena_done(&origin.arena);
	*out = (struct verify_origin){ .name = "the command line" };
	return ret;
}
