/* SPDX-License-Identifier: Apache-2.0 */
/* --publish: what people write about ports, for `run` and `create`. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "builder/container/network.h"
#include "lib/cleanup.h"
#include "lib/number.h"

static int read_port(const char *text, uint16_t *out)
{
	uint32_t value;

	if (number_parse_u32(text, &value) < 0 || value == 0 || value > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)value;
	return 0;
}

bool network_is_protocol(const char *text)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(text, known[i]) == 0)
			return true;
	return false;
}

static int parse_port(const char *text, struct arena *arena, struct network_port *out,
		      struct error *err)
{
	size_t size = strcspn(text, "/");
	char *words = arena_strndup(arena, text, size), *container = strrchr(words, ':');
	char *host = words, *address = arena_strdup(arena, "");
	unsigned char binary[sizeof(struct in6_addr)];
	size_t length;

	out->protocol = text[size] ? arena_strdup(arena, text + size + 1) : "tcp";
	if (container) {
		char *colon;

		*container++ = '\0';
		colon = strrchr(words, ':');
		if (colon) {
			*colon = '\0';
			host = colon + 1;
			address = words;
		}
	} else {
		container = words;
	}
	length = strlen(address);
	if (length > 1 && address[0] == '[' && address[length - 1] == ']') {
		address[length - 1] = '\0';
		address++;
	}
	out->host_address = address;
	if (read_port(host, &out->host) < 0 || read_port(container, &out->container) < 0 ||
	    (*address && inet_pton(AF_INET, address, binary) != 1 &&
	     inet_pton(AF_INET6, address, binary) != 1) ||
	    !network_is_protocol(out->protocol))
		return error_set(err, ERROR_USAGE, 0,
				 "--publish %s: expected [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]",
				 text);
	return 0;
}

int network_ports_parse(const struct strv *texts, struct arena *arena, struct network_port **out,
			size_t *out_count, struct error *err)
{
	struct network_port *ports = arena_alloc(arena, texts->count * sizeof(*ports));

	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_port(texts->items[i], arena, &ports[i], err);

		if (ret < 0)
			return ret;
	}
	*out = ports;
	*out_count = texts->count;
	return 0;
}
