/* SPDX-License-Identifier: Apache-2.0 */
/* Names of steps, for the verbs that go back to one. */
#include "builder/build/journal-find.h"

#include <string.h>

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

int journal_not_found(const char *word, struct error *err)
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
	if (strcmp(number, LAST) == 0)
		return true;
	if (number_parse_u64(number, out) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (builds[i] == *out)
			return true;
	return false;
}

int journal_parse_name(struct store *store, const char *word, struct journal_name *out,
		       struct error *err)
{
	const char *rest = word + build_size(word);
	struct journal_name name = { .place = *rest == ':' ? rest + 1 : NULL };

	if (!find_build(store, word, &name.build) ||
	    (*rest == '#' && (number_parse_u64(rest + 1, &name.event) < 0 || !name.event)) ||
	    (*rest && *rest != '#' && *rest != ':'))
		return journal_not_found(word, err);
	*out = name;
	return 0;
}

bool journal_name_fits(const struct journal_name *name, const struct journal_step *step)
{
	const char *slash = name->place ? strrchr(name->place, '/') : NULL;
	cleanup_free char *start = NULL;

	if (!name->place)
		return !name->event || name->event == step->event;
	if (!slash)
		return false;
	/* "[build 3/4] RUN make" is build/3 */
	start = xasprintf("[%.*s %s/", (int)(slash - name->place), name->place, slash + 1);
	return strncmp(step->name, start, strlen(start)) == 0;
}

bool journal_find_origin(struct store *store, const struct journal_step *step, uint64_t *out_build,
			 uint64_t *out_event)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct step_info info;

	if (!step->state || strcmp(step->state, "cached") != 0 || !step->key ||
	    store_step_find(store, step->key, &record) <= 0)
		return false;
	step_info_decode(record.info, &arena, &info);
	if (!info.build)
		return false;
	*out_build = info.build;
	*out_event = info.event;
	return true;
}

int journal_find_step(struct store *store, const char *word, uint64_t *out_build,
		      uint64_t *out_event, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct journal_build build;
	struct journal_name name;
	int ret = journal_parse_name(store, word, &name, err);

	if (ret < 0)
		return ret;
	if (!journal_read(store, name.build, &arena, &build))
		return journal_not_found(word, err);
	for (size_t i = 0; i < build.steps.count; i++) {
		const struct journal_step *step = &build.steps.items[i];

		if (!journal_name_fits(&name, step))
			continue;
		*out_build = name.build;
		*out_event = step->event;
		(void)journal_find_origin(store, step, out_build, out_event); /* else made here */
		return 0;
	}
	return journal_not_found(word, err);
}
