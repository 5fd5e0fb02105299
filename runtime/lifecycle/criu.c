/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to criu and its answers. */
#include "runtime/lifecycle/criu.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "lib/protobuf.h"
#include "runtime/texts.h"

#define ANSWER_MAX 65536
#define LOG_MAX ((size_t)64 << 20)

/* criu_req, criu_resp and what is in them */
enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3, REQ_FEATURES = 5 };
enum {
	RESP_TYPE = 1,
	RESP_SUCCESS = 2,
	RESP_RESTORE = 4,
	RESP_NOTIFY = 5,
	RESP_ERRNO = 7,
	RESP_FEATURES = 8,
	RESP_MESSAGE = 9,
	RESP_VERSION = 10,
};
enum { FEATURE_MEM_TRACK = 1, FEATURE_LAZY_PAGES = 2 };

int criu_start(struct criu *criu, const struct criu_place *place, struct error *err)
{
	static char program[] = "criu", verb[] = "swrk", number[] = "3";
	char *const argv[] = { program, verb, number, NULL };
	struct spawn_fd fds[16] = { { -EBADF, CRIU_SOCKET_FD } };
	cleanup_close int theirs = -EBADF;
	struct spawn spawn = SPAWN_INIT;
	int ends[2], ret;

	assert(place->fd_count < ARRAY_SIZE(fds));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, errno, "make a socket for criu");
	criu->socket = ends[0];
	theirs = ends[1];
	fds[0].from = theirs;
	for (size_t i = 0; i < place->fd_count; i++)
		fds[i + 1] = place->fds[i];
	spawn.path = argv[0];
	spawn.search = true;
	spawn.argv = argv;
	spawn.fds = fds;
	spawn.fd_count = place->fd_count + 1;
	spawn.mounts_fd = place->mounts_fd;
	spawn.root_fd = place->root_fd;
	/* no death signal: killed in the middle of a dump it would leave a frozen container, while
	 * the end of its socket lets it put everything back */
	ret = spawn_start(&spawn, &criu->pid, NULL, err);
	if (ret == -ENOENT)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "checkpoint and restore need the program \"criu\", which is not "
				 "installed (Debian's package: criu)");
	return ret;
}

void criu_done(struct criu *criu)
{
	cleanup_close_fd(&criu->socket);
	if (criu->pid > 0)
		(void)proc_wait(criu->pid, NULL, NULL); /* without a socket it ends */
	criu->pid = 0;
}

static void copy_text(char *to, size_t room, const struct protobuf_field *field)
{
	(void)snprintf(to, room, "%.*s", (int)(field->size < room ? field->size : room - 1),
		       field->data);
}

/* The members of an answer's inner messages, which have numbers of their own. */
static int parse_inner(const struct protobuf_field *outer, struct criu_answer *out)
{
	struct protobuf_reader reader = { (const unsigned char *)outer->data,
					  (const unsigned char *)outer->data + outer->size };
	static const int weights[] = { 0, 10000, 100, 0, 1 };
	struct protobuf_field field;
	int ret;

	while ((ret = protobuf_next(&reader, &field)) > 0) {
		if (outer->field == RESP_RESTORE && field.field == 1)
			out->pid = (pid_t)field.number;
		else if (outer->field == RESP_NOTIFY && field.field == 1 && field.data)
			copy_text(out->script, sizeof(out->script), &field);
		else if (outer->field == RESP_NOTIFY && field.field == 2)
			out->pid = (pid_t)field.number;
		else if (outer->field == RESP_FEATURES && field.field == FEATURE_MEM_TRACK)
			out->has_mem_track = field.number;
		else if (outer->field == RESP_FEATURES && field.field == FEATURE_LAZY_PAGES)
			out->has_lazy_pages = field.number;
		else if (outer->field == RESP_VERSION && field.field < ARRAY_SIZE(weights) &&
			 field.number < 100)
			out->version += (int)field.number * weights[field.field];
	}
	return ret;
}

