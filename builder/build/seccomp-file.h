/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp profile that people have written, --security-opt seccomp=FILE: docker's schema, which
 * is linux.seccomp of a config.json with rules that hold for some capabilities, machines and
 * kernels only.
 */
#ifndef BUILDER_BUILD_SECCOMP_FILE_H
#define BUILDER_BUILD_SECCOMP_FILE_H

#include <stddef.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/config-linux.h"

struct seccomp_file;

/** Read and check it; everything is in arena. */
int seccomp_file_load(const char *path, struct arena *arena, const struct seccomp_file **out,
		      struct error *err);

/** The same of a text; name is what messages call it. */
int seccomp_file_decode(const char *name, const char *text, size_t size, struct arena *arena,
			const struct seccomp_file **out, struct error *err);

/** Its bytes' digest, "sha256:...": for cache keys. */
const char *seccomp_file_digest(const struct seccomp_file *file);

/** What a rule may ask for. */
struct seccomp_place {
	const struct json_strings *capabilities; /* that the process may have: "CAP_CHOWN" */
	const char *machine;			 /* uname's name, "x86_64" */
	const char *architecture;		 /* Go's name, "amd64" */
	const char *kernel;			 /* uname's release, "6.1.0-18" */
};

/** The filter in this place; place NULL members are those of this machine. In arena. */
int seccomp_file_resolve(const struct seccomp_file *file, const struct seccomp_place *place,
			 struct arena *arena, struct oci_seccomp **out, struct error *err);

#endif
