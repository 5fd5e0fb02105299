/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `explain` shows of a plan, and golden tests compare. To add something: a function beside the
 * others in print.c that fills a section (view.h says how), a row in the table of sections, and its
 * keys in orlop-runtime(8); or a line more in the section where it belongs. Keys are stable.
 */
#ifndef RUNTIME_PLAN_PRINT_H
#define RUNTIME_PLAN_PRINT_H

#include "runtime/plan/plan.h"
#include "runtime/plan/view.h"
#include "spec/config.h"

/** The plan in the order of doing; config is what it was compiled from. */
void plan_view(const struct plan *plan, const struct oci_config *config, struct view *view);

#endif
