/* SPDX-License-Identifier: Apache-2.0 */
/* Route netlink: see netlink.h. Messages and attributes are those of netlink(7), rtnetlink(7). */
#include "lib/netlink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* The kernel fills at most this much of a dump into one packet. */
#define ANSWER_SIZE 32768

int netlink_open(struct netlink *out, struct error *err)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const int on = 1;

	if (fd < 0)
		return error_errno(err, errno, "open a netlink socket");
	/* only words and less to copy: nothing is lost where the kernel does not have them */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	/* connected: answers come from the kernel and nobody else */
	if (connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return error_errno(err, errno, "connect a netlink socket");
	*out = (struct netlink){ .fd = TAKE_FD(fd) };
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	cleanup_close_fd(&netlink->fd);
}

/* -- requests -- */

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const char *what,
		   ...)
{
	va_list ap;

	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = NLMSG_HDRLEN;
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	va_start(ap, what);
	(void)vsnprintf(request->what, sizeof(request->what), what, ap);
	va_end(ap);
}

/* Room for so many bytes, aligned; NULL when they do not fit. All of it is zero already. */
static void *extend(struct netlink_request *request, size_t size)
{
	size_t start = NLMSG_ALIGN((size_t)request->header.nlmsg_len);

	if (request->overflow || size > sizeof(request->bytes) - start) {
		request->overflow = true;
		return NULL;
	}
	request->header.nlmsg_len = (uint32_t)(start + size);
	return request->bytes + start;
}

void netlink_put(struct netlink_request *request, const void *data, size_t size)
{
	void *to = extend(request, size);

	if (to)
		memcpy(to, data, size);
}

void netlink_attribute(struct netlink_request *request, uint16_t type, const void *data,
		       size_t size)
{
	struct nlattr *attribute;

	if (size > sizeof(request->bytes)) {
		request->overflow = true;
		return;
	}
	attribute = extend(request, NLA_HDRLEN + size);
	if (!attribute)
		return;
	attribute->nla_len = (uint16_t)(NLA_HDRLEN + size);
	attribute->nla_type = type;
	if (size)
		memcpy((char *)attribute + NLA_HDRLEN, data, size);
}

void netlink_attribute_u32(struct netlink_request *request, uint16_t type, uint32_t value)
{
	netlink_attribute(request, type, &value, sizeof(value));
}

void netlink_attribute_string(struct netlink_request *request, uint16_t type, const char *text)
{
	netlink_attribute(request, type, text, strlen(text) + 1);
}

/* -- reading -- */

const void *netlink_fixed(const struct nlmsghdr *message, size_t size)
{
	return message->nlmsg_len >= NLMSG_HDRLEN + size ? (const char *)message + NLMSG_HDRLEN
							 : NULL;
}

/* Attributes in so many bytes. */
static void parse(const char *at, size_t size, const struct nlattr **table, size_t count)
{
	memset(table, 0, count * sizeof(*table));
	while (size >= NLA_HDRLEN) {
		const struct nlattr *attribute = (const struct nlattr *)at;
		size_t length = attribute->nla_len, step = NLA_ALIGN(length);
		uint16_t type = attribute->nla_type & NLA_TYPE_MASK;

		if (length < NLA_HDRLEN || length > size)
			return;
		if (type < count)
			table[type] = attribute;
		if (step >= size)
			return;
		at += step;
		size -= step;
	}
}

void netlink_parse(const struct nlmsghdr *message, size_t fixed, const struct nlattr **table,
		   size_t count)
{
	size_t start = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);

	if (message->nlmsg_len > start)
		parse((const char *)message + start, message->nlmsg_len - start, table, count);
	else
		memset(table, 0, count * sizeof(*table));
}

const void *netlink_data(const struct nlattr *attribute, size_t size, size_t *out_size)
{
	size_t there = attribute ? attribute->nla_len - (size_t)NLA_HDRLEN : 0;

	if (!attribute || (size && there != size))
		return NULL;
	if (out_size)
		*out_size = there;
	return (const char *)attribute + NLA_HDRLEN;
}

