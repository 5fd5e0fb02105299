/* SPDX-License-Identifier: Apache-2.0 */
/* state: prints what container_load_info says; and the printed form itself, which list shares. */
#include "runtime/cli/cmd-state.h"

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "runtime/cli/cli.h"
#include "spec/config.h"
#include "spec/state.h"

static const struct option_spec state_options[] = { OPT_END };

void container_state_write(const struct container_info *info, const char *owner,
			   enum json_style style, struct strbuf *out)
{
	struct oci_state state = {
		.oci_version = OCI_RUNTIME_VERSION,
		.id = info->id,
		.pid = info->pid,
		.has_pid = true,
		.status = container_status_names[info->status],
		.bundle = info->bundle,
		.rootfs = info->rootfs,
		.created = info->created,
		.annotations = info->annotations,
		.owner = owner,
		.extension = info->extension,
	};

	state_write(&state, style, out);
}

static int cmd_state(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct container_info info;
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse_id(cli, command, argc, argv, NULL, &result);
	if (ret < 0)
		return ret;
	ret = container_load_info(cli_globals(cli), result.arguments[0], &cli->arena, &info,
				  &cli->err);
	if (ret < 0)
		return ret;
	/* owner is a name only in list, as runc has it */
	container_state_write(&info, "", JSON_INDENT_2, &text);
	puts(strbuf_text(&text));
	return 0;
}

const struct command_spec state_command = {
	.name = "state",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = state_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_state,
	.summary = "print the state of a container as JSON",
};
