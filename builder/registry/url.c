/* SPDX-License-Identifier: Apache-2.0 */
/* What decides where credentials go is compared here, byte for byte. */
#include "builder/registry/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("-._~", c);
}

void url_escape(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		if (is_plain(*text))
			strbuf_addc(out, *text);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)*text);
	}
}

/* The size of "scheme://host:port". */
static size_t origin_size(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

bool url_is_at(const char *url, const char *scheme, const char *host)
{
	size_t size = strlen(scheme), origin = origin_size(url);

	return origin == size + 3 + strlen(host) && strncasecmp(url, scheme, size) == 0 &&
	       strncmp(url + size, "://", 3) == 0 &&
	       strncasecmp(url + size + 3, host, strlen(host)) == 0;
}

bool url_is_loopback(const char *host)
{
	size_t authority = strcspn(host, "/?#");
	size_t size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
	cleanup_free char *name = NULL;
	struct in_addr address;

	if (size > authority || memchr(host, '@', authority))
		return false;
	name = xstrndup(host, size);
	return strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0 ||
	       (inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

bool url_same_origin(const char *a, const char *b)
{
	size_t size = origin_size(a);

	return size && size == origin_size(b) && strncasecmp(a, b, size) == 0;
}
