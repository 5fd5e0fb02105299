/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the systemd driver. */
#ifndef RUNTIME_CGROUP_SYSTEMD_H
#define RUNTIME_CGROUP_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/systemd-request.h"

/** One more word of a request. */
void systemd_add_word(struct strbuf *request, const char *word);

/** The resources of the plan as properties of a unit: what systemd has a name for. The cgroup's
 *  files are written all the same; systemd has to know, or its next reload would undo them. */
void systemd_add_resources(struct strbuf *request, const struct plan_cgroup *plan);

/** Is there a property for this file of a cgroup? */
bool systemd_has_property(const char *file);

/**
 * Runs the program systemd-scope with this request. *answer gets the word behind "ok", if any.
 * What systemd refuses is an error with its message (-EEXIST: there is such a unit); no bus,
 * ERROR_UNSUPPORTED; no answer within deadline_ms, ERROR_TIMEOUT, and the program is killed;
 * stop_fd readable, ERROR_CANCELLED, the same. No lock may be held that others wait for.
 */
int systemd_call(const struct strbuf *request, int stop_fd, int64_t deadline_ms,
		 struct strbuf *answer, struct error *err);

#endif
