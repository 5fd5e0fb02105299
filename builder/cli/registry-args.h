/* SPDX-License-Identifier: Apache-2.0 */
/* Options of all verbs that talk to registries. */
#ifndef BUILDER_CLI_REGISTRY_ARGS_H
#define BUILDER_CLI_REGISTRY_ARGS_H

#include "builder/cli/cli.h"
#include "builder/registry/registry.h"

struct registry_args {
	const char *authfile, *credentials, *tls_verify;
};
extern const struct option_spec registry_option_table[];

/** A client by these options; cancel_fd as in registry.h. */
int registry_args_open(const struct registry_args *args, int cancel_fd, struct registry **out,
		       struct error *err);

static inline void registry_cleanup(struct registry **registry)
{
	registry_close(*registry);
}
#define cleanup_registry __attribute__((cleanup(registry_cleanup)))

static inline void repository_cleanup(struct repository **repository)
{
	repository_close(*repository);
}

#endif
