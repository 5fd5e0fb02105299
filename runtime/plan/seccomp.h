/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp, between the files of the planner, and for `features`. */
#ifndef RUNTIME_PLAN_SECCOMP_H
#define RUNTIME_PLAN_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"

struct oci_seccomp;
struct plan_seccomp;

/** name ("SCMP_ARCH_X86_64") when filters can be made for it, else NULL. */
const char *seccomp_arch_supported(const char *name);

/** "2.5.4" */
const char *seccomp_library_version(struct arena *arena);

/** linux.seccomp to a program. fail_unknown: a call that nobody knows is an error. */
int seccomp_build(const struct oci_seccomp *config, bool fail_unknown, struct arena *arena,
		  struct plan_seccomp *out, struct error *err);

/** A program that came as base64 of struct sock_filter (annotation); refused if the kernel would.
 */
int seccomp_raw_program(const char *base64, struct arena *arena, struct plan_seccomp *out,
			struct error *err);

/** The architecture of our own calls: AUDIT_ARCH_*. */
uint32_t seccomp_native_arch(void);

/** A call as a filter sees it, but for its arguments. */
struct seccomp_call {
	uint32_t number, arch; /* AUDIT_ARCH_* */
};

enum seccomp_verdict {
	SECCOMP_VERDICT_PASSES = 1 << 0,
	SECCOMP_VERDICT_REPORTS = 1 << 1, /* to a listener, whose answer the caller awaits */
	SECCOMP_VERDICT_REFUSES = 1 << 2, /* an errno, a signal, the end */
	SECCOMP_VERDICT_UNKNOWN = 1 << 3, /* what the program returns is computed from arguments */
};

/** All that the program may say to the call, whatever its arguments; call NULL: to any at all. */
unsigned int seccomp_verdicts(const struct plan_seccomp *seccomp, const struct seccomp_call *call);

#endif
