/* SPDX-License-Identifier: Apache-2.0 */
/* lib/netlink: what does not fit, answers that lie about lengths, and the kernel's own. */
#include "lib/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void test_request(void)
{
	struct netlink_request request;
	const struct nlattr *table[8];
	const uint32_t *number;

	netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE, "do %s", "it");
	netlink_put(&request, &(struct ifinfomsg){ .ifi_index = 7 }, sizeof(struct ifinfomsg));
	netlink_attribute_string(&request, IFLA_IFNAME, "abcd");
	netlink_attribute_u32(&request, IFLA_MTU, 1500);
	CHECK(!request.overflow);
	CHECK_STR(request.what, "do it");
	CHECK_INT(request.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);
	/* 16 + 16, 4 + 5 and 3 to align, 4 + 4 */
	CHECK_INT(request.header.nlmsg_len, 16 + 16 + 12 + 8);
	netlink_parse(&request.header, sizeof(struct ifinfomsg), table, ARRAY_SIZE(table));
	CHECK_STR(netlink_text(table[IFLA_IFNAME]), "abcd");
	number = netlink_data(table[IFLA_MTU], sizeof(*number), NULL);
	CHECK(number && *number == 1500);
	CHECK(!netlink_data(table[IFLA_MTU], 8, NULL));
	CHECK(!table[IFLA_LINK]);
}

static void test_overflow(void)
{
	struct netlink netlink = NETLINK_INIT;
	struct netlink_request request;
	static const char large[NETLINK_REQUEST_SIZE + 1];

	netlink_begin(&request, RTM_NEWLINK, 0, "fill");
	for (int i = 0; i < 200; i++)
		netlink_attribute_u32(&request, 1, 1);
	CHECK(request.overflow);
	CHECK(request.header.nlmsg_len <= NETLINK_REQUEST_SIZE);
	CHECK_ERROR(netlink_call(&netlink, &request, NULL, NULL, &err), EMSGSIZE, "fill");
	netlink_begin(&request, RTM_NEWLINK, 0, "fill");
	netlink_attribute(&request, 1, large, sizeof(large));
	CHECK(request.overflow);
	netlink_begin(&request, RTM_NEWLINK, 0, "fill");
	netlink_put(&request, large, sizeof(large));
	CHECK(request.overflow);
	CHECK_INT(request.header.nlmsg_len, NLMSG_HDRLEN);
}

/* Attributes whose lengths lead outside end the parsing; nothing behind the message is looked at.
 */
static void test_lies(void)
{
	struct {
		struct nlmsghdr header;
		struct nlattr first;
		char text[4];
		struct nlattr second;
		char beyond[64];
	} message = { .header = { .nlmsg_len = NLMSG_HDRLEN + 4 + 4 + 4 },
		      .first = { 8, 1 },
		      .text = { 'a', 'b', 'c', 'd' },
		      .second = { 4, 2 } };
	static const uint16_t lengths[] = { 0, 1, 3, 5, 8, 100, 65535 };
	const struct nlattr *table[4];

	netlink_parse(&message.header, 0, table, ARRAY_SIZE(table));
	CHECK(table[1] && table[2]);
	CHECK(!netlink_text(table[1])); /* without its NUL */
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		message.second.nla_len = lengths[i];
		netlink_parse(&message.header, 0, table, ARRAY_SIZE(table));
		CHECK(table[1] && !table[2]);
	}
	message.first.nla_len = 65535;
	netlink_parse(&message.header, 0, table, ARRAY_SIZE(table));
	CHECK(!table[1] && !table[2]);
	netlink_parse(&message.header, 4096, table, ARRAY_SIZE(table));
	CHECK(!table[1] && !table[2]);
	CHECK(!netlink_fixed(&message.header, 13));
	CHECK(netlink_fixed(&message.header, 12) != NULL);
	CHECK(!netlink_text(NULL));
}

static int take_index(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *fixed = netlink_fixed(message, sizeof(*fixed));

	if (fixed)
		*(int *)arg = fixed->ifi_index;
	return 0;
}

static int refuse(const struct nlmsghdr *message, void *arg)
{
	(void)message;
	(void)arg;
	return -E2BIG;
}

static void test_kernel(void)
{
	const struct ifinfomsg fixed = { 0 };
	struct netlink netlink = NETLINK_INIT;
	struct netlink_request request;
	int index = 0;

	CHECK_INT(netlink_open(&netlink, NULL), 0);
	netlink_begin(&request, RTM_GETLINK, 0, "find lo");
	netlink_put(&request, &fixed, sizeof(fixed));
	netlink_attribute_string(&request, IFLA_IFNAME, "lo");
	CHECK_INT(netlink_call(&netlink, &request, take_index, &index, NULL), 0);
	CHECK_INT(index, (int)if_nametoindex("lo"));
	netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP, "list");
	netlink_put(&request, &fixed, sizeof(fixed));
	CHECK_ERROR(netlink_call(&netlink, &request, refuse, NULL, &err), E2BIG, "list");
	/* what is left of that answer is not taken for the next one's */
	netlink_begin(&request, RTM_GETLINK, 0, "find nothing");
	netlink_put(&request, &fixed, sizeof(fixed));
	netlink_attribute_string(&request, IFLA_IFNAME, "no-such-device");
	CHECK_ERROR(netlink_call(&netlink, &request, take_index, &index, &err), ENODEV,
		    "find nothing");
	/* a name that is too long is refused in words */
	netlink_begin(&request, RTM_GETLINK, 0, "find too much");
	netlink_put(&request, &fixed, sizeof(fixed));
	netlink_attribute_string(&request, IFLA_IFNAME, "a-name-that-is-far-too-long-for-that");
	CHECK_ERROR(netlink_call(&netlink, &request, NULL, NULL, &err), ERANGE, "find too much: ");
	netlink_close(&netlink);
	CHECK_INT(netlink.fd, -EBADF);
}

CHECK_MAIN({ "a request has what was put in", test_request },
	   { "what does not fit is an error", test_overflow },
	   { "lengths that lie end the reading", test_lies },
	   { "the kernel's answers and refusals", test_kernel })
