/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of docker's credential helpers: one word as argument, text or JSON in and out. */
#include "builder/registry/credential-helper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "spec/json-table.h"

#define ANSWER_MAX ((size_t)64 << 10)

struct helper_secret {
	const char *server, *user, *secret;
};

/* clang-format off */
static const struct json_field secret_fields[] = {
	JSON_STRING(struct helper_secret, "ServerURL", server),
	JSON_STRING(struct helper_secret, "Username", user),
	JSON_STRING(struct helper_secret, "Secret", secret),
};
static const struct json_object secret_object = JSON_TABLE(struct helper_secret, secret_fields);
/* clang-format on */

/* A name from a file becomes a program's. */
static int check_name(const char *name, struct error *err)
{
	if (*name && !strchr(name, '/'))
		return 0;
	return error_invalid(err, "\"%s\" is no name of a credential helper", name);
}

struct exit_call {
	pid_t pid;
	int status;
};

static void wait_for_exit(void *context)
{
	struct exit_call *call = context;

	while (waitpid(call->pid, &call->status, 0) < 0 && errno == EINTR)
		;
}

struct read_call {
	int fd, ret;
	struct strbuf *out;
};

static void read_answer(void *context)
{
	struct read_call *call = context;

	call->ret = io_read_rest(call->fd, ANSWER_MAX, call->out);
}

/* Its exit status, or negative. in: what it reads, small enough for a pipe. */
static int run_helper(const char *name, const char *verb, const struct strbuf *in,
		      struct strbuf *out, struct error *err)
{
	cleanup_free char *program = xasprintf("docker-credential-%s", name);
	cleanup_close int in_read = -EBADF, in_write = -EBADF, out_read = -EBADF;
	cleanup_close int out_write = -EBADF;
	char *argv[] = { program, (char *)verb, NULL };
	struct spawn_fd fds[] = { { -1, 0 }, { -1, 1 }, { STDERR_FILENO, 2 } };
	struct spawn spawn = SPAWN_INIT;
	struct exit_call end = { -1, 0 };
	struct read_call answer = { .out = out };
	int pipe_in[2], pipe_out[2], ret = check_name(name, err);

	if (ret < 0)
		return ret;
	if (pipe2(pipe_in, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	in_read = pipe_in[0];
	in_write = pipe_in[1];
	if (pipe2(pipe_out, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	out_read = pipe_out[0];
	out_write = pipe_out[1];
	fds[0].from = in_read;
	fds[1].from = out_write;
	spawn.path = program;
	spawn.search = true;
	spawn.argv = argv;
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	ret = io_write_all(in_write, strbuf_text(in), in->size);
	cleanup_close_fd(&in_write);
	if (ret == 0)
		ret = spawn_start(&spawn, &end.pid, NULL, err);
	if (ret < 0)
		return error_prefix(err, ret, "credential helper %s", program);
	cleanup_close_fd(&out_write);
	answer.fd = out_read;
	fiber_offload(read_answer, &answer);
	fiber_offload(wait_for_exit, &end);
	if (answer.ret < 0)
		return error_errno(err, -answer.ret, "read from %s", program);
	return WIFEXITED(end.status) ? WEXITSTATUS(end.status) : 1;
}

int credential_helper_get(const char *name, const char *server, struct credentials *out,
			  struct error *err)
{
	cleanup_strbuf struct strbuf in = STRBUF_INIT, answer = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct helper_secret secret = { NULL, NULL, NULL };
	struct json_source source = { .name = "its answer", .flags = JSON_LAST_WINS };
	int ret;

	strbuf_addf(&in, "%s\n", server);
	ret = run_helper(name, "get", &in, &answer, err);
	if (ret > 0 && strstr(strbuf_text(&answer), "credentials not found"))
		return 0;
	if (ret != 0)
		return ret < 0 ? ret
			       : error_set(err, ERROR_STATE, 0,
					   "docker-credential-%s get: exit status %d", name, ret);
	source.text = strbuf_text(&answer);
	source.size = answer.size;
	ret = json_decode(&source, &secret_object, &arena, &secret, err);
	if (answer.size)
		explicit_bzero(answer.data, answer.size);
	if (ret < 0)
		return error_prefix(err, ret, "docker-credential-%s get", name);
	if (!secret.user || !secret.secret || !*secret.secret)
		return 0;
	if (strcmp(secret.user, "<token>") == 0) {
		out->identity_token = xstrdup(secret.secret);
		return 1;
	}
	out->user = xstrdup(secret.user);
	out->password = xstrdup(secret.secret);
	return 1;
}

int credential_helper_store(const char *name, const char *server,
			    const struct credentials *credentials, struct error *err)
{
	cleanup_strbuf struct strbuf in = STRBUF_INIT, answer = STRBUF_INIT;
	const struct helper_secret secret = {
		server, credentials->identity_token ? "<token>" : credentials->user,
		credentials->identity_token ? credentials->identity_token : credentials->password
	};
	int ret;

	json_encode(&secret_object, &secret, JSON_COMPACT, &in);
	ret = run_helper(name, "store", &in, &answer, err);
	explicit_bzero(in.data, in.size);
	return ret <= 0 ? ret
			: error_set(err, ERROR_STATE, 0,
				    "docker-credential-%s store: exit status %d", name, ret);
}

int credential_helper_erase(const char *name, const char *server, struct error *err)
{
	cleanup_strbuf struct strbuf in = STRBUF_INIT, answer = STRBUF_INIT;
	int ret;

	strbuf_addf(&in, "%s\n", server);
	ret = run_helper(name, "erase", &in, &answer, err);
	return ret <= 0 ? ret
			: error_set(err, ERROR_STATE, 0,
				    "docker-credential-%s erase: exit status %d", name, ret);
}
