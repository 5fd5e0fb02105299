/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy of ssh mounts. One thread polls the listening socket, its connections and a pipe whose
 * closing ends it. A connection is a pair of sockets; a side that reads nothing holds up only its
 * own pair, because no more is read than was written.
 */
#include "builder/build/ssh-forward.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "builder/loop/thread.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"

#define PAIRS_MAX 64
#define BUFFER_SIZE 8192

/* One direction: read from the socket of its index, written to the other. */
struct flow {
	char data[BUFFER_SIZE];
	size_t start, end;
	bool closed; /* nothing more comes */
};

struct pair {
	int fds[2]; /* the step's, the agent's */
	struct flow flows[2];
};

struct ssh_forward {
	pthread_t thread;
	int listen_fd;
	int stop_fds[2]; /* closing the second one stops the thread */
	char *agent;
	struct pair *pairs[PAIRS_MAX];
	size_t pair_count;
};

/* A path of any length as the address of a socket, through its folder's descriptor. */
static int set_address(const char *path, int *out_folder_fd, struct sockaddr_un *out)
{
	cleanup_free char *folder = path_parent(path);
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((size_t)snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/%s", fd,
			     path_base(path)) >= sizeof(out->sun_path)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	*out_folder_fd = fd;
	return 0;
}

static int connect_agent(const char *path)
{
	cleanup_close int folder_fd = -EBADF;
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int ret = set_address(path, &folder_fd, &address);

	if (ret < 0)
		return ret;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK); /* of a fresh socket; cannot fail */
	return TAKE_FD(fd);
}

static void pair_free(struct pair *pair)
{
	cleanup_close_fd(&pair->fds[0]);
	cleanup_close_fd(&pair->fds[1]);
	free(pair);
}

static void accept_one(struct ssh_forward *forward)
{
	cleanup_close int step_fd =
		accept4(forward->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	cleanup_close int agent_fd = -EBADF;
	struct pair *pair;

	if (step_fd < 0 || forward->pair_count == PAIRS_MAX)
		return;
	agent_fd = connect_agent(forward->agent);
	if (agent_fd < 0)
		return; /* the step sees a closed connection, as from an agent that has gone */
	pair = xzalloc(sizeof(*pair));
	pair->fds[0] = TAKE_FD(step_fd);
	pair->fds[1] = TAKE_FD(agent_fd);
	forward->pairs[forward->pair_count++] = pair;
}

/* Move bytes of one direction; false when the connection is broken. */
static bool move(struct pair *pair, int from)
{
	struct flow *flow = &pair->flows[from];
	ssize_t n;

	if (flow->start == flow->end && !flow->closed) {
		n = read(pair->fds[from], flow->data, sizeof(flow->data));
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		flow->start = 0;
		flow->end = (size_t)n;
		flow->closed = n == 0;
		if (flow->closed)
			(void)shutdown(pair->fds[!from], SHUT_WR); /* it may be gone already */
	}
	if (flow->start < flow->end) {
		n = send(pair->fds[!from], flow->data + flow->start, flow->end - flow->start,
			 MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		flow->start += (size_t)n;
	}
	return !(pair->flows[0].closed && pair->flows[1].closed);
}

/* What this socket waits for: to read when nothing waits to be written, to write what does. */
static short events_of(const struct pair *pair, int side)
{
	const struct flow *in = &pair->flows[side], *out = &pair->flows[!side];
	short events = 0;

	if (in->start == in->end && !in->closed)
		events |= POLLIN;
	if (out->start < out->end)
		events |= POLLOUT;
	return events;
}

static void serve_pairs(struct ssh_forward *forward, const struct pollfd *polls)
{
	size_t kept = 0;

	for (size_t i = 0; i < forward->pair_count; i++) {
		struct pair *pair = forward->pairs[i];
		bool alive = true;

		for (int side = 0; side < 2 && alive; side++)
			if (polls[2 * i].revents || polls[2 * i + 1].revents)
				alive = move(pair, side);
		if (alive)
			forward->pairs[kept++] = pair;
		else
			pair_free(pair);
	}
	forward->pair_count = kept;
}

static void *serve(void *context)
{
	struct ssh_forward *forward = context;
	struct pollfd polls[2 + 2 * PAIRS_MAX];

	for (;;) {
		size_t served = forward->pair_count;

		polls[0] = (struct pollfd){ .fd = forward->stop_fds[0], .events = POLLIN };
		polls[1] = (struct pollfd){ .fd = forward->listen_fd, .events = POLLIN };
		for (size_t i = 0; i < 2 * served; i++) {
			struct pair *pair = forward->pairs[i / 2];
			short events = events_of(pair, (int)(i % 2));

			/* an end that waits for nothing would only repeat that it is closed */
			polls[2 + i] = (struct pollfd){ .fd = events ? pair->fds[i % 2] : -1,
							.events = events };
		}
		if (poll(polls, 2 + 2 * served, -1) < 0 && errno != EINTR)
			return NULL;
		if (polls[0].revents)
			return NULL;
		serve_pairs(forward, polls + 2);
		if (polls[1].revents)
			accept_one(forward);
	}
}

static int listen_at(const struct ssh_forward_options *options, struct error *err)
{
	cleanup_close int folder_fd = -EBADF;
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	const char *name = path_base(options->path);
	int ret = set_address(options->path, &folder_fd, &address);

	if (ret < 0 || fd < 0)
		return error_errno(err, ret < 0 ? -ret : errno, "make a socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		return error_errno(err, errno, "listen at \"%s\"", options->path);
	if (fchownat(folder_fd, name, options->uid, options->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(folder_fd, name, options->mode, 0) < 0)
		return error_errno(err, errno, "set owner and mode of \"%s\"", options->path);
	return TAKE_FD(fd);
}

static void forward_free(struct ssh_forward *forward)
{
	for (size_t i = 0; i < forward->pair_count; i++)
		pair_free(forward->pairs[i]);
	cleanup_close_fd(&forward->listen_fd);
	cleanup_close_fd(&forward->stop_fds[0]);
	cleanup_close_fd(&forward->stop_fds[1]);
	free(forward->agent);
	free(forward);
}

int ssh_forward_start(const struct ssh_forward_options *options, struct ssh_forward **out,
		      struct error *err)
{
	struct ssh_forward *forward = xzalloc(sizeof(*forward));
	int ret;

	forward->stop_fds[0] = forward->stop_fds[1] = -EBADF;
	forward->agent = xstrdup(options->agent);
	forward->listen_fd = ret = listen_at(options, err);
	if (ret >= 0 && pipe2(forward->stop_fds, O_CLOEXEC) < 0)
		ret = error_errno(err, errno, "make a pipe");
	if (ret >= 0) {
		ret = thread_start(&forward->thread, serve, forward);
		if (ret < 0)
			(void)error_errno(err, -ret, "start the thread of an SSH agent's socket");
	}
	if (ret < 0) {
		forward_free(forward);
		return ret;
	}
	*out = forward;
	return 0;
}

void ssh_forward_stop(struct ssh_forward *forward)
{
	cleanup_close_fd(&forward->stop_fds[1]);
	pthread_join(forward->thread, NULL);
	forward_free(forward);
}
