/* SPDX-License-Identifier: Apache-2.0 */
/* builder/context/git-run: what git says, and a git that says nothing. */
#include "builder/context/git-run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "tests/unit/check.h"

static int call(char *const *args, int deadline_ms, struct strbuf *out, struct error *err)
{
	cleanup_strv struct strv env = STRV_INIT;
	const struct git_call git = {
		.args = args, .env = &env, .cancel_fd = -EBADF, .deadline_ms = deadline_ms
	};

	strv_env_set(&env, "PATH", getenv("PATH"));
	strv_env_set(&env, "LC_ALL", "C");
	return git_run(&git, out, err);
}

static void test_output(void)
{
	char *version[] = { "version", NULL }, *nothing[] = { "nosuchverb", NULL };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	CHECK_INT(call(version, 0, &out, NULL), 0);
	CHECK(strncmp(strbuf_text(&out), "git version ", 12) == 0);
	CHECK(call(nothing, 60000, NULL, NULL) < 0);
}

/* It waits for somebody to write into the pipe. */
static void test_deadline(void)
{
	char folder[] = "/tmp/orlop-test-git-XXXXXX";
	cleanup_free char *pipe = NULL;
	char *hash[] = { "hash-object", NULL, NULL };

	CHECK(mkdtemp(folder));
	pipe = xasprintf("%s/pipe", folder);
	CHECK_INT(mkfifo(pipe, 0600), 0);
	hash[1] = pipe;
	CHECK_ERROR(call(hash, 50, NULL, &err), ETIMEDOUT, "git hash-object said nothing");
	(void)path_remove_tree(AT_FDCWD, folder, NULL);
}

CHECK_MAIN({ "what git says", test_output },
	   { "a git that waits is ended at the deadline", test_deadline })
