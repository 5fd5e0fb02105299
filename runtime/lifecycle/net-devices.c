/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving network devices (config-linux.md, netDevices): the host side does it over a netlink socket
 * in each of the two namespaces. Move and new name are one request, so nobody sees the device in
 * the container by its old name; its index there is chosen here, so that it can be found by it
 * whatever name a template like "eth%d" has come to.
 */
#include "runtime/lifecycle/net-devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "runtime/lifecycle/net-routes.h"

#define DUMP_TRIES 8
#define ADDRESSES_MAX 1024 /* of one device */
#define ADDRESS_SIZE 256   /* the attributes of one; there are six short ones */

/* IFA_F_*: what an administrator sets; the others say how it is going. */
#define FLAGS_KEPT                                                                                 \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR |            \
	 IFA_F_MCAUTOJOIN)

/* Not the label (it has the old name in it), not the lifetimes (it has none). */
static const unsigned short attributes_kept[] = { IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST,
						  IFA_ANYCAST, IFA_RT_PRIORITY };

struct address {
	struct ifaddrmsg fixed;
	uint32_t flags;
	size_t size; /* of attributes, whole and aligned ones */
	_Alignas(struct nlattr) char attributes[ADDRESS_SIZE];
};

struct net_device_move {
	const struct plan_net_device *device;
	int host_index, container_index;
	bool was_up, was_set_down, is_moved;
	struct address *addresses; /* owned */
	size_t address_count;
	struct net_routes routes; /* for the way back only */
};

/* -- looking -- */

struct link {
	int index;
	unsigned int flags;
};

static int take_link(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *fixed = netlink_fixed(message, sizeof(*fixed));
	struct link *link = arg;

	if (message->nlmsg_type == RTM_NEWLINK && fixed)
		*link = (struct link){ fixed->ifi_index, fixed->ifi_flags };
	return 0;
}

static int find_device(struct netlink *netlink, struct net_device_move *move, struct error *err)
{
	const struct ifinfomsg fixed = { .ifi_family = AF_UNSPEC };
	struct netlink_request request;
	struct link link = { 0 };
	int ret;

	netlink_begin(&request, RTM_GETLINK, 0, "find network device \"%s\" of the host",
		      move->device->host_name);
	netlink_put(&request, &fixed, sizeof(fixed));
	netlink_attribute_string(&request, IFLA_IFNAME, move->device->host_name);
	ret = netlink_call(netlink, &request, take_link, &link, err);
	if (ret == 0 && link.index <= 0)
		ret = error_errno(err, ENODEV, "%s", request.what);
	if (ret < 0)
		return ret;
	move->host_index = link.index;
	move->was_up = link.flags & IFF_UP;
	return 0;
}

struct address_list {
	int index;
	struct address *items;
	size_t count;
};

static int keep_address(struct address *address, const struct ifaddrmsg *fixed,
			const struct nlattr *const *table)
{
	address->fixed = *fixed;
	address->fixed.ifa_flags = 0;
	address->size = 0;
	for (size_t i = 0; i < ARRAY_SIZE(attributes_kept); i++) {
		const struct nlattr *attribute = table[attributes_kept[i]];
		size_t size = attribute ? NLA_ALIGN((size_t)attribute->nla_len) : 0;

		if (!attribute)
			continue;
		if (size > sizeof(address->attributes) - address->size)
			return -EMSGSIZE;
		memset(address->attributes + address->size, 0, size);
		memcpy(address->attributes + address->size, attribute, attribute->nla_len);
		address->size += size;
	}
	return 0;
}

/* Only permanent ones of global scope are the device's; others come of the network it is in. */
static int take_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *fixed = netlink_fixed(message, sizeof(*fixed));
	const struct nlattr *table[IFA_MAX + 1];
	struct address_list *list = arg;
	const uint32_t *flags;
	uint32_t all;

	if (message->nlmsg_type != RTM_NEWADDR || !fixed || (int)fixed->ifa_index != list->index)
		return 0;
	netlink_parse(message, sizeof(*fixed), table, ARRAY_SIZE(table));
	flags = netlink_data(table[IFA_FLAGS], sizeof(*flags), NULL);
	all = flags ? *flags : fixed->ifa_flags;
	if (!(all & IFA_F_PERMANENT) || fixed->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	if (list->count == ADDRESSES_MAX)
		return -E2BIG;
	list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count].flags = all & FLAGS_KEPT;
	return keep_address(&list->items[list->count++], fixed, table);
}

