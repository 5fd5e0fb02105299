/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory. Allocation failure ends the program with one line on stderr (with overcommit it does not
 * happen in practice; code paths that cannot be tested are not written). An arena owns everything
 * that one decoded document or plan needs: freed at once, never piecewise.
 */
#ifndef LIB_ALLOC_H
#define LIB_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

/** malloc, calloc (zeroed), realloc, strdup, strndup, memdup, asprintf that never return NULL. */
void *xmalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *xzalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *xreallocarray(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t size) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *data, size_t size) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *xvasprintf(const char *format, va_list ap)
	__attribute__((format(printf, 1, 0), returns_nonnull));

/** Room for one more element: grows *array geometrically. ARRAY_GROW(items, count, capacity). */
#define ARRAY_GROW(array, count, capacity)                                                         \
	do {                                                                                       \
		if ((count) == (capacity)) {                                                       \
			(capacity) = (capacity) ? (capacity)*2 : 8;                                \
			(array) = xreallocarray((array), (capacity), sizeof(*(array)));            \
		}                                                                                  \
	} while (0)

struct arena {
	struct arena_block *blocks; /* newest first */
};

#define ARENA_INIT                                                                                 \
	{                                                                                          \
		NULL                                                                               \
	}

/** Zeroed memory, aligned for anything, that lives until arena_done. size 0 is allowed. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *arena, const char *text, size_t size)
	__attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

/** Frees all; the arena is empty and usable again. */
void arena_done(struct arena *arena);
#define cleanup_arena __attribute__((cleanup(arena_done)))

#endif
