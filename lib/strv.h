/* SPDX-License-Identifier: Apache-2.0 */
/* A growing, NULL-terminated list of owned strings: argv, environments, option values. */
#ifndef LIB_STRV_H
#define LIB_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **items; /* NULL-terminated once anything was added; NULL before */
	size_t count;
	size_t capacity;
};

#define STRV_INIT                                                                                  \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void strv_add(struct strv *list, const char *text); /* copies */
void strv_take(struct strv *list, char *text);	    /* takes ownership */
void strv_addf(struct strv *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strv_add_all(struct strv *list, char *const *items); /* NULL-terminated; NULL = none */
bool strv_contains(const struct strv *list, const char *text);
void strv_remove(struct strv *list, size_t index);
/** Remove the first that is this text; false: there is none. */
bool strv_drop(struct strv *list, const char *text);
/** Split at each separator character; empty pieces are kept. */
void strv_split(struct strv *list, const char *text, char separator);

/** Sort by bytes (strcmp), the same on every machine. */
void strv_sort(struct strv *list);
/** Is it in a list that is sorted so? */
bool strv_contains_sorted(const struct strv *list, const char *text);

/** The NULL-terminated array, also when empty. Borrowed. */
char *const *strv_items(const struct strv *list);

/** "K=V" lists: the value of name or NULL; set replaces the first or appends. */
const char *strv_env_get(const struct strv *env, const char *name);
void strv_env_set(struct strv *env, const char *name, const char *value);

void strv_done(struct strv *list);
#define cleanup_strv __attribute__((cleanup(strv_done)))

#endif
