/* SPDX-License-Identifier: Apache-2.0 */
/* Called by ps. A filter is a row of a table: how its value is read, and what it fits. */
#include "builder/cli/ps-filters.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/image.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"

struct filter_kind;

struct ps_filter {
	const struct filter_kind *kind;
	const char *text, *value; /* borrowed */
	regex_t name;
	bool compiled;
	int number;
	char *created; /* of another container */
	struct reference image;
	struct strv trees; /* of an ancestor; none = it is not in the store */
};

struct row {
	const struct container_record *record;
	const struct container_state *state;
};

static int bad(const struct ps_filter *filter, const char *why, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "invalid --filter: %s (%s)", filter->text, why);
}

/* -- reading -------------------------------------------------------------------------------------
 */

/* A regular expression that fits somewhere, as docker has it. */
static int read_name(struct store *store, struct ps_filter *filter, struct error *err)
{
	(void)store;
	if (regcomp(&filter->name, filter->value, REG_EXTENDED | REG_NOSUB) != 0)
		return bad(filter, "not a regular expression", err);
	filter->compiled = true;
	return 0;
}

static int read_status(struct store *store, struct ps_filter *filter, struct error *err)
{
	/* docker has more of them: no container of ours is ever like that */
	static const char *const others[] = { "restarting", "removing", "dead" };

	(void)store;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(filter->value, others[i]) == 0)
			return 0;
	return table_find(container_statuses, filter->value)
		       ? 0
		       : bad(filter, "created, running, paused or exited", err);
}

static int read_number(struct store *store, struct ps_filter *filter, struct error *err)
{
	(void)store;
	return number_parse_int(filter->value, &filter->number) < 0
		       ? bad(filter, "an exit status is a number", err)
		       : 0;
}

static int read_other(struct store *store, struct ps_filter *filter, struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	int ret = container_record_find(store, filter->value, &other, err);

	if (ret < 0)
		return error_prefix(err, ret, "--filter %s", filter->text);
	filter->created = xstrdup(other.created);
	return 0;
}

/* An image that is not there (any more) is one that containers may have been made of. */
static int read_ancestor(struct store *store, struct ps_filter *filter, struct error *err)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };

	(void)err;
	(void)reference_parse(filter->value, &filter->image, NULL);
	if (image_load(store, filter->value, &image, NULL) == 0)
		(void)image_trees(store, &image, &filter->trees, NULL);
	return 0;
}

/* -- fitting -------------------------------------------------------------------------------------
 */

static bool fits_id(const struct ps_filter *filter, const struct row *row)
{
	return strncmp(row->record->id, filter->value, strlen(filter->value)) == 0;
}

/* "^/web$" is what old scripts have: docker's names begin with a slash in its API. */
static bool fits_name(const struct ps_filter *filter, const struct row *row)
{
	cleanup_free char *slashed = xasprintf("/%s", row->record->name);

	return regexec(&filter->name, slashed + 1, 0, NULL, 0) == 0 ||
	       (strchr(filter->value, '/') && regexec(&filter->name, slashed, 0, NULL, 0) == 0);
}

static bool fits_status(const struct ps_filter *filter, const struct row *row)
{
	return strcmp(table_name(container_statuses, row->state->status), filter->value) == 0;
}

static bool fits_label(const struct ps_filter *filter, const struct row *row)
{
	return json_map_fits(&row->record->labels, filter->value);
}

/* The image by any of its names or its id, or one that begins with all of its layers. */
static bool fits_ancestor(const struct ps_filter *filter, const struct row *row)
{
	const struct container_record *record = row->record;
	const char *value = filter->value, *hex = strchr(record->image_id, ':');
	struct reference image;

	if (strcmp(record->image, value) == 0 || strcmp(record->image_id, value) == 0 ||
	    (strlen(value) >= 4 && hex && strncmp(hex + 1, value, strlen(value)) == 0))
		return true;
	if (filter->image.name[0] && reference_parse(record->image, &image, NULL) == 0 &&
	    strcmp(image.name, filter->image.name) == 0 &&
	    strcmp(image.tag, filter->image.tag) == 0)
		return true;
	if (filter->trees.count == 0 || filter->trees.count > record->trees.count)
		return false;
	for (size_t i = 0; i < filter->trees.count; i++)
		if (strcmp(filter->trees.items[i], record->trees.items[i]) != 0)
			return false;
	return true;
}

