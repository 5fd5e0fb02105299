/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this folder a clean checkout, and of when? Asked of the git program, but with a git folder of
 * our own that has no configuration, no hooks and no attributes' programs: of the repository it
 * gets the objects and the index alone, by the environment. So a context that somebody else has
 * made can run nothing here (core.fsmonitor, filters, core.sshCommand, include.path ...). Where the
 * repository cannot be read without its settings, git says so or sees changes: no clean checkout.
 */
#include "builder/context/commit-time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/context/git-run.h"
#include "builder/image/store.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/path.h"

#define TEXT_MAX 4096
#define PACKED_REFS_MAX ((size_t)64 << 20)
#define DEPTH_MAX 4096
/* A large checkout takes seconds; a pipe that is called .gitignore would take for ever. */
#define GIT_DEADLINE_MS 60000

struct checkout {
	char *top;    /* of the working tree */
	char *folder; /* its git folder: HEAD and index */
	char *common; /* that of all working trees: objects and refs */
	char commit[GIT_COMMIT_SIZE];
};

static void checkout_done(struct checkout *checkout)
{
	free(checkout->top);
	free(checkout->folder);
	free(checkout->common);
}

/* A small file: its first line. A pipe or a device is none. */
static char *read_line(const char *folder, const char *name, size_t max)
{
	cleanup_free char *path = xasprintf("%s/%s", folder, name);
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    io_read_rest(fd, max, &text) < 0 || memchr(strbuf_text(&text), '\0', text.size))
		return NULL;
	return xstrndup(strbuf_text(&text), strcspn(strbuf_text(&text), "\n"));
}

static char *path_from(const char *folder, const char *path)
{
	return *path == '/' ? xstrdup(path) : xasprintf("%s/%s", folder, path);
}

/* ".git" of a folder: a folder itself, or a file that names one. NULL = there is none. */
static char *git_folder(const char *top)
{
	cleanup_free char *path = xasprintf("%s/.git", top);
	cleanup_free char *line = NULL;
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL;
	if (S_ISDIR(st.st_mode))
		return TAKE_PTR(path);
	line = read_line(top, ".git", TEXT_MAX);
	return line && strncmp(line, "gitdir: ", 8) == 0 ? path_from(top, line + 8) : NULL;
}

static bool find(const char *path, struct checkout *checkout)
{
	char *slash;

	checkout->top = realpath(path, NULL);
	for (int depth = 0; checkout->top && depth < DEPTH_MAX; depth++) {
		cleanup_free char *common = NULL;

		checkout->folder = git_folder(checkout->top);
		if (checkout->folder) {
			common = read_line(checkout->folder, "commondir", TEXT_MAX);
			checkout->common = common ? path_from(checkout->folder, common)
						  : xstrdup(checkout->folder);
			return true;
		}
		slash = strrchr(checkout->top, '/');
		if (!slash || slash == checkout->top)
			return false;
		*slash = '\0';
	}
	return false;
}

/* -- what is checked out -------------------------------------------------------------------------
 */

static bool take_commit(struct checkout *checkout, const char *text)
{
	if (!text || !git_is_commit(text))
		return false;
	memcpy(checkout->commit, text, strlen(text) + 1);
	return true;
}

/* "COMMIT NAME" lines */
static bool find_packed(struct checkout *checkout, const char *name)
{
	cleanup_free char *path = xasprintf("%s/packed-refs", checkout->common);
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strv struct strv lines = STRV_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    io_read_rest(fd, PACKED_REFS_MAX, &text) < 0)
		return false;
	strv_split(&lines, strbuf_text(&text), '\n');
	for (size_t i = 0; i < lines.count; i++) {
		char *space = strchr(lines.items[i], ' ');

		if (!space || strcmp(space + 1, name) != 0)
			continue;
		*space = '\0';
		return take_commit(checkout, lines.items[i]);
	}
	return false;
}

static bool read_head(struct checkout *checkout)
{
	cleanup_free char *head = read_line(checkout->folder, "HEAD", TEXT_MAX);
	cleanup_free char *loose = NULL;
	const char *name;

	if (!head || strncmp(head, "ref: ", 5) != 0)
		return take_commit(checkout, head);
	name = head + 5;
	if (strncmp(name, "refs/", 5) != 0 || strstr(name, ".."))
		return false;
	loose = read_line(checkout->common, name, TEXT_MAX);
	return loose ? take_commit(checkout, loose) : find_packed(checkout, name);
}

/* -- asking git ----------------------------------------------------------------------------------
 */

static bool write_text(const char *folder, const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", folder, name);

	return io_replace_file(AT_FDCWD, path, text, strlen(text), 0600, IO_NO_SYNC, NULL) == 0;
}

static bool make_folder(const char *above, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", above, name);

	return mkdir(path, 0700) == 0;
}

/* What git needs to see a git folder, and its list of ignored files. */
static bool fill(const struct checkout *checkout, const char *folder)
{
	cleanup_free char *head = xasprintf("%s\n", checkout->commit);
	cleanup_free char *name = xasprintf("%s/info/exclude", checkout->common);
	cleanup_close int fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cleanup_strbuf struct strbuf exclude = STRBUF_INIT;
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
			io_read_rest(fd, PACKED_REFS_MAX, &exclude) < 0))
		return false;
	return make_folder(folder, "refs") && make_folder(folder, "info") &&
	       write_text(folder, "HEAD", head) &&
	       write_text(folder, "config", "[core]\n\trepositoryformatversion = 0\n") &&
	       write_text(folder, "info/exclude", strbuf_text(&exclude));
}

