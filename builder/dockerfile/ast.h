/* SPDX-License-Identifier: Apache-2.0 */
/* A Dockerfile as JSON: what was read, and what its stages need. For the verb `parse`, editors and
 * tests. */
#ifndef BUILDER_DOCKERFILE_AST_H
#define BUILDER_DOCKERFILE_AST_H

#include <stdio.h>

#include "builder/dockerfile/stages.h"

/**
 * The instructions with their flags, arguments and here-documents. places: also where each stands,
 * the text as written and the comments; without it equal documents mean equal instructions.
 */
void dockerfile_print_ast(const struct dockerfile *dockerfile, bool places, FILE *out);

/** The stages, what each needs, and the order of those that the target needs. */
void stages_print_json(const struct stages *stages, FILE *out);

#endif
