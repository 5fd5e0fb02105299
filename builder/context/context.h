/* SPDX-License-Identifier: Apache-2.0 */
/* The build context: a folder held by its fd, with its .dockerignore. */
#ifndef BUILDER_CONTEXT_CONTEXT_H
#define BUILDER_CONTEXT_CONTEXT_H

#include "builder/context/ignore.h"
#include "lib/error.h"
#include "lib/strbuf.h"

#define CONTEXT_DOCKERFILE_MAX ((size_t)64 << 20)

struct context {
	int fd; /* O_PATH of the folder */
	struct ignore ignore;
	char *dockerfile_name; /* as messages show it */
	struct strbuf dockerfile;
};

#define CONTEXT_INIT                                                                               \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/**
 * Open a folder, read its Dockerfile and ignore file. dockerfile: NULL = Dockerfile or dockerfile
 * in the context; "-" = stdin; else a path (of the caller, not relative to the context). The ignore
 * file is DOCKERFILE.dockerignore beside the Dockerfile, else .dockerignore in the context.
 */
int context_open(struct context *context, const char *path, const char *dockerfile,
		 struct error *err);
void context_close(struct context *context);
#define cleanup_context __attribute__((cleanup(context_close)))

#endif
