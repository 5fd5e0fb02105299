/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers `ps --filter` means. */
#ifndef BUILDER_CLI_PS_FILTERS_H
#define BUILDER_CLI_PS_FILTERS_H

#include <stdbool.h>

#include "builder/container/state.h"
#include "lib/error.h"
#include "lib/strv.h"

struct ps_filter;

struct ps_filters {
	struct ps_filter *items;
	size_t count;
};

/** Read "KEY=VALUE" texts, which are borrowed. An unknown key or value is a usage error. */
int ps_filters_read(struct store *store, const struct strv *texts, struct ps_filters *out,
		    struct error *err);
void ps_filters_done(struct ps_filters *filters);

/** One of the values of each key has to fit, of labels all, as in docker. */
bool ps_filters_fit(const struct ps_filters *filters, const struct container_record *record,
		    const struct container_state *state);

/** Do they ask for how a container is? Then also those that do not run are meant. */
bool ps_filters_ask_for_status(const struct ps_filters *filters);

#endif
