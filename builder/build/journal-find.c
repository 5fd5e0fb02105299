/* SPDX-License-Identifier: Apache-2.0 */
/* Names of steps, for the verbs that go back to one. */
#include "builder/build/journal-find.h"

#include <string.h>

#include "builder/build/journal.h"
#include "builder/build/step-info.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"

#define LAST "last"

static size_t build_size(const char *word)
{
	return strncmp(word, LAST, strlen(LAST)) == 0 ? strlen(LAST) : strspn(word, "0123456789");
}

bool journal_names_step(const char *word)
{
	size_t size = build_size(word);

	/* the tag of an image has no slash */
	return size && (word[size] == '#' || (word[size] == ':' && strchr(word + size, '/')));
}

static int not_found(const char *word, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, 0,
			 "\"%s\": no such build or step (orlop-builder logs lists the builds)",
			 word);
}

static bool find_build(struct store *store, const char *word, uint64_t *out)
{
	cleanup_free char *number = xstrndup(word, build_size(word));
	size_t count;
	cleanup_free uint64_t *builds = journal_list(store, &count);

	if (!count)
		return false;
	*out = builds[count - 1];
	return strcmp(number, LAST) == 0 || number_parse_u64(number, out) == 0;
}

/* "#7" is its number in the progress, ":build/3" its place: "[build 3/4] RUN make" is there. */
static bool is_meant(const struct journal_step *step, const char *rest)
{
	cleanup_free char *start = NULL;
	const char *slash = strchr(rest, '/');
	uint64_t event;

	if (*rest == '#')
		return number_parse_u64(rest + 1, &event) == 0 && event == step->event;
	start = xasprintf("[%.*s %s/", (int)(slash - rest - 1), rest + 1, slash + 1);
	return strncmp(step->name, start, strlen(start)) == 0;
}

/* Where a step that came from the cache was made. */
static void find_origin(struct store *store, const struct journal_step *step, uint64_t *build,
			uint64_t *event)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct step_info info;

	if (!step->state || strcmp(step->state, "cached") != 0 || !step->key ||
	    store_step_find(store, step->key, &record) <= 0)
		return;
	step_info_decode(record.info, &arena, &info);
	if (info.build) {
		*build = info.build;
		*event = info.event;
	}
}

int journal_find_step(struct store *store, const char *word, uint64_t *out_build,
		      uint64_t *out_event, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const char *rest = word + build_size(word);
	struct journal_build build;

	if (!find_build(store, word, out_build) || !journal_read(store, *out_build, &arena, &build))
		return not_found(word, err);
	for (size_t i = 0; i < build.steps.count; i++) {
		const struct journal_step *step = &build.steps.items[i];

		if (!is_meant(step, rest))
			continue;
		*out_event = step->event;
		find_origin(store, step, out_build, out_event);
		return 0;
	}
	return not_found(word, err);
}
