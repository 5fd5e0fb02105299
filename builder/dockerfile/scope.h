/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The variables of a stage. ENV and ARG set the same names: the one that stands later wins, as in
 * BuildKit (its manual says that ENV always does). An ARG takes its value from --build-arg, else
 * from its default, else from a global ARG of the same name; without any it changes nothing. A
 * stage that starts from another inherits its ARGs, then its ENVs: there ENV wins.
 */
#ifndef BUILDER_DOCKERFILE_SCOPE_H
#define BUILDER_DOCKERFILE_SCOPE_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strv.h"

/** PATH where an image has none. */
#define SCOPE_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct scope {
	char escape;
	const struct strv *build_args; /* "K=V" of the command line */
	const struct strv *globals;    /* ARGs before the first FROM, platform; NULL = none */
	struct strv values;	       /* "K=V" of ENV, and of ARGs that have a value */
	struct strv declared;	       /* names of all declared ARGs, in order, each once */
};

void scope_done(struct scope *scope);
#define cleanup_scope __attribute__((cleanup(scope_done)))

/** Another stage begins from this one: its variables are inherited. */
void scope_copy(const struct scope *from, struct scope *to);

/** An ENV, of the Dockerfile or of the base image. */
void scope_set_env(struct scope *scope, const char *name, const char *value);

/** For struct expand, with the scope as context. */
const char *scope_lookup(void *scope, const char *name);

/** Expand one word with the scope's variables; *out is owned. */
int scope_expand(struct scope *scope, const char *text, char **out, struct error *err);

/** Meet "ARG name[=value]" (value NULL = no default, not yet expanded). *out_value: borrowed, NULL
 *  when it stays without a value. */
int scope_declare(struct scope *scope, const char *name, const char *value, const char **out_value,
		  struct error *err);

/** The proxy variables that every RUN gets from --build-arg without an ARG, in no key or history.
 */
bool scope_is_proxy(const char *name);

/** ARGs for the builder alone, which no RUN gets even when declared. */
bool scope_is_private(const char *name);

#endif
