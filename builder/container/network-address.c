/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses the bridge has, by what the host routes, and who has which of them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/container/network-internal.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/strbuf.h"

/* 10.SUBNET.0.0/16; podman begins at 88. */
#define SUBNET_FIRST 87
#define SUBNET_LAST 64

/* What the kernel routes where: an overlap would take the host's own network away. */
static bool subnet_is_taken(const char *routes, unsigned int subnet, bool *out_ours)
{
	cleanup_free char *copy = xstrdup(routes);
	char *rest = copy, *line;
	bool taken = false;

	*out_ours = false;
	(void)strsep(&rest, "\n"); /* the head of the table */
	while ((line = strsep(&rest, "\n"))) {
		char device[32] = "";
		uint32_t target, gateway, mask;
		uint32_t net = htonl(10U << 24 | subnet << 16), wide = htonl(0xffff0000U);

		/* "eth0 000A0A0A 00000000 0001 0 0 0 00FFFFFF ...": as the kernel has them */
		if (sscanf(line, "%31s %" SCNx32 " %" SCNx32 " %*x %*d %*d %*d %" SCNx32, device,
			   &target, &gateway, &mask) != 4 ||
		    mask == 0)
			continue;
		if (((target ^ net) & mask & wide) != 0)
			continue;
		if (strcmp(device, NETWORK_BRIDGE) == 0)
			*out_ours = true;
		else
			taken = true;
	}
	return taken;
}

int network_choose_subnet(unsigned int *out, struct error *err)
{
	cleanup_strbuf struct strbuf routes = STRBUF_INIT;
	unsigned int chosen = 0;
	int ret = io_read_file(AT_FDCWD, "/proc/self/net/route", (size_t)1 << 20, &routes, err);

	if (ret < 0)
		return ret;
	for (unsigned int subnet = SUBNET_FIRST; subnet >= SUBNET_LAST; subnet--) {
		bool ours;

		if (subnet_is_taken(strbuf_text(&routes), subnet, &ours))
			continue;
		if (ours || !chosen)
			chosen = subnet;
		if (ours)
			break;
	}
	if (!chosen)
		return error_set(err, ERROR_STATE, 0,
				 "no network is free for a bridge: the host routes all of "
				 "10.%d.0.0 to 10.%d.255.255",
				 SUBNET_LAST, SUBNET_FIRST);
	*out = chosen;
	return 0;
}

int network_take_address(struct network *network, unsigned int subnet, struct error *err)
{
	cleanup_free char *folder = network_path("addresses");

	for (unsigned int i = 2; i < 65534; i++) {
		cleanup_free char *address = xasprintf("10.%u.%u.%u", subnet, i >> 8, i & 0xff);
		cleanup_free char *path = path_join(folder, address);
		cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0 || io_write_all(fd, network->id, strlen(network->id)) < 0)
			return error_errno(err, errno, "create \"%s\"", path);
		network->address = TAKE_PTR(address);
		network->gateway = xasprintf("10.%u.0.1", subnet);
		return 0;
	}
	return error_set(err, ERROR_STATE, 0, "no address of the bridge is free (\"%s\")", folder);
}

void network_release_address(const char *address)
{
	cleanup_free char *folder = network_path("addresses"), *path = path_join(folder, address);

	(void)unlink(path); /* whoever needs it most may have been quicker */
}
