/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the verbs. Nothing here prints. */
#include "builder/cli/cli.h"

#include <fcntl.h>

#include <errno.h>

#include "builder/container/leftovers.h"
#include "builder/image/image.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

static int read_reference(const char *text, struct reference *out, struct error *err)
{
	int ret = reference_parse(text, out, err);

	if (ret < 0 && err)
		err->code = ERROR_USAGE;
	return ret;
}

int cli_read_name(const char *text, struct reference *out, struct error *err)
{
	int ret = read_reference(text, out, err);

	return ret == 0 && out->digest.text[0]
		       ? error_set(err, ERROR_USAGE, 0, "\"%s\": a name cannot have a digest here",
				   text)
		       : ret;
}

int cli_parse_reference(struct cli *cli, const char *text, struct reference *out)
{
	return read_reference(text, out, &cli->err);
}

int cli_parse_name(struct cli *cli, const char *text, struct reference *out)
{
	return cli_read_name(text, out, &cli->err);
}

int cli_open_store(struct cli *cli, bool mounts, struct store *out)
{
	struct builder_cli *builder = (struct builder_cli *)cli;
	cleanup_free char *path = NULL;
	cleanup_close int mounts_fd = -EBADF;
	cleanup_close int root_fd = -EBADF;
	int ret = rootless_enter(&builder->rootless, &cli->err);

	if (ret < 0)
		return ret;
	path = store_default_path(builder->store);
	if (!path) /* relative to a folder that is gone */
		return error_errno(&cli->err, errno, "find the store: the working directory");
	if (mounts) {
		mounts_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
		root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		ret = snapshot_namespace_enter(&cli->err);
	}
	if (ret == 0)
		ret = store_open(path, out, &cli->err);
	if (ret == 0) {
		out->bury = leftovers_end;
		out->reach = image_reach;
	}
	if (ret == 0 && mounts_fd >= 0 && root_fd >= 0) {
		out->host_mounts_fd = TAKE_FD(mounts_fd);
		out->host_root_fd = TAKE_FD(root_fd);
	}
	return ret;
}
