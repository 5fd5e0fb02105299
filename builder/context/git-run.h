/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that runs the git program. */
#ifndef BUILDER_CONTEXT_GIT_RUN_H
#define BUILDER_CONTEXT_GIT_RUN_H

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/* The most that is kept of what git prints. */
#define GIT_OUTPUT_MAX ((size_t)16 << 20)

struct git_call {
	const char *folder;	/* -C; NULL = none */
	char *const *args;	/* "status", ..., NULL */
	const struct strv *env; /* all of it */
	int cancel_fd;		/* readable = stop; -EBADF = never */
	int deadline_ms;	/* for each word of it; 0 = none */
};

/** Run it; out (may be NULL) gets what it prints. A failure has the last line that it said; who
 *  says nothing until the deadline is ended (ETIMEDOUT). */
int git_run(const struct git_call *call, struct strbuf *out, struct error *err);

#endif
