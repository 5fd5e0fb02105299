/* SPDX-License-Identifier: Apache-2.0 */
/* A growing list of owned strings. */
#include "lib/strv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

void strv_take(struct strv *list, char *text)
{
	if (list->count + 1 >= list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 8;
		list->items = xreallocarray(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

void strv_add(struct strv *list, const char *text)
{
	strv_take(list, xstrdup(text));
}

void strv_addf(struct strv *list, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	strv_take(list, xvasprintf(format, ap));
	va_end(ap);
}

void strv_add_all(struct strv *list, char *const *items)
{
	for (; items && *items; items++)
		strv_add(list, *items);
}

bool strv_contains(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

void strv_remove(struct strv *list, size_t index)
{
	free(list->items[index]);
	memmove(list->items + index, list->items + index + 1,
		(list->count - index) * sizeof(*list->items));
	list->count--;
}

bool strv_drop(struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0) {
			strv_remove(list, i);
			return true;
		}
	return false;
}

void strv_split(struct strv *list, const char *text, char separator)
{
	const char *end;

	while ((end = strchr(text, separator))) {
		strv_take(list, xstrndup(text, (size_t)(end - text)));
		text = end + 1;
	}
	strv_add(list, text);
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_items);
}

bool strv_contains_sorted(const struct strv *list, const char *text)
{
	return list->count &&
	       bsearch(&text, list->items, list->count, sizeof(*list->items), compare_items);
}

char *const *strv_items(const struct strv *list)
{
	static char *const empty[] = { NULL };

	return list->items ? list->items : empty;
}

static size_t env_find(const struct strv *env, const char *name, size_t length)
{
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, length) == 0 && env->items[i][length] == '=')
			return i;
	return env->count;
}

const char *strv_env_get(const struct strv *env, const char *name)
{
	size_t length = strlen(name), i = env_find(env, name, length);

	return i < env->count ? env->items[i] + length + 1 : NULL;
}

void strv_env_set(struct strv *env, const char *name, const char *value)
{
	size_t i = env_find(env, name, strlen(name));
	char *text = xasprintf("%s=%s", name, value);

	if (i == env->count) {
		strv_take(env, text);
		return;
	}
	free(env->items[i]);
	env->items[i] = text;
}

void strv_done(struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strv)STRV_INIT;
}