/* Before the device goes down: IPv6 addresses would be gone then. */
static int read_addresses(struct netlink *netlink, struct net_device_move *move, struct error *err)
{
	const struct ifaddrmsg fixed = { .ifa_index = (unsigned int)move->host_index };
	struct address_list list = { .index = move->host_index };
	struct netlink_request request;
	int ret = -EINTR;

	for (int i = 0; i < DUMP_TRIES && ret == -EINTR; i++) {
		list.count = 0;
		netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP,
			      "read the addresses of network device \"%s\"",
			      move->device->host_name);
		netlink_put(&request, &fixed, sizeof(fixed));
		ret = netlink_call(netlink, &request, take_address, &list, err);
	}
	move->addresses = list.items;
	move->address_count = list.count;
	return ret;
}

struct index_search {
	int wanted, highest;
	bool taken;
};

static int take_index(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *fixed = netlink_fixed(message, sizeof(*fixed));
	struct index_search *search = arg;

	if (message->nlmsg_type != RTM_NEWLINK || !fixed)
		return 0;
	if (fixed->ifi_index > search->highest)
		search->highest = fixed->ifi_index;
	search->taken |= fixed->ifi_index == search->wanted;
	return 0;
}

/* The same as in the other namespace, if nobody has it there: that is what the kernel does, too. */
static int free_index(struct netlink *netlink, int wanted, int *out, struct error *err)
{
	const struct ifinfomsg fixed = { .ifi_family = AF_UNSPEC };
	struct index_search search = { .wanted = wanted };
	struct netlink_request request;
	int ret = -EINTR;

	for (int i = 0; i < DUMP_TRIES && ret == -EINTR; i++) {
		search = (struct index_search){ .wanted = wanted };
		netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP, "list network devices");
		netlink_put(&request, &fixed, sizeof(fixed));
		ret = netlink_call(netlink, &request, take_index, &search, err);
	}
	if (ret < 0)
		return ret;
	if (search.taken && search.highest == INT32_MAX)
		return error_errno(err, ENOSPC, "list network devices");
	*out = search.taken ? search.highest + 1 : wanted;
	return 0;
}

/* -- acting; each on the device of that index behind this socket -- */

static int set_state(struct netlink *netlink, int index, bool up, const char *name,
		     struct error *err)
{
	const struct ifinfomsg fixed = { .ifi_family = AF_UNSPEC,
					 .ifi_index = index,
					 .ifi_flags = up ? IFF_UP : 0,
					 .ifi_change = IFF_UP };
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWLINK, 0, "set network device \"%s\" %s", name,
		      up ? "up" : "down");
	netlink_put(&request, &fixed, sizeof(fixed));
	return netlink_call(netlink, &request, NULL, NULL, err);
}

struct destination {
	int namespace_fd;
	int index;
	const char *name;
};

static int send_away(struct netlink *netlink, int index, const struct destination *to,
		     const char *name, struct error *err)
{
	const struct ifinfomsg fixed = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWLINK, 0, "move network device \"%s\" to \"%s\"", name,
		      to->name);
	netlink_put(&request, &fixed, sizeof(fixed));
	netlink_attribute_u32(&request, IFLA_NET_NS_FD, (uint32_t)to->namespace_fd);
	netlink_attribute_string(&request, IFLA_IFNAME, to->name);
	netlink_attribute_u32(&request, IFLA_NEW_IFINDEX, (uint32_t)to->index);
	return netlink_call(netlink, &request, NULL, NULL, err);
}

static int add_addresses(struct netlink *netlink, int index, const struct net_device_move *move,
			 struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < move->address_count && ret == 0; i++) {
		const struct address *address = &move->addresses[i];
		struct ifaddrmsg fixed = address->fixed;
		struct netlink_request request;

		fixed.ifa_index = (unsigned int)index;
		netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
			      "give network device \"%s\" its address back",
			      move->device->host_name);
		netlink_put(&request, &fixed, sizeof(fixed));
		netlink_put(&request, address->attributes, address->size);
		netlink_attribute_u32(&request, IFA_FLAGS, address->flags);
		ret = netlink_call(netlink, &request, NULL, NULL, err);
	}
	return ret;
}

