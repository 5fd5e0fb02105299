/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources of COPY and ADD: names and wildcards inside a root (the context, or a mounted
 * snapshot) become files and folders, and folders are walked in sorted order. Nothing outside of
 * the root is ever opened, whatever symlinks say.
 */
#ifndef BUILDER_CONTEXT_SELECT_H
#define BUILDER_CONTEXT_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "builder/context/ignore.h"
#include "lib/error.h"

struct select_root {
	int fd;
	const struct ignore *ignore; /* NULL = nothing is ignored */
};

/** One named or matched source. */
struct source {
	char *path; /* where it really is: clean, relative, without symlinks; "." = the root */
	char *name; /* last component of the name that was used (a symlink's own name) */
	bool is_folder;
};

struct source_list {
	struct source *items;
	size_t count, capacity;
};

void source_list_done(struct source_list *list);
#define cleanup_source_list __attribute__((cleanup(source_list_done)))

/**
 * Find what a source means and append it, in sorted order. A plain name that is not there (or is
 * ignored) is ERROR_NOT_FOUND; a wildcard may match nothing.
 */
int select_sources(const struct select_root *root, const char *name, struct source_list *out,
		   struct error *err);

/** The same for one plain name: nothing in it is a wildcard or an escape. */
int select_source(const struct select_root *root, const char *name, struct source_list *out,
		  struct error *err);

/** Is there something at path (below a folder source)? A path with wildcards always passes. */
int select_exists(const struct select_root *root, const struct source *folder, const char *path,
		  struct error *err);

/** Something found by a walk. */
struct source_entry {
	int folder_fd; /* with name: opened O_NOFOLLOW from here */
	const char *name;
	const char *path; /* below the source: "a/b"; "" = the source itself, when it is a file */
	struct stat st;
	const char *link; /* target of a symlink, else NULL */
};

typedef int (*source_visit_fn)(void *context, const struct source_entry *entry, struct error *err);

/**
 * Visit a file source itself, or all that is in a folder source, sorted, folders before what they
 * hold. excludes (may be NULL) are matched against paths below the source. A folder that is ignored
 * but holds something that is not comes just before that. Sockets are skipped.
 */
int select_walk(const struct select_root *root, const struct source *source,
		const struct ignore *excludes, source_visit_fn visit, void *context,
		struct error *err);

#endif
