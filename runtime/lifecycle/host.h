/* SPDX-License-Identifier: Apache-2.0 */
/* What the host can give, asked without making anything. */
#ifndef RUNTIME_LIFECYCLE_HOST_H
#define RUNTIME_LIFECYCLE_HOST_H

#include <stdbool.h>

#include "runtime/plan/plan.h"
#include "spec/config.h"
#include "spec/findings.h"

/**
 * For `validate --host`: what config.json asks and this kernel, this file system or the caller's
 * rights cannot give, as findings of severity "host". The plan is one of look_only, and may be
 * plan_examine's of a document that is wrong.
 */
void host_examine(const struct oci_config *config, const struct plan *plan,
		  struct findings *findings);

/** Does the kernel know this flag of seccomp(2)? */
bool host_has_seccomp_flag(unsigned int flag);

#endif
