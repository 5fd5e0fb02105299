/* SPDX-License-Identifier: Apache-2.0 */
/* The files of package managers: what each says of packages. Called by packages.c. */
#include <string.h>

#include "builder/attest/packages.h"
#include "lib/cleanup.h"
#include "spec/json-table.h"

#define NAME_LIMIT 512

/* A name or version as people give them: one word of printable characters. */
static bool is_word(const char *text)
{
	if (!text || !*text || strlen(text) > NAME_LIMIT)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

/* What is shown as it is: printable, in one line. */
static const char *as_line(struct arena *arena, const char *text)
{
	if (!text || !*text || strlen(text) > NAME_LIMIT)
		return NULL;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return NULL;
	return arena_strdup(arena, text);
}

/* Packages of one file follow each other. */
static const char *place_of(struct packages *packages, const char *place)
{
	const char *last = packages->count ? packages->items[packages->count - 1].place : NULL;

	return last && strcmp(last, place) == 0 ? last : arena_strdup(&packages->arena, place);
}

static size_t package_size(const struct package *package)
{
	const char *const texts[] = { package->name,  package->version, package->arch,
				      package->place, package->epoch,	package->license,
				      package->source };
	size_t size = sizeof(*package);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		size += texts[i] ? strlen(texts[i]) : 0;
	return size;
}

void packages_add(struct packages *packages, const struct package *package)
{
	struct arena *arena = &packages->arena;
	struct package added;

	if (packages->size > PACKAGES_MAX || !is_word(package->name) || !is_word(package->version))
		return;
	added = (struct package){
		.type = package->type,
		.name = arena_strdup(arena, package->name),
		.version = arena_strdup(arena, package->version),
		.arch = is_word(package->arch) ? arena_strdup(arena, package->arch) : NULL,
		.place = place_of(packages, package->place),
		.epoch = as_line(arena, package->epoch),
		.license = as_line(arena, package->license),
		.source = as_line(arena, package->source),
	};
	packages->size += package_size(&added);
	ARRAY_GROW(packages->items, packages->count, packages->capacity);
	packages->items[packages->count++] = added;
}

/* -- "Name: value" lines -------------------------------------------------------------------------
 */

struct field {
	const char *name; /* with its colon */
	char *value;	  /* owned */
};

static void take_line(struct field *fields, size_t count, const char *line, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		size_t prefix = strlen(fields[i].name);
		const char *value = line + prefix;

		if (fields[i].value || size < prefix || strncmp(line, fields[i].name, prefix) != 0)
			continue;
		while (value < line + size && *value == ' ')
			value++;
		fields[i].value = xstrndup(value, (size_t)(line + size - value));
		if (strchr(fields[i].value, '\r'))
			*strchr(fields[i].value, '\r') = '\0';
	}
}

static void forget(struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(fields[i].value);
		fields[i].value = NULL;
	}
}

/* One paragraph; where the next one begins. */
static const char *take_paragraph(struct field *fields, size_t count, const char *text)
{
	forget(fields, count);
	while (*text && *text != '\n') {
		size_t size = strcspn(text, "\n");

		take_line(fields, count, text, size);
		text += size + (text[size] == '\n');
	}
	return text + strspn(text, "\n");
}

static bool is_installed(const char *status)
{
	const char *last = status ? strrchr(status, ' ') : NULL;

	return !status || (last && strcmp(last, " installed") == 0);
}

/* dpkg's status, and the files of status.d. */
void packages_read_paragraphs(struct packages *packages, const char *text, const char *place)
{
	struct field fields[] = { { "Package:", NULL },
				  { "Version:", NULL },
				  { "Architecture:", NULL },
				  { "Status:", NULL } };

	for (text += strspn(text, "\n"); *text;) {
		text = take_paragraph(fields, ARRAY_SIZE(fields), text);
		if (is_installed(fields[3].value))
			packages_add(packages,
				     &(struct package){ "deb", fields[0].value, fields[1].value,
							fields[2].value, place });
	}
	forget(fields, ARRAY_SIZE(fields));
}

void packages_read_apk(struct packages *packages, const char *text, const char *place)
{
	struct field fields[] = { { "P:", NULL }, { "V:", NULL }, { "A:", NULL } };

	for (text += strspn(text, "\n"); *text;) {
		text = take_paragraph(fields, ARRAY_SIZE(fields), text);
		packages_add(packages, &(struct package){ "apk", fields[0].value, fields[1].value,
							  fields[2].value, place });
	}
	forget(fields, ARRAY_SIZE(fields));
}

/* METADATA of a dist-info, PKG-INFO of an egg-info: the head alone. */
void packages_read_metadata(struct packages *packages, const char *text, const char *place)
{
	struct field fields[] = { { "Name:", NULL }, { "Version:", NULL } };

	(void)take_paragraph(fields, ARRAY_SIZE(fields), text);
	packages_add(packages,
		     &(struct package){ "pypi", fields[0].value, fields[1].value, NULL, place });
	forget(fields, ARRAY_SIZE(fields));
}

/* -- npm -----------------------------------------------------------------------------------------
 */

struct npm_package {
	const char *path; /* "node_modules/NAME", perhaps below another one's; "" = itself */
	const char *name, *version;
	bool link;
};

struct npm_lock {
	JSON_LIST(struct npm_package) packages;
	JSON_LIST(struct npm_package) dependencies; /* version 1 */
};

/* clang-format off */
static const struct json_field npm_fields[] = {
	JSON_STRING(struct npm_package, "name", name),
	JSON_STRING(struct npm_package, "version", version),
	JSON_BOOL(struct npm_package, "link", link),
};
static const struct json_object npm_object = JSON_TABLE(struct npm_package, npm_fields);

static const struct json_field lock_fields[] = {
	JSON_OBJECT_MAP(struct npm_lock, "packages", packages, &npm_object),
	JSON_OBJECT_MAP(struct npm_lock, "dependencies", dependencies, &npm_object),
};
static const struct json_object lock_object = JSON_TABLE(struct npm_lock, lock_fields);
/* clang-format on */

static void add_npm(struct packages *packages, const struct npm_package *package, const char *place)
{
	static const char folder[] = "node_modules/";
	const char *name = package->path;

	for (const char *next; name && (next = strstr(name, folder));)
		name = next + strlen(folder);
	if (package->name)
		name = package->name;
	if (!package->link)
		packages_add(packages,
			     &(struct package){ "npm", name, package->version, NULL, place });
}

void packages_read_npm_lock(struct packages *packages, const char *text, const char *place)
{
	const struct json_source source = { .name = place, .text = text, .size = strlen(text) };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct npm_lock lock = { .packages = { .count = 0 } };

	if (json_decode(&source, &lock_object, &arena, &lock, NULL) < 0)
		return;
	for (size_t i = 0; i < lock.packages.count; i++)
		if (*lock.packages.items[i].path) /* "" is what the lock belongs to */
			add_npm(packages, &lock.packages.items[i], place);
	for (size_t i = 0; !lock.packages.count && i < lock.dependencies.count; i++)
		add_npm(packages, &lock.dependencies.items[i], place);
}

void packages_read_npm(struct packages *packages, const char *text, const char *place)
{
	const struct json_source source = { .name = place, .text = text, .size = strlen(text) };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct npm_package package = { .path = NULL };

	if (json_decode(&source, &npm_object, &arena, &package, NULL) == 0)
		add_npm(packages, &package, place);
}
