/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents of the command line. Keys are read by ssh-add and held by ssh-agent, never by us; a key
 * with a passphrase is an error, because a build asks nobody anything. Both programs run in a
 * scratch folder and know the socket as a name in it: a path to the store may be too long for one.
 */
#include "builder/build/agents.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/store.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"

#define SOCKET_NAME "agent"
#define OUTPUT_MAX 4096

/* -- the command line ----------------------------------------------------------------------------
 */

static int parse_keys(const char *text, struct arena *arena, struct agent *out, struct error *err)
{
	cleanup_strv struct strv files = STRV_INIT;
	const char **keys;

	strv_split(&files, text, ',');
	keys = arena_alloc(arena, files.count * sizeof(*keys));
	for (size_t i = 0; i < files.count; i++) {
		cleanup_free char *path = path_absolute(files.items[i]);
		struct stat st;

		if (!path || stat(path, &st) < 0 || access(path, R_OK) < 0)
			return error_errno(err, errno, "\"%s\"", files.items[i]);
		if (S_ISSOCK(st.st_mode))
			return error_set(err, ERROR_USAGE, 0,
					 "\"%s\" is an agent's socket: it stands alone",
					 files.items[i]);
		if (!S_ISREG(st.st_mode))
			return error_set(err, ERROR_USAGE, 0,
					 "\"%s\" is neither an agent's socket nor a key",
					 files.items[i]);
		keys[out->key_count++] = arena_strdup(arena, path);
	}
	out->keys = keys;
	return 0;
}

static int parse_agent(const char *text, struct arena *arena, struct agent *out, struct error *err)
{
	size_t size = strcspn(text, "=");
	const char *source = text[size] ? text + size + 1 : getenv("SSH_AUTH_SOCK");
	struct stat st;

	*out = (struct agent){ .id = arena_strndup(arena, text, size) };
	if (!size || !source || !*source)
		return error_set(err, ERROR_USAGE, 0, "%s",
				 size ? "there is no agent (SSH_AUTH_SOCK), and no key is named"
				      : "no id");
	if (stat(source, &st) < 0 || !S_ISSOCK(st.st_mode))
		return parse_keys(source, arena, out, err);
	out->socket = arena_strdup(arena, source);
	return 0;
}

int agents_parse(const struct strv *texts, struct arena *arena, struct agent **out,
		 size_t *out_count, struct error *err)
{
	struct agent *agents = arena_alloc(arena, texts->count * sizeof(*agents));

	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_agent(texts->items[i], arena, &agents[i], err);

		if (ret < 0)
			return error_prefix(err, ret, "--ssh %s", texts->items[i]);
	}
	*out = agents;
	*out_count = texts->count;
	return 0;
}

struct agent *agent_find(struct agent *agents, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(agents[i].id, id) == 0)
			return &agents[i];
	return NULL;
}

/* -- our own agent -------------------------------------------------------------------------------
 */

/* Start a program of OpenSSH in the folder; its stdout and stderr go to output_fd. */
static int start(char *const *argv, int folder_fd, int output_fd, pid_t *out_pid, int *out_pidfd,
		 struct error *err)
{
	cleanup_close int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cleanup_strv struct strv env = STRV_INIT;
	struct spawn spawn = SPAWN_INIT;
	int ret;

	if (null_fd < 0)
		return error_errno(err, errno, "open /dev/null");
	strv_add_all(&env, environ);
	strv_env_set(&env, "SSH_AUTH_SOCK", SOCKET_NAME);
	strv_env_set(&env, "SSH_ASKPASS_REQUIRE", "never");
	strv_env_set(&env, "LC_ALL", "C");
	spawn.path = argv[0];
	spawn.search = true;
	spawn.argv = argv;
	spawn.envp = strv_items(&env);
	spawn.cwd_fd = folder_fd;
	spawn.new_session = true; /* else a passphrase would be asked for at the terminal */
	spawn.death_signal = SIGTERM;
	spawn.fds = (struct spawn_fd[]){ { null_fd, 0 }, { output_fd, 1 }, { output_fd, 2 } };
	spawn.fd_count = 3;
	ret = spawn_start(&spawn, out_pid, out_pidfd, err);
	if (ret == -ENOENT)
		return error_suffix(err, ret, " (key files need the programs of openssh-client)");
	return ret;
}

/* One line, so that it fits into a message. */
static void flatten(struct strbuf *text)
{
	while (text->size && text->data[text->size - 1] == '\n')
		strbuf_truncate(text, text->size - 1);
	for (size_t i = 0; i < text->size; i++)
		if (text->data[i] == '\n' || text->data[i] == '\r')
			text->data[i] = ' ';
}

