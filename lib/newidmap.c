/* SPDX-License-Identifier: Apache-2.0 */
/* See newidmap.h. Called by the runtime for a container's maps, and by userns.c. */
#include "lib/newidmap.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"

/* What the program has said, without the end of its last line. */
static void read_words(int fd, struct strbuf *out)
{
	if (lseek(fd, 0, SEEK_SET) == 0)
		(void)io_read_rest(fd, 4096, out); /* more than that is no message */
	while (out->size && strchr("\n ", out->data[out->size - 1]))
		strbuf_truncate(out, out->size - 1);
}

int newidmap_run(const char *program, pid_t pid, const struct strv *words, struct error *err)
{
	cleanup_close int words_fd = memfd_create("words", MFD_CLOEXEC);
	const struct spawn_fd fds[] = { { 0, 0 }, { words_fd, 1 }, { words_fd, 2 } };
	cleanup_strbuf struct strbuf said = STRBUF_INIT;
	cleanup_strv struct strv argv = STRV_INIT;
	struct spawn spawn = SPAWN_INIT;
	int status = 0, ret;

	if (words_fd < 0)
		return error_errno(err, errno, "create a memory file");
	strv_add(&argv, program);
	strv_addf(&argv, "%d", (int)pid);
	strv_add_all(&argv, strv_items(words));
	spawn.path = program;
	spawn.search = true;
	spawn.argv = strv_items(&argv);
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	ret = spawn_run(&spawn, &status, err);
	if (ret < 0)
		return error_prefix(err, ret, "more than the own id takes %s without privilege",
				    program);
	if (status == 0)
		return 0;
	read_words(words_fd, &said);
	return error_set(err, ERROR_SYSTEM, EPERM, "%s ended with status %d: %s", program,
			 proc_exit_status(status), strbuf_text(&said));
}