static int move_device(struct net_devices *devices, struct net_device_move *move, struct error *err)
{
	const char *name = move->device->host_name;
	struct destination to = { .namespace_fd = devices->container_fd,
				  .name = move->device->name };
	int ret = read_addresses(&devices->host, move, err);

	if (ret == 0 && move->was_up)
		ret = net_routes_read(&devices->host, move->host_index, name, &move->routes, err);
	if (ret == 0 && move->was_up) {
		ret = set_state(&devices->host, move->host_index, false, name, err);
		move->was_set_down = ret == 0;
	}
	if (ret == 0)
		ret = free_index(&devices->container, move->host_index, &to.index, err);
	if (ret == 0)
		ret = send_away(&devices->host, move->host_index, &to, name, err);
	if (ret < 0)
		return ret;
	move->container_index = to.index;
	move->is_moved = true;
	ret = add_addresses(&devices->container, to.index, move, err);
	return ret < 0 ? ret : set_state(&devices->container, to.index, true, name, err);
}

static void return_device(struct net_devices *devices, const struct net_device_move *move)
{
	const char *name = move->device->host_name;
	struct destination to = { .namespace_fd = devices->host_fd, .name = name };
	struct error err = ERROR_INIT;
	int ret = 0, index = move->host_index;

	if (move->is_moved) {
		ret = set_state(&devices->container, move->container_index, false, name, &err);
		if (ret == 0)
			ret = free_index(&devices->host, index, &to.index, &err);
		if (ret == 0)
			ret = send_away(&devices->container, move->container_index, &to, name,
					&err);
		index = to.index;
		if (ret == 0)
			ret = add_addresses(&devices->host, index, move, &err);
	} else if (move->was_set_down) {
		ret = add_addresses(&devices->host, index, move, &err);
	}
	if (ret == 0 && (move->is_moved || move->was_set_down) && move->was_up) {
		ret = set_state(&devices->host, index, true, name, &err);
		if (ret == 0)
			ret = net_routes_restore(&devices->host, index, &move->routes, &err);
	}
	if (ret < 0)
		log_warning("%s", err.msg); /* the failure that led here is the one to report */
}

/* -- the two namespaces -- */

/* A socket belongs to the namespace it was opened in: go there, open one, come back. */
static int open_container_socket(struct net_devices *devices, struct error *err)
{
	int ret;

	if (setns(devices->container_fd, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "enter the container's network namespace");
	ret = netlink_open(&devices->container, err);
	if (setns(devices->host_fd, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "return to the host's network namespace");
	return ret;
}

static int open_namespaces(struct net_devices *devices, const char *namespace, struct error *err)
{
	int ret;

	devices->host_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (devices->host_fd < 0)
		return error_errno(err, errno, "open the host's network namespace");
	devices->container_fd = open(namespace, O_RDONLY | O_CLOEXEC);
	if (devices->container_fd < 0)
		return error_errno(err, errno, "open network namespace \"%s\"", namespace);
	ret = netlink_open(&devices->host, err);
	return ret < 0 ? ret : open_container_socket(devices, err);
}

int net_devices_move(struct net_devices *devices, const struct plan *plan, const char *namespace,
		     struct error *err)
{
	int ret = open_namespaces(devices, namespace, err);

	devices->moves = xreallocarray(NULL, plan->net_device_count, sizeof(*devices->moves));
	/* all are looked for before the first one moves */
	for (size_t i = 0; i < plan->net_device_count && ret == 0; i++) {
		devices->moves[i] = (struct net_device_move){ .device = &plan->net_devices[i] };
		ret = find_device(&devices->host, &devices->moves[i], err);
		devices->count = i + 1;
	}
	for (size_t i = 0; i < devices->count && ret == 0; i++)
		ret = move_device(devices, &devices->moves[i], err);
	if (ret < 0)
		(void)error_pointer(err, ret, "/linux/netDevices");
	return error_phase(err, ret, PHASE_NAMESPACES);
}

void net_devices_return(struct net_devices *devices)
{
	for (size_t i = devices->count; i-- > 0;)
		return_device(devices, &devices->moves[i]);
}

void net_devices_done(struct net_devices *devices)
{
	for (size_t i = 0; i < devices->count; i++) {
		free(devices->moves[i].addresses);
		net_routes_done(&devices->moves[i].routes);
	}
	free(devices->moves);
	netlink_close(&devices->host);
	netlink_close(&devices->container);
	cleanup_close_fd(&devices->host_fd);
	cleanup_close_fd(&devices->container_fd);
	*devices = (struct net_devices)NET_DEVICES_INIT;
}