/* Wait until fd is readable, or somebody wants us to stop. */
static int wait_readable(const struct store *store, int fd, struct error *err)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = store->stop_fd, .events = POLLIN } };

	while (fiber_poll(fds, ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "poll");
	return fds[0].revents ? 0 : store_check_stop(store, err);
}

/* It says where it listens as soon as it does; before, it may only end. */
static int wait_until_ready(const struct store *store, int fd, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char c;

	while (text.size < OUTPUT_MAX) {
		int ret = wait_readable(store, fd, err);
		ssize_t n = ret < 0 ? 0 : read(fd, &c, 1);

		if (ret < 0)
			return ret;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (c == ';' && strncmp(strbuf_text(&text), "SSH_AUTH_SOCK=", 14) == 0)
			return 0;
		strbuf_addc(&text, c);
	}
	flatten(&text);
	return error_set(err, ERROR_STATE, 0, "ssh-agent: %s",
			 text.size ? text.data : "it ended at once");
}

static int start_agent(struct agent *agent, const struct store *store, int folder_fd,
		       struct error *err)
{
	static char *const argv[] = { "ssh-agent", "-D", "-a", SOCKET_NAME, NULL };
	cleanup_close int ours = -EBADF, theirs = -EBADF;
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	ours = ends[0];
	theirs = ends[1];
	ret = start(argv, folder_fd, theirs, &agent->pid, NULL, err);
	cleanup_close_fd(&theirs);
	return ret < 0 ? ret : wait_until_ready(store, ours, err);
}

/* The end of ssh-add, whose file may be one that nobody writes (a pipe) or far away. */
static int wait_end(const struct store *store, pid_t pid, int pidfd, int *out_status,
		    struct error *err)
{
	int ret = wait_readable(store, pidfd, err);

	if (ret < 0)
		(void)kill(pid, SIGKILL);
	if (proc_wait(pid, out_status, NULL) < 0 && ret == 0)
		ret = error_errno(err, errno, "wait for ssh-add");
	return ret;
}

static int add_key(const char *key, const struct store *store, int folder_fd, struct error *err)
{
	char *const argv[] = { "ssh-add", "-q", "--", (char *)key, NULL };
	cleanup_close int message_fd = memfd_create("ssh-add", MFD_CLOEXEC);
	cleanup_close int pidfd = -EBADF;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int status = 0, ret;
	pid_t pid;

	if (message_fd < 0)
		return error_errno(err, errno, "prepare to run ssh-add");
	ret = start(argv, folder_fd, message_fd, &pid, &pidfd, err);
	if (ret == 0)
		ret = wait_end(store, pid, pidfd, &status, err);
	if (ret < 0 || status == 0)
		return ret;
	(void)lseek(message_fd, 0, SEEK_SET);
	(void)io_read_rest(message_fd, OUTPUT_MAX, &text); /* what there is */
	flatten(&text);
	return error_set(err, ERROR_STATE, 0,
			 "the key \"%s\" cannot be loaded%s%s (one with a passphrase comes through "
			 "an agent: ssh-add, then --ssh with its socket)",
			 key, text.size ? ": " : "", text.size ? text.data : "");
}

static void stop(struct agent *agent)
{
	if (agent->pid > 0) {
		kill(agent->pid, SIGTERM);
		(void)proc_wait(agent->pid, NULL, NULL); /* it has no say in this */
	}
	agent->pid = 0;
	free(agent->own_socket);
	agent->own_socket = NULL;
}

static int open_own(struct agent *agent, struct store *store, struct error *err)
{
	cleanup_close int folder_fd = -EBADF;
	char folder[STORE_NAME_SIZE];
	int ret = store_scratch(store, folder, &folder_fd, err);

	if (ret == 0 && fchmod(folder_fd, 0700) < 0)
		ret = error_errno(err, errno, "chmod \"%s\"", folder);
	if (ret == 0)
		ret = start_agent(agent, store, folder_fd, err);
	for (size_t i = 0; i < agent->key_count && ret == 0; i++)
		ret = add_key(agent->keys[i], store, folder_fd, err);
	if (ret < 0) {
		stop(agent);
		return ret;
	}
	agent->own_socket = xasprintf("%s/%s/" SOCKET_NAME, store->path, folder);
	return 0;
}

int agent_open(struct agent *agent, struct store *store, const char **out_socket, struct error *err)
{
	int ret = 0;

	while (agent->opening)
		fiber_wait(&agent->waiting);
	if (!agent->socket && !agent->own_socket) {
		agent->opening = true;
		ret = open_own(agent, store, err);
		agent->opening = false;
		fiber_wake(&agent->waiting);
	}
	if (ret == 0)
		*out_socket = agent->socket ? agent->socket : agent->own_socket;
	return ret;
}

void agents_stop(struct agent *agents, size_t count)
{
	for (size_t i = 0; i < count; i++)
		stop(&agents[i]);
}
