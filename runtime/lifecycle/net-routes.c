/* SPDX-License-Identifier: Apache-2.0 */
/* The routes through a network device: see net-routes.h. Messages are those of rtnetlink(7). */
#include "runtime/lifecycle/net-routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"

#define DUMP_TRIES 8
#define ROUTES_MAX 4096 /* through one device */
#define ROUTE_SIZE 512	/* the attributes of one; metrics are the longest */

/* Not the device (its index may be another by then), nor what only tells how a route is going. */
static const unsigned short attributes_kept[] = { RTA_DST,     RTA_SRC,	    RTA_GATEWAY,
						  RTA_VIA,     RTA_PREFSRC, RTA_PRIORITY,
						  RTA_METRICS, RTA_TABLE,   RTA_PREF };

struct net_route {
	struct rtmsg fixed;
	bool has_gateway;
	size_t size; /* of attributes, whole and aligned ones */
	_Alignas(struct nlattr) char attributes[ROUTE_SIZE];
};

struct route_list {
	int index;
	struct net_routes *routes;
};

static int keep_route(struct net_route *route, const struct rtmsg *fixed,
		      const struct nlattr *const *table)
{
	route->fixed = *fixed;
	route->fixed.rtm_flags &= RTNH_F_ONLINK;
	route->has_gateway = table[RTA_GATEWAY] || table[RTA_VIA];
	route->size = 0;
	for (size_t i = 0; i < ARRAY_SIZE(attributes_kept); i++) {
		const struct nlattr *attribute = table[attributes_kept[i]];
		size_t size = attribute ? NLA_ALIGN((size_t)attribute->nla_len) : 0;

		if (!attribute)
			continue;
		if (size > sizeof(route->attributes) - route->size)
			return -EMSGSIZE;
		memset(route->attributes + route->size, 0, size);
		memcpy(route->attributes + route->size, attribute, attribute->nla_len);
		route->size += size;
	}
	return 0;
}

static int take_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *fixed = netlink_fixed(message, sizeof(*fixed));
	const struct nlattr *table[RTA_MAX + 1];
	struct route_list *list = arg;
	struct net_routes *routes = list->routes;
	const int *index;

	if (message->nlmsg_type != RTM_NEWROUTE || !fixed || fixed->rtm_flags & RTM_F_CLONED ||
	    fixed->rtm_protocol == RTPROT_KERNEL || fixed->rtm_protocol == RTPROT_RA)
		return 0;
	netlink_parse(message, sizeof(*fixed), table, ARRAY_SIZE(table));
	index = netlink_data(table[RTA_OIF], sizeof(*index), NULL);
	if (!index || *index != list->index)
		return 0;
	if (routes->count == ROUTES_MAX)
		return -E2BIG;
	routes->items = xreallocarray(routes->items, routes->count + 1, sizeof(*routes->items));
	return keep_route(&routes->items[routes->count++], fixed, table);
}

static int read_family(struct netlink *netlink, unsigned char family, struct route_list *list,
		       const char *name, struct error *err)
{
	const struct rtmsg fixed = { .rtm_family = family };
	size_t before = list->routes->count;
	struct netlink_request request;
	int ret = -EINTR;

	for (int i = 0; i < DUMP_TRIES && ret == -EINTR; i++) {
		list->routes->count = before;
		netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP,
			      "read the routes through network device \"%s\"", name);
		netlink_put(&request, &fixed, sizeof(fixed));
		ret = netlink_call(netlink, &request, take_route, list, err);
	}
	return ret;
}

int net_routes_read(struct netlink *netlink, int index, const char *name, struct net_routes *out,
		    struct error *err)
{
	struct route_list list = { .index = index, .routes = out };
	int ret = read_family(netlink, AF_INET, &list, name, err);

	return ret < 0 ? ret : read_family(netlink, AF_INET6, &list, name, err);
}

static int restore_one(struct netlink *netlink, int index, const struct net_route *route,
		       struct error *err)
{
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, "set a route again");
	netlink_put(&request, &route->fixed, sizeof(route->fixed));
	netlink_put(&request, route->attributes, route->size);
	netlink_attribute_u32(&request, RTA_OIF, (uint32_t)index);
	return netlink_call(netlink, &request, NULL, NULL, err);
}

int net_routes_restore(struct netlink *netlink, int index, const struct net_routes *routes,
		       struct error *err)
{
	int ret = 0;

	/* a gateway has to be reachable by another route first */
	for (int with_gateway = 0; with_gateway <= 1; with_gateway++)
		for (size_t i = 0; i < routes->count && ret == 0; i++)
			if (routes->items[i].has_gateway == with_gateway)
				ret = restore_one(netlink, index, &routes->items[i], err);
	return ret;
}

void net_routes_done(struct net_routes *routes)
{
	free(routes->items);
	*routes = (struct net_routes){ .items = NULL };
}
