/* SPDX-License-Identifier: Apache-2.0 */
/* What `features` says of seccomp. */
#ifndef RUNTIME_PLAN_SECCOMP_H
#define RUNTIME_PLAN_SECCOMP_H

#include "lib/alloc.h"

/** name ("SCMP_ARCH_X86_64") when filters can be made for it, else NULL. */
const char *seccomp_arch_supported(const char *name);

/** "2.5.4" */
const char *seccomp_library_version(struct arena *arena);

#endif
