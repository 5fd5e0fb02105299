/* SPDX-License-Identifier: Apache-2.0 */
/* The packages that a root file system has, by what package managers leave in it. */
#ifndef BUILDER_ATTEST_PACKAGES_H
#define BUILDER_ATTEST_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/alloc.h"
#include "lib/error.h"

struct package {
	const char *type; /* of a purl: "deb", "apk", "rpm", "npm", "pypi" */
	const char *name, *version;
	const char *arch;    /* NULL = none */
	const char *place;   /* the file that says so */
	const char *epoch;   /* of an rpm's version; NULL = none */
	const char *license; /* as the package has it, in one line; NULL = it is not known */
	const char *source;  /* the source package it was built from; NULL = not known */
};

struct packages {
	struct arena arena;
	const char *distribution; /* ID of os-release; NULL = none */
	struct package *items;	  /* sorted, each once */
	size_t count, capacity;
	size_t size;	    /* bytes of all that was added; beyond PACKAGES_MAX nothing is */
	const char *unread; /* a database of rpm's that could not be read, or not all of it; NULL =
			       none */
};

/* Of what files say of packages, before what several say is counted once. 100,000 packages have
 * some 12 MiB; a document is about seven times as long. */
#define PACKAGES_MAX ((size_t)32 << 20)

/** Look for all. What is damaged is left out: a hostile image may say what it likes, but not more
 *  than that, and not more than PACKAGES_MAX. */
int packages_find(int root_fd, struct packages *out, struct error *err);
void packages_done(struct packages *packages);

/** Add a package, copied; one whose name or version is no word is left out. For those who read
 * files. */
void packages_add(struct packages *packages, const struct package *package);

/** One file that was found; for packages.c and tests. */
void packages_read_paragraphs(struct packages *packages, const char *text, const char *place);
void packages_read_apk(struct packages *packages, const char *text, const char *place);
void packages_read_metadata(struct packages *packages, const char *text, const char *place);
void packages_read_npm_lock(struct packages *packages, const char *text, const char *place);
void packages_read_npm(struct packages *packages, const char *text, const char *place);

#endif
