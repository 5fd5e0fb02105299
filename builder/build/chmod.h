/* SPDX-License-Identifier: Apache-2.0 */
/* --chmod: an octal mode, or symbolic changes ("u=rwX,go=rX") as chmod(1) takes them. */
#ifndef BUILDER_BUILD_CHMOD_H
#define BUILDER_BUILD_CHMOD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/error.h"

#define CHMOD_CLAUSES_MAX 32

struct chmod_clause {
	mode_t who;    /* mask of the bits that it speaks of */
	char operator; /* = + - */
	mode_t bits;
	bool search_if_any; /* X */
	mode_t copied;	    /* g=u: mask of the class whose permissions are taken; 0 = none */
};

struct chmod {
	bool octal;
	mode_t mode;
	struct chmod_clause clauses[CHMOD_CLAUSES_MAX];
	size_t count;
};

int chmod_parse(const char *text, struct chmod *out, struct error *err);

/** The permission bits (07777) of a file that has mode now. */
mode_t chmod_apply(const struct chmod *chmod, mode_t mode);

#endif
