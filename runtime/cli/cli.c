/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the verbs: ids and paths. Nothing here prints. */
#include "runtime/cli/cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"
#include "runtime/texts.h"

/* Temporary files and sockets are named after the container, with something behind the id. */
#define ID_MAX (NAME_MAX - 32)

int cli_check_id(struct cli *cli, const char *id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_+.-";
	size_t length = strlen(id);

	if (length && length <= ID_MAX && strspn(id, allowed) == length && strcmp(id, ".") != 0 &&
	    strcmp(id, "..") != 0)
		return 0;
	return error_invalid(&cli->err, TEXT_ID_FORMAT, id);
}

int cli_parse_id(struct cli *cli, const struct command_spec *command, int argc, char **argv,
		 void *base, struct option_result *result)
{
	int ret = cli_parse(cli, command, argc, argv, base, result);

	return ret < 0 ? ret : cli_check_id(cli, result->arguments[0]);
}

int cli_call(struct cli *cli, const struct command_spec *command, int argc, char **argv,
	     int (*call)(const struct runtime_globals *globals, const char *id, struct error *err))
{
	struct option_result result;
	int ret = cli_parse_id(cli, command, argc, argv, NULL, &result);

	return ret < 0 ? ret : call(cli_globals(cli), result.arguments[0], &cli->err);
}

int cli_each_match(struct cli *cli, const char *pattern, cli_container_fn *fn, const void *args)
{
	cleanup_strv struct strv ids = STRV_INIT;
	char text[sizeof(cli->err.msg) + 256];
	int ret = container_match(cli_globals(cli), pattern, &ids, &cli->err);

	for (size_t i = 0; i < ids.count; i++) {
		struct error err = ERROR_INIT;
		int one = fn(cli_globals(cli), ids.items[i], args, &err);

		if (one == 0)
			continue;
		(void)error_prefix(&err, one, "container \"%s\"", ids.items[i]);
		if (ret == 0)
			cli->err = err;
		else
			log_warning("%s", error_text(&err, text, sizeof(text)));
		ret = ret == 0 ? one : ret;
	}
	return ret;
}

int cli_resolve_path(struct cli *cli, const char **path)
{
	cleanup_free char *absolute = NULL;

	if (!*path)
		return 0;
	absolute = path_absolute(*path);
	if (!absolute)
		return error_errno(&cli->err, errno, "absolute path of \"%s\"", *path);
	*path = arena_strdup(&cli->arena, absolute);
	return 0;
}

int cli_prepare_root(struct cli *cli)
{
	const char *root = cli_globals(cli)->root;
	int ret;

	if (!runtime_cli(cli)->root_is_xdg)
		return 0;
	ret = path_mkdir_all(root, 0700, &cli->err);
	if (ret < 0)
		return ret;
	if (chmod(root, 0700 | S_ISVTX) < 0)
		return error_errno(&cli->err, errno, "set the mode of \"%s\"", root);
	return 0;
}