static int parse_answer(const char *data, size_t size, struct criu_answer *out)
{
	struct protobuf_reader reader = { (const unsigned char *)data,
					  (const unsigned char *)data + size };
	struct protobuf_field field;
	int ret;

	while ((ret = protobuf_next(&reader, &field)) > 0) {
		if (field.field == RESP_TYPE)
			out->type = (int)field.number;
		else if (field.field == RESP_SUCCESS)
			out->success = field.number;
		else if (field.field == RESP_ERRNO)
			out->number = (int)field.number;
		else if (field.field == RESP_MESSAGE && field.data)
			copy_text(out->message, sizeof(out->message), &field);
		else if (field.data && parse_inner(&field, out) < 0)
			return -EBADMSG;
	}
	return ret;
}

/* criu may take long, or wait for ever (lazy pages): who wants to stop us does not. What it has
 * made by then is its caller's to end: see restore.c. */
static int wait_answer(const struct criu *criu, int stop_fd, struct error *err)
{
	struct pollfd fds[] = { { .fd = criu->socket, .events = POLLIN },
				{ .fd = stop_fd > 0 ? stop_fd : -EBADF, .events = POLLIN } };

	while (!fds[0].revents) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return error_errno(err, errno, "poll");
		if (fds[1].revents) {
			(void)kill(criu->pid,
				   SIGKILL); /* our own child, which is not waited for yet */
			return error_set(err, ERROR_CANCELLED, EINTR, "stopped by a signal");
		}
	}
	return 0;
}

static int receive(struct criu *criu, struct criu_answer *out, struct error *err)
{
	cleanup_free char *data = xmalloc(ANSWER_MAX);
	size_t count = 1;
	int fd = -EBADF;
	ssize_t size = fd_receive(criu->socket, data, ANSWER_MAX, &fd, &count);

	*out = (struct criu_answer){ .fd = fd };
	if (size == 0 || size == -ECONNRESET)
		return error_set(err, ERROR_SYSTEM, EPIPE, "criu ended without an answer");
	if (size < 0)
		return error_errno(err, (int)-size, "receive from criu");
	if (parse_answer(data, (size_t)size, out) < 0)
		return error_set(err, ERROR_SYSTEM, EBADMSG, "understand criu");
	return 0;
}

static int send_message(struct criu *criu, const struct strbuf *message, struct error *err)
{
	if (send(criu->socket, strbuf_text(message), message->size, MSG_NOSIGNAL) < 0)
		return error_errno(err, errno, "send a request to criu");
	return 0;
}

static int answer_notification(struct criu *criu, bool success, struct error *err)
{
	cleanup_strbuf struct strbuf message = STRBUF_INIT;

	protobuf_number(&message, REQ_TYPE, CRIU_NOTIFY);
	protobuf_number(&message, REQ_NOTIFY_SUCCESS, success);
	return send_message(criu, &message, err);
}

/*
 * The first "(00.012345) Error (criu/...): why" says most; what follows are consequences. Without
 * CAP_SYS_RESOURCE a log begins with one about criu's own limits, which is none.
 */
static const char *find_error(const char *log)
{
	const char *line = strstr(log, "Error (");

	while (line && memmem(line, strcspn(line, "\n"), "rlimit:", strlen("rlimit:")))
		line = strstr(line + 1, "Error (");
	return line;
}

static void first_log_error(const struct criu_call *call, char *out, size_t room)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = NULL;
	const char *line;

	*out = '\0';
	if (!call->work_path)
		return;
	path = xasprintf("%s/%s", call->work_path, call->log);
	if (io_read_file(AT_FDCWD, path, LOG_MAX, &text, NULL) < 0)
		return;
	line = find_error(strbuf_text(&text));
	if (line)
		(void)snprintf(out, room, "%.*s", (int)strcspn(line, "\n"), line);
}

static int refused(const struct criu_call *call, const struct criu_answer *answer,
		   struct error *err)
{
	char text[512];

