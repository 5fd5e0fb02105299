/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repositories elsewhere. Git takes no name for an option: every name that comes from outside
 * stands behind "--" or was checked by location.c.
 */
#include "builder/context/git.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/context/git-run.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

struct git {
	const char *folder; /* -C; NULL = none */
	int cancel_fd;
	const struct location *location;
};

/* For the host of the URL alone, and by the environment: everybody can read our arguments. */
static void add_authorization(struct strv *env, const struct location *location)
{
	const char *text = location->text, *given = strv_env_get(env, "GIT_CONFIG_COUNT");
	const char *host = strstr(text, "://");
	int size = host ? (int)(host + 3 - text + (int)strcspn(host + 3, "/?#")) : 0;
	cleanup_free char *key = xasprintf("http.%.*s/.extraHeader", size, text);
	cleanup_free char *value = xasprintf("Authorization: %s", location->authorization);
	uint32_t count = 0;
	char name[40];

	if (given)
		(void)number_parse_u32(given, &count); /* nonsense: git would refuse it */
	snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%u", count);
	strv_env_set(env, name, key);
	snprintf(name, sizeof(name), "GIT_CONFIG_VALUE_%u", count);
	strv_env_set(env, name, value);
	snprintf(name, sizeof(name), "%u", count + 1);
	strv_env_set(env, "GIT_CONFIG_COUNT", name);
}

static void make_env(const struct git *git, struct strv *out)
{
	strv_add_all(out, environ);
	strv_env_set(out, "GIT_TERMINAL_PROMPT", "0");
	strv_env_set(out, "LC_ALL", "C");
	/* what a caller inside of a repository has set is about that repository */
	for (size_t i = out->count; i-- > 0;)
		if (strncmp(out->items[i], "GIT_DIR=", 8) == 0 ||
		    strncmp(out->items[i], "GIT_WORK_TREE=", 14) == 0 ||
		    strncmp(out->items[i], "GIT_INDEX_FILE=", 15) == 0)
			strv_remove(out, i);
	if (git->location->authorization)
		add_authorization(out, git->location);
}

static int run_git(const struct git *git, char *const *args, struct strbuf *out, struct error *err)
{
	cleanup_strv struct strv env = STRV_INIT;
	const struct git_call call = {
		.folder = git->folder, .args = args, .env = &env, .cancel_fd = git->cancel_fd
	};

	make_env(git, &env);
	return git_run(&call, out, err);
}

/* -- references ----------------------------------------------------------------------------------
 */

bool git_is_commit(const char *text)
{
	size_t size = strspn(text, "0123456789abcdef");

	return !text[size] && (size == 40 || size == 64);
}

/* Which of the names that the repository has is meant: as git checkout prefers them. */
static int rank(const char *name, const char *ref)
{
	static const char *const formats[] = { "%s", "refs/heads/%s", "refs/tags/%s^{}",
					       "refs/tags/%s", "refs/%s" };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		cleanup_free char *wanted = xasprintf(formats[i], ref);

		if (strcmp(wanted, name) == 0)
			return (int)i;
	}
	return INT_MAX;
}

static int choose(const char *listing, const char *ref, char out_commit[GIT_COMMIT_SIZE],
		  struct error *err)
{
	cleanup_strv struct strv lines = STRV_INIT;
	int best = INT_MAX;

	strv_split(&lines, listing, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		char *tab = strchr(lines.items[i], '\t');
		int found = tab ? rank(tab + 1, ref) : INT_MAX;

		if (found >= best)
			continue;
		*tab = '\0';
		if (!git_is_commit(lines.items[i]))
			continue;
		best = found;
		memcpy(out_commit, lines.items[i], strlen(lines.items[i]) + 1);
	}
	if (best == INT_MAX)
		return error_set(err, ERROR_NOT_FOUND, 0, "the repository has no \"%s\"", ref);
	return 0;
}

int git_resolve(const struct location *location, int cancel_fd, char out_commit[GIT_COMMIT_SIZE],
		struct error *err)
{
	const char *ref = location->ref ? location->ref : "HEAD";
	cleanup_free char *peeled = xasprintf("%s^{}", ref);
	char *args[] = { "ls-remote", "--", (char *)location->text, (char *)ref, peeled, NULL };
	const struct git git = { NULL, cancel_fd, location };
	cleanup_strbuf struct strbuf listing = STRBUF_INIT;
	int ret = 0;

	if (!location->ref && location->commit && git_is_commit(location->commit))
		ref = location->commit;
	if (git_is_commit(ref)) {
		memcpy(out_commit, ref, strlen(ref) + 1);
	} else {
		ret = run_git(&git, args, &listing, err);
		if (ret == 0)
			ret = choose(strbuf_text(&listing), ref, out_commit, err);
	}
	if (ret == 0 && location->commit &&
	    strncmp(out_commit, location->commit, strlen(location->commit)) != 0)
		ret = error_invalid(err, "expected checksum to match %s, got %s", location->commit,
				    out_commit);
	return ret;
}

/* -- files ---------------------------------------------------------------------------------------
 */

/* One commit if the server gives single ones, else all there is. */
static int fetch(const struct git *git, const char *commit, struct error *err)
{
	char *one[] = { "fetch", "-q",	   "--depth=1",	   "--no-tags",
			"--",	 "origin", (char *)commit, NULL };
	char *all[] = { "fetch", "-q", "--tags", "--", "origin", "+refs/*:refs/remotes/origin/*",
			NULL };
	int ret = run_git(git, one, NULL, NULL);

	return ret == 0 || ret == -ECANCELED ? ret : run_git(git, all, NULL, err);
}

static int remove_git_dirs(const char *path, struct error *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	return path_remove_tree(fd, ".git", err);
}

/* The committer's time of what is checked out. */
static int read_time(const struct git *git, int64_t *out, struct error *err)
{
	char *show[] = { "show", "-s", "--no-show-signature", "--format=%ct", "HEAD", NULL };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = run_git(git, show, &text, err);

	if (ret == 0 && text.size && text.data[text.size - 1] == '\n')
		strbuf_truncate(&text, text.size - 1);
	if (ret == 0 && number_parse_i64(strbuf_text(&text), out) < 0)
		ret = error_invalid(err, "git does not tell the time of the commit");
	return ret;
}

int git_checkout(const struct location *location, struct git_checkout *checkout, struct error *err)
{
	char *init[] = { "init", "-q", "--template=", NULL };
	char *remote[] = { "remote", "add", "origin", (char *)location->text, NULL };
	char *switch_to[] = { "checkout", "-q", "-f", (char *)checkout->commit, NULL };
	char *submodules[] = { "submodule",   "update",	   "-q", "--init",
			       "--recursive", "--depth=1", NULL };
	const struct git git = { checkout->path, checkout->cancel_fd, location };
	cleanup_free char *modules = xasprintf("%s/.gitmodules", checkout->path);
	int ret = run_git(&git, init, NULL, err);

	if (ret == 0)
		ret = run_git(&git, remote, NULL, err);
	if (ret == 0)
		ret = fetch(&git, checkout->commit, err);
	if (ret == 0)
		ret = run_git(&git, switch_to, NULL, err);
	if (ret == 0)
		ret = read_time(&git, &checkout->time, err);
	if (ret == 0 && location->submodules && access(modules, F_OK) == 0)
		ret = run_git(&git, submodules, NULL, err);
	if (ret == 0 && !location->keep_git_dir)
		ret = remove_git_dirs(checkout->path, err);
	return ret;
}
