/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route netlink, as little as it takes: a request is built in a buffer of fixed size, sent, and
 * answered by the kernel before the call returns. Nothing is written or read beyond a buffer: a
 * request that does not fit is an error, and every length in an answer is checked against what was
 * received (an unchecked length made CVE-2021-43784).
 */
#ifndef LIB_NETLINK_H
#define LIB_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/** A socket; it stays in the network namespace it was opened in. */
struct netlink {
	int fd;
	uint32_t sequence;
};
#define NETLINK_INIT                                                                               \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

#define NETLINK_REQUEST_SIZE 1024

struct netlink_request {
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_REQUEST_SIZE];
	};
	char what[128]; /* for messages: "move network device \"eth0\"" */
	bool overflow;
};

/** In the caller's network namespace. */
int netlink_open(struct netlink *out, struct error *err);
void netlink_close(struct netlink *netlink);

/** A new request; what it is to do is a format, for the message when it fails. */
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const char *what,
		   ...) __attribute__((format(printf, 4, 5)));
/** The fixed part behind the header (struct ifinfomsg ...). */
void netlink_put(struct netlink_request *request, const void *data, size_t size);
void netlink_attribute(struct netlink_request *request, uint16_t type, const void *data,
		       size_t size);
void netlink_attribute_u32(struct netlink_request *request, uint16_t type, uint32_t value);
/** With its final NUL, as the kernel sends names. */
void netlink_attribute_string(struct netlink_request *request, uint16_t type, const char *text);

/** For each message of the answer; a negative return ends the call with it. */
typedef int netlink_answer(const struct nlmsghdr *message, void *arg);

/**
 * Send and wait for the whole answer; answer may be NULL. A refusal is the negative errno, with the
 * kernel's own words (extended acknowledgement) in the message where it has any. -EINTR: what was
 * listed has changed meanwhile, ask again.
 */
int netlink_call(struct netlink *netlink, struct netlink_request *request, netlink_answer *answer,
		 void *arg, struct error *err);

/* -- reading messages -- */

/** The fixed part of size bytes; NULL if the message is shorter. */
const void *netlink_fixed(const struct nlmsghdr *message, size_t size);
/**
 * The attributes behind the fixed part of that size: table[type] for every type < count, NULL for
 * those that are not there. Stops at the first one whose length is wrong.
 */
void netlink_parse(const struct nlmsghdr *message, size_t fixed, const struct nlattr **table,
		   size_t count);
/** What attribute has: its data if there are exactly size bytes (0: any number), else NULL. */
const void *netlink_data(const struct nlattr *attribute, size_t size, size_t *out_size);
/** A text that ends within the attribute; NULL else. */
const char *netlink_text(const struct nlattr *attribute);

#endif
