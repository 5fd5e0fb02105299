/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of export and save: beside the target, renamed when complete. */
#include "builder/cli/archive-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"

/* clang-format off */
const struct option_spec archive_options[] = {
	OPT_STRING('o', "output", struct archive_arguments, output, "FILE",
		   "write there instead of standard output"),
	OPT_END
};
/* clang-format on */

static bool is_stdout(const char *output)
{
	return !output || strcmp(output, "-") == 0;
}

int archive_check_output(struct cli *cli, const char *output)
{
	if (!is_stdout(output) || !isatty(STDOUT_FILENO))
		return 0;
	return error_set(&cli->err, ERROR_USAGE, 0,
			 "an archive is not for a terminal: use -o FILE or a pipe");
}

/* A failure leaves no half archive. */
static int write_file(const char *output, archive_write_fn write, void *context, struct error *err)
{
	cleanup_free char *part = xasprintf("%s.part-%d", output, (int)getpid());
	bool in_place = io_is_in_place(output);
	cleanup_close int fd = in_place ? io_open_in_place(output, 0, err)
					: open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int ret;

	if (in_place)
		return fd < 0 ? fd : write(context, fd, err);
	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", part);
	ret = write(context, fd, err);
	if (ret == 0 && rename(part, output) < 0)
		ret = error_errno(err, errno, "rename \"%s\" to \"%s\"", part, output);
	if (ret < 0)
		(void)unlink(part); /* best effort: the error is told */
	return ret;
}

int archive_write(const char *output, archive_write_fn write, void *context, struct error *err)
{
	return is_stdout(output) ? write(context, STDOUT_FILENO, err)
				 : write_file(output, write, context, err);
}
