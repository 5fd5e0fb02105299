/* SPDX-License-Identifier: Apache-2.0 */
/* See pins.h. The planner asks for pins; what a build has found is collected after it. */
#include "builder/build/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder/build/graph.h"
#include "builder/build/step-kinds.h"
#include "builder/image/reference.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/json-table.h"

#define VERSION 1
#define FILE_MAX ((size_t)16 << 20)

/* clang-format off */
static const struct json_field image_fields[] = {
	JSON_STRING(struct pin, "name", name, .flags = JSON_REQUIRED),
	JSON_STRING(struct pin, "platform", platform, .flags = JSON_REQUIRED),
	JSON_STRING(struct pin, "digest", value, .flags = JSON_REQUIRED),
};
static const struct json_object image_object = JSON_TABLE(struct pin, image_fields);

static const struct json_field file_fields[] = {
	JSON_STRING(struct pin, "url", name, .flags = JSON_REQUIRED),
	JSON_STRING(struct pin, "digest", value, .flags = JSON_REQUIRED),
};
static const struct json_object file_object = JSON_TABLE(struct pin, file_fields);

static const struct json_field repository_fields[] = {
	JSON_STRING(struct pin, "url", name, .flags = JSON_REQUIRED),
	JSON_STRING(struct pin, "commit", value, .flags = JSON_REQUIRED),
};
static const struct json_object repository_object = JSON_TABLE(struct pin, repository_fields);

static const struct json_field pins_fields[] = {
	JSON_U32(struct pins, "version", version, .flags = JSON_REQUIRED),
	JSON_OBJECTS(struct pins, "images", images, &image_object),
	JSON_OBJECTS(struct pins, "files", files, &file_object),
	JSON_OBJECTS(struct pins, "repositories", repositories, &repository_object),
};
const struct json_object pins_object = JSON_TABLE(struct pins, pins_fields);
/* clang-format on */

void pins_done(struct pins *pins)
{
	arena_done(&pins->arena);
	*pins = (struct pins){ .path = NULL };
}

/* -- the file ------------------------------------------------------------------------------------
 */

int pins_read(const char *path, struct pins *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = path };
	int ret = io_read_file(AT_FDCWD, path, FILE_MAX, &text, err);

	if (ret < 0)
		return ret;
	source.text = strbuf_text(&text);
	source.size = text.size;
	ret = json_decode(&source, &pins_object, &out->arena, out, err);
	if (ret == 0 && out->version != VERSION)
		ret = error_invalid(err, "%s: version %u is not known here (%d is)", path,
				    out->version, VERSION);
	out->path = arena_strdup(&out->arena, path);
	return ret;
}

static int compare(const void *a, const void *b)
{
	const struct pin *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order || !x->platform ? order : strcmp(x->platform, y->platform);
}

static void sort(struct pin_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
}

int pins_write(struct pins *pins, const char *path, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	sort(&pins->images);
	sort(&pins->files);
	sort(&pins->repositories);
	pins->version = VERSION;
	json_encode(&pins_object, pins, JSON_INDENT_2, &text);
	strbuf_addc(&text, '\n');
	return io_write_result(path, text.data, text.size, err);
}

/* -- what a build has found ----------------------------------------------------------------------
 */

static bool is_for(const struct pin *pin, const char *platform)
{
	return !platform || !pin->platform || strcmp(pin->platform, platform) == 0;
}

static const struct pin *find(const struct pin_list *list, const char *name, const char *platform)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0 && is_for(&list->items[i], platform))
			return &list->items[i];
	return NULL;
}

/* "debian" is "docker.io/library/debian:latest": attestations have other words than Dockerfiles. */
static const struct pin *find_image(const struct pin_list *list, const char *name,
				    const char *platform)
{
	const struct pin *pin = find(list, name, platform);
	struct reference wanted, other;

	if (pin || reference_parse(name, &wanted, NULL) < 0 || wanted.digest.text[0])
		return pin; /* what is named by its digest is nothing else */
	for (size_t i = 0; i < list->count; i++)
		if (is_for(&list->items[i], platform) &&
		    reference_parse(list->items[i].name, &other, NULL) == 0 &&
		    strcmp(other.name, wanted.name) == 0 && strcmp(other.tag, wanted.tag) == 0)
			return &list->items[i];
	return NULL;
}

static void add(struct pins *pins, struct pin_list *list, const struct pin *pin)
{
	struct pin *items;

	if (find(list, pin->name, pin->platform))
		return;
	items = arena_alloc(&pins->arena, (list->count + 1) * sizeof(*items));
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	items[list->count++] = (struct pin){
		.name = arena_strdup(&pins->arena, pin->name),
		.platform = pin->platform ? arena_strdup(&pins->arena, pin->platform) : NULL,
		.value = arena_strdup(&pins->arena, pin->value),
	};
	list->items = items;
}