static bool fits_volume(const struct ps_filter *filter, const struct row *row)
{
	for (size_t i = 0; i < row->record->mounts.count; i++) {
		const struct container_mount *mount = &row->record->mounts.items[i];

		if ((mount->name && strcmp(mount->name, filter->value) == 0) ||
		    strcmp(mount->target, filter->value) == 0)
			return true;
	}
	return false;
}

static bool fits_network(const struct ps_filter *filter, const struct row *row)
{
	return strcmp(row->record->network, filter->value) == 0;
}

static bool fits_exited(const struct ps_filter *filter, const struct row *row)
{
	return row->state->status == CONTAINER_EXITED && row->state->exit_status == filter->number;
}

/* Times of one form, which sort as texts. */
static bool fits_before(const struct ps_filter *filter, const struct row *row)
{
	return strcmp(row->record->created, filter->created) < 0;
}

static bool fits_since(const struct ps_filter *filter, const struct row *row)
{
	return strcmp(row->record->created, filter->created) > 0;
}

/* clang-format off */
static const struct filter_kind {
	const char *key;
	int (*read)(struct store *store, struct ps_filter *filter, struct error *err); /* NULL = any value */
	bool (*fits)(const struct ps_filter *filter, const struct row *row);
	bool every;	 /* of several all have to fit */
	bool status; /* asks for how it is */
} kinds[] = {
	{ "id",       NULL,          fits_id,       false, false },
	{ "name",     read_name,     fits_name,     false, false },
	{ "status",   read_status,   fits_status,   false, true },
	{ "label",    NULL,          fits_label,    true,  false },
	{ "ancestor", read_ancestor, fits_ancestor, false, false },
	{ "volume",   NULL,          fits_volume,   false, false },
	{ "network",  NULL,          fits_network,  false, false },
	{ "exited",   read_number,   fits_exited,   false, true },
	{ "before",   read_other,    fits_before,   false, false },
	{ "since",    read_other,    fits_since,    false, false },
};
/* clang-format on */

static int read_filter(struct store *store, struct ps_filter *filter, struct error *err)
{
	size_t size = strcspn(filter->text, "=");

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && filter->text[size]; i++) {
		if (strlen(kinds[i].key) != size || strncmp(kinds[i].key, filter->text, size) != 0)
			continue;
		filter->kind = &kinds[i];
		filter->value = filter->text + size + 1;
		return kinds[i].read ? kinds[i].read(store, filter, err) : 0;
	}
	return bad(filter,
		   "id=, name=, status=, label=, ancestor=, volume=, network=, exited=, before= "
		   "or since=",
		   err);
}

int ps_filters_read(struct store *store, const struct strv *texts, struct ps_filters *out,
		    struct error *err)
{
	int ret = 0;

	out->items = xzalloc((texts->count + 1) * sizeof(*out->items));
	for (size_t i = 0; i < texts->count && ret == 0; i++) {
		out->items[i].text = texts->items[i];
		out->count++;
		ret = read_filter(store, &out->items[i], err);
	}
	return ret;
}

void ps_filters_done(struct ps_filters *filters)
{
	for (size_t i = 0; i < filters->count; i++) {
		if (filters->items[i].compiled)
			regfree(&filters->items[i].name);
		free(filters->items[i].created);
		strv_done(&filters->items[i].trees);
	}
	free(filters->items);
}

bool ps_filters_fit(const struct ps_filters *filters, const struct container_record *record,
		    const struct container_state *state)
{
	bool asked[ARRAY_SIZE(kinds)] = { false }, met[ARRAY_SIZE(kinds)] = { false };
	const struct row row = { record, state };

	for (size_t i = 0; i < filters->count; i++) {
		const struct ps_filter *filter = &filters->items[i];
		bool fits = filter->kind->fits(filter, &row);

		if (!fits && filter->kind->every)
			return false;
		asked[filter->kind - kinds] = true;
		met[filter->kind - kinds] |= fits;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (asked[i] && !met[i])
			return false;
	return true;
}

bool ps_filters_ask_for_status(const struct ps_filters *filters)
{
	for (size_t i = 0; i < filters->count; i++)
		if (filters->items[i].kind->status)
			return true;
	return false;
}
