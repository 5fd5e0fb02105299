/* SPDX-License-Identifier: Apache-2.0 */
/* See authorize.h. Called before something is downloaded: remote.c, and cmd-build.c for contexts.
 */
#include "builder/build/authorize.h"

#include <string.h>

#include "lib/base64.h"
#include "lib/cleanup.h"

#define GIT_USER "x-access-token:" /* whatever the token belongs to */

/* The host of a URL, with its port or without it; NULL = it is no web server's. */
static char *host_of(const char *url, bool with_port)
{
	const char *host = strstr(url, "://"), *at;
	size_t size;

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return NULL;
	host += 3;
	size = strcspn(host, "/?#");
	at = memrchr(host, '@', size);
	if (at) {
		size -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (!with_port && *host != '[' && memchr(host, ':', size))
		size = strcspn(host, ":");
	return xstrndup(host, size);
}

/* The value without the line's end that a file has; it must be one line. */
static int read_value(const struct secret *secret, struct strbuf *out, struct error *err)
{
	int ret = secret_read(secret, out, err);

	while (ret == 0 && out->size && strchr("\r\n", out->data[out->size - 1]))
		strbuf_truncate(out, out->size - 1);
	if (ret == 0 && (strpbrk(strbuf_text(out), "\r\n") || strlen(strbuf_text(out)) < out->size))
		ret = error_invalid(err, "secret %s: it is not one line", secret->id);
	return ret;
}

static int set_from(struct location *location, const struct secret *secret, bool is_token,
		    struct arena *arena, struct error *err)
{
	__attribute__((cleanup(secret_value_done))) struct strbuf value = STRBUF_INIT;
	__attribute__((cleanup(secret_value_done))) struct strbuf pair = STRBUF_INIT;
	__attribute__((cleanup(secret_value_done))) struct strbuf text = STRBUF_INIT;
	int ret = read_value(secret, &value, err);

	if (ret < 0)
		return ret;
	if (is_token && location->kind == LOCATION_GIT) {
		strbuf_addf(&pair, GIT_USER "%s", strbuf_text(&value));
		strbuf_adds(&text, "basic ");
		base64_encode(pair.data, pair.size, &text);
	} else {
		strbuf_addf(&text, "%s%s", is_token ? "Bearer " : "", strbuf_text(&value));
	}
	location->authorization = arena_strdup(arena, strbuf_text(&text));
	return 0;
}

int authorize(struct location *location, const struct secret *secrets, size_t count,
	      struct arena *arena, struct error *err)
{
	static const char *const web[] = { "HTTP_AUTH_HEADER_%s", "HTTP_AUTH_TOKEN_%s" };
	static const char *const git[] = { "GIT_AUTH_HEADER.%s", "GIT_AUTH_TOKEN.%s" };
	static const char *const any[] = { "GIT_AUTH_HEADER", "GIT_AUTH_TOKEN" };
	bool is_git = location->kind == LOCATION_GIT;

	if ((!is_git && location->kind != LOCATION_HTTP) || location->authorization)
		return 0;
	for (int way = 0; way < (is_git ? 6 : 4); way++) {
		bool is_token = way % 2;
		cleanup_free char *host = host_of(location->text, way < 2);
		cleanup_free char *id = NULL;
		const struct secret *secret;

		if (!host)
			return 0;
		id = way < 4 ? xasprintf((is_git ? git : web)[is_token], host)
			     : xstrdup(any[is_token]);
		secret = secret_find(secrets, count, id);
		if (secret)
			return set_from(location, secret, is_token, arena, err);
	}
	return 0;
}
