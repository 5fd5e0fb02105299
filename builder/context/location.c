/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations by BuildKit's rules: http(s) is a repository when its path ends with ".git"; git://,
 * ssh:// and user@host:path always are. "#ref:subdir", or the query "?ref=...&subdir=...".
 */
#include "builder/context/location.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define IMAGE_SCHEME "docker-image://"
#define LAYOUT_SCHEME "oci-layout://"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* "git@host:path", but no URL and no path with a colon in it */
static bool is_scp(const char *text)
{
	size_t user =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	if (!user || text[user] != '@')
		return false;
	text += user + 1;
	return *text != ':' && text[strcspn(text, ":/")] == ':';
}

static bool path_is_git(const char *url)
{
	size_t size = strcspn(url, "?#");

	return size > 4 && strncmp(url + size - 4, ".git", 4) == 0;
}

static enum location_kind kind_of(const char *text, bool is_context)
{
	if (begins(text, "git://") || begins(text, "ssh://") || is_scp(text))
		return LOCATION_GIT;
	if (begins(text, "http://") || begins(text, "https://"))
		return path_is_git(text) ? LOCATION_GIT : LOCATION_HTTP;
	if (!is_context)
		return LOCATION_FOLDER;
	if (begins(text, "github.com/"))
		return LOCATION_GIT;
	if (begins(text, IMAGE_SCHEME))
		return LOCATION_IMAGE;
	if (begins(text, LAYOUT_SCHEME))
		return LOCATION_LAYOUT;
	return strcmp(text, "-") == 0 ? LOCATION_STDIN : LOCATION_FOLDER;
}

/* -- git -----------------------------------------------------------------------------------------
 */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX resolved; a NUL in disguise is not. */
static char *unescape(const char *text, size_t size)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < size; i++) {
		bool escaped = text[i] == '%' && size - i > 2;
		int high = escaped ? hex_value(text[i + 1]) : -1;
		int low = escaped ? hex_value(text[i + 2]) : -1;

		if (high < 0 || low < 0 || !(high | low)) {
			strbuf_addc(&out, text[i]);
			continue;
		}
		strbuf_addc(&out, (char)(high << 4 | low));
		i += 2;
	}
	return strbuf_take(&out);
}

static bool read_bool(const char *value, bool *out)
{
	*out = !*value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	return *out || strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
}

/* One "key=value" of the query. */
static int read_query(const char *key, const char *value, struct location *out, struct error *err)
{
	/* clang-format off */
	const struct {
		const char *name;
		const char **text;
		bool *flag;
	} keys[] = {
		{ "ref", &out->ref, NULL },		{ "branch", &out->ref, NULL },
		{ "tag", &out->ref, NULL },		{ "subdir", &out->subdir, NULL },
		{ "checksum", &out->commit, NULL },	{ "commit", &out->commit, NULL },
		{ "keep-git-dir", NULL, &out->keep_git_dir },
		{ "submodules", NULL, &out->submodules },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		if (keys[i].text)
			*keys[i].text = value;
		else if (!read_bool(value, keys[i].flag))
			return error_invalid(err, "%s=%s: expected true or false", key, value);
		return 0;
	}
	return error_invalid(err, "unexpected query \"%s\"", key);
}

static int read_queries(const char *query, size_t size, struct arena *arena, struct location *out,
			struct error *err)
{
	cleanup_free char *copy = xstrndup(query, size);
	cleanup_strv struct strv parts = STRV_INIT;
	int ret = 0;

	strv_split(&parts, copy, '&');
	for (size_t i = 0; i < parts.count && ret == 0; i++) {
		const char *part = parts.items[i];
		size_t key_size = strcspn(part, "=");
		const char *value = part[key_size] ? part + key_size + 1 : "";
		cleanup_free char *key = unescape(part, key_size);
		cleanup_free char *plain = unescape(value, strlen(value));

		if (*part)
			ret = read_query(key, arena_strdup(arena, plain), out, err);
	}
	return ret;
}

/* What git would take for an option, or for something else than a name. */
static bool is_safe(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return *text != '-';
}

static int parse_git(const char *text, struct arena *arena, struct location *out, struct error *err)
{
	size_t url_size = strcspn(text, "?#");
	const char *rest = text + url_size;
	size_t query_size = *rest == '?' ? strcspn(rest, "#") : 0;
	cleanup_free char *subdir = NULL;
	int ret = 0;

	out->text = arena_printf(arena, "%s%.*s", begins(text, "github.com/") ? "https://" : "",
				 (int)url_size, text);
	out->submodules = true;
	out->subdir = "";
	if (query_size)
		ret = read_queries(rest + 1, query_size - 1, arena, out, err);
	rest += query_size;
	if (*rest == '#') {
		size_t size = strcspn(rest + 1, ":");

		if (size)
			out->ref = arena_strndup(arena, rest + 1, size);
		if (rest[1 + size])
			out->subdir = arena_strdup(arena, rest + size + 2);
	}
	if (ret < 0)
		return ret;
	if (!is_safe(out->text) || (out->ref && !is_safe(out->ref)))
		return error_invalid(err, "not a repository or a reference that git could take");
	if (out->ref && !*out->ref)
		out->ref = NULL;
	subdir = path_join("/", out->subdir); /* ".." ends at the root */
	out->subdir = arena_strdup(arena, subdir + 1);
	return 0;
}

/* A digest has a colon of its own, so it is looked for first. */
static void parse_layout(const char *text, struct arena *arena, struct location *out)
{
	size_t size = strcspn(text, strchr(text, '@') ? "@" : ":");

	out->text = arena_strndup(arena, text, size);
	out->ref = text[size] && text[size + 1] ? arena_strdup(arena, text + size + 1) : NULL;
}

int location_parse(const char *text, bool is_context, struct arena *arena, struct location *out,
		   struct error *err)
{
	int ret = 0;

	*out = (struct location){ .kind = kind_of(text, is_context),
				  .text = arena_strdup(arena, text) };
	if (out->kind == LOCATION_GIT)
		ret = parse_git(text, arena, out, err);
	if (out->kind == LOCATION_IMAGE)
		out->text += strlen(IMAGE_SCHEME);
	if (out->kind == LOCATION_LAYOUT)
		parse_layout(text + strlen(LAYOUT_SCHEME), arena, out);
	return error_prefix(err, ret, "\"%s\"", text);
}
