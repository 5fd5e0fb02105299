/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of sync.h. The order check is a rising stage: a message may repeat only where its
 * row says so, and none may come from the wrong side. A compromised or confused child can thus
 * make its own creation fail, nothing else.
 */
#include "runtime/lifecycle/sync.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"

enum sync_flags {
	FROM_CHILD = 1 << 0,
	FROM_HOST = 1 << 1,
	REPEATS = 1 << 2,
	CARRIES_FD = 1 << 3,
};

/* clang-format off */
static const struct sync_row {
	const char *name;
	int stage;
	unsigned int flags;
} sync_table[SYNC_TYPE_COUNT] = {
	[SYNC_MAPS]       = { "maps",       1,  FROM_CHILD },
	[SYNC_MAPPED]     = { "mapped",     2,  FROM_HOST },
	[SYNC_JOINED]     = { "joined",     3,  FROM_CHILD },
	[SYNC_GO]         = { "go",         4,  FROM_HOST },
	[SYNC_NETWORK]    = { "network",    5,  FROM_HOST | CARRIES_FD },
	[SYNC_NEED_FD]    = { "need fd",    6,  FROM_CHILD | REPEATS },
	[SYNC_FD]         = { "fd",         6,  FROM_HOST | REPEATS | CARRIES_FD },
	[SYNC_IDMAP]      = { "idmap",      6,  FROM_CHILD | REPEATS | CARRIES_FD },
	[SYNC_IDMAPPED]   = { "idmapped",   6,  FROM_HOST | REPEATS },
	[SYNC_CONSOLE]    = { "console",    7,  FROM_CHILD | CARRIES_FD },
	[SYNC_MOUNTED]    = { "mounted",    8,  FROM_CHILD },
	[SYNC_HOOKS_DONE] = { "hooks done", 9,  FROM_HOST },
	[SYNC_LISTENER]   = { "listener",   10, FROM_CHILD | CARRIES_FD },
	[SYNC_LISTENER_NUMBER] = { "listener number", 10, FROM_CHILD },
	[SYNC_LISTENING]  = { "listening",  11, FROM_HOST },
	[SYNC_READY]      = { "ready",      12, FROM_CHILD },
	[SYNC_COMMIT]     = { "commit",     13, FROM_HOST },
	[SYNC_ERROR]      = { "error",      0,  FROM_CHILD | FROM_HOST | REPEATS },
};
/* clang-format on */

struct packet {
	enum sync_type type;
	int value;
	struct error failure; /* SYNC_ERROR only */
};
#define PACKET_HEAD offsetof(struct packet, failure)

const char *sync_type_name(enum sync_type type)
{
	return (unsigned int)type < SYNC_TYPE_COUNT ? sync_table[type].name : "unknown";
}

int sync_open(struct sync *out_host, struct sync *out_child, struct error *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return error_errno(err, errno, "create a socket pair");
	*out_host = (struct sync){ .fd = fds[0], .host = true };
	*out_child = (struct sync){ .fd = fds[1] };
	return 0;
}

/* Move the order forward by one message; by_host says who sent it. */
static int advance(struct sync *sync, enum sync_type type, bool by_host, bool has_fd,
		   struct error *err)
{
	const struct sync_row *row;

	if ((unsigned int)type >= SYNC_TYPE_COUNT)
		return error_set(err, ERROR_INTERNAL, EPROTO, "sync message %d is unknown", type);
	row = &sync_table[type];
	if (!(row->flags & (by_host ? FROM_HOST : FROM_CHILD)) ||
	    has_fd != !!(row->flags & CARRIES_FD))
		return error_set(err, ERROR_INTERNAL, EPROTO, "sync message \"%s\" is malformed",
				 row->name);
	if (type == SYNC_ERROR)
		return 0;
	if (row->stage < sync->stage || (row->stage == sync->stage && !(row->flags & REPEATS)))
		return error_set(err, ERROR_INTERNAL, EPROTO, "sync message \"%s\" is out of order",
				 row->name);
	sync->stage = row->stage;
	return 0;
}

/* Without an fd, the child has write(2): filters that forbid everything else let it pass, mostly.
 * (The host must not be killed by SIGPIPE; the child may.) */
static ssize_t send_head(const struct sync *sync, const struct packet *packet, int fd)
{
	ssize_t sent;

	if (sync->host || fd >= 0)
		return fd_send(sync->fd, packet, PACKET_HEAD, &fd, fd >= 0);
	do {
		sent = write(sync->fd, packet, PACKET_HEAD);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

int sync_send(struct sync *sync, enum sync_type type, int value, int fd, struct error *err)
{
	struct packet packet; /* only the head is written and sent */
	ssize_t sent;
	int ret = advance(sync, type, sync->host, fd >= 0, err);

	if (ret < 0)
		return ret;
	packet.type = type;
	packet.value = value;
	sent = send_head(sync, &packet, fd);
	if (sent < 0)
		return error_errno(err, (int)-sent, "send sync message \"%s\"",
				   sync_table[type].name);
	return 0;
}

void sync_send_error(struct sync *sync, const struct error *failure)
{
	struct packet packet = { .type = SYNC_ERROR, .failure = *failure };

	/* nobody listening means that nobody wants to know */
	(void)fd_send(sync->fd, &packet, sizeof(packet), NULL, 0);
}

/* The texts of a received error are terminated, whatever was sent. */
static int take_error(struct packet *packet, ssize_t size, struct error *err)
{
	struct error *failure = &packet->failure;
	int ret;

	if (size != sizeof(*packet))
		return error_set(err, ERROR_INTERNAL, EPROTO, "sync message \"error\" is cut");
	ret = error_received(failure);
	if (err)
		*err = *failure;
	return ret;
}

int sync_receive(struct sync *sync, struct sync_message *out, struct error *err)
{
	struct packet packet;
	cleanup_close int fd = -EBADF;
	size_t count = 1;
	ssize_t size = fd_receive(sync->fd, &packet, sizeof(packet), &fd, &count);
	int ret;

	/* the peer ended with messages of ours unread; what it said before is still to be had */
	if (size == -ECONNRESET) {
		count = 1;
		size = fd_receive(sync->fd, &packet, sizeof(packet), &fd, &count);
	}
	if (size == 0)
		return -ECONNRESET;
	if (size < 0)
		return error_errno(err, (int)-size, "receive a sync message");
	if ((size_t)size < PACKET_HEAD)
		return error_set(err, ERROR_INTERNAL, EPROTO, "sync message is too short");
	ret = advance(sync, packet.type, !sync->host, fd >= 0, err);
	if (ret < 0)
		return ret;
	if (packet.type == SYNC_ERROR)
		return take_error(&packet, size, err);
	out->type = packet.type;
	out->value = packet.value;
	out->fd = TAKE_FD(fd);
	return 0;
}

int sync_expect(struct sync *sync, enum sync_type type, struct sync_message *out, struct error *err)
{
	struct sync_message message = { .fd = -EBADF };
	int ret = sync_receive(sync, &message, err);

	if (ret == -ECONNRESET)
		_exit(1); /* the runtime is gone (SIGKILL): so is the reason for us to be */
	if (ret < 0)
		return ret;
	if (message.type != type) {
		cleanup_close_fd(&message.fd);
		return error_set(err, ERROR_INTERNAL, EPROTO,
				 "sync message \"%s\" came instead of \"%s\"",
				 sync_table[message.type].name, sync_table[type].name);
	}
	*out = message;
	return 0;
}
