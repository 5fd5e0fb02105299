/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a seccomp listener: from the process, where the kernel made it, to the agent. */
#include "runtime/lifecycle/agent.h"

#include <errno.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "runtime/texts.h"

static void describe(const struct launch *launch, const struct oci_state *state,
		     struct strbuf *text)
{
	static char name[] = "seccompFd";
	char *names[] = { name, NULL };
	const struct oci_process_state process = {
		.oci_version = state->oci_version,
		.fds = { .items = names, .count = 1 },
		.pid = launch->pid,
		.metadata = launch->args.plan->process.seccomp.listener_metadata,
		.state = *state,
	};

	process_state_write(&process, text);
}

/* The fd goes with the first byte; a long description may need more than one message. */
static int send_all(int socket, const struct strbuf *text, int listener)
{
	size_t sent = 0;

	while (sent < text->size) {
		ssize_t ret = fd_send(socket, text->data + sent, text->size - sent, &listener,
				      sent ? 0 : 1);

		if (ret < 0)
			return (int)ret;
		sent += (size_t)ret;
	}
	return 0;
}

static int tell(const char *path, const struct strbuf *text, int listener, struct error *err)
{
	cleanup_close int socket = fd_connect_unix(path, SOCK_STREAM, err);
	int ret;

	if (socket < 0)
		return error_prefix(err, socket, TEXT_SECCOMP_AGENT);
	ret = send_all(socket, text, listener);
	return ret < 0 ? error_errno(err, -ret, "send the listener to the seccomp agent at \"%s\"",
				     path)
		       : 0;
}

/* The fd that came with the message, or the process's of that number. */
static int take(const struct launch *launch, const struct sync_message *message, struct error *err)
{
	int fd;

	if (message->type == SYNC_LISTENER)
		return message->fd;
	fd = pidfd_getfd(launch->pidfd, message->value, 0);
	if (fd < 0 && errno == EPERM)
		return error_errno(
			err, errno,
			"take the seccomp listener of the process: with a filter that does not let "
			"sendmsg(2) pass, this needs CAP_SYS_PTRACE (root of a user namespace "
			"around us has it)");
	return fd < 0 ? error_errno(err, errno, "take the seccomp listener of the process") : fd;
}

int agent_serve(struct launch *launch, const struct oci_state *state,
		const struct sync_message *message, struct error *err)
{
	const struct plan_seccomp *seccomp = &launch->args.plan->process.seccomp;
	cleanup_close int listener = take(launch, message, err);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	if (listener < 0)
		return listener;
	if (!seccomp->notifies || !seccomp->listener)
		return error_set(err, ERROR_INTERNAL, EPROTO, "there is no seccomp agent");
	describe(launch, state, &text);
	ret = tell(seccomp->listener, &text, listener, err);
	return ret < 0 ? ret : launch_send(launch, SYNC_LISTENING, 0, -EBADF, err);
}
