/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/cli/step-again.h"

#include "builder/build/journal-find.h"
#include "builder/build/run-again.h"
#include "builder/build/runtime-exec.h"
#include "builder/container/volume.h"
#include "lib/cleanup.h"

int step_again(struct cli *cli, const struct step_again *again)
{
	cleanup_store struct store store = STORE_INIT;
	/* before we enter a mount namespace, as for run */
	cleanup_free char *runtime = runtime_find(again->runtime);
	cleanup_sandbox struct sandbox sandbox = { .hosts = NULL };
	struct run_again_options options = { .runtime = runtime,
					     .sandbox = &sandbox,
					     .shell = again->shell,
					     .shell_program = again->shell_program };
	struct run_volume *volumes = NULL;
	struct secret *secrets = NULL;
	uint64_t build = 0, event = 0;
	int status = 0;
	int ret = secrets_parse(again->secrets, &cli->arena, &secrets, &options.secret_count,
				&cli->err);

	if (ret == 0)
		ret = volumes_parse(again->volumes, &cli->arena, &volumes, &options.volume_count,
				    &cli->err);
	if (ret == 0)
		ret = sandbox_parse(again->sandbox, &cli->arena, &sandbox, &cli->err);
	options.secrets = secrets;
	options.volumes = volumes;
	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	if (ret == 0)
		ret = journal_find_step(&store, again->step, &build, &event, &cli->err);
	if (ret == 0)
		ret = run_again(&store, build, event, &options, &status, &cli->err);
	return ret < 0 ? ret : status;
}
