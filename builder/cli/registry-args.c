/* SPDX-License-Identifier: Apache-2.0 */
/* Called by the verbs that pull, push and log in. */
#include "builder/cli/registry-args.h"

#include <string.h>

/* clang-format off */
const struct option_spec registry_option_table[] = {
	OPT_STRING(0, "authfile", struct registry_args, authfile, "FILE",
		   "credentials of registries (default: REGISTRY_AUTH_FILE, else the files of podman "
		   "and docker)"),
	OPT_STRING(0, "creds", struct registry_args, credentials, "USER[:PASSWORD]",
		   "instead of those that are stored"),
	OPT_STRING(0, "tls-verify", struct registry_args, tls_verify, "true|false",
		   "false: any certificate will do, and plain http"),
	OPT_END
};
/* clang-format on */

int registry_args_open(const struct registry_args *args, int cancel_fd, struct registry **out,
		       struct error *err)
{
	struct registry_options options = { .cancel_fd = cancel_fd,
					    .credentials = args->credentials,
					    .authfile = args->authfile };

	if (args->tls_verify && strcmp(args->tls_verify, "false") == 0)
		options.insecure = true;
	else if (args->tls_verify && strcmp(args->tls_verify, "true") != 0)
		return error_set(err, ERROR_USAGE, 0, "--tls-verify is true or false, not \"%s\"",
				 args->tls_verify);
	*out = registry_open(&options);
	return 0;
}
