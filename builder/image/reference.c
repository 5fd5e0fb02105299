/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of image names. What the user types is parsed once here into the full form; all other
 * code (store, registry) uses that, and only messages and tables use the familiar form.
 */
#include "builder/image/reference.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_DOMAIN "docker.io"
#define LEGACY_DOMAIN "index.docker.io"
#define DEFAULT_PREFIX DEFAULT_DOMAIN "/library/"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool component_is_valid(const char *text, size_t size)
{
	size_t i = 0;

	while (i < size) {
		size_t start = i, separator;

		while (i < size && (is_lower(text[i]) || is_digit(text[i])))
			i++;
		if (i == start)
			return false;
		if (i == size)
			return true;
		separator = i;
		while (i < size && text[i] == text[separator] && strchr("._-", text[i]))
			i++;
		if (i == separator || (text[separator] == '.' && i - separator > 1) ||
		    (text[separator] == '_' && i - separator > 2))
			return false;
	}
	return false;
}

static bool path_is_valid(const char *path)
{
	for (;;) {
		size_t size = strcspn(path, "/");

		if (!component_is_valid(path, size))
			return false;
		if (!path[size])
			return true;
		path += size + 1;
	}
}

static bool port_is_valid(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!is_digit(text[i]))
			return false;
	return size > 0 && size <= 5;
}

/* Host names of letters, digits and inner hyphens, or [IPv6]; then an optional :port. */
static bool domain_is_valid(const char *text, size_t size)
{
	size_t i = 0;

	if (size && text[0] == '[') {
		while (i < size && text[i] != ']')
			i++;
		if (i == size || i < 3 || strspn(text + 1, "0123456789abcdefABCDEF:") != i - 1)
			return false;
		i++;
		return i == size || (text[i] == ':' && port_is_valid(text + i + 1, size - i - 1));
	}
	for (size_t label = 0; i < size && text[i] != ':'; i++) {
		if (is_word(text[i])) {
			label++;
			continue;
		}
		if (!label || i + 1 == size || (text[i] != '.' && text[i] != '-') ||
		    (text[i] == '-' && !is_word(text[i + 1]) && text[i + 1] != '-'))
			return false;
		if (text[i] == '.')
			label = 0;
	}
	if (i == 0 || !is_word(text[i - 1]))
		return false;
	return i == size || port_is_valid(text + i + 1, size - i - 1);
}

static bool tag_is_valid(const char *tag)
{
	size_t size = strlen(tag);

	if (size == 0 || size > REFERENCE_TAG_MAX || (!is_word(tag[0]) && tag[0] != '_'))
		return false;
	for (size_t i = 1; i < size; i++)
		if (!is_word(tag[i]) && !strchr("_.-", tag[i]))
			return false;
	return true;
}

/* The first component is a domain when it can't be a path or is localhost. */
static bool has_domain(const char *text, size_t first)
{
	if (!text[first])
		return false;
	if (first == strlen("localhost") && strncmp(text, "localhost", first) == 0)
		return true;
	for (size_t i = 0; i < first; i++)
		if (strchr(".:[", text[i]) || (text[i] >= 'A' && text[i] <= 'Z'))
			return true;
	return false;
}

/* name: what is left of @ and of the tag's colon */
static int parse_name(const char *text, const char *name, struct reference *out, struct error *err)
{
	size_t first = strcspn(name, "/");
	size_t domain_size = strlen(DEFAULT_DOMAIN);
	const char *domain = DEFAULT_DOMAIN, *path = name, *library = "";
	int size;

	if (has_domain(name, first)) {
		domain = name;
		domain_size = first;
		path = name + first + 1;
		if (!domain_is_valid(domain, domain_size))
			return error_invalid(err, "image name \"%s\": invalid domain \"%.*s\"",
					     text, (int)domain_size, domain);
		if (domain_size == strlen(LEGACY_DOMAIN) &&
		    strncmp(domain, LEGACY_DOMAIN, domain_size) == 0) {
			domain = DEFAULT_DOMAIN;
			domain_size = strlen(DEFAULT_DOMAIN);
		}
	}
	for (const char *p = path; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return error_invalid(err, "image name \"%s\" must be lower case", text);
	if (!path_is_valid(path))
		return error_invalid(err, "image name \"%s\" is not NAME[:TAG][@DIGEST]", text);
	if (domain_size == strlen(DEFAULT_DOMAIN) &&
	    strncmp(domain, DEFAULT_DOMAIN, domain_size) == 0 && !strchr(path, '/'))
		library = "library/";
	size = snprintf(out->name, sizeof(out->name), "%.*s/%s%s", (int)domain_size, domain,
			library, path);
	if (size < 0 || (size_t)size >= sizeof(out->name))
		return error_invalid(err, "image name \"%.64s...\" is longer than %d characters",
				     text, REFERENCE_NAME_MAX);
	return 0;
}

int reference_parse(const char *text, struct reference *out, struct error *err)
{
	struct reference result = { "", "", { "" } };
	char copy[REFERENCE_NAME_MAX + REFERENCE_TAG_MAX + DIGEST_TEXT + 8];
	char *at, *colon;
	int ret;

	if (strlen(text) >= sizeof(copy))
		return error_invalid(err, "image name \"%.64s...\" is too long", text);
	memcpy(copy, text, strlen(text) + 1);
	if (digest_is_hex(copy))
		return error_invalid(err, "image name \"%s\" is an image id, not a name", text);
	at = strchr(copy, '@');
	if (at) {
		*at = '\0';
		ret = digest_parse(at + 1, &result.digest, err);
		if (ret < 0)
			return error_prefix(err, ret, "image name \"%s\"", text);
	}
	colon = strrchr(copy, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		if (!tag_is_valid(colon + 1))
			return error_invalid(err, "image name \"%s\": invalid tag \"%s\"", text,
					     colon + 1);
		memcpy(result.tag, colon + 1, strlen(colon + 1) + 1);
	} else if (!at) {
		memcpy(result.tag, "latest", sizeof("latest"));
	}
	ret = parse_name(text, copy, &result, err);
	if (ret < 0)
		return ret;
	*out = result;
	return 0;
}

static void add_suffix(const struct reference *reference, bool with_latest, struct strbuf *out)
{
	bool latest = strcmp(reference->tag, "latest") == 0;

	if (reference->tag[0] && (with_latest || !latest || reference->digest.text[0]))
		strbuf_addf(out, ":%s", reference->tag);
	if (reference->digest.text[0])
		strbuf_addf(out, "@%s", reference->digest.text);
}

void reference_full(const struct reference *reference, struct strbuf *out)
{
	strbuf_adds(out, reference->name);
	add_suffix(reference, true, out);
}

const char *reference_familiar_name(const struct reference *reference)
{
	const char *name = reference->name;
	const char *path = name + strlen(DEFAULT_DOMAIN "/");

	if (strncmp(name, DEFAULT_PREFIX, strlen(DEFAULT_PREFIX)) == 0 &&
	    !strchr(name + strlen(DEFAULT_PREFIX), '/'))
		return name + strlen(DEFAULT_PREFIX);
	/* without the domain, "localhost/x" would be read as a domain again: keep it there */
	if (strncmp(name, DEFAULT_DOMAIN "/", strlen(DEFAULT_DOMAIN "/")) == 0 &&
	    !has_domain(path, strcspn(path, "/")))
		return path;
	return name;
}

void reference_familiar(const struct reference *reference, bool with_latest, struct strbuf *out)
{
	strbuf_adds(out, reference_familiar_name(reference));
	add_suffix(reference, with_latest, out);
}
