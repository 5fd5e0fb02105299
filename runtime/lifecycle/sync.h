/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The talk between the host side and the process that becomes the container's: one SOCK_SEQPACKET
 * pair, one table of messages, and an order that both ends check. Both ends are the same image (a
 * clone, never an exec), so packets are plain structs.
 */
#ifndef RUNTIME_LIFECYCLE_SYNC_H
#define RUNTIME_LIFECYCLE_SYNC_H

#include <stdbool.h>

#include "lib/error.h"

enum sync_type {
	SYNC_MAPS,    /* joiner: write the id maps of my new user namespace */
	SYNC_MAPPED,  /* they are written */
	SYNC_JOINED,  /* joiner: init lives, value = its pid */
	SYNC_GO,      /* you are in your cgroup; value = your pid as the host sees it */
	SYNC_NETWORK, /* the new network namespace, made while init works */
	SYNC_NEED_FD, /* open the source of mounts[value] for me (SYNC_ROOTFS: the rootfs) */
	SYNC_FD,      /* its answer: the fd */
	SYNC_IDMAP,   /* map the ids of this detached mount, of mounts[value] */
	SYNC_IDMAPPED,
	SYNC_CONSOLE, /* the master of the container's terminal */
	SYNC_MOUNTED, /* the hooks of the host may run now */
	SYNC_HOOKS_DONE,
	SYNC_LISTENER,	      /* of the seccomp filter, itself ... */
	SYNC_LISTENER_NUMBER, /* ... or value = its fd in the child */
	SYNC_LISTENING,	      /* whoever listens has it */
	SYNC_READY,	      /* everything but the exec is done */
	SYNC_COMMIT,	      /* it is recorded: wait for start, or exec */
	SYNC_ERROR,	      /* any time: a struct error follows, the sender ends */
	SYNC_TYPE_COUNT,
};

/** SYNC_NEED_FD's value for the rootfs itself. */
#define SYNC_ROOTFS (-1)

struct sync {
	int fd;	   /* SOCK_SEQPACKET, O_CLOEXEC */
	bool host; /* our side */
	int stage; /* the furthest point of the order that was reached */
};

struct sync_message {
	enum sync_type type;
	int value;
	int fd; /* the receiver's; -EBADF = none */
};

/** A pair: the host's end and the child's end. */
int sync_open(struct sync *out_host, struct sync *out_child, struct error *err);

/** Send one; fd may be -EBADF. */
int sync_send(struct sync *sync, enum sync_type type, int value, int fd, struct error *err);
/** Best effort: the other side may be gone. */
void sync_send_error(struct sync *sync, const struct error *failure);

/**
 * The next message. An error of the other side becomes *err and its negative errno. The end of the
 * stream is -ECONNRESET with err untouched: the caller knows what that means for it.
 */
int sync_receive(struct sync *sync, struct sync_message *out, struct error *err);

/** The child's way: only this message may come now; the host's end closed = exit at once. */
int sync_expect(struct sync *sync, enum sync_type type, struct sync_message *out,
		struct error *err);

/** For tests and messages. */
const char *sync_type_name(enum sync_type type);

#endif