/* The name of a location in the file: two references of one repository are two. */
static char *location_name(const struct location *location)
{
	cleanup_free char *url = transport_redact(location->text);

	if (location->pin)
		return xstrdup(location->pin); /* its ref is that commit by now */
	return location->ref ? xasprintf("%s#%s", url, location->ref) : xstrdup(url);
}

void pins_add_repository(struct pins *pins, const struct location *location, const char *commit)
{
	cleanup_free char *name = location_name(location);

	add(pins, &pins->repositories, &(struct pin){ name, NULL, commit });
}

static int collect_remote(struct pins *pins, const struct remote *remote, bool all,
			  struct error *err)
{
	const struct digest *digest = remote->found.text[0] ? &remote->found : &remote->checksum;
	cleanup_free char *name = location_name(&remote->location);
	bool is_git = remote->location.kind == LOCATION_GIT;
	const char *value = is_git ? remote->commit : digest->text;

	if (!*value && all)
		return error_set(err, ERROR_INTERNAL, 0, "\"%s\": nobody has looked at it", name);
	if (!*value)
		return 0;
	add(pins, is_git ? &pins->repositories : &pins->files, &(struct pin){ name, NULL, value });
	return 0;
}

static int collect(struct pins *pins, const struct graph *graph, bool all, struct error *err)
{
	int ret = 0;

	pins->version = VERSION;
	for (const struct graph_image *image = graph->images; image; image = image->next)
		add(pins, &pins->images,
		    &(struct pin){ image->name, image->platform, image->image.top.digest.text });
	for (size_t i = 0; i < graph->order_count; i++) {
		const struct graph_stage *stage = graph->order[i];

		for (size_t j = 0; j < stage->step_count; j++) {
			const struct step *step = stage->steps[j];
			size_t count = step->kind == &step_kind_copy ? step->copy.item_count : 0;

			for (size_t k = 0; ret == 0 && k < count; k++)
				if (step->copy.items[k].remote)
					ret = collect_remote(pins, step->copy.items[k].remote, all,
							     err);
		}
	}
	return ret;
}

int pins_collect(struct pins *pins, const struct graph *graph, struct error *err)
{
	return collect(pins, graph, true, err);
}

void pins_collect_known(struct pins *pins, const struct graph *graph)
{
	(void)collect(pins, graph, false, NULL); /* only what is not known could fail */
}

void pins_add_image(struct pins *pins, const char *name, const char *platform, const char *digest)
{
	add(pins, &pins->images, &(struct pin){ name, platform, digest });
}

void pins_add_remote(struct pins *pins, const char *url, const char *value)
{
	bool is_file = strncmp(value, "sha256:", 7) == 0;

	add(pins, is_file ? &pins->files : &pins->repositories, &(struct pin){ url, NULL, value });
}

/* -- a build that is held to them ----------------------------------------------------------------
 */

static int not_pinned(const struct pins *pins, const char *name, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, 0,
			 "\"%s\" is not pinned in \"%s\": build with --lock to pin it", name,
			 pins->path);
}

int pins_find_image(const struct pins *pins, const char *name, const char *platform,
		    const char **out, struct error *err)
{
	const struct pin *pin = find_image(&pins->images, name, platform);

	if (!pin && !pins->open)
		return not_pinned(pins, name, err);
	*out = pin ? pin->value : NULL;
	return 0;
}

/* Find the pin of a location; said: what it says itself, "" or NULL = nothing. NULL in *out: there
 * is none, and none is needed. */
static int find_location(const struct pins *pins, struct location *location, const char *said,
			 const struct pin **out, struct error *err)
{
	cleanup_free char *name = location_name(location);
	bool is_git = location->kind == LOCATION_GIT;
	const struct pin *pin = find(is_git ? &pins->repositories : &pins->files, name, NULL);

	*out = pin;
	if (!pin)
		return pins->open ? 0 : not_pinned(pins, name, err);
	if (said && *said && strncmp(said, pin->value, strlen(said)) != 0)
		return error_invalid(err, "\"%s\" is %s in \"%s\", and --checksum says %s", name,
				     pin->value, pins->path, said);
	location->pin = pin->name;
	return 0;
}

int pins_hold_repository(const struct pins *pins, struct location *location, struct error *err)
{
	const struct pin *pin = NULL;
	int ret = find_location(pins, location, location->commit, &pin, err);

	if (ret < 0 || !pin)
		return ret;
	if (!git_is_commit(pin->value))
		return error_invalid(err, "%s: \"%s\" is not a commit", pins->path, pin->value);
	location->ref = location->commit = pin->value; /* nobody is asked what a name means */
	return 0;
}

int pins_hold_remote(const struct pins *pins, struct remote *remote, struct error *err)
{
	const struct pin *pin = NULL;
	int ret;

	if (remote->location.kind == LOCATION_GIT)
		return pins_hold_repository(pins, &remote->location, err);
	ret = find_location(pins, &remote->location, remote->checksum.text, &pin, err);
	return ret < 0 || !pin ? ret : digest_parse(pin->value, &remote->checksum, err);
}
