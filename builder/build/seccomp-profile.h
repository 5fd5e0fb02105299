/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default seccomp profile of build steps and containers: our own file seccomp.json, resolved
 * for a machine and a set of capabilities into the linux.seccomp of a config.json.
 */
#ifndef BUILDER_BUILD_SECCOMP_PROFILE_H
#define BUILDER_BUILD_SECCOMP_PROFILE_H

#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/config-linux.h"

/**
 * The filter for a process that may have these capabilities ("CAP_CHOWN", ...) on this machine
 * (uname's name: "x86_64"; NULL = the one we run on). Everything is in arena.
 */
int seccomp_profile_resolve(const char *machine, const struct json_strings *capabilities,
			    struct arena *arena, struct oci_seccomp **out, struct error *err);

/** libseccomp's name of the machine's own system calls ("SCMP_ARCH_X86_64" of "x86_64"); NULL = not
 *  known. */
const char *seccomp_native_architecture(const char *machine);

#endif
