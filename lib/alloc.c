/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is always there, and arenas. */
#include "lib/alloc.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *memory)
{
	static const char text[] = "out of memory\n";

	if (memory)
		return memory;
	(void)!write(2, text, sizeof(text) - 1);
	abort();
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xzalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return checked(strdup(text));
}

char *xstrndup(const char *text, size_t size)
{
	return checked(strndup(text, size));
}

void *xmemdup(const void *data, size_t size)
{
	void *copy = xmalloc(size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *xvasprintf(const char *format, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	return checked(text);
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	return text;
}

struct arena_block {
	struct arena_block *next;
	size_t used, capacity;
	_Alignas(max_align_t) char data[];
};

/* Small enough that a runtime verb touches few pages, large enough that malloc is rarely asked. */
#define ARENA_BLOCK_SIZE ((size_t)16 * 1024)

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	const size_t align = _Alignof(max_align_t);
	void *memory;

	if (size > SIZE_MAX - ARENA_BLOCK_SIZE)
		(void)checked(NULL);
	size = (size + align - 1) & ~(align - 1);
	if (!block || block->capacity - block->used < size) {
		size_t capacity = ARENA_BLOCK_SIZE - sizeof(*block);

		if (size > capacity / 4)
			capacity = size; /* a block of its own; the current one stays in use */
		block = xmalloc(sizeof(*block) + capacity);
		block->used = 0;
		block->capacity = capacity;
		if (capacity == size && arena->blocks) {
			block->next = arena->blocks->next;
			arena->blocks->next = block;
		} else {
			block->next = arena->blocks;
			arena->blocks = block;
		}
	}
	memory = block->data + block->used;
	block->used += size;
	return memset(memory, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);

	memcpy(copy, text, size);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list ap, again;
	int length;
	char *text;

	va_start(ap, format);
	va_copy(again, ap);
	length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	text = arena_alloc(arena, (size_t)(length < 0 ? 0 : length) + 1);
	(void)vsnprintf(text, (size_t)(length < 0 ? 0 : length) + 1, format, again);
	va_end(again);
	return text;
}

void arena_done(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	arena->blocks = NULL;
}
