/* SPDX-License-Identifier: Apache-2.0 */
/* Called by hosts.c for each host that is new. */
#include "builder/registry/networks.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"

struct address {
	int family;
	unsigned char bytes[16];
};

static bool parse_address(const char *text, struct address *out)
{
	out->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(out->family, text, out->bytes) == 1;
}

static bool is_in(const struct address *address, const char *network)
{
	cleanup_free char *base = xstrndup(network, strcspn(network, "/"));
	const char *slash = strchr(network, '/');
	struct address first;
	uint32_t bits;

	if (!slash || number_parse_u32(slash + 1, &bits) < 0 || !parse_address(base, &first) ||
	    first.family != address->family || bits > (first.family == AF_INET ? 32 : 128))
		return false;
	if (memcmp(first.bytes, address->bytes, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((first.bytes[bits / 8] ^ address->bytes[bits / 8]) &
				 (0xff00 >> bits % 8) & 0xff) == 0;
}

static bool is_in_any(const struct address *address, const struct json_strings *networks)
{
	for (size_t i = 0; i < networks->count; i++)
		if (is_in(address, networks->items[i]))
			return true;
	return false;
}

struct lookup {
	const struct json_strings *networks;
	const char *name;
	bool found;
};

static void look_up(void *context)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct lookup *lookup = context;
	struct addrinfo *list = NULL;

	if (getaddrinfo(lookup->name, NULL, &hints, &list) != 0)
		return;
	for (const struct addrinfo *one = list; one; one = one->ai_next) {
		struct address address = { .family = one->ai_family };

		if (one->ai_family == AF_INET)
			memcpy(address.bytes,
			       &((const struct sockaddr_in *)(const void *)one->ai_addr)->sin_addr,
			       4);
		else if (one->ai_family == AF_INET6)
			memcpy(address.bytes,
			       &((const struct sockaddr_in6 *)(const void *)one->ai_addr)
					->sin6_addr,
			       16);
		else
			continue;
		lookup->found |= is_in_any(&address, lookup->networks);
	}
	freeaddrinfo(list);
}

bool networks_contain(const struct json_strings *networks, const char *host)
{
	bool bracket = host[0] == '[';
	cleanup_free char *name = bracket ? xstrndup(host + 1, strcspn(host + 1, "]"))
					  : xstrndup(host, strcspn(host, ":"));
	struct lookup lookup = { .networks = networks, .name = name };
	struct address address;

	if (!networks->count)
		return false;
	if (parse_address(name, &address))
		return is_in_any(&address, networks);
	fiber_offload(look_up, &lookup);
	return lookup.found;
}
