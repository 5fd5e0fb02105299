/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CPUs and memory nodes as bit masks. Used by the planner and the rules of config.json. */
#include "lib/bitlist.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/number.h"

#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

static void allocate(uint32_t bits, struct arena *arena, struct bitlist *out)
{
	out->size = (bits + WORD_BITS - 1) / WORD_BITS * sizeof(*out->words);
	out->words = arena_alloc(arena, out->size);
}

/* Word by word: a hostile list may name the whole range a million times. */
static void add_range(struct bitlist *list, uint32_t first, uint32_t last)
{
	for (size_t i = first / WORD_BITS; i <= last / WORD_BITS; i++) {
		unsigned long mask = ~0UL;

		if (i == first / WORD_BITS)
			mask &= ~0UL << first % WORD_BITS;
		if (i == last / WORD_BITS)
			mask &= ~0UL >> (WORD_BITS - 1 - last % WORD_BITS);
		list->words[i] |= mask;
	}
}

static void count_members(struct bitlist *list)
{
	list->count = 0;
	for (size_t i = 0; i < list->size / sizeof(*list->words); i++)
		list->count += (size_t)__builtin_popcountl(list->words[i]);
}

/* In place: text loses the blanks around it. */
static char *trim(char *text)
{
	static const char blanks[] = " \t\n";
	size_t size;

	text += strspn(text, blanks);
	size = strlen(text);
	while (size && strchr(blanks, text[size - 1]))
		text[--size] = '\0';
	return text;
}

/* FIRST or FIRST-LAST */
static int parse_range(char *text, uint32_t limit, uint32_t *first, uint32_t *last)
{
	char *dash = strchr(text, '-');
	int ret;

	if (dash)
		*dash++ = '\0';
	ret = number_parse_u32(trim(text), first);
	if (ret == 0)
		ret = dash ? number_parse_u32(trim(dash), last) : 0;
	if (ret < 0)
		return ret;
	if (!dash)
		*last = *first;
	if (*first > *last)
		return -EINVAL;
	return *last < limit ? 0 : -ERANGE;
}

int bitlist_parse(const char *text, uint32_t limit, struct arena *arena, struct bitlist *out)
{
	cleanup_free char *copy = xstrdup(text);
	struct bitlist list = { 0 };
	char *rest = copy, *item;

	allocate(limit, arena, &list);
	while ((item = strsep(&rest, ","))) {
		uint32_t first, last;
		int ret;

		item = trim(item);
		if (!*item)
			continue;
		ret = parse_range(item, limit, &first, &last);
		if (ret < 0)
			return ret;
		add_range(&list, first, last);
	}
	count_members(&list);
	*out = list;
	return 0;
}