const char *netlink_text(const struct nlattr *attribute)
{
	size_t size = 0;
	const char *text = netlink_data(attribute, 0, &size);

	return text && memchr(text, '\0', size) ? text : NULL;
}

/* -- the talk -- */

/* The kernel's words about a refusal, behind the (perhaps echoed) request; NULL if it has none. */
static const char *refusal_text(const struct nlmsghdr *message, const struct nlmsgerr *refusal)
{
	size_t start = NLMSG_HDRLEN + sizeof(*refusal);
	const struct nlattr *table[NLMSGERR_ATTR_MSG + 1];

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(message->nlmsg_flags & NLM_F_CAPPED) && refusal->msg.nlmsg_len > NLMSG_HDRLEN)
		start += NLMSG_ALIGN((size_t)refusal->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (start >= message->nlmsg_len)
		return NULL;
	parse((const char *)message + start, message->nlmsg_len - start, table, ARRAY_SIZE(table));
	return netlink_text(table[NLMSGERR_ATTR_MSG]);
}

static int refused(const struct netlink_request *request, int errnum, const char *text,
		   struct error *err)
{
	if (text)
		return error_errno(err, errnum, "%s: %s", request->what, text);
	return error_errno(err, errnum, "%s", request->what);
}

/* One message of the answer: 1 = it was the last one. */
static int take_message(const struct netlink_request *request, const struct nlmsghdr *message,
			netlink_answer *answer, void *arg, struct error *err)
{
	const struct nlmsgerr *refusal;
	const int *status;
	int ret;

	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		return refused(request, EINTR, NULL, err);
	if (message->nlmsg_type == NLMSG_DONE) {
		status = netlink_fixed(message, sizeof(*status));
		return status && *status < 0 ? refused(request, -*status, NULL, err) : 1;
	}
	if (message->nlmsg_type == NLMSG_ERROR) {
		refusal = netlink_fixed(message, sizeof(*refusal));
		if (!refusal)
			return refused(request, EPROTO, NULL, err);
		if (refusal->error == 0)
			return 1;
		return refused(request, -refusal->error, refusal_text(message, refusal), err);
	}
	ret = answer ? answer(message, arg) : 0;
	return ret < 0 ? refused(request, -ret, NULL, err) : 0;
}

/* One packet: 1 = the answer is complete. */
static int take_packet(const struct netlink_request *request, const char *packet, size_t size,
		       netlink_answer *answer, void *arg, struct error *err)
{
	int ret = 0;

	while (size >= NLMSG_HDRLEN && ret == 0) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)packet;
		size_t step = NLMSG_ALIGN((size_t)message->nlmsg_len);

		if (message->nlmsg_len < NLMSG_HDRLEN || message->nlmsg_len > size)
			return refused(request, EPROTO, NULL, err);
		if (message->nlmsg_seq == request->header.nlmsg_seq)
			ret = take_message(request, message, answer, arg, err);
		if (step >= size)
			break;
		packet += step;
		size -= step;
	}
	return ret;
}

int netlink_call(struct netlink *netlink, struct netlink_request *request, netlink_answer *answer,
		 void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char packet[ANSWER_SIZE];
	ssize_t size;
	int ret = 0;

	if (request->overflow)
		return refused(request, EMSGSIZE, NULL, err);
	request->header.nlmsg_seq = ++netlink->sequence;
	do {
		size = send(netlink->fd, request->bytes, request->header.nlmsg_len, 0);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return refused(request, errno, NULL, err);
	while (ret == 0) {
		size = recv(netlink->fd, packet, sizeof(packet), MSG_TRUNC);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 || (size_t)size > sizeof(packet))
			return refused(request, size < 0 ? errno : EMSGSIZE, NULL, err);
		ret = take_packet(request, packet, (size_t)size, answer, arg, err);
	}
	return ret < 0 ? ret : 0;
}
