/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in front of libseccomp's program: rules for calls that the library does not know, and
 * -ENOSYS for calls that are newer than anything in the profile. Plain classic BPF, no library.
 */
#ifndef RUNTIME_PLAN_SECCOMP_PROLOGUE_H
#define RUNTIME_PLAN_SECCOMP_PROLOGUE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/config-linux.h"

/** One kind of system call: an architecture, and which of its numbers are meant. */
struct seccomp_abi {
	uint32_t token;	 /* AUDIT_ARCH_*, as the kernel gives it */
	uint32_t base;	 /* added to the numbers that all architectures share */
	uint32_t end;	 /* numbers from here on are something else; 0 = no such end */
	bool names_any;	 /* the profile names a call of it ... */
	uint32_t newest; /* ... and this is the highest number */
};

/** Calls of arch (libseccomp's token: the kernel's, but for x32). */
struct seccomp_abi seccomp_abi_of(uint32_t arch);

/** A rule for a call by number; all of its conditions must hold. */
struct seccomp_new_rule {
	uint32_t arch;	 /* AUDIT_ARCH_* of the only architecture that has it; 0 = all */
	uint32_t number; /* the common one: base is added */
	uint32_t action; /* SECCOMP_RET_* */
	const struct oci_seccomp_arg *args;
	size_t count;
};

struct seccomp_prologue {
	const struct seccomp_abi *abis;
	size_t abi_count;
	const struct seccomp_new_rule *rules; /* the first one that matches counts */
	size_t rule_count;
	bool newer_is_enosys; /* calls beyond an ABI's newest do not exist */
};

/** Number and (0 = every) architecture of a call that is newer than libseccomp 2.5.4. */
bool seccomp_new_call(const char *name, uint32_t *out_number, uint32_t *out_arch);

/** The instructions in *out (free them), 0 of them when nothing is needed. */
size_t seccomp_prologue_make(const struct seccomp_prologue *prologue, struct sock_filter **out);

#endif