	first_log_error(call, text, sizeof(text));
	if (!*text)
		(void)snprintf(text, sizeof(text), "%s",
			       *answer->message ? answer->message : "no reason given");
	if (!call->work_path)
		return error_set(err, ERROR_SYSTEM, answer->number, TEXT_CRIU_FAILED, call->what,
				 text);
	return error_set(err, ERROR_SYSTEM, 0, TEXT_CRIU_FAILED " (log file: %s/%s)", call->what,
			 text, call->work_path, call->log);
}

/* It has ended in the middle: its log may know why. */
static int ended(const struct criu_call *call, const struct criu_answer *answer, int ret,
		 struct error *err)
{
	return ret == -EPIPE && call->work_path ? refused(call, answer, err) : ret;
}

static int serve(struct criu *criu, const struct criu_call *call, struct criu_answer *out,
		 struct error *err)
{
	struct error failure = ERROR_INIT;
	int ret, failed = 0;

	for (;;) {
		ret = wait_answer(criu, call->stop_fd, err);
		if (ret == 0)
			ret = receive(criu, out, err);
		if (ret < 0 || out->type != CRIU_NOTIFY)
			break;
		log_debug("criu: %s", out->script);
		if (call->notify && failed == 0)
			failed = call->notify(out, call->data, &failure);
		else
			cleanup_close_fd(&out->fd);
		out->fd = -EBADF; /* it is the callee's */
		ret = answer_notification(criu, failed == 0, err);
		if (ret < 0)
			break;
	}
	if (failed < 0) { /* ours is the reason, criu's is its consequence */
		if (err)
			*err = failure;
		return failed;
	}
	return ended(call, out, ret, err);
}

int criu_call(struct criu *criu, const struct criu_call *call, struct criu_answer *out,
	      struct error *err)
{
	cleanup_strbuf struct strbuf message = STRBUF_INIT;
	int ret;

	*out = (struct criu_answer){ .fd = -EBADF };
	protobuf_number(&message, REQ_TYPE, call->request);
	if (call->options)
		protobuf_message(&message,
				 call->request == CRIU_FEATURE_CHECK ? REQ_FEATURES : REQ_OPTS,
				 call->options);
	ret = send_message(criu, &message, err);
	ret = ret < 0 ? ended(call, out, ret, err) : serve(criu, call, out, err);
	cleanup_close_fd(&out->fd); /* only notifications have one that is wanted */
	if (ret == 0 && (!out->success || out->type != (int)call->request))
		ret = refused(call, out, err);
	return ret;
}

static int ask(const struct criu_call *call, struct criu_answer *out, struct error *err)
{
	const struct criu_place place = { .mounts_fd = -EBADF, .root_fd = -EBADF };
	cleanup_criu struct criu criu = CRIU_INIT;
	int ret = criu_start(&criu, &place, err);

	return ret < 0 ? ret : criu_call(&criu, call, out, err);
}

int criu_version(struct error *err)
{
	const struct criu_call call = { .request = CRIU_VERSION, .what = "version" };
	struct criu_answer answer;
	int ret = ask(&call, &answer, err);

	return ret < 0 ? ret : answer.version;
}

int criu_check_features(bool mem_track, bool lazy_pages, struct error *err)
{
	cleanup_strbuf struct strbuf features = STRBUF_INIT;
	const struct criu_call call = { .request = CRIU_FEATURE_CHECK,
					.what = "features",
					.options = &features };
	struct criu_answer answer;
	int ret;

	if (!mem_track && !lazy_pages)
		return 0;
	protobuf_number(&features, FEATURE_MEM_TRACK, true);
	protobuf_number(&features, FEATURE_LAZY_PAGES, true);
	ret = ask(&call, &answer, err);
	if (ret < 0)
		return ret;
	if (mem_track && !answer.has_mem_track)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the kernel does not track changed memory for criu: no pre-dump");
	if (lazy_pages && !answer.has_lazy_pages)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the kernel has no userfaultfd for criu: no lazy pages");
	return 0;
}
