/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as text: the form in which people and golden tests read it. */
#ifndef RUNTIME_PLAN_PRINT_H
#define RUNTIME_PLAN_PRINT_H

#include <stdio.h>

struct plan;

void plan_print(FILE *out, const struct plan *plan);

#endif