static void make_env(const struct checkout *checkout, const char *folder, struct strv *env)
{
	static const char *const kept[] = { "PATH", "HOME", "XDG_CONFIG_HOME" };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (getenv(kept[i]))
			strv_env_set(env, kept[i], getenv(kept[i]));
	strv_env_set(env, "LC_ALL", "C");
	strv_env_set(env, "GIT_DIR", folder);
	strv_env_set(env, "GIT_WORK_TREE", checkout->top);
	strv_addf(env, "GIT_INDEX_FILE=%s/index", checkout->folder);
	strv_addf(env, "GIT_OBJECT_DIRECTORY=%s/objects", checkout->common);
	strv_env_set(env, "GIT_CONFIG_NOSYSTEM", "1");
	strv_env_set(env, "GIT_CONFIG_GLOBAL", "/dev/null");
	strv_env_set(env, "GIT_ATTR_NOSYSTEM", "1");
	strv_env_set(env, "GIT_OPTIONAL_LOCKS", "0"); /* the index stays as it is */
	strv_env_set(env, "GIT_NO_REPLACE_OBJECTS", "1");
	strv_env_set(env, "GIT_NO_LAZY_FETCH", "1");
	strv_env_set(env, "GIT_TERMINAL_PROMPT", "0");
}

/* git would wait for a pipe's other end. */
static bool has_index(const struct checkout *checkout)
{
	cleanup_free char *path = xasprintf("%s/index", checkout->folder);
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* "committer NAME <MAIL> SECONDS ZONE" of the commit's head. */
static bool parse_commit(const char *text, int64_t *out)
{
	const char *end = strstr(text, "\n\n");
	const char *line = strstr(text, "\ncommitter ");
	cleanup_free char *copy = NULL, *number = NULL;
	char *mail;

	if (!line || (end && line > end))
		return false;
	copy = xstrndup(line + 1, strcspn(line + 1, "\n"));
	mail = strrchr(copy, '>');
	if (!mail || mail[1] != ' ')
		return false;
	number = xstrndup(mail + 2, strcspn(mail + 2, " "));
	return number_parse_i64(number, out) == 0 && *out >= 0;
}

/* Files that the index says not to look at: "assume unchanged" (a small letter), and "skip
 * worktree" (S) for one that is there all the same. status takes them for unchanged, whatever they
 * are now. */
static bool is_looked_at(const char *line, int folder_fd)
{
	struct stat st;

	if (line[0] != 'S' || line[1] != ' ')
		return line[0] < 'a' || line[0] > 'z';
	return fstatat(folder_fd, line + 2, &st, AT_SYMLINK_NOFOLLOW) < 0;
}

/* What ls-files says: a NUL is behind each line. A list that was cut off is none. */
static bool all_looked_at(const char *path, const struct strbuf *files)
{
	cleanup_close int folder_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *line = strbuf_text(files), *end = line + files->size;

	if (folder_fd < 0 || files->size >= GIT_OUTPUT_MAX)
		return false;
	for (; line < end; line += strlen(line) + 1)
		if (!is_looked_at(line, folder_fd))
			return false;
	return true;
}

static bool ask(const struct checkout *checkout, const char *path, const char *folder, int64_t *out)
{
	char *files[] = { "ls-files", "-v", "-z", "--", ".", NULL };
	char *status[] = { "status",
			   "--porcelain",
			   "--ignore-submodules=all",
			   "--untracked-files=normal",
			   "--no-renames",
			   "--",
			   ".",
			   NULL };
	cleanup_free char *tree = xasprintf("%s:./", checkout->commit);
	/* a folder that is ignored as a whole has nothing in the commit that dates it */
	char *has_folder[] = { "cat-file", "-e", tree, NULL };
	char *show[] = { "cat-file", "commit", (char *)checkout->commit, NULL };
	cleanup_strbuf struct strbuf changes = STRBUF_INIT, commit = STRBUF_INIT,
				     listed = STRBUF_INIT;
	cleanup_strv struct strv env = STRV_INIT;
	struct git_call call = { .folder = path,
				 .args = status,
				 .env = &env,
				 .cancel_fd = -EBADF,
				 .deadline_ms = GIT_DEADLINE_MS };
	struct error err = ERROR_INIT;
	bool clean;

	make_env(checkout, folder, &env);
	clean = git_run(&call, &changes, &err) == 0 && changes.size == 0;
	call.args = files;
	clean = clean && git_run(&call, &listed, &err) == 0 && all_looked_at(path, &listed);
	call.args = has_folder;
	clean = clean && git_run(&call, NULL, &err) == 0;
	call.args = show;
	clean = clean && git_run(&call, &commit, &err) == 0 &&
		parse_commit(strbuf_text(&commit), out);
	if (!clean)
		log_debug("%s is no clean checkout: %s", path,
			  err.code ? err.msg
				   : "something in it is not in the commit, or git does not look");
	return clean;
}

bool commit_time(const char *path, struct store *store, char out_commit[GIT_COMMIT_SIZE],
		 int64_t *out_seconds)
{
	cleanup_with(checkout_done) struct checkout checkout = { .top = NULL };
	cleanup_free char *folder = NULL;
	char name[STORE_NAME_SIZE];
	bool clean;

	if (!find(path, &checkout) || !read_head(&checkout) || !has_index(&checkout) ||
	    store_scratch(store, name, NULL, NULL) < 0)
		return false;
	folder = xasprintf("%s/%s", store->path, name);
	clean = fill(&checkout, folder) && ask(&checkout, path, folder, out_seconds);
	memcpy(out_commit, checkout.commit, GIT_COMMIT_SIZE);
	(void)path_remove_tree(store->fd, name, NULL); /* empty but for five small files */
	return clean;
}
