/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled filters kept between runs: libseccomp takes 3 to 20 ms for a usual profile. */
#ifndef RUNTIME_PLAN_SECCOMP_CACHE_H
#define RUNTIME_PLAN_SECCOMP_CACHE_H

#include <stdbool.h>

#include "lib/alloc.h"
#include "lib/strbuf.h"
#include "runtime/plan/plan.h"

struct oci_seccomp;

/** All that the program depends on, as bytes: the profile, the compiler, the machine, us. */
void seccomp_cache_key(const struct oci_seccomp *config, bool fail_unknown, const char *compiler,
		       struct strbuf *key);

/** True when directory has the program of this key; its instructions are then in arena. */
bool seccomp_cache_load(const char *directory, const struct strbuf *key, struct arena *arena,
			struct plan_seccomp *out);

/** Keep it. Whatever goes wrong is only a loss of time, so nothing is reported. */
void seccomp_cache_store(const char *directory, const struct strbuf *key,
			 const struct plan_seccomp *program);

#endif
