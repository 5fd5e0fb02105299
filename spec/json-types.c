/* SPDX-License-Identifier: Apache-2.0 */
/* The little that documents' lists and maps can do after they were decoded. */
#include "spec/json-types.h"

#include <string.h>

#include "lib/alloc.h"
#include "lib/strbuf.h"

const char *json_map_get(const struct json_map *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (!strcmp(map->items[i].key, key))
			return map->items[i].value;
	}
	return NULL;
}

bool json_map_fits(const struct json_map *map, const char *text)
{
	size_t size = strcspn(text, "=");

	for (size_t i = 0; i < map->count; i++)
		if (strncmp(map->items[i].key, text, size) == 0 && !map->items[i].key[size])
			return !text[size] || strcmp(map->items[i].value, text + size + 1) == 0;
	return false;
}

void json_map_set(struct json_map *map, struct arena *arena, const char *key, const char *value)
{
	struct json_pair *items;

	map->null = false;
	for (size_t i = 0; i < map->count; i++) {
		if (!strcmp(map->items[i].key, key)) {
			map->items[i].value = arena_strdup(arena, value);
			return;
		}
	}
	items = arena_alloc(arena, (map->count + 1) * sizeof(*items));
	if (map->count)
		memcpy(items, map->items, map->count * sizeof(*items));
	items[map->count].key = arena_strdup(arena, key);
	items[map->count].value = arena_strdup(arena, value);
	map->items = items;
	map->count++;
}

bool json_map_remove(struct json_map *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (!strcmp(map->items[i].key, key)) {
			map->count--;
			memmove(&map->items[i], &map->items[i + 1],
				(map->count - i) * sizeof(*map->items));
			return true;
		}
	}
	return false;
}

void json_strings_add_all(struct json_strings *list, struct arena *arena, char *const *texts,
			  size_t count)
{
	char **items;

	if (!count)
		return;
	items = arena_alloc(arena, (list->count + count + 1) * sizeof(*items));
	list->null = false;
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	for (size_t i = 0; i < count; i++)
		items[list->count + i] = arena_strdup(arena, texts[i]);
	list->items = items;
	list->count += count;
}

void json_strings_add(struct json_strings *list, struct arena *arena, const char *text)
{
	char *const texts[] = { (char *)(uintptr_t)text };

	json_strings_add_all(list, arena, texts, 1);
}

bool json_strings_contain(const struct json_strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->items[i], text))
			return true;
	}
	return false;
}

void json_pointer_add(struct strbuf *pointer, const char *name)
{
	strbuf_addc(pointer, '/');
	for (; *name; name++) {
		if (*name == '~')
			strbuf_adds(pointer, "~0");
		else if (*name == '/')
			strbuf_adds(pointer, "~1");
		else
			strbuf_addc(pointer, *name);
	}
}
